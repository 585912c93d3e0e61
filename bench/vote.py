"""Voting: how long it takes to choose one of several candidates for every photo.

The baseline is what one would write first: for every photo a loop over its candidates and, for each, over all
others, with `geopy.distance.geodesic` and the same kernel. By its utilities our choices must be the best.

    python bench/vote.py [photos candidates]...      (934 4 2500 16 by default)
"""

from __future__ import annotations

import math
import random
import sys
import time

from geopy.distance import geodesic

from wheretaken.sampling.model import Ballot
from wheretaken.sampling.vote import decide
from wheretaken.scoring import LADDER

ROUNDS = 5
PLAIN_PHOTOS = 250
"""The baseline takes minutes for the larger set: it is timed on the first photos and scaled up."""

EQUAL = 1e-6


def elections(photos: int, candidates: int) -> list[list[Ballot]]:
    """Most ballots lie within some kilometres of the truth, the others anywhere; some runs have no answer."""
    drawn = random.Random(0)
    found: list[list[Ballot]] = []
    for _ in range(photos):
        lat, lon = drawn.uniform(-60, 70), drawn.uniform(-179, 179)
        ballots: list[Ballot] = []
        for voter in range(candidates):
            spread = drawn.choice([0.005, 0.05, 0.5])
            kind = drawn.random()
            if kind < 0.05:
                ballots.append(Ballot(f"m{voter}"))
            elif kind < 0.3:
                ballots.append(Ballot(f"m{voter}", drawn.uniform(-60, 70), drawn.uniform(-179, 179)))
            else:
                ballots.append(
                    Ballot(f"m{voter}", lat + drawn.gauss(0, spread), lon + drawn.gauss(0, spread))
                )
        found.append(ballots)
    return found


def plain(ballots: list[Ballot]) -> list[float]:
    """Return every candidate's utility; a ballot without a position has none."""
    rewards = [reward for _, reward in LADDER] + [0.0]
    utilities: list[float] = []
    for candidate in ballots:
        utility = 0.0
        for other in ballots:
            if candidate.lat is not None and other.lat is not None:
                km = geodesic((candidate.lat, candidate.lon), (other.lat, other.lon)).km
                for k, (scale, _) in enumerate(LADDER):
                    utility += (rewards[k] - rewards[k + 1]) * math.exp(-km / scale)
        utilities.append(utility)
    return utilities


def seconds(photos: list[list[Ballot]]) -> float:
    best = math.inf
    for _ in range(ROUNDS):
        start = time.perf_counter()
        decide(photos)
        best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    numbers = [int(word) for word in sys.argv[1:]] or [934, 4, 2500, 16]
    print(f"best of {ROUNDS} rounds; baseline: loops with geopy, its first {PLAIN_PHOTOS} photos scaled up")
    print(f"{'photos':>8} {'candidates':>10} {'vote s':>8} {'baseline s':>11} {'ratio':>7} {'best':>12}")
    for photos, candidates in zip(numbers[::2], numbers[1::2], strict=True):
        cast = elections(photos, candidates)
        ours = seconds(cast)
        part = cast[:PLAIN_PHOTOS]
        start = time.perf_counter()
        utilities = [plain(ballots) for ballots in part]
        base = (time.perf_counter() - start) * photos / len(part)
        chosen = [decision.chosen for decision in decide(part)]
        best = sum(
            max(found) - (0.0 if index is None else found[index]) < EQUAL
            for found, index in zip(utilities, chosen, strict=True)
        )
        print(
            f"{photos:8} {candidates:10} {ours:8.3f} {base:11.1f} {base / ours:7.0f} {best:5} of {len(part)}"
        )


if __name__ == "__main__":
    main()
