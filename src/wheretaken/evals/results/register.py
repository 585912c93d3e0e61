"""Which photos there must be: the denominator, from a data set or from a run's manifest.

It holds one small entry a photo. Truth comes from here where a file has none, and what got no line is failed.
"""

from __future__ import annotations

import math
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Self

from wheretaken.agent.events import Status
from wheretaken.errors import DataError
from wheretaken.evals.distances import SAME_KM
from wheretaken.evals.model import Result
from wheretaken.evals.running import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from wheretaken.evals.model import DataSet, Row, Truth

MISSING = "there is no result for this photo"
"""The detail of a failed result that stands for none."""
_KM_A_DEGREE = 111.2


class Register:
    """The photos of a data set by id, by name and by the bytes of their files."""

    def __init__(self, name: str, entries: Iterable[Entry]) -> None:
        """Take the entries; `name` is what the set is called in errors."""
        self._name = name
        self._entries = {entry.id: entry for entry in entries}
        self._named: dict[str, list[Entry]] = {}
        self._pictures: dict[str, list[Entry]] = {}
        for entry in self._entries.values():
            for known in {entry.id, entry.image, PurePosixPath(entry.image).name}:
                self._named.setdefault(known, []).append(entry)
            if entry.sha256:
                self._pictures.setdefault(entry.sha256, []).append(entry)

    @classmethod
    def of(cls, data: DataSet, *, hashed: bool = False) -> Self:
        """Take the rows of a data set; `hashed` reads every photo, for `with_picture`."""
        return cls(data.name, map(Entry.of if hashed else _unhashed, data.rows()))

    def with_picture(self, sha256: str) -> list[Entry]:
        """Return the rows whose photo has these bytes; of a photo that cannot be read nothing is known."""
        return self._pictures.get(sha256, [])

    def complete(self, results: Iterable[Result], path: Path) -> Iterator[Result]:
        """Yield the results with the set's ids and truth, then the photos that have none, as failed.

        Raises:
            DataError: a result is about a photo that is not in the set, or has another truth.
        """
        seen: set[str] = set()
        for result in results:
            entry = self._find(result, seen)
            if entry is None:
                raise self.stranger(f"{path} has an answer for {result.id!r}")
            if _apart(entry.truth, result.truth) > SAME_KM:
                raise DataError(
                    f"{path} and {self._name} disagree about where {result.id!r} was taken:"
                    " name the data set that the file is about, in the same datum"
                )
            seen.add(entry.id)
            yield result.model_copy(update={"id": entry.id, "truth": entry.truth, "image": entry.image})
        yield from self.missing(seen)

    def missing(self, seen: set[str]) -> Iterator[Result]:
        """Yield a failed result for every photo that was not seen."""
        return (absent(entry) for entry in self._entries.values() if entry.id not in seen)

    def stranger(self, what: str) -> DataError:
        """Return the error for something about a photo that is not in the set."""
        return DataError(f"{what}, which {self._name} does not have: name the data set that it is about")

    def _find(self, result: Result, seen: set[str]) -> Entry | None:
        """Find by id, by the photo's name in the set, by the bare name of its file."""
        for known in (result.id, result.image, PurePosixPath(result.image or result.id).name):
            if rows := self._named.get(known):
                # A set may have a picture twice: the place tells which row it is, at one place the order.
                return min(rows, key=lambda row: (_apart(row.truth, result.truth), row.id in seen))
        return None


def absent(entry: Entry) -> Result:
    """Return what a photo counts as that has no result."""
    return Result(
        id=entry.id,
        truth=entry.truth,
        status=Status.FAILED,
        detail=MISSING,
        image=entry.image,
        split=entry.split,
        sha256=entry.sha256,
    )


def _apart(one: Truth, two: Truth) -> float:
    """Kilometres in a plane: rows are many, and the truth of both is the same place or clearly another."""
    east = math.remainder(one.lon - two.lon, 360) * math.cos(math.radians(one.lat))
    return math.hypot(one.lat - two.lat, east) * _KM_A_DEGREE


def _unhashed(row: Row) -> Entry:
    return Entry(id=row.id, image=row.image, sha256="", truth=row.truth, split=row.split, line=row.line)
