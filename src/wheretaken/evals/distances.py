"""How far answers are from the truth: the one place where results become kilometres, and then a score."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from wheretaken.geo import distances_km
from wheretaken.scoring import ACC_KM
from wheretaken.scoring.tally import Score, Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy.typing as npt

    from wheretaken.evals.model import Result

SAME_KM = 0.1
"""Truths further apart than this are not the same: rounding is far below, GCJ-02 far above (0.36 km)."""
_CHUNK = 4096
"""Results whose distances are computed together; streams are never held longer than that."""


def result_distances_km(results: Sequence[Result]) -> npt.NDArray[np.float64]:
    """Return the geodesics between answer and truth, shape (n,); infinite where there is no answer."""
    km = np.full(len(results), np.inf)
    answered = [
        (index, result.answer.lat, result.answer.lon, result.truth.lat, result.truth.lon)
        for index, result in enumerate(results)
        if result.answer is not None
    ]
    if answered:
        index, *positions = np.array(answered).T
        km[index.astype(np.intp)] = distances_km(*positions)
    return km


def measured(results: Iterable[Result]) -> Iterator[tuple[Result, float]]:
    """Yield each result with its distance in kilometres; a stream stays a stream."""
    for chunk in chunks(results):
        yield from zip(chunk, result_distances_km(chunk).tolist(), strict=True)


def score_results(
    results: Iterable[Result], file: str = "", *, thresholds_km: Sequence[float] = ACC_KM
) -> Score:
    """Score a stream of results in constant memory, but for 8 bytes per result.

    Args:
        results: of any number of photos; several of one photo count as several.
        file: what the score is called.
        thresholds_km: the distances of `acc`.
    """
    tally = Tally()
    for chunk in chunks(results):
        tally.add(result_distances_km(chunk), [result.status for result in chunk])
    return tally.score(file, thresholds_km=thresholds_km)


def chunks(results: Iterable[Result]) -> Iterator[list[Result]]:
    """Yield a stream in lists that are long enough for arithmetic on whole arrays."""
    stream = iter(results)
    while chunk := list(islice(stream, _CHUNK)):
        yield chunk
