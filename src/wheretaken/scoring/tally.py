"""Counting up answers: a `Tally` takes them in any number of parts, a `Score` is what it comes to.

A tally keeps one distance per answer (8 bytes: a million photos are 8 MB), because the median is exact; all
else is counted from these when the score is asked for. A photo without an answer is infinitely far away.
"""

from __future__ import annotations

from array import array
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from wheretaken.scoring.intervals import normal_mean, wilson
from wheretaken.scoring.ladder import ACC_KM, GEOSCORE_KM, GEOSCORE_MAX, LADDER, label

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

_STEPS_KM = np.array([km for km, _ in LADDER])
_EARNED = np.array([*(earned for _, earned in LADDER), 0.0])


class Score(BaseModel):
    """How good a file of answers is; shares are fractions of all `n`. The JSON of `eval score`."""

    model_config = ConfigDict(frozen=True)

    file: str = ""
    n: int
    answered: int
    refused: int
    unparsed: int
    failed: int
    score: float
    """Mean reward, 0 to 1."""
    acc: dict[str, float]
    """The share of answers strictly nearer than `500m`, `2km`, ..."""
    ci95: dict[str, tuple[float, float]]
    """95 % intervals: Wilson's for each of `acc`; the central limit theorem's for `score` and `geoscore`."""
    median_km: float | None
    """Of all `n`; None when no more than half of them have an answer."""
    geoscore: float
    """Mean GeoScore, 0 to 5000."""


class Tally:
    """Distances and statuses of the answers so far."""

    def __init__(self) -> None:
        """Begin with none."""
        self._km = array("d")
        self._statuses: Counter[str] = Counter()

    def __len__(self) -> int:
        """How many answers were added."""
        return len(self._km)

    def add(self, km: npt.ArrayLike, statuses: Iterable[str]) -> None:
        """Add some answers.

        Args:
            km: distances between answer and truth in kilometres, infinite where there is no answer.
            statuses: `answered`, `refused`, `unparsed` or `failed`, one for each distance.
        """
        self._km.frombytes(np.ascontiguousarray(km, dtype=np.float64).tobytes())
        self._statuses.update(statuses)

    def score(self, file: str = "", *, thresholds_km: Sequence[float] = ACC_KM) -> Score:
        """Return what it comes to so far.

        Args:
            file: what the score is called.
            thresholds_km: the distances of `acc`; reward and GeoScore do not depend on them.
        """
        km, n = np.array(self._km), len(self._km)
        within = {label(limit): int((km < limit).sum()) for limit in thresholds_km}
        earned, points = rewards(km), geoscores(km)
        median = float(np.median(km)) if n else np.inf
        return Score(
            file=file,
            n=n,
            answered=self._statuses["answered"],
            refused=self._statuses["refused"],
            unparsed=self._statuses["unparsed"],
            failed=self._statuses["failed"],
            score=float(earned.mean()) if n else 0.0,
            acc={name: count / max(n, 1) for name, count in within.items()},
            ci95={name: wilson(count, n) for name, count in within.items()}
            | {
                "score": normal_mean(earned, lowest=0.0, highest=1.0),
                "geoscore": normal_mean(points, lowest=0.0, highest=GEOSCORE_MAX),
            },
            median_km=median if np.isfinite(median) else None,
            geoscore=float(points.mean()) if n else 0.0,
        )


def rewards(km: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return `ladder.reward` of each distance."""
    return _EARNED[np.searchsorted(_STEPS_KM, km, side="right")]


def geoscores(km: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return `ladder.geoscore` of each distance."""
    return GEOSCORE_MAX * np.exp(-km / GEOSCORE_KM)
