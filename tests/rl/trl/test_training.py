"""Short trainings with TRL, from rows to weights: what they do, what they keep, and how they go on."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from wheretaken import agent
from wheretaken.errors import DataError
from wheretaken.evals.datasets import open_dataset
from wheretaken.evals.datasets.prepare import prepare
from wheretaken.evals.results import read_results
from wheretaken.geo import LatLon
from wheretaken.rl.records import read_metrics, read_scores, samples
from wheretaken.rl.settings import (
    DataSettings,
    LoraSettings,
    ModelSettings,
    RewardSettings,
    ToolSettings,
    TrainSettings,
    TrlSettings,
    WarmStart,
)
from wheretaken.rl.toolbox import LocalToolbox
from wheretaken.testing import island
from wheretaken.testing.island.world import IslandMaps

pytestmark = pytest.mark.usefixtures("trl_libraries")
Settings = Callable[..., TrainSettings]


def tools(maps: IslandMaps | None = None) -> LocalToolbox:
    return LocalToolbox(island.ISLAND, maps or IslandMaps())


def train(settings: TrainSettings, toolbox: LocalToolbox | None = None) -> list[str]:
    from wheretaken.rl.trl import training

    said: list[str] = []
    final = training.train(settings, toolbox=toolbox or tools(), tell=said.append)
    assert final == settings.output / "final"
    return said


def weights(directory) -> dict:
    from safetensors.torch import load_file

    return load_file(directory / "model.safetensors")


def model_of(settings: TrainSettings) -> Path:
    return Path(settings.model.path)


def test_three_steps_with_tools_that_return_text_and_pictures(settings: Settings, island_rows):
    data = DataSettings(train=island_rows / "train.parquet", val=island_rows / "val.parquet")
    asked = settings({"eval_every": 3, "eval_runs": 2}, data=data)
    said = train(asked)
    assert [line.split(":")[0] for line in said[1:]] == [
        "validation after step 0", "step 1 of 3", "step 2 of 3", "step 3 of 3", "validation after step 3",
    ]  # fmt: skip

    scores = read_scores(asked.output)
    by_split = {split: [line for line in scores if line.split == split] for split in ("train", "val")}
    assert [line.step for line in by_split["train"]] == [1] * 8 + [2] * 8 + [3] * 8
    assert [line.step for line in by_split["val"]] == [0] * 12 + [3] * 12
    assert len({line.group for line in by_split["val"]}) == 6
    assert len({line.group for line in by_split["train"]}) == 6
    assert 0.1 < sum(line.score for line in by_split["train"]) / 24 < 0.95
    assert sum(line.calls for line in scores) > 30

    metrics = read_metrics(asked.output)
    assert [(line.split, line.step) for line in metrics] == [
        ("train", 1),
        ("train", 2),
        ("train", 3),
        ("val", 0),
        ("val", 3),
    ]
    first = metrics[0].values
    of_first = [line.score for line in by_split["train"] if line.step == 1]
    assert first["score"] == pytest.approx(first["reward"]) == pytest.approx(sum(of_first) / 8)
    assert {"entropy", "grad_norm", "acc_25km", "geoscore", "tools_wait_s", "step_time"} <= first.keys()
    last = [line.score for line in by_split["val"] if line.step == 3]
    assert metrics[-1].values["score"] == pytest.approx(sum(last) / 12)

    # What is kept reads as runs of the agent do: text and a picture came back, and the model went on.
    runs = list(agent.read(samples(asked.output, 3, "val")))
    assert len(runs) == 12
    answered = [run for run in runs if run.answer is not None]
    assert len(answered) > 6
    looked = next(run for run in answered if run.messages[3].role == "tool")
    assert json.loads(looked.messages[3].text)["image"] == 1
    assert len(looked.messages[3].pictures) == 1
    assert (samples(asked.output, 3, "val") / looked.messages[3].pictures[0].reference).is_file()
    assert len(list(agent.read(samples(asked.output, 2)))) == 2
    scored = list(read_results(samples(asked.output, 3, "val")))
    assert sorted(r.truth.lat for r in scored) == sorted(2 * [t.lat for t in island.towns()[:6]])

    assert (asked.output / "tensorboard").is_dir()
    before, after = weights(model_of(asked)), weights(asked.output / "final")
    assert any(not before[name].equal(after[name]) for name in before)


def test_a_resumed_training_does_the_step_that_it_would_have_done(settings: Settings, tmp_path):
    whole = settings({"steps": 4}, output=tmp_path / "whole")
    train(whole)
    cut = settings({"steps": 4}, output=tmp_path / "cut")
    shutil.copytree(
        whole.output / "checkpoints" / "checkpoint-2", cut.output / "checkpoints" / "checkpoint-2"
    )
    # A checkpoint that a kill left half written is none.
    (cut.output / "checkpoints" / "checkpoint-3").mkdir()
    said = train(cut)
    assert "going on after checkpoint-2" in said[0]

    def steps(settings: TrainSettings) -> dict:
        kept = ("loss", "grad_norm", "reward", "entropy", "completions/mean_length", "learning_rate")
        return {line.step: [line.values[name] for name in kept] for line in read_metrics(settings.output)}

    assert steps(cut) == {step: numbers for step, numbers in steps(whole).items() if step > 2}
    rewards = [[line.score for line in read_scores(one.output) if line.step == 3] for one in (whole, cut)]
    assert rewards[0] == rewards[1]
    one, other = weights(whole.output / "final"), weights(cut.output / "final")
    assert all(one[name].equal(other[name]) for name in one)

    # What is measured is the last checkpoint, and is kept under its step.
    from wheretaken.rl.trl import training

    rows = DataSettings(train=cut.data.train, val=cut.data.train.with_name("val.parquet"))
    measured = training.evaluate(cut.model_copy(update={"data": rows}), toolbox=tools())
    lines = [line for line in read_scores(cut.output) if line.split == "val"]
    assert {line.step for line in lines} == {4}
    assert measured["score"] == pytest.approx(sum(line.score for line in lines) / 6)


def test_adapters_with_a_reference_and_small_passes(settings: Settings):
    asked = settings(
        {"steps": 1, "kl": 0.05, "mini_batch": 1},
        model=ModelSettings(path=settings().model.path, lora=LoraSettings(rank=4, alpha=8)),
        trl=TrlSettings(micro_batch=2, log_to=()),
    )
    train(asked)
    numbers = read_metrics(asked.output)[0].values
    assert numbers["kl"] == pytest.approx(0, abs=1e-5)
    assert numbers["reward"] > 0
    assert (asked.output / "checkpoints" / "checkpoint-1" / "adapter_config.json").is_file()
    # What is left in the end is whole weights, which any server loads.
    assert sorted(weights(asked.output / "final")) == sorted(weights(model_of(asked)))
    assert not (asked.output / "final" / "adapter_config.json").exists()
    again = train(asked.model_copy(update={"recipe": asked.recipe.model_copy(update={"steps": 2})}))
    assert "going on after checkpoint-1" in again[0]
    assert not (asked.output / "tensorboard").exists()


class Hanging(IslandMaps):
    """A map one of whose sheets never comes."""

    async def road_map(self, centre, **rest):
        import asyncio

        if centre.lat > 2:
            await asyncio.sleep(60)
        return await super().road_map(centre, **rest)


def test_a_tool_that_hangs_for_some_rollouts_is_a_neutral_record(settings: Settings):
    asked = settings(
        {"steps": 1, "group": 8, "samples": 16},
        tools=ToolSettings(deadline_s=0.5),
        reward=RewardSettings(fault_neutral=True),
    )
    train(asked, tools(Hanging()))
    lines = read_scores(asked.output)
    hung = [line for line in lines if line.faults]
    assert 0 < len(hung) < 16
    assert all(line.masked for line in hung)
    assert not any(line.masked for line in lines if not line.faults)
    numbers = read_metrics(asked.output)[0].values
    assert numbers["masked"] == len(hung) / 16
    kept = [line.score for line in lines if not line.masked]
    assert numbers["reward"] == pytest.approx(sum(kept) / len(kept))
    # One deadline for all of them, not one after another.
    assert numbers["tools_wait_s"] < 3
    runs = {run.id: run for run in agent.read(samples(asked.output, 1))}
    assert all("gave no answer" in runs[line.id].messages[3].text for line in hung)


def test_a_warm_start_learns_from_runs_and_is_made_once(settings: Settings, tmp_path):
    for number in range(48):
        island.run(number, out=tmp_path / "experts")
    asked = settings(
        {"steps": 1},
        trl=TrlSettings(
            warm_start=WarmStart(runs=tmp_path / "experts", steps=40, batch=8, learning_rate=1e-3)
        ),
    )
    said = train(asked)
    losses = [float(line.split()[-1]) for line in said if "loss" in line]
    assert len(losses) == 2
    assert losses[1] < losses[0]
    assert (asked.output / "warm" / "model.safetensors").is_file()
    again = train(asked.model_copy(update={"recipe": asked.recipe.model_copy(update={"steps": 2})}))
    assert not any("warm start: step" in line for line in again)


def test_a_warm_start_from_which_nothing_can_be_learned_is_refused(settings: Settings):
    from wheretaken.rl.trl import sft, weights

    asked = [{"role": "user", "content": "Where was this photo taken?"}]
    with pytest.raises(DataError, match="nothing can be learned"):
        sft.lesson(weights.processor(settings().model), tools(), [asked])


def test_what_a_model_may_know_holds_no_truth(settings: Settings, tmp_path):
    """The truth lies where no town is, so that it is in no answer by chance."""
    table = island.dataset(tmp_path / "photos", 4)
    table.write_text(table.read_text().replace(".4", ".4123").replace(".6", ".6123"))
    prepare(open_dataset(str(table)), tmp_path / "canary.parquet", "trl")
    asked = settings({"steps": 1, "samples": 8}, data=DataSettings(train=tmp_path / "canary.parquet"))
    train(asked)
    kept = samples(asked.output, 1)
    told = [kept / "trajectories.jsonl", *(kept / "media").iterdir()]
    assert len(told) > 4
    assert not any(b".4123" in path.read_bytes() or b".6123" in path.read_bytes() for path in told)
    # It lies beside them, for those who score them.
    assert {round(result.truth.lat % 1, 4) for result in read_results(kept)} <= {0.4123, 0.6123}


def test_a_model_that_knows_needs_the_photo_and_the_map(settings: Settings, tmp_path):
    """Blank photos or a map that is all sea leave chance; the map of another world is read as well."""
    from wheretaken.rl.trl import training

    class Sea(IslandMaps):
        async def road_map(self, centre, **rest):
            return await super().road_map(LatLon(-50, 0), **rest)

    def earned(name: str, maps: IslandMaps, **photos) -> float:
        table = island.dataset(tmp_path / name, 48, seed=3, **photos)
        prepare(open_dataset(str(table)), tmp_path / f"{name}.parquet", "trl")
        rows = DataSettings(train=tmp_path / f"{name}.parquet", val=tmp_path / f"{name}.parquet")
        model = ModelSettings(path=str(island.warmed(skill=1.0)))
        asked = settings({"batch": 12}, data=rows, model=model, output=tmp_path / f"run-{name}")
        return training.evaluate(asked, toolbox=tools(maps))["score"]

    assert earned("own", IslandMaps()) > 0.9
    assert earned("other", IslandMaps(5), world=5) > 0.9
    assert earned("blank", IslandMaps(), blank=True) < 0.35
    assert earned("sea", Sea()) < 0.7


def test_two_processes_train_together(settings: Settings, tmp_path):
    """The command under torchrun: one training, one record of it, of the rollouts of both."""
    import os
    import subprocess
    import sys

    recipe = {"steps": 2, "save_every": 10, "turns": 2}
    asked = settings(recipe, tools=ToolSettings(toolset="direct"))
    asked.save(tmp_path / "config.yaml")
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--standalone"]
    done = subprocess.run(
        [*command, "-m", "wheretaken", "train", "trl", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == [str(asked.output / "final")]
    lines = read_scores(asked.output)
    assert [line.step for line in lines] == [1] * 8 + [2] * 8
    assert {line.id.split("-")[2] for line in lines} == {"0", "1"}
    assert [line.step for line in read_metrics(asked.output)] == [1, 2]
    assert len(list(agent.read(samples(asked.output, 2)))) == 4
