"""GRPO on the island: does the reward rise, how far, and is it the pictures that it rises by?

A tiny Qwen3-VL (half a million parameters) has learned from scripted experts who guess at two choices in
five, and is as unsure as they are. GRPO then has to find out what was worth doing. The baseline of every
number is that policy before the first step. Controls: the trained model on photos that show nothing, and in
another world, where the corners of all towns are drawn anew, so that only who reads the map finds them.

    python bench/learning.py [--seeds 0 1 2] [--steps 50] [--results FILE.json] [--picture FILE.png]

With --results, what was measured is kept for other seeds to join; table and picture show all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from pathlib import Path
from statistics import fmean
from typing import Any

from wheretaken import scoring
from wheretaken.evals.datasets import open_dataset
from wheretaken.evals.datasets.prepare import prepare
from wheretaken.geo import LatLon, distance_km
from wheretaken.rl import exercise
from wheretaken.rl.records import read_metrics, read_scores
from wheretaken.rl.settings import DataSettings, ModelSettings, Recipe, TrainSettings
from wheretaken.rl.toolbox import LocalToolbox
from wheretaken.rl.trl import training
from wheretaken.testing import island
from wheretaken.testing.island.world import CORNERS

PHOTOS, VAL_PHOTOS = 256, 128
OPTIMUM = 1.0
"""What the scripted expert earns."""
OTHER_WORLD = 1


def rows(directory: Path, count: int, *, seed: int, world: int = 0, blank: bool = False) -> Path:
    """Write photos as rows to train on."""
    table = island.dataset(directory, count, seed=seed, world=world, blank=blank)
    out = directory.with_suffix(".parquet")
    prepare(open_dataset(str(table)), out, "trl")
    return out


def recipe(steps: int, seed: int, **rest: Any) -> Recipe:
    """The training of `wheretaken train island`, without checkpoints and trajectories."""
    return exercise.recipe(steps, seed, save_every=10_000, samples=0, **rest)


def measured(settings: TrainSettings, model: Path, val: Path, *, world: int = 0) -> float:
    """Return the mean reward of a model on photos, in a training's way."""
    data = DataSettings(train=val, val=val)
    changed = {"data": data, "model": ModelSettings(path=str(model)), "output": val.with_suffix(".run")}
    return training.evaluate(settings.model_copy(update=changed), toolbox=tools(world))["score"]


def tools(world: int = 0) -> LocalToolbox:
    """Return the map of a world."""
    return LocalToolbox(island.ISLAND, island.IslandMaps(world))


def blind() -> float:
    """Return what the best answer earns that is the same for all photos."""
    towns = [LatLon(town.lat, town.lon) for town in island.towns()]
    answers = [
        LatLon(island.Town(t.row, t.column, *corner).lat, island.Town(t.row, t.column, *corner).lon)
        for t in island.towns()
        for corner in CORNERS
    ]
    return max(fmean(scoring.reward(distance_km(a, town)) for town in towns) for a in answers)


def run(seed: int, steps: int, root: Path) -> dict[str, Any]:
    """Train with a seed, and return what was measured."""
    val = rows(root / f"val-{seed}", VAL_PHOTOS, seed=1000)
    settings = TrainSettings(
        engine="trl",
        data=DataSettings(train=rows(root / f"train-{seed}", PHOTOS, seed=seed), val=val),
        model=ModelSettings(path=str(island.warmed())),
        output=root / f"run-{seed}",
        recipe=recipe(steps, seed),
    )
    return trained(settings, root, VAL_PHOTOS)


def trained(settings: TrainSettings, root: Path, val_photos: int) -> dict[str, Any]:
    """Train, try the controls, and return what was measured."""
    seed = settings.recipe.seed
    began, cpu, load = time.perf_counter(), time.process_time(), os.getloadavg()[0]
    final = training.train(settings, toolbox=tools(), tell=lambda line: print(line, flush=True))
    took, used = time.perf_counter() - began, time.process_time() - cpu
    metrics = read_metrics(settings.output)
    scores = [line for line in read_scores(settings.output) if line.split == "train"]
    blank = rows(root / f"blank-{seed}", val_photos, seed=1000, blank=True)
    other = rows(root / f"other-{seed}", val_photos, seed=1000, world=OTHER_WORLD)
    return {
        "seed": seed,
        "train": [line.values["score"] for line in metrics if line.split == "train"],
        "val": {line.step: line.values["score"] for line in metrics if line.split == "val"},
        "blank": measured(settings, final, blank),
        "other_world": measured(settings, final, other, world=OTHER_WORLD),
        "seconds": took,
        "cpu_seconds": used,
        "load": [load, os.getloadavg()[0]],
        "rollouts": len(scores),
        "written_tokens": sum(line.tokens for line in scores),
        "tokens": max(line.values["num_tokens"] for line in metrics if line.split == "train"),
        "spent": {
            name: sum(line.values[name] for line in metrics if line.split == "train")
            for name in ("step_time", "generate_s", "tools_wait_s")
        },
    }


def table(found: dict[str, Any]) -> None:
    """Print what was measured."""
    print(f"{found['device']}; {found['blind']:.3f} is earned without looking, {OPTIMUM:.3f} by an expert")
    print("seed   start   after   of the gap   blank photos   other world   steps/s   CPU s   wall s (load)")
    for one in found["seeds"]:
        steps = sorted(one["val"], key=int)
        start, end = one["val"][steps[0]], one["val"][steps[-1]]
        share = (end - start) / (OPTIMUM - start)
        print(
            f"{one['seed']:4}   {start:.3f}   {end:.3f}   {share:10.0%}   {one['blank']:12.3f}   "
            f"{one['other_world']:11.3f}   {len(one['train']) / one['cpu_seconds']:7.2f}   "
            f"{one['cpu_seconds']:5.0f}   {one['seconds']:6.0f} ({one['load'][1]:.1f})"
        )


def draw(found: dict[str, Any], path: Path, *, step: str = "step of 8 photos with 8 rollouts each") -> None:
    """Draw the curves."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - only where it is asked for

    figure = Figure(figsize=(7.2, 4.0), dpi=110, layout="constrained")
    axis = figure.subplots()
    for one, colour in zip(found["seeds"], ("#0a5ca8", "#c2500a", "#00795c"), strict=False):
        steps = sorted(one["val"], key=int)
        axis.plot(range(1, len(one["train"]) + 1), one["train"], color=colour, alpha=0.3, linewidth=1)
        axis.plot([int(step) for step in steps], [one["val"][step] for step in steps], "o-", color=colour,
                  label=f"seed {one['seed']}: validation (pale: training)")  # fmt: skip
        axis.plot([int(steps[-1])], [one["blank"]], "x", color=colour)
    axis.axhline(OPTIMUM, color="#555555", linewidth=0.8, linestyle=":")
    axis.text(1, OPTIMUM - 0.01, "scripted expert", fontsize=8, va="top", color="#555555")
    axis.axhline(found["blind"], color="#555555", linewidth=0.8, linestyle=":")
    axis.text(
        1,
        found["blind"] - 0.01,
        "best answer without looking (x: trained, photos blanked)",
        fontsize=8,
        va="top",
        color="#555555",
    )
    axis.set(xlabel=step, ylabel="mean reward", ylim=(0, 1.05))
    axis.legend(fontsize=8, loc="center right", bbox_to_anchor=(1, 0.42), frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--picture", type=Path)
    asked = parser.parse_args()
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    device = f"{platform.machine()} CPU, {os.cpu_count()} cores, {threads} thread(s)"
    found: dict[str, Any] = {"device": device, "blind": blind(), "seeds": []}
    if asked.results and asked.results.is_file():
        found["seeds"] = json.loads(asked.results.read_text("utf-8"))["seeds"]
    for seed in asked.seeds:
        with tempfile.TemporaryDirectory() as directory:
            one = run(seed, asked.steps, Path(directory))
        found["seeds"] = sorted(
            [*(s for s in found["seeds"] if s["seed"] != seed), one], key=lambda s: s["seed"]
        )
        if asked.results:
            asked.results.parent.mkdir(parents=True, exist_ok=True)
            asked.results.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    found = json.loads(json.dumps(found))
    table(found)
    if asked.picture:
        draw(found, asked.picture)


if __name__ == "__main__":
    main()
