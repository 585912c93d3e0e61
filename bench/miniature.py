"""The paper's main table in miniature: what tools, GRPO and several runs with a vote are each worth.

On the island, with the tiny model of bench/learning.py, and in the order of "Thinking with Map"
(arXiv 2601.05432): the base model without tools, with tools, after GRPO with tools, and the vote over two and
four of its runs. All rows are over the same photos, and are scored like any other evaluation; the baseline of
the differences is the row above.

    python bench/miniature.py [--photos 192] [--steps 25] [--results FILE.json]

GRPO is stopped early on purpose: where single runs are nearly always right, a vote has nothing left to mend.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from learning import PHOTOS, recipe, rows

from wheretaken import agent, scoring
from wheretaken.geo import distance_km
from wheretaken.rl.data import samples
from wheretaken.rl.records import samples as kept_in
from wheretaken.rl.settings import DataSettings, ModelSettings, TrainSettings
from wheretaken.rl.toolbox import LocalToolbox
from wheretaken.rl.trl import training
from wheretaken.sampling.model import Ballot
from wheretaken.sampling.parallel import DIRECT
from wheretaken.sampling.vote import decide
from wheretaken.scoring.intervals import paired_bootstrap
from wheretaken.scoring.tally import Tally
from wheretaken.testing import island

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.agent import Trajectory
    from wheretaken.tools import Toolset

RUNS = 4


def settings(
    root: Path, name: str, train: Path, val: Path | None, model: Path, **recipes: Any
) -> TrainSettings:
    return TrainSettings(
        engine="trl",
        data=DataSettings(train=train, val=val),
        model=ModelSettings(path=str(model)),
        output=root / name,
        recipe=recipe(**recipes),
    )


def runs_of(asked: TrainSettings, toolset: Toolset) -> list[list[Trajectory]]:
    """Let a model locate all photos, some times each; return the runs of each photo, in the photos' order."""
    training.evaluate(asked, toolbox=LocalToolbox(toolset, island.IslandMaps()))
    runs: dict[str, list[Trajectory]] = defaultdict(list)
    for run in agent.read(kept_in(asked.output, 0, "val")):
        runs[run.photo.sha256].append(run)
    assert asked.data.val is not None
    return [runs[row.picture().sha256] for row in samples(asked.data.val)]


def voted(runs: Sequence[Trajectory]) -> int:
    """Return which of a photo's runs a vote takes."""
    ballots = [
        Ballot("model", run.answer.lat, run.answer.lon, run.answer.confidence, run.answer.radius_km)
        if run.answer
        else Ballot("model")
        for run in runs
    ]
    (decision,) = decide([ballots])
    return decision.chosen if decision.chosen is not None else 0


def distances(val: Path, chosen: Sequence[Trajectory]) -> list[float]:
    return [
        distance_km(run.answer.position, row.truth) if run.answer else float("inf")
        for row, run in zip(samples(val), chosen, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=int, default=192)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--results", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        found = measured(Path(directory), asked.photos, asked.steps)
    if asked.results:
        asked.results.parent.mkdir(parents=True, exist_ok=True)
        asked.results.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    show(found)


def measured(root: Path, photos: int, steps: int) -> dict[str, Any]:
    base = island.warmed()
    train, val = rows(root / "train", PHOTOS, seed=0), rows(root / "val", photos, seed=2000)
    tools = LocalToolbox(island.ISLAND, island.IslandMaps())
    learned = training.train(
        settings(root, "grpo", train, None, base, steps=steps, seed=0),
        toolbox=tools,
        tell=lambda line: print(line, flush=True),
    )
    direct = runs_of(settings(root, "direct", val, val, base, steps=1, seed=1), DIRECT)
    before = runs_of(settings(root, "before", val, val, base, steps=1, seed=1), island.ISLAND)
    after = runs_of(
        settings(root, "after", val, val, learned, steps=1, seed=1, eval_runs=RUNS), island.ISLAND
    )
    chosen = {
        "base model, no tools": [runs[0] for runs in direct],
        "+ tools": [runs[0] for runs in before],
        "+ GRPO": [runs[0] for runs in after],
        "+ parallel x2 with vote": [runs[voted(runs[:2])] for runs in after],
        "+ parallel x4 with vote": [runs[voted(runs)] for runs in after],
    }
    table: list[dict[str, Any]] = []
    previous: np.ndarray[Any, Any] | None = None
    for name, picked in chosen.items():
        km = distances(val, picked)
        tally = Tally()
        tally.add(km, [run.status for run in picked])
        score = tally.score()
        earned = np.array([scoring.reward(away) for away in km])
        line: dict[str, Any] = {"name": name, "score": score.score, "ci95": score.ci95["score"]}
        line |= {"acc_500m": score.acc["500m"], "acc_500m_ci95": score.ci95["500m"]}
        if previous is not None:
            difference = paired_bootstrap((earned - previous)[:, None])
            line["difference"] = float((earned - previous).mean())
            line["difference_ci95"] = [float(difference.low[0]), float(difference.high[0])]
        table.append(line)
        previous = earned
    return {"photos": photos, "steps": steps, "load": os.getloadavg()[0], "rows": table}


def show(found: dict[str, Any]) -> None:
    print(f"{found['photos']} photos, GRPO of {found['steps']} steps; 95 % intervals")
    print(f"{'':26} {'mean reward':>20}   {'Acc@500m':>22}   difference to the row above")
    for row in found["rows"]:
        low, high = row["ci95"]
        near, far = row["acc_500m_ci95"]
        text = f"{row['name']:26} {row['score']:.3f} [{low:.3f}, {high:.3f}]   "
        text += f"{row['acc_500m']:.1%} [{near:.1%}, {far:.1%}]".rjust(22)
        if "difference" in row:
            less, more = row["difference_ci95"]
            text += f"   {row['difference']:+.3f} [{less:+.3f}, {more:+.3f}]"
        print(text)


if __name__ == "__main__":
    main()
