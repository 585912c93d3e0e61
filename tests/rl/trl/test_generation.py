"""Who writes the rollouts: transformers, or vLLM where it is installed (`make test-vllm` brings it)."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from wheretaken.rl.records import read_metrics, read_scores
from wheretaken.rl.settings import LoraSettings, ModelSettings, TrainSettings, TrlSettings
from wheretaken.rl.toolbox import LocalToolbox
from wheretaken.testing import island
from wheretaken.testing.island.world import IslandMaps

VLLM = importlib.util.find_spec("vllm") is not None
LOOPBACK = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1", "::1"])]
pytestmark = [
    pytest.mark.usefixtures("trl_libraries"),
    # Parts of vLLM talk to each other by sockets; and it warns of much that only it can change.
    *([*LOOPBACK, pytest.mark.filterwarnings("ignore")] if VLLM else []),
]
CLOSE = 0.05
"""Nats between what two programs make of a token's probability, in 16 bits."""


@pytest.mark.parametrize("lora", [None, LoraSettings(rank=4, alpha=8)], ids=["all weights", "adapters"])
@pytest.mark.parametrize("pixels", [None, 4096], ids=["the model's sizes", "other sizes"])
def test_rollouts_are_written_with_the_pictures_that_are_trained_on(
    settings: Callable[..., TrainSettings], pixels, lora
):
    from wheretaken.rl.trl import training

    model = ModelSettings(path=settings().model.path, max_pixels=pixels, lora=lora)
    asked = settings({"steps": 2}, model=model, trl=TrlSettings(vllm="colocate" if VLLM else "off"))
    training.train(asked, toolbox=LocalToolbox(island.ISLAND, IslandMaps()))
    lines = read_scores(asked.output)
    assert len(lines) == 2 * 2 * 4
    assert any(line.calls for line in lines)
    steps = [line.values for line in read_metrics(asked.output)]
    if VLLM:
        assert all(step["sampling/sampling_logp_difference/mean"] < CLOSE for step in steps)


def test_vllm_reads_pictures_in_the_sizes_of_the_training(settings: Callable[..., TrainSettings], tmp_path):
    from wheretaken.rl.trl import weights
    from wheretaken.rl.trl.libraries import transformers

    path = settings().model.path
    own = ModelSettings(path=path)
    assert weights.for_vllm(own, weights.processor(own), tmp_path) == path
    changed = ModelSettings(path=path, min_pixels=2048, max_pixels=4096)
    wanted = weights.processor(changed)
    made = Path(weights.for_vllm(changed, wanted, tmp_path))
    assert made.parent == tmp_path
    read = transformers.AutoProcessor.from_pretrained(made)
    assert dict(read.image_processor.size) == {"shortest_edge": 2048, "longest_edge": 4096}
    assert (made / "model.safetensors").resolve() == (Path(path) / "model.safetensors").resolve()
    assert {file.name for file in made.iterdir()} >= {file.name for file in Path(path).iterdir()}
    assert weights.for_vllm(changed, wanted, tmp_path) == str(made)
    assert [file.name for file in tmp_path.iterdir()] == [made.name]


def test_vllm_is_told_each_picture_once():
    from wheretaken.rl.trl.rollout import one_token_each

    prompts = [[5, 5, 5, 1, 2, 2, 5, 3, 5, 5], [1, 1], []]
    assert one_token_each(prompts, 5) == [[5, 1, 2, 2, 5, 3, 5], [1, 1], []]
