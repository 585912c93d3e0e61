"""A checkpoint in pieces, as verl saves it in two processes, becomes the weights that it was cut from."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForImageTextToText, AutoProcessor

from wheretaken.errors import UserError
from wheretaken.rl import weights
from wheretaken.rl.checkpoints import CHECKPOINTS
from wheretaken.rl.settings import LoraSettings

SHARDS = Path(__file__).with_name("shards.py")


@pytest.fixture(scope="module")
def saved(toy_model, tmp_path_factory):
    """Checkpoints of verl's by their kind, each with `actor` and `expected` in it."""
    out = tmp_path_factory.mktemp("saved")
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"),
        *(str(SHARDS), str(toy_model), str(out)),
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return out


def training(exported, saved, out, kind="whole"):
    settings = exported(out)
    shutil.copytree(saved / kind, settings.output / CHECKPOINTS / "global_step_3")
    (settings.output / CHECKPOINTS / "global_step_9").mkdir()  # a kill left it unfinished
    lora = LoraSettings(rank=4, alpha=16) if kind == "lora" else None
    return settings.model_copy(update={"model": settings.model.model_copy(update={"lora": lora})})


@pytest.mark.parametrize("kind", ["whole", "lora"])
def test_the_pieces_become_what_they_were_cut_from(exported, saved, tmp_path, kind):
    settings = training(exported, saved, tmp_path / "toys", kind)
    target = tmp_path / "weights"
    assert weights.merge(settings, target) == 3
    found = load_file(target / "model.safetensors")
    expected = load_file(saved / kind / "expected" / "model.safetensors")
    assert found.keys() == expected.keys()
    # Numbers are rounded to 16 bits; what adapters add, before they are added.
    far = 0.0 if kind == "whole" else 0.01
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value.bfloat16(), rtol=far, atol=far)
    first = load_file(Path(settings.model.path) / "model.safetensors")
    assert any((found[name] - value.bfloat16()).abs().max() > 0.05 for name, value in first.items())

    processor, before = (AutoProcessor.from_pretrained(path) for path in (target, settings.model.path))
    assert processor.chat_template == before.chat_template
    assert processor.tokenizer.get_vocab() == before.tokenizer.get_vocab()
    AutoModelForImageTextToText.from_pretrained(target)
    assert (target / "tools.yaml").read_bytes() == settings.tools.config.read_bytes()
    assert weights.commands(settings, target) in (target / "README.md").read_text()
    left = {path.name for path in target.iterdir()} & {"lora_adapter", "adapter_config.json"}
    assert (left, {path.name for path in tmp_path.iterdir()}) == (set(), {"toys", "weights"})


def test_a_target_that_exists_is_left_alone(exported, saved, tmp_path):
    settings = training(exported, saved, tmp_path / "toys")
    (tmp_path / "weights").mkdir()
    with pytest.raises(UserError, match="exists: choose a new directory"):
        weights.merge(settings, tmp_path / "weights")


def test_a_piece_that_is_missing_is_said_and_nothing_is_left(exported, saved, tmp_path):
    settings = training(exported, saved, tmp_path / "toys")
    (weights.checkpoints(settings)[3] / "actor" / "model_world_size_2_rank_1.pt").unlink()
    with pytest.raises(UserError, match=r"actor has no model_world_size_2_rank_1\.pt, which one of its 2"):
        weights.merge(settings, tmp_path / "weights")
    assert {path.name for path in tmp_path.iterdir()} == {"toys"}


def test_a_piece_that_is_damaged_is_said_and_nothing_is_left(exported, saved, tmp_path):
    settings = training(exported, saved, tmp_path / "toys")
    (weights.checkpoints(settings)[3] / "actor" / "model_world_size_2_rank_1.pt").write_bytes(b"PK cut off")
    with pytest.raises(UserError, match=r"verl cannot merge .*actor"):
        weights.merge(settings, tmp_path / "weights")
    assert {path.name for path in tmp_path.iterdir()} == {"toys"}


def test_adapters_of_trl_are_worked_into_the_weights_that_they_were_trained_on(exported, tmp_path):
    from peft import LoraConfig, get_peft_model

    settings = exported(tmp_path / "toys").model_copy(update={"engine": "trl"})
    checkpoint = settings.output / CHECKPOINTS / "checkpoint-4"
    layers = LoraConfig(r=4, lora_alpha=16, target_modules=["q_proj"], init_lora_weights=False)
    adapted = get_peft_model(AutoModelForImageTextToText.from_pretrained(settings.model.path), layers)
    adapted.save_pretrained(checkpoint)
    AutoProcessor.from_pretrained(settings.model.path).save_pretrained(checkpoint)
    (checkpoint / "trainer_state.json").write_text("{}")
    assert weights.merge(settings, tmp_path / "weights") == 4
    expected = adapted.merge_and_unload().state_dict()
    found = AutoModelForImageTextToText.from_pretrained(tmp_path / "weights").state_dict()
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)
    assert not list((tmp_path / "weights").glob("adapter_*"))


def test_adapters_that_do_not_fit_are_refused(exported, tmp_path):
    settings = exported(tmp_path / "toys").model_copy(update={"engine": "trl"})
    checkpoint = settings.output / CHECKPOINTS / "checkpoint-4"
    checkpoint.mkdir(parents=True)
    (checkpoint / "trainer_state.json").write_text("{}")
    (checkpoint / "adapter_config.json").write_text('{"peft_type": "LORA", "target_modules": ["no_such"]}')
    with pytest.raises(UserError, match="not to be merged into"):
        weights.merge(settings, tmp_path / "weights")
    assert {path.name for path in tmp_path.iterdir()} == {"toys"}
