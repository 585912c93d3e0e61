"""What is wrong with a data set: photos that are missing or broken, duplicates, and leaks into another set.

`examine` looks at every photo; nothing is dropped on the way, each row comes out with its picture or with its
problem. `Watch` remembers what went by and finds duplicates and leaks.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import BaseModel, ConfigDict

from wheretaken import photos
from wheretaken.errors import PhotoError
from wheretaken.evals.datasets.ledger import Places, Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from wheretaken.evals.model import DataSet, Row

LEAK_KM = 0.05
"""Photos of a training set that are as near as this to one of the test set give its answer away."""
_AHEAD = 4
"""Photos per worker that may be read before they are needed."""


class Problem(BaseModel):
    """Something that a person should know of one photo: one line of `*.problems.jsonl`."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["missing", "broken", "duplicate", "leak"]
    """Missing and broken photos cannot be used; a duplicate can; a leak can, but must not be trained on."""
    id: str
    image: str
    line: int
    detail: str
    """What is wrong, in words."""
    other: str = ""
    """The id of the photo that it is a duplicate of, or leaks."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A row and what its photo turned out to be."""

    row: Row
    size: int = 0
    """Of the file, in bytes."""
    sha256: str = ""
    """Of the file's bytes."""
    picture: photos.BareFile | None = None
    """None when there is a problem."""
    problem: Problem | None = None
    """Missing or broken."""


def examine(rows: Iterable[Row], workers: int | None = None) -> Iterator[Examined]:
    """Read and decode the photos of rows, several at a time; they come out in order.

    Args:
        rows: of any data set.
        workers: threads; as many as there are processors by default. Decoding does not hold the interpreter's
            lock.
    """
    count = workers or min(os.cpu_count() or 1, 16)
    waiting: deque[Future[Examined]] = deque()
    source = iter(rows)
    with ThreadPoolExecutor(count, thread_name_prefix="photos") as pool:
        try:
            waiting.extend(pool.submit(_examined, row) for row in islice(source, count * _AHEAD))
            while waiting:
                done = waiting.popleft().result()
                waiting.extend(pool.submit(_examined, row) for row in islice(source, 1))
                yield done
        finally:
            for future in waiting:
                future.cancel()


def _examined(row: Row) -> Examined:
    if isinstance(row.source, Path) and not row.source.exists():
        return Examined(row, problem=_problem("missing", row, f"{row.source} does not exist"))
    try:
        data = row.read()
    except PhotoError as error:
        return Examined(row, problem=_problem("broken", row, str(error)))
    digest = hashlib.sha256(data).hexdigest()
    try:
        picture = photos.strip(data)
        _ = picture.sha256  # worked out here, where it takes no time of the thread that all others wait for
        return Examined(row, len(data), digest, picture)
    except PhotoError as error:
        return Examined(row, len(data), digest, problem=_problem("broken", row, str(error)))


def _problem(
    kind: Literal["missing", "broken", "duplicate", "leak"], row: Row, detail: str, other: str = ""
) -> Problem:
    return Problem(kind=kind, id=row.id, image=row.image, line=row.line, detail=detail, other=other)


class Watch:
    """Finds photos that came before, and photos of another set."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._pictures, self._files = Seen(), Seen()
        self._theirs, self._places = Seen(), Places()
        self._against = ""

    def against(self, data: DataSet, progress: Callable[[int], None] | None = None) -> int:
        """Remember the pictures and the places of another set; there may be several.

        Args:
            data: such as the test set.
            progress: told how many photos are done.

        Returns:
            How many of its photos cannot be read; of these only the place is known.

        Raises:
            DataError: see `DataSet.rows`.
        """
        self._against = data.name if not self._against else f"{self._against} or {data.name}"
        unread = 0
        for number, item in enumerate(examine(data.rows()), 1):
            truth = item.row.truth
            self._places.add(truth.lat, truth.lon, item.row.id)
            if item.picture:
                self._theirs.first(item.picture.sha256, item.row.id)
            else:
                unread += 1
            if progress:
                progress(number)
        return unread

    def problems(self, item: Examined) -> list[Problem]:
        """Return everything that is wrong with a photo, and remember it."""
        found = [item.problem] if item.problem else []
        return found + self._twice(item) + self._leaks(item)

    def _twice(self, item: Examined) -> list[Problem]:
        if not item.picture:
            return []
        same_file = self._files.first(item.sha256, item.row.id)
        same_picture = self._pictures.first(item.picture.sha256, item.row.id)
        if same_picture is None:
            return []
        detail = "the same file" if same_file else "the same picture with other metadata"
        return [_problem("duplicate", item.row, f"{detail} as {same_picture}", same_picture)]

    def _leaks(self, item: Examined) -> list[Problem]:
        if not self._against:
            return []
        if item.picture and (theirs := self._theirs.find(item.picture.sha256)):
            return [_problem("leak", item.row, f"the same picture as {theirs} in {self._against}", theirs)]
        near = self._places.nearest(item.row.truth.lat, item.row.truth.lon, LEAK_KM)
        if not near:
            return []
        other, km = near
        return [_problem("leak", item.row, f"{km * 1000:.0f} m from {other} in {self._against}", other)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for ledger in (self._pictures, self._files, self._theirs, self._places):
            ledger.close()
