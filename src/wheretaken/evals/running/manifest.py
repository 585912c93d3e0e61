"""The manifest: a line for each row of the data set, with the hash of its photo. Truth is in it.

It is read by people, by metrics and by the runner; nothing that a model, a tool or a verifier is given is
taken from it.
"""

from __future__ import annotations

import collections
import hashlib
import os
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from wheretaken.errors import DataError, PhotoError, UserError
from wheretaken.evals.model import Row, Truth
from wheretaken.paths import atomic_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

MANIFEST = "data.jsonl"
_WINDOW = 64
"""Photos that are read ahead."""

_A = TypeVar("_A")
_B = TypeVar("_B")


class Entry(BaseModel):
    """A row of the data set as the manifest has it."""

    model_config = ConfigDict(frozen=True)

    id: str
    image: str
    """The photo's name in the set."""
    sha256: str
    """Of the file's bytes; empty when they could not be read."""
    truth: Truth
    split: str = ""
    line: int = 0
    """Where the row stands in its table, from 1."""

    @classmethod
    def of(cls, row: Row) -> Entry:
        """Read the row's photo and return its entry."""
        try:
            digest = hashlib.sha256(row.read()).hexdigest()
        except PhotoError:
            digest = ""  # the reason is told when the row's turn comes
        return cls(id=row.id, image=row.image, sha256=digest, truth=row.truth, split=row.split, line=row.line)


@dataclass(frozen=True)
class Survey:
    """What was found when the manifest was written."""

    rows: int
    fingerprint: str
    """SHA-256 of the manifest."""
    repeated: frozenset[str]
    """Hashes of the photos that are in more than one row."""


def write(directory: Path, rows: Iterable[Row], *, watch: Callable[[int], None] | None = None) -> Survey:
    """Write the manifest, reading every photo once; memory holds 32 bytes of each.

    Args:
        directory: Where it goes. A manifest that is there must be the beginning of the new one, but for
            photos whose bytes have changed.
        rows: The data set.
        watch: Called with the number of rows so far.

    Raises:
        UserError: the manifest that is there is of other rows; it is left as it was.
        DataError: a row cannot be used, or the manifest that is there is damaged.
    """
    target = directory / MANIFEST
    before = read(directory) if target.exists() else iter(())
    total, fingerprint = 0, hashlib.sha256()
    seen, repeated = set[bytes](), set[str]()
    with atomic_path(target) as temporary, temporary.open("wb") as file:
        for total, entry in enumerate(_map_ahead(Entry.of, rows), 1):
            _compare(directory, entry, next(before, None))
            line = entry.model_dump_json().encode() + b"\n"
            file.write(line)
            fingerprint.update(line)
            digest = bytes.fromhex(entry.sha256)
            if digest and digest in seen:
                repeated.add(entry.sha256)
            seen.add(digest)
            if watch:
                watch(total)
        if missing := next(before, None):
            raise UserError(
                f"{directory} was run over more rows than these {total}, such as {missing.id!r}: "
                "give the whole data set and no smaller --limit, or choose another directory"
            )
    return Survey(total, fingerprint.hexdigest(), frozenset(repeated))


def read(directory: Path) -> Iterator[Entry]:
    """Yield the entries of a manifest.

    Raises:
        DataError: a line is damaged.
    """
    path = directory / MANIFEST
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield Entry.model_validate_json(line)
            except ValidationError as error:
                raise DataError(f"{path}:{number} is damaged: choose another directory") from error


def _compare(directory: Path, now: Entry, before: Entry | None) -> None:
    """Refuse a row that is not the one that was run; a photo that was mended since is the same row."""
    if before is not None and now.model_copy(update={"sha256": before.sha256}) != before:
        raise UserError(
            f"row {now.id!r} (line {now.line}) of the data set is not what {directory / MANIFEST} has: "
            "give the data set that was run, or choose another directory"
        )


def _map_ahead(work: Callable[[_A], _B], items: Iterable[_A]) -> Iterator[_B]:
    """Map in threads, in order, a bounded number of items ahead of the reader."""
    pending = collections.deque[Future[_B]]()
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 8)) as pool:
        for item in items:
            pending.append(pool.submit(work, item))
            if len(pending) >= _WINDOW:
                yield pending.popleft().result()
        for future in pending:
            yield future.result()
