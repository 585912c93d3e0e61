"""Several files about the same photos: their answers side by side, joined by the photos' ids.

Joining holds one small record a photo and file. Files that disagree about where a photo was taken are about
different sets, or one is in another datum: nothing can be said by comparing them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from wheretaken.errors import DataError
from wheretaken.evals.distances import measured
from wheretaken.geo import distances_km

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wheretaken.agent.events import Status
    from wheretaken.evals.model import Result, Truth

_SAME_KM = 0.1
"""Truths further apart than this are not the same: rounding is far below, GCJ-02 far above (0.36 km)."""


@dataclass(frozen=True, slots=True)
class PhotoRuns:
    """What one file says about one photo: one or more runs."""

    truth: Truth
    km: list[float] = field(default_factory=list[float])
    """Distance of each run's answer; infinite where there is none."""
    statuses: list[Status] = field(default_factory=list["Status"])


@dataclass(frozen=True, slots=True)
class File:
    """A file's answers by photo, in the order of the file."""

    name: str
    photos: dict[str, PhotoRuns]


def by_photo(name: str, results: Iterable[Result]) -> File:
    """Gather the results of each row of the set; `name` is what the file is called.

    A row goes by its photo's id. Where the set has a picture in several rows (MAPBench has two such, one of
    them at two places) each goes by `ID#INDEX`, whatever the order of the lines.
    """
    rows: dict[str, dict[str, PhotoRuns]] = {}
    for result, km in measured(results):
        same = rows.setdefault(result.id, {})
        runs = same.get(result.index)
        if runs is None:
            runs = same[result.index] = PhotoRuns(result.truth)
        runs.km.append(km)
        runs.statuses.append(result.status)
    return File(
        name,
        {
            photo if len(same) == 1 else f"{photo}#{index}": runs
            for photo, same in rows.items()
            for index, runs in same.items()
        },
    )


def check_truth(files: Sequence[File]) -> None:
    """Check that files agree about where the photos were taken that they share.

    Raises:
        DataError: they do not, or have no photo in common.
    """
    first = files[0]
    for other in files[1:]:
        shared = [name for name in first.photos if name in other.photos]
        if not shared:
            raise DataError(
                f"{first.name} and {other.name} have no photo in common: name files about one set"
            )
        one = np.array([(truth.lat, truth.lon) for truth in (first.photos[name].truth for name in shared)])
        two = np.array([(truth.lat, truth.lon) for truth in (other.photos[name].truth for name in shared)])
        apart = distances_km(*one.T, *two.T)
        worst = int(apart.argmax())
        if apart[worst] > _SAME_KM:
            raise DataError(
                f"{first.name} and {other.name} disagree about where {shared[worst]!r} was taken, by"
                f" {apart[worst]:.3g} km: name files about one set, in one datum"
            )
