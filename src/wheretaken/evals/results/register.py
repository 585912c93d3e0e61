"""Which photos there must be: the register that is the denominator, from a data set or a run's manifest.

It holds one small entry a photo. Truth comes from here where a file has none, and what got no line is failed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict

from wheretaken.agent.events import Status
from wheretaken.errors import DataError, PhotoError
from wheretaken.evals.model import Result, Truth
from wheretaken.evals.results.lines import read_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheretaken.evals.model import DataSet, Row


MISSING = "there is no result for this photo"
"""The detail of a result that stands for a photo of the set which the file or run does not have."""


class Entry(BaseModel):
    """A photo of the set, as a line of a run's manifest has it."""

    model_config = ConfigDict(frozen=True)

    id: str
    truth: Truth
    image: str = ""
    split: str = ""
    sha256: str = ""


class Register:
    """The photos of a data set by id, by name and by the bytes of their files."""

    def __init__(self, name: str, entries: Iterable[Entry], data: DataSet | None = None) -> None:
        """Take the entries; `data` is read again when the hashes are wanted that the entries lack."""
        self.name = name
        self.entries = {entry.id: entry for entry in entries}
        self._data = data
        self._ids: dict[str, str] = {}
        for entry in self.entries.values():
            for known in (PurePosixPath(entry.image).name, entry.image, entry.id):
                self._ids[known] = entry.id

    @classmethod
    def of(cls, data: DataSet) -> Self:
        """Take the rows of a data set."""
        return cls(data.name, map(_entry, data.rows()), data)

    @classmethod
    def from_manifest(cls, path: Path) -> Self:
        """Read a run's manifest.

        Raises:
            DataError: it is damaged.
        """
        remedy = "the run's manifest is damaged: start the run again in a new directory"
        return cls(str(path), (line.read(Entry, remedy) for line in read_lines(path)))

    def find(self, result: Result) -> Entry | None:
        """Return the photo of a result, by its id, the photo's name in the set or the file's bare name."""
        for known in (result.id, result.image, PurePosixPath(result.image or result.id).name):
            if known in self._ids:
                return self.entries[self._ids[known]]
        return None

    def by_sha256(self) -> dict[str, list[Entry]]:
        """Return the photos by the SHA-256 of their files; of one that cannot be read nothing is known."""
        found: dict[str, list[Entry]] = {}
        hashes = {row.id: _sha256(row) for row in self._data.rows()} if self._data else {}
        for entry in self.entries.values():
            found.setdefault(entry.sha256 or hashes.get(entry.id, ""), []).append(entry)
        found.pop("", None)
        return found

    def complete(self, results: Iterable[Result], path: Path) -> Iterator[Result]:
        """Yield the results with the set's ids and truth, then the photos that have none, as failed.

        Raises:
            DataError: a result is about a photo that is not in the set.
        """
        seen: set[str] = set()
        for result in results:
            entry = self.find(result)
            if entry is None:
                raise self.stranger(f"{path} has an answer for {result.id!r}")
            seen.add(entry.id)
            yield result.model_copy(update={"id": entry.id, "truth": entry.truth, "image": entry.image})
        yield from self.missing(seen)

    def missing(self, seen: set[str]) -> Iterator[Result]:
        """Yield a failed result for every photo that was not seen."""
        for entry in self.entries.values():
            if entry.id not in seen:
                yield Result(
                    id=entry.id,
                    truth=entry.truth,
                    status=Status.FAILED,
                    detail=MISSING,
                    image=entry.image,
                    split=entry.split,
                    sha256=entry.sha256,
                )

    def stranger(self, what: str) -> DataError:
        """Return the error for something about a photo that is not in the set."""
        return DataError(
            f"{what}, which {self.name} does not have: name the data set that it is about with --data PATH"
        )


def _entry(row: Row) -> Entry:
    return Entry(id=row.id, truth=row.truth, image=row.image, split=row.split)


def _sha256(row: Row) -> str:
    try:
        return hashlib.sha256(row.read()).hexdigest()
    except PhotoError:
        return ""
