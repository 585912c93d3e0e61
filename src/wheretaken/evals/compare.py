"""Is B better than A? Both are measured on the photos that they share, and the photos are resampled in pairs.

The photos are the sample: the interval says how the difference would vary with other photos of the same kind.
Where a file has several runs of a photo, their mean stands for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from wheretaken.evals.joining import check_truth
from wheretaken.scoring import ACC_KM, label
from wheretaken.scoring.intervals import RESAMPLES, paired_bootstrap
from wheretaken.scoring.tally import geoscores, rewards

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from wheretaken.evals.joining import File, PhotoRuns

MEASURES = (*map(label, ACC_KM), "score", "geoscore")
_LISTED = 10


class Difference(BaseModel):
    """One measure of both, and what is known about the difference."""

    model_config = ConfigDict(frozen=True)

    a: float
    b: float
    difference: float
    """B minus A."""
    ci95: tuple[float, float]
    """Of the difference: 95 %, paired bootstrap, percentiles."""
    b_better: float
    """The share of resamples in which B is better."""
    p: float
    """Two-sided."""


class Disputed(BaseModel):
    """A photo that one places much better than the other; None is no answer (of several runs, the median)."""

    model_config = ConfigDict(frozen=True)

    id: str
    a_km: float | None
    b_km: float | None


class Comparison(BaseModel):
    """The JSON of `eval compare`."""

    model_config = ConfigDict(frozen=True)

    a: str
    b: str
    n: int
    """Photos in both."""
    resamples: int
    seed: int
    differences: dict[str, Difference]
    """By measure: `500m` to `750km` (shares), `score`, `geoscore`."""
    most_different: tuple[Disputed, ...]
    """By difference of GeoScore, the largest first."""
    only_in_a: tuple[str, ...]
    only_in_b: tuple[str, ...]


def compare(a: File, b: File, *, seed: int = 0, resamples: int = RESAMPLES) -> Comparison:
    """Compare two files on the photos that both have.

    Raises:
        DataError: they have no photo in common, or are not about the same set.
    """
    check_truth((a.name, b.name), (a.photos, b.photos))
    shared = [name for name in a.photos if name in b.photos]
    ours = _measures([a.photos[name] for name in shared])
    theirs = _measures([b.photos[name] for name in shared])
    change = theirs - ours
    found = paired_bootstrap(change, resamples=resamples, seed=seed)
    by_size: list[int] = np.argsort(-np.abs(change[:, -1]), kind="stable")[:_LISTED].tolist()
    return Comparison(
        a=a.name,
        b=b.name,
        n=len(shared),
        resamples=resamples,
        seed=seed,
        differences={
            measure: Difference(
                a=float(ours[:, k].mean()),
                b=float(theirs[:, k].mean()),
                difference=float(change[:, k].mean()),
                ci95=(float(found.low[k]), float(found.high[k])),
                b_better=float(found.better[k]),
                p=float(found.p[k]),
            )
            for k, measure in enumerate(MEASURES)
        },
        most_different=tuple(
            Disputed(id=name, a_km=_km(a.photos[name]), b_km=_km(b.photos[name]))
            for name in (shared[index] for index in by_size if change[index, -1])
        ),
        only_in_a=tuple(name for name in a.photos if name not in b.photos),
        only_in_b=tuple(name for name in b.photos if name not in a.photos),
    )


def _measures(photos: Sequence[PhotoRuns]) -> npt.NDArray[np.float64]:
    """Return the measures of each photo, the mean over its runs: shape (photos, measures)."""
    km = np.array([value for runs in photos for value in runs.km])
    counts = np.array([len(runs.km) for runs in photos])
    columns = [(km < limit).astype(np.float64) for limit in ACC_KM]
    every = np.column_stack([*columns, rewards(km), geoscores(km)])
    starts = np.concatenate(([0], np.cumsum(counts)[:-1]))
    return np.add.reduceat(every, starts, axis=0) / counts[:, None]


def _km(runs: PhotoRuns) -> float | None:
    middle = float(np.median(runs.km))
    return middle if np.isfinite(middle) else None
