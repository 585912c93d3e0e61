"""What is wrong with a training is said in one line before a model is loaded."""

import importlib.metadata
import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wheretaken.cli.main import app
from wheretaken.errors import DataError, MissingExtraError, UserError
from wheretaken.evals.datasets import open_dataset
from wheretaken.evals.datasets.prepare import prepare
from wheretaken.rl.settings import (
    DataSettings,
    LoraSettings,
    ModelSettings,
    ToolSettings,
    TrainSettings,
    TrlSettings,
    WarmStart,
)
from wheretaken.rl.toolbox import LocalToolbox
from wheretaken.rl.trl.versions import check_versions
from wheretaken.testing import island, parity

pytestmark = pytest.mark.usefixtures("trl_libraries")
Settings = Callable[..., TrainSettings]


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> Callable[[TrainSettings], str]:
    """Trains, and returns why that was refused; it is a failure if a model is loaded."""
    from wheretaken.rl.trl import training

    def too_late(*_: object) -> None:
        pytest.fail("the model was loaded")

    monkeypatch.setattr(training, "_made", too_late)

    def refuse(settings: TrainSettings, *, own_tools: bool = True) -> str:
        toolbox = LocalToolbox(island.ISLAND, island.IslandMaps()) if own_tools else None
        with pytest.raises(UserError) as error:
            training.train(settings, toolbox=toolbox)
        assert "\n" not in str(error.value)
        return str(error.value)

    return refuse


def test_another_version_of_trl(settings: Settings, refused, monkeypatch):
    made, real = settings(), importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.17.2" if name == "trl" else real(name))
    assert "trl >= 1.16 and < 1.17, and 1.17.2 is installed" in refused(made)


@pytest.mark.parametrize("name", ["trl", "peft", "tensorboard"])
def test_a_missing_library(settings: Settings, refused, monkeypatch, name):
    made = settings(model=ModelSettings(path=settings().model.path, lora=LoraSettings()))
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda wanted: None if wanted == name else real(wanted))
    said = refused(made)
    assert name in said
    assert "pip install 'wheretaken[trl]'" in said


def test_a_logger_or_a_vllm_that_is_not_installed(settings: Settings, refused):
    assert "pip install swanlab" in refused(settings(trl=TrlSettings(log_to=("swanlab",))))
    assert "vLLM is not installed" in refused(settings(trl=TrlSettings(vllm="colocate")))


def test_settings_of_the_other_engine(settings: Settings, refused):
    assert "wheretaken train verl" in refused(settings().model_copy(update={"engine": "verl"}))


def test_data_that_cannot_be_trained_on(settings: Settings, refused, tmp_path):
    assert "does not exist" in refused(settings(data=DataSettings(train=tmp_path / "none.parquet")))
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"lat": [1.0], "lon": [2.0]}), tmp_path / "blind.parquet")
    assert "no column images" in refused(settings(data=DataSettings(train=tmp_path / "blind.parquet")))
    assert "fewer than recipe.batch (64)" in refused(settings({"batch": 64}))


@pytest.fixture(scope="module")
def two_sizes(tmp_path_factory) -> Path:
    """Rows of twelve photos, of which the first five take fewer tokens."""
    root = tmp_path_factory.mktemp("sizes")
    prepare(open_dataset(str(parity.dataset(root / "photos", 12, small=5))), root / "rows.parquet", "trl")
    return root / "rows.parquet"


def test_prompts_that_are_too_long_are_left_out_and_refused_where_too_few_are_left(
    settings: Settings, two_sizes, island_model, monkeypatch
):
    from wheretaken.rl.trl import training

    model = ModelSettings(path=str(island_model), max_pixels=4096)
    data = DataSettings(train=two_sizes, val=two_sizes)

    def limited(tokens, batch):
        recipe = {"prompt_tokens": tokens, "batch": batch, "steps": None, "epochs": 2}
        return settings(recipe, data=data, model=model)

    def tools():
        return LocalToolbox(island.ISLAND, island.IslandMaps())

    with training._trainer(limited(4096, 2), tools(), print) as (trainer, plan):
        trainer.model.train()
        rows = [trainer.train_dataset[number] for number in (0, 11)]
        made = trainer._generate_and_score_completions([dict(row) for row in rows for _ in range(4)])
        short, longest = (int(made["prompt_mask"][number].sum()) for number in (0, 4))
    assert (plan.photos, plan.steps, plan.left_out, longest - short) == (12, 12, [], 3)
    # One token fewer than the longer ones have, and they are left out; as many as they have, and none is.
    assert "left out" not in training.dry_run(limited(longest, 2), toolbox=tools())
    said = training.dry_run(limited(longest - 1, 2), toolbox=tools())
    left_out = f"longer than recipe.prompt_tokens ({longest - 1}); the longest has {longest} tokens"
    assert said.count(f"7 of 12 photos have prompts {left_out}; they are left out") == 2
    assert "5 photos, 4 steps of 2 x 4 rollouts" in said
    monkeypatch.setattr(training, "_made", lambda *_: pytest.fail("the model was loaded"))
    for tokens, batch, left in ((longest - 1, 6, 5), (short - 1, 2, 0)):
        with pytest.raises(UserError, match=f"tokens, and {left} photos are too few"):
            training.train(limited(tokens, batch), toolbox=tools())


def test_rows_that_are_left_out_are_not_trained_on(two_sizes, trl_libraries):
    from wheretaken.rl.lengths import Fit
    from wheretaken.rl.trl.rows import load

    rows = load(two_sizes, Fit((1, 4)), island.ISLAND)
    assert [parity.number_of(row["images"][0]) for row in rows] == [1, 4]


def test_shares_that_do_not_work(settings: Settings, refused, monkeypatch):
    assert "recipe.mini_batch (3) must divide recipe.batch (4)" in refused(
        settings({"batch": 4, "mini_batch": 3})
    )
    assert "trl.micro_batch (3) must divide the 8 rollouts" in refused(
        settings(trl=TrlSettings(micro_batch=3))
    )
    monkeypatch.setenv("WORLD_SIZE", "3")
    assert "not to be shared by 3 processes" in refused(settings())


def test_a_model_that_is_none(settings: Settings, refused, tmp_path):
    assert "no directory" in refused(settings(model=ModelSettings(path=str(tmp_path / "none")))).replace(
        "is no", "no"
    )
    (tmp_path / "text").mkdir()
    assert "no config.json" in refused(settings(model=ModelSettings(path=str(tmp_path / "text"))))
    (tmp_path / "text" / "config.json").write_text(json.dumps({"model_type": "llama"}))
    assert "is a llama" in refused(settings(model=ModelSettings(path=str(tmp_path / "text"))))
    (tmp_path / "text" / "config.json").write_text(json.dumps({"model_type": "qwen3_vl"}))
    assert "preprocessor_config.json" in refused(settings(model=ModelSettings(path=str(tmp_path / "text"))))


def checkpoint(settings: TrainSettings, model: Path) -> Path:
    made = settings.output / "checkpoints" / "checkpoint-7"
    shutil.copytree(model, made)
    (made / "trainer_state.json").write_text("{}")
    return made


def test_a_checkpoint_of_another_model(settings: Settings, refused, island_model):
    made = settings()
    config = checkpoint(made, island_model) / "config.json"
    config.write_text(config.read_text().replace('"num_hidden_layers": 3', '"num_hidden_layers": 5'))
    said = refused(made)
    assert "checkpoint-7 is a checkpoint of another model" in said
    assert "num_hidden_layers 5 and not 3" in said


def test_a_checkpoint_of_adapters_and_settings_without(settings: Settings, refused, island_model):
    made = settings()
    there = checkpoint(made, island_model)
    (there / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "x", "r": 4}))
    assert "adapters" in refused(made)
    lora = settings(model=ModelSettings(path=str(island_model), lora=LoraSettings(rank=8)))
    assert "rank 4 and for x" in refused(lora)


def test_a_warm_start_without_runs(settings: Settings, refused, tmp_path):
    start = WarmStart(runs=tmp_path / "none")
    assert "no directory" in refused(settings(trl=TrlSettings(warm_start=start)))


def test_a_warm_start_from_runs_without_answers(settings: Settings, tmp_path):
    from wheretaken.rl.trl.sft import learned_from

    (tmp_path / "runs").mkdir()
    with pytest.raises(DataError, match="nothing to learn from"):
        learned_from(tmp_path / "runs")


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_servers_that_cannot_be_reached(settings: Settings, refused, monkeypatch):
    away = settings(tools=ToolSettings(server="http://127.0.0.1:9"))
    assert "no tool server answers at http://127.0.0.1:9" in refused(away, own_tools=False)
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: real("json" if name == "vllm" else name))
    assert "in trl.vllm_url where" in refused(settings(trl=TrlSettings(vllm="server")))
    url = "http://127.0.0.1:9"
    assert f"no vLLM server answers at {url}" in refused(
        settings(trl=TrlSettings(vllm="server", vllm_url=url))
    )


def test_settings_as_trl_has_them(settings: Settings, island_model, monkeypatch):
    from wheretaken.rl.trl import checks, training, weights

    processor = weights.processor(ModelSettings(path=str(island_model), max_pixels=2048))
    assert processor.image_processor.size["longest_edge"] == 2048
    asked = settings({"batch": 4, "group": 4, "mini_batch": 2}, trl=TrlSettings(micro_batch=2))
    plan = checks.check(asked)
    told = training.arguments(asked, plan, processor)
    assert (plan.steps, told["gradient_accumulation_steps"], told["steps_per_generation"]) == (3, 4, 8)
    pads = [processor.tokenizer.convert_tokens_to_ids(name) for name in ("<|image_pad|>", "<|video_pad|>")]
    assert told["generation_kwargs"] == {"suppress_tokens": pads}
    assert training.never_written(processor.tokenizer, "colocate") == {
        "logit_bias": dict.fromkeys(pads, -100.0)
    }
    assert training.never_written(processor.tokenizer, "server")["bad_words"][0] == "<|image_pad|>"
    by_epochs = settings({"steps": None, "epochs": 3, "batch": 4, "mini_batch": 2})
    assert checks.check(by_epochs).steps == 3 * (32 // 4) * 2


async def test_a_running_event_loop(settings: Settings, refused):
    assert "an event loop is running" in refused(settings())


def test_the_command_checks_and_names_the_file_that_is_wrong(settings: Settings, tmp_path):
    made = settings(tools=ToolSettings(toolset="direct"))
    made.save(tmp_path / "config.yaml")
    done = CliRunner().invoke(app, ["train", "trl", str(tmp_path), "--dry-run"])
    assert done.exit_code == 0, done.output
    assert (
        "32 photos, 3 steps of 2 x 4 rollouts, from the beginning; no GPU, vLLM off"
        in done.output.replace("\n", " ")
    )
    broken = (tmp_path / "config.yaml").read_text().replace("steps:", "stepps:")
    (tmp_path / "config.yaml").write_text(broken)
    done = CliRunner().invoke(app, ["train", "trl", str(tmp_path), "--dry-run"])
    assert done.exit_code == 2
    assert "did you mean steps?" in done.output


def test_nothing_is_imported_before_it_is_needed():
    """Whoever only looks at settings, or asks for help, does not wait for torch."""
    import subprocess
    import sys

    code = (
        "import sys, wheretaken.rl.trl.checks, wheretaken.rl.trl.training, wheretaken.cli.training_trl;"
        "print([n for n in ('torch', 'trl', 'transformers', 'datasets') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_missing_extra_is_an_error_of_its_kind(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match="torch"):
        check_versions()
