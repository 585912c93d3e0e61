"""What two weaker answers that agree are worth against one that differs.

    python bench/ungrounded.py [DIRECTORY]       (../shared/published by default)

Published answers do not tell what they rest on. What stands in for answers that nothing supports are those of
the weaker models: of three models, two get the weight w and the third 1, and the vote decides. Shown is every
choice of three in which the two are weaker in the mean (geometric mean of Acc at the six distances). With w =
0.5 or less, two never outvote one: that is the baseline, the third model's own answers. "fitted" takes the
best w of 0.50, 0.55, ... 1.00 for each half of the photos from the other half.
"""

from __future__ import annotations

import sys
from itertools import combinations
from pathlib import Path

import numpy as np

from wheretaken.evals.candidates import read_candidates
from wheretaken.evals.crossfit import Case, half
from wheretaken.evals.voting import rewards
from wheretaken.geo import LatLon, distance_km
from wheretaken.sampling.calibration import AGREE_KM
from wheretaken.sampling.model import Ballot
from wheretaken.sampling.trust import PRIOR, Trust
from wheretaken.sampling.vote import decide
from wheretaken.scoring import ACC_KM

ROOT = Path(__file__).resolve().parents[2] / "shared" / "published"
SETS = {"GeoBench": "geobenchwocn_*.jsonl", "MAPBench": "amap_v1_*.jsonl"}
WEIGHTS = [round(0.5 + 0.05 * k, 2) for k in range(11)]


def level(km: list[float]) -> float:
    """Return how good answers are: the geometric mean of Acc at the six distances."""
    return float(np.exp(np.mean([np.log((np.sum(np.less(km, d)) + 1) / (len(km) + 2)) for d in ACC_KM])))


def scored(cases: list[Case], order: tuple[int, int, int], weight: float) -> np.ndarray:
    """Return the reward of every photo when the first two of the order have this weight."""
    elections = [
        [Ballot("third" if k == order[2] else "two", case.ballots[k].lat, case.ballots[k].lon) for k in order]
        for case in cases
    ]
    made = decide(elections, {"two": weight}, Trust())
    km = [
        np.inf if one.chosen is None else case.km[order[one.chosen]]
        for case, one in zip(cases, made, strict=True)
    ]
    return rewards(np.array(km))


def against(cases: list[Case], order: tuple[int, int, int]) -> tuple[int, float, float]:
    """Return where two agree and the third differs: how often, and how often either is within 25 km."""
    two, third = [], []
    for case in cases:
        if any(case.ballots[k].lat is None for k in order):
            continue
        a, b, c = (LatLon(case.ballots[k].lat, case.ballots[k].lon) for k in order)
        if distance_km(a, b) < AGREE_KM <= min(distance_km(a, c), distance_km(b, c)):
            two.append(min(case.km[order[0]], case.km[order[1]]) < AGREE_KM)
            third.append(case.km[order[2]] < AGREE_KM)
    return len(two), float(np.mean(two)), float(np.mean(third))


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    print(f"{'two against the third':48}{'n':>5}{'two':>6}{'third':>7}", end="")
    print(f"{'w 0.5':>8}{f'w {PRIOR.ungrounded:g}':>8}{'w 1':>8}{'fitted':>8}")
    totals: list[list[float]] = []
    for name, pattern in SETS.items():
        candidates = read_candidates(sorted(folder.glob(pattern)))
        cases = [case for case in candidates.cases() if len(case.ballots) == len(candidates.voters)]
        halves = np.array([half(case.id) for case in cases])
        names = [voter.split("_")[-1] for voter in candidates.voters]
        levels = [level([case.km[k] for case in cases]) for k in range(len(names))]
        for trio in combinations(range(len(names)), 3):
            for third in trio:
                one, other = (k for k in trio if k != third)
                if (levels[one] * levels[other]) ** 0.5 >= levels[third]:
                    continue
                order = (one, other, third)
                by_weight = np.array([scored(cases, order, weight) for weight in WEIGHTS])
                fitted = np.empty(len(cases))
                for part in (0, 1):
                    best = int(np.argmax(by_weight[:, halves != part].mean(axis=1)))
                    fitted[halves == part] = by_weight[best, halves == part]
                row = [
                    float(by_weight[0].mean()),
                    float(scored(cases, order, PRIOR.ungrounded).mean()),
                    float(by_weight[-1].mean()),
                    float(fitted.mean()),
                ]
                totals.append(row)
                n, two, lone = against(cases, order)
                title = f"{name}: {names[one]}, {names[other]} against {names[third]}"
                print(f"{title:48}{n:>5}{two:>6.0%}{lone:>7.0%}", *(f"{value:8.4f}" for value in row), sep="")
    print(f"{'mean reward':48}{'':18}", *(f"{value:8.4f}" for value in np.mean(totals, axis=0)), sep="")


if __name__ == "__main__":
    main()
