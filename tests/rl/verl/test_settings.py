"""Settings become verl's own, and what cannot work is said before anything starts."""

import importlib
import json

import pytest
import torch
from PIL import Image

from wheretaken.errors import MissingExtraError, UserError
from wheretaken.rl.presets import PRESETS
from wheretaken.rl.settings import DataSettings, ModelSettings, TrainSettings, VerlSettings
from wheretaken.rl.verl import checks, launch
from wheretaken.rl.verl.overrides import Files, arguments, overrides
from wheretaken.testing import parity
from wheretaken.testing.verl_cpu import OVERRIDES


def of(preset, tmp_path, **verl):
    made = PRESETS[preset]
    return TrainSettings(
        engine="verl",
        data=DataSettings(train=tmp_path / "it's a/train.parquet", val=tmp_path / "val.parquet"),
        model=ModelSettings(path=made.model, lora=made.lora, max_pixels=786432),
        recipe=made.recipe,
        verl=made.verl.model_copy(update=verl),
        output=tmp_path / "run",
    )


def composed(settings, **options):
    return checks.composed(overrides(settings, Files.of(settings, 7), **options))


@pytest.mark.parametrize("strategy", ["fsdp", "megatron"])
@pytest.mark.parametrize("rollout", ["vllm", "sglang"])
@pytest.mark.parametrize("preset", ["paper", "released"])
def test_the_papers_recipes_compose_with_verl(tmp_path, preset, rollout, strategy):
    settings = of(preset, tmp_path, rollout=rollout, strategy=strategy)
    made = composed(settings)
    actor, rolled = made.actor_rollout_ref.actor, made.actor_rollout_ref.rollout
    assert (made.trainer.nnodes, made.trainer.n_gpus_per_node) == (8, 8)
    assert (made.data.train_batch_size, rolled.n, actor.optim.lr) == (64, 16, 1e-6)
    assert (actor.use_kl_loss, actor.kl_loss_coef) == (True, 0.001)
    assert actor.ppo_mini_batch_size == {"paper": 16, "released": 64}[preset]
    assert made.trainer.total_epochs == {"paper": 2, "released": 1}[preset]
    assert (rolled.name, actor.strategy) == (rollout, {"fsdp": "fsdp2"}.get(strategy, strategy))
    assert rolled.multi_turn.max_assistant_turns == 8
    assert made.data.max_response_length == 4096
    assert (rolled.val_kwargs.top_p, rolled.val_kwargs.top_k) == (0.95, 60)


def test_what_verls_defaults_get_wrong_is_set(tmp_path):
    made = composed(of("paper", tmp_path))
    turns, agent = made.actor_rollout_ref.rollout.multi_turn, made.actor_rollout_ref.rollout.agent
    assert turns.enable
    assert min(turns.max_parallel_calls, turns.max_tool_response_length) > 10**6  # the episode has the limits
    assert agent.default_agent_loop == "wheretaken"
    assert made.data.image_patch_size == 16
    assert made.data.train_files == str(tmp_path / "it's a/train.parquet")
    assert made.data.mm_processor_kwargs == {"max_pixels": 786432}
    assert made.algorithm.adv_estimator == "grpo"
    assert "wandb" not in made.trainer.logger
    assert made.reward.custom_reward_function.path == "pkg://wheretaken.rl.verl.reward"


def test_what_the_user_names_goes_first(tmp_path):
    settings = of("paper", tmp_path, overrides={"trainer.save_freq": 3, "trainer.project_name": "a b, 'c'"})
    made = composed(settings)
    assert (made.trainer.save_freq, made.trainer.project_name) == (3, "a b, 'c'")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"overrides": {"trainer.no_such_thing": 1}}, "no_such_thing"),
        ({"nodes": 3, "gpus_per_node": 7}, "divisible"),
    ],
)
def test_what_verl_refuses_is_said_in_its_words(tmp_path, change, said):
    with pytest.raises(UserError, match=said):
        composed(of("paper", tmp_path, **change))


def test_an_evaluation_only_validates(tmp_path):
    made = composed(of("released", tmp_path), eval_only=True)
    assert (made.trainer.val_only, made.trainer.val_before_train) == (True, True)
    assert made.actor_rollout_ref.rollout.val_kwargs.n == 4


def test_overrides_are_words_for_a_shell(tmp_path):
    words = arguments(overrides(of("paper", tmp_path), Files.of(of("paper", tmp_path), 7)))
    assert "trainer.nnodes=8" in words
    assert "data.image_patch_size=16" in words
    assert "trainer.total_training_steps=null" in words


@pytest.fixture
def toy(exported, tmp_path):
    settings = exported(tmp_path / "toys")
    verl = settings.verl.model_copy(update={"overrides": dict(OVERRIDES)})
    return settings.model_copy(update={"verl": verl})


def test_a_training_is_prepared(toy):
    prepared = launch.prepare(toy)
    assert prepared.photos == 12
    assert prepared.command().startswith("python -m verl.trainer.main_ppo")
    written = json.loads(prepared.files.tools.read_text())
    assert [tool["config"]["tool"] for tool in written["tools"]] == ["road_map"]
    assert TrainSettings.load(prepared.files.config) == toy


def changed(settings, **parts):
    return settings.model_copy(
        update={
            part: getattr(settings, part).model_copy(update=values) if isinstance(values, dict) else values
            for part, values in parts.items()
        }
    )


def without_pictures(file):
    from pyarrow import parquet

    table = parquet.read_table(file)
    parquet.write_table(table.drop_columns(["images"]), file)


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_what_cannot_work_is_said_before_anything_starts(toy, tmp_path):
    def refused(said, *, eval_only=False, **parts):
        with pytest.raises(UserError, match=said):
            launch.prepare(changed(toy, **parts), eval_only=eval_only)

    refused("wheretaken train trl", engine="trl")
    refused("no tool server answers", tools={"server": "http://127.0.0.1:9"})
    refused("smaller batch", recipe={"batch": 64})
    refused("no directory", model={"path": str(tmp_path / "nothing")})
    refused("data.val", eval_only=True, data={"val": None})
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.json").write_text('{"model_type": "llama"}')
    refused("llama", model={"path": str(other)})
    without_pictures(toy.data.train)
    refused("no column images")


def read_by_verl(settings):
    """The rows that are left when verl reads them."""
    from verl.utils.dataset import rl_dataset

    prepared = launch.prepare(settings)
    made = checks.composed(prepared.told)
    hf = importlib.import_module("verl.utils")
    path = settings.model.path
    tokenizer, processor = hf.hf_tokenizer(path), hf.hf_processor(path)
    kind = rl_dataset.get_dataset_class(made.data)
    return kind(str(settings.data.train), tokenizer, made.data, processor=processor), prepared


def test_prompts_that_are_too_long_are_left_out_and_refused_where_too_few_are_left(toy, caplog):
    for number in range(5):
        (shown,) = [path for path in media(toy) if parity.number_of(Image.open(path)) == number]
        shown.write_bytes(parity.numbered(number, small=True))
    rows, prepared = read_by_verl(toy)
    assert (len(rows), prepared.photos, prepared.left_out) == (12, 12, ())
    longest = max(len(tokens(rows, number)) for number in range(12))
    exact = changed(toy, recipe={"prompt_tokens": longest})
    assert len(read_by_verl(exact)[0]) == 12
    rows, prepared = read_by_verl(changed(toy, recipe={"prompt_tokens": longest - 1}))
    left_out = f"longer than recipe.prompt_tokens ({longest - 1}); the longest has {longest} tokens"
    told = f"7 of 12 photos have prompts {left_out}; they are left out"
    assert (len(rows), prepared.photos, len(prepared.left_out)) == (5, 5, 2)
    assert prepared.left_out[0] == f"{toy.data.train}: {told}"
    assert told in caplog.text
    with pytest.raises(UserError, match="and 5 photos are too few"):
        launch.prepare(changed(toy, recipe={"prompt_tokens": longest - 1, "batch": 6}))


def media(settings):
    return sorted((settings.data.train.parent / "media").glob("*.png"))


def tokens(rows, number):
    """The prompt of a row as verl's agent loop makes it."""
    messages = rows[number]["raw_prompt"]
    text = rows.processor.apply_chat_template(
        messages, tools=rows.tool_schemas, tokenize=False, add_generation_prompt=True
    )
    images, _, _ = rows._process_multi_modal_info(messages)
    return rows.processor(text=[text], images=images)["input_ids"][0]


def without(settings, *names):
    own = {name: value for name, value in settings.verl.overrides.items() if name not in names}
    return {"overrides": own}


def test_what_it_runs_on_is_looked_at_before_ray_is_started(toy):
    def refused(said, **verl):
        prepared = launch.prepare(changed(toy, verl=verl))
        for start in (launch.look, launch.run):
            with pytest.raises(UserError, match=said):
                start(prepared)

    refused("--address", nodes=2)
    refused("this machine has 0 GPUs, and verl.gpus_per_node is 1", **without(toy, "trainer.device"))
    refused("verl.rollout is vllm, which is not", **without(toy, "actor_rollout_ref.rollout.name"))


def test_megatron_is_looked_for_where_it_runs():
    elsewhere = VerlSettings(strategy="megatron", overrides={"actor_rollout_ref.rollout.name": "other"})
    with pytest.raises(MissingExtraError, match="megatron-core"):
        checks.check_engines(elsewhere)


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.parametrize("address", ["127.0.0.1:9", "auto"])
def test_a_cluster_that_is_not_there_is_said(toy, address):
    with pytest.raises(UserError, match="no Ray cluster can be joined"):
        launch.look(launch.prepare(toy), address)


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_dashboard_that_is_not_there_is_said(toy):
    with pytest.raises(UserError, match="took no job"):
        launch.submit(launch.prepare(toy), "http://127.0.0.1:9")


def test_left_out_rollouts_are_left_out_of_their_group():
    import numpy as np
    from verl.trainer.ppo.core_algos import compute_grpo_outcome_advantage

    from wheretaken.rl.verl.advantage import advantages

    rewards = torch.zeros(6, 3)
    rewards[:, -1] = torch.tensor([1.0, 0.0, 0.5, 0.0, 0.2, 1.0])
    mask = torch.ones(6, 3, dtype=torch.long)
    mask[2] = 0
    groups = np.array(["a", "a", "a", "b", "b", "b"], dtype=object)
    found, _ = advantages(token_level_rewards=rewards, response_mask=mask, index=groups)
    rest = [0, 1, 3, 4, 5]
    alone, _ = compute_grpo_outcome_advantage(rewards[rest].clone(), mask[rest], groups[rest])
    assert torch.equal(found[rest], alone)
    assert torch.equal(found[2], torch.zeros(3))
    nothing, _ = advantages(token_level_rewards=rewards, response_mask=torch.zeros_like(mask), index=groups)
    assert not nothing.any()
