"""Checkpoints that are whole, or are none: what becomes of them needs neither engine."""

import json
import shutil
import struct
from pathlib import Path

import pytest

from wheretaken.errors import UserError
from wheretaken.rl import weights
from wheretaken.rl.settings import DataSettings, ModelSettings, ToolSettings, TrainSettings

SIZES = {"hidden_size": 8, "num_hidden_layers": 1, "vocab_size": 16}
CONFIG = {"model_type": "qwen3_vl", "text_config": SIZES}
TENSORS = {"a.weight": [2, 3], "b.weight": [4], "lm_head.weight": [2]}


def model(directory: Path, tensors=TENSORS, config=CONFIG) -> Path:
    """Weights of nothing: a header, and no numbers."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config.json").write_text(json.dumps(config))
    (directory / "chat_template.jinja").write_text("{{ messages }}")
    described = {
        name: {"dtype": "BF16", "shape": shape, "data_offsets": [0, 0]} for name, shape in tensors.items()
    }
    header = json.dumps({"__metadata__": {"format": "pt"}} | described).encode()
    (directory / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    return directory


def training(tmp_path: Path, engine="trl", **model_settings) -> TrainSettings:
    (tmp_path / "tools.yaml").write_text("tools: []\n")
    return TrainSettings(
        engine=engine,
        data=DataSettings(train=tmp_path / "train.parquet"),
        model=ModelSettings(path=str(model(tmp_path / "first")), **model_settings),
        output=tmp_path / "run",
        tools=ToolSettings(config=tmp_path / "tools.yaml"),
    )


def of_trl(settings: TrainSettings, step: int, **parts) -> Path:
    directory = model(settings.output / "checkpoints" / f"checkpoint-{step}", **parts)
    for name in ("trainer_state.json", "optimizer.pt", "training_args.bin", "rng_state.pth"):
        (directory / name).write_text("{}")
    return directory


def test_the_last_checkpoint_of_trl_becomes_weights_without_the_state_of_the_trainer(tmp_path):
    settings = training(tmp_path)
    of_trl(settings, 9)
    last = of_trl(settings, 20)
    model(settings.output / "checkpoints" / "checkpoint-40")  # a kill left it without its state
    assert weights.merge(settings, tmp_path / "out") == 20
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"config.json", "chat_template.jinja", "model.safetensors", "tools.yaml", "README.md"}
    assert (tmp_path / "out/model.safetensors").read_bytes() == (last / "model.safetensors").read_bytes()


def test_a_checkpoint_is_chosen_by_its_step(tmp_path):
    settings = training(tmp_path)
    of_trl(settings, 9)
    of_trl(settings, 20)
    assert weights.merge(settings, tmp_path / "out", 9) == 9
    with pytest.raises(UserError, match=r"no checkpoint of step 10 \(there are: 9, 20\)"):
        weights.merge(settings, tmp_path / "other", 10)


def test_without_a_checkpoint_there_is_nothing_to_merge(tmp_path):
    with pytest.raises(UserError, match=r"has no checkpoint \(there are: none\)"):
        weights.merge(training(tmp_path), tmp_path / "out")


@pytest.mark.parametrize("engine", ["trl", "verl"])
def test_the_other_engines_checkpoints_are_none(tmp_path, engine):
    settings = training(tmp_path, engine)
    name = {"trl": "global_step_3/actor/huggingface", "verl": "checkpoint-3"}[engine]
    model(settings.output / "checkpoints" / name)
    assert weights.checkpoints(settings) == {}


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"config": CONFIG | {"model_type": "qwen2_5_vl"}}, "model_type qwen2_5_vl and not qwen3_vl"),
        ({"config": CONFIG | {"text_config": SIZES | {"hidden_size": 9}}}, "hidden_size 9"),
        ({"tensors": TENSORS | {"a.weight": [2, 4]}}, r"1 tensors .* such as a\.weight"),
        ({"tensors": {"a.weight": [2, 3]}}, r"such as b\.weight"),
        ({"tensors": {}}, "has no weights in it"),
    ],
)
def test_a_checkpoint_of_another_model_is_refused_and_nothing_is_left(tmp_path, parts, said):
    settings = training(tmp_path)
    of_trl(settings, 3, **parts)
    with pytest.raises(UserError, match=said):
        weights.merge(settings, tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"first", "run", "tools.yaml"}


def test_matrices_may_be_turned_and_the_head_may_be_the_embedding(tmp_path):
    settings = training(tmp_path)
    of_trl(settings, 3, tensors={"a.weight": [3, 2], "b.weight": [4]})
    assert weights.merge(settings, tmp_path / "out") == 3


def test_megatrons_weights_are_whole_already(tmp_path):
    settings = training(tmp_path, "verl")
    settings = settings.model_copy(update={"verl": settings.verl.model_copy(update={"strategy": "megatron"})})
    model(settings.output / "checkpoints/global_step_5/actor/model/huggingface")
    assert weights.merge(settings, tmp_path / "out") == 5
    assert (tmp_path / "out/model.safetensors").is_file()


def test_a_merge_that_was_killed_is_in_nobodys_way(tmp_path):
    settings = training(tmp_path)
    of_trl(settings, 3)
    model(tmp_path / ".out.part", tensors={"leftover": [1]})
    (tmp_path / ".out.part/leftover.safetensors").write_bytes(b"?")
    weights.merge(settings, tmp_path / "out")
    assert not (tmp_path / "out/leftover.safetensors").exists()
    assert not (tmp_path / ".out.part").exists()


def test_who_has_a_name_of_the_hub_may_merge_as_well(tmp_path):
    settings = training(tmp_path)
    of_trl(settings, 3)
    shutil.rmtree(tmp_path / "first")
    model_settings = settings.model.model_copy(update={"path": "Qwen/Qwen3-VL-4B-Instruct"})
    assert weights.merge(settings.model_copy(update={"model": model_settings}), tmp_path / "out") == 3


def test_commands_are_of_the_trainings_tools_and_lengths(tmp_path):
    settings = training(tmp_path)
    serve, server, locate = weights.commands(settings, Path("/w/it's mine")).splitlines()
    assert serve == "wheretaken serve --toolset worldwide --tools-config '/w/it'\"'\"'s mine/tools.yaml'"
    assert "--max-model-len 8192" in server
    assert "--max-turns 8" in locate
    direct = settings.model_copy(update={"tools": ToolSettings(toolset="direct")})
    assert [line.split()[0] for line in weights.commands(direct, Path("/w")).splitlines()] == [
        "vllm",
        "wheretaken",
    ]


def test_weights_of_the_island_are_not_shown_with_tools_that_no_server_has(tmp_path):
    settings = training(tmp_path).model_copy(update={"tools": ToolSettings(toolset="island")})
    why, server = weights.commands(settings, Path("/w")).splitlines()
    assert why.startswith("# ")
    assert "--eval-only" in why
    assert server.startswith("vllm serve /w ")
