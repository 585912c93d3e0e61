"""Early stop: how many tokens it saves on published answers, what it costs, and whether radii hold.

The candidates are the answers that four models gave to the photos of GeoBench without China. A run's tokens
are taken to be in proportion to the length of its text, which is all that the files tell. Runs are made one
by one, and no more of them once two agree (`wheretaken.sampling.early`). The order is that of every
permutation, or begins with the models that weigh most (`wheretaken.evals.crossfit`, fitted on the other half
of the photos); runs weigh the same, or as was fitted. The baseline, run all, is the plain vote over all four.

The second table: how many of the places lie within the 80 % radius of the vote over all candidates, in
cross-validation, on both published sets; the baseline are the curves that come with the package.

    python bench/early_stop.py [DIRECTORY]       (../shared/published by default)
"""

from __future__ import annotations

import itertools
import json
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wheretaken.evals.candidates import Candidates, read_candidates
from wheretaken.evals.crossfit import chosen_km, crossfit, half
from wheretaken.evals.voting import vote
from wheretaken.sampling.calibration import MEASURED
from wheretaken.sampling.early import EarlyStop
from wheretaken.sampling.vote import decide, verdicts
from wheretaken.scoring.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from wheretaken.evals.crossfit import Case

SETS = {
    "GeoBench": ("geobenchwocn", ("gpt5", "o3", "qwen3vl235b", "test_qwen3vl30b")),
    "MAPBench": ("amap_v1", ("gpt5", "o3", "qwen3vl235b")),
}
ROOT = Path(__file__).resolve().parents[2] / "shared" / "published"
Order = tuple[int, ...]


def lengths(paths: Sequence[Path], candidates: Candidates) -> npt.NDArray[np.int64]:
    """Return the characters of every answer, shape (photos, files)."""
    found: list[defaultdict[str, list[int]]] = []
    for path in paths:
        own: defaultdict[str, list[int]] = defaultdict(list)
        for line in path.read_text(encoding="utf-8").rstrip("\n").split("\n"):
            row = json.loads(line)
            own[row["ground_truth"]["image"]].append(len(row["solution_str"]))
        found.append(own)
    return np.array([[own[photo.id.split("#")[0]].pop(0) for own in found] for photo in candidates.photos])


@dataclass
class Simulation:
    """One rule for each half of the photos; what a set of runs leads to does not depend on their order."""

    cases: Sequence[Case]
    spent: npt.NDArray[np.int64]
    rules: tuple[EarlyStop, EarlyStop]
    _enough: dict[tuple[int, Order], bool] = field(default_factory=dict[tuple[int, Order], bool])

    def rates(self, orders: Sequence[Order], *, stop: bool = True) -> tuple[float, float, float]:
        """Return the share of tokens, the runs a photo and Acc@25km; one order for each photo."""
        made = [self._made(k, order) if stop else order for k, order in enumerate(orders)]
        tokens = sum(int(self.spent[k, list(runs)].sum()) for k, runs in enumerate(made))
        chosen: list[int | None] = [None] * len(made)
        for own in (0, 1):
            ours = [k for k, case in enumerate(self.cases) if half(case.id) == own]
            ballots = [[self.cases[k].ballots[run] for run in sorted(made[k])] for k in ours]
            for k, decision in zip(ours, decide(ballots, self.rules[own].weights), strict=True):
                chosen[k] = None if decision.chosen is None else sorted(made[k])[decision.chosen]
        right = (chosen_km(self.cases, chosen) < 25).mean()
        return tokens / int(self.spent.sum()), float(np.mean([len(runs) for runs in made])), float(right)

    def _made(self, k: int, order: Order) -> Order:
        return next((order[:m] for m in range(2, len(order)) if self._stops(k, order[:m])), order)

    def _stops(self, k: int, runs: Order) -> bool:
        case, key = self.cases[k], (k, tuple(sorted(runs)))
        if key not in self._enough:
            self._enough[key] = self.rules[half(case.id)].enough([case.ballots[run] for run in key[1]])
        return self._enough[key]


def stopping(paths: Sequence[Path], candidates: Candidates) -> None:
    """Print what early stop saves and costs."""
    cases, spent = candidates.cases(), lengths(paths, candidates)
    fitted = crossfit(cases)
    plain = tuple(range(len(paths)))
    # The two best of the half weigh more than two together, two others less: they need a third.
    weighing = tuple(EarlyStop(weights=own.weights) for own in fitted)
    equal = Simulation(cases, spent, (EarlyStop(), EarlyStop()))
    weighted = Simulation(cases, spent, (weighing[0], weighing[1]))
    weights = [[fitted[half(case.id)].weights[b.voter] for b in case.ballots] for case in cases]
    best_first = [tuple(sorted(plain, key=lambda k, own=own: -own[k])) for own in weights]
    every = [[order] * len(cases) for order in itertools.permutations(plain)]
    mean = np.mean([equal.rates(orders) for orders in every], axis=0)
    rows = (
        ("run all (baseline)", equal.rates([plain] * len(cases), stop=False)),
        ("equal weights, mean of 24 orders", mean),
        ("equal weights, best first", equal.rates(best_first)),
        ("fitted weights, best first", weighted.rates(best_first)),
        ("fitted weights, run all", weighted.rates(best_first, stop=False)),
    )
    print(f"{len(cases)} photos, {len(paths)} candidates")
    print(f"{'':34} {'tokens':>7} {'saved':>7} {'runs':>5} {'Acc@25km':>9} {'difference':>11}")
    base = rows[0][1][2]
    for name, (tokens, runs, acc) in rows:
        print(f"{name:34} {tokens:7.3f} {1 - tokens:7.1%} {runs:5.2f} {acc:9.2%} {acc - base:+11.2%}")


def covering(name: str, candidates: Candidates) -> None:
    """Print how many places lie within the radius."""
    cases = candidates.cases()
    fitted = vote(candidates, "crossfit").report.reliability
    decisions = decide([case.ballots for case in cases])
    radii = [found.radius_km for found in verdicts([c.ballots for c in cases], decisions, MEASURED)]
    km = chosen_km(cases, [made.chosen for made in decisions])
    inside = [d <= radius for d, radius in zip(km.tolist(), radii, strict=True) if radius is not None]
    assert fitted is not None
    low, high = wilson(round(fitted.radius_holds * fitted.n), fitted.n)
    print(
        f"{name:12} {fitted.n:6} {np.mean(inside):9.1%} {fitted.radius_holds:10.1%}   {low:.1%} to {high:.1%}"
    )


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    files = {name: [folder / f"{set_}_{m}.jsonl" for m in models] for name, (set_, models) in SETS.items()}
    if not all(path.is_file() for paths in files.values() for path in paths):
        print(f"no published answers at {folder}: give their directory")
        return
    read = {name: read_candidates(paths) for name, paths in files.items()}
    stopping(files["GeoBench"], read["GeoBench"])
    print(f"\n{'80 % radius':12} {'n':>6} {'baseline':>9} {'crossfit':>10}   95 % interval")
    for name, candidates in read.items():
        covering(name, candidates)


if __name__ == "__main__":
    main()
