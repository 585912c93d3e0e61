"""Several files about the same photos: their answers side by side, joined by the photos' ids.

Joining holds one small record a photo and file. Files that disagree about where a photo was taken are about
different sets, or one is in another datum: nothing can be said by comparing them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from wheretaken.errors import DataError
from wheretaken.evals.distances import SAME_KM, measured
from wheretaken.geo import distances_km

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from wheretaken.agent.events import Status
    from wheretaken.evals.model import Result, Truth


_Kept = TypeVar("_Kept")


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


def by_row(
    results: Iterable[Result], make: Callable[[Result], _Kept], add: Callable[[_Kept, Result, float], object]
) -> dict[str, _Kept]:
    """Gather the results of each row of the set.

    A row goes by its photo's id. Where the set has a picture in several rows (MAPBench has two such, one of
    them at two places) each goes by `ID#INDEX`, whatever the order of the lines.

    Args:
        results: in the order of the file.
        make: makes what is kept of a row, from its first result.
        add: adds a result and its distance in km (infinite without an answer) to that.
    """
    rows: dict[str, dict[str, _Kept]] = {}
    for result, km in measured(results):
        same = rows.setdefault(result.id, {})
        if result.index not in same:
            same[result.index] = make(result)
        add(same[result.index], result, km)
    return {
        photo if len(same) == 1 else f"{photo}#{index}": kept
        for photo, same in rows.items()
        for index, kept in same.items()
    }


def by_photo(name: str, results: Iterable[Result]) -> File:
    """Gather the distances and statuses of each row of the set; `name` is what the file is called."""

    def add(runs: PhotoRuns, result: Result, km: float) -> None:
        runs.km.append(km)
        runs.statuses.append(result.status)

    return File(name, by_row(results, lambda result: PhotoRuns(result.truth), add))


class _Truths(Protocol):
    """What has been said about one photo, and where it was taken."""

    @property
    def truth(self) -> Truth: ...


def check_truth(names: Sequence[str], files: Sequence[Mapping[str, _Truths]]) -> None:
    """Check that files agree about where the photos were taken that they share.

    Args:
        names: what the files are called.
        files: of each, what it says by photo.

    Raises:
        DataError: two of them do not agree, or one has no photo in common with the others.
    """
    known: dict[str, tuple[str, Truth]] = {}
    for name, photos in zip(names, files, strict=True):
        shared = [photo for photo in photos if photo in known]
        if known and not shared:
            raise DataError(
                f"{', '.join(names[: names.index(name)])} and {name} have no photo in common: "
                "name files about one set"
            )
        if shared:
            _check(name, photos, {photo: known[photo] for photo in shared})
        for photo, said in photos.items():
            known.setdefault(photo, (name, said.truth))


def _check(name: str, photos: Mapping[str, _Truths], known: Mapping[str, tuple[str, Truth]]) -> None:
    """Compare a file's truths with those known from the files before it."""
    one = np.array([(truth.lat, truth.lon) for _, truth in known.values()])
    two = np.array([(photos[photo].truth.lat, photos[photo].truth.lon) for photo in known])
    apart = distances_km(*one.T, *two.T)
    worst = int(apart.argmax())
    if apart[worst] > SAME_KM:
        photo, (earlier, _) = list(known.items())[worst]
        raise DataError(
            f"{earlier} and {name} disagree about where {photo!r} was taken, by"
            f" {apart[worst]:.3g} km: name files about one set, in one datum"
        )
