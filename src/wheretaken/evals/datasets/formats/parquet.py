"""Tables in Parquet, in one file or in several parts; pictures are bytes in them, or paths."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheretaken.evals.datasets import arrow
from wheretaken.evals.datasets.columns import flat
from wheretaken.evals.datasets.sources import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_SPLIT = re.compile(r"(train|test|validation|valid|val|dev|eval)(?![a-z])", re.IGNORECASE)


def split_of(path: Path) -> str:
    """Return the part of a data set that a file is by its name, or its folder's: `train-00000-of-00002`."""
    found = _SPLIT.match(path.stem) or _SPLIT.fullmatch(path.parent.name)
    return found[1].lower() if found else ""


@dataclass(frozen=True, slots=True)
class Parquet:
    """One or more Parquet files with the same columns."""

    files: tuple[Path, ...]
    kind: str = "Parquet"

    @property
    def name(self) -> str:
        """The file, for messages."""
        first, *more = self.files
        return f"{first} and {len(more)} more" if more else str(first)

    def columns(self) -> list[str]:
        """Return the columns of the schema, and those in the objects that the first row holds as JSON."""
        names = arrow.column_names(self.files[0])
        first = [key for record in itertools.islice(self.records(), 1) for key in record.values]
        inner = {key.partition(".")[0] for key in first if "." in key}
        return list(dict.fromkeys([name for name in names if name not in inner] + first))

    def records(self, columns: Sequence[str] | None = None) -> Iterator[Record]:
        """Yield the rows; see `Source.records`."""
        for path in self.files:
            wanted = None
            if columns is not None:
                there = {name.partition(".")[0] for name in arrow.column_names(path)}
                needed = dict.fromkeys(c if c in there else c.partition(".")[0] for c in columns)
                wanted = [name for name in needed if name in there]
            split = split_of(path)
            for number, row in enumerate(arrow.rows(path, wanted), 1):
                yield Record(flat(row), str(path), number, split)
