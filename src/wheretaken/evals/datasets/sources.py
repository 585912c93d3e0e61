"""What every file format gives: records with their place in the file, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Record:
    """One row as the file has it."""

    values: Mapping[str, Any]
    """Column -> text, number, bytes, or `{"bytes", "path"}` of an image; nested values have dotted names."""
    file: str
    """The file's name, for messages."""
    line: int
    """From 1: the line of a text file, the row of any other."""
    split: str = ""
    """The part of the data set that the file is, if its name tells."""

    @property
    def where(self) -> str:
        """File and line, as messages begin."""
        return f"{self.file}:{self.line}"


class Source(Protocol):
    """A table, whatever it is stored in. Reading it again starts from the beginning."""

    @property
    def name(self) -> str:
        """The file, for messages."""
        ...

    @property
    def kind(self) -> str:
        """What it is stored in, for people: `CSV`, `Parquet`, ..."""
        ...

    def columns(self) -> Sequence[str]:
        """Return the names of the columns, in order.

        Raises:
            DataError: the file cannot be read.
        """
        ...

    def records(self, columns: Sequence[str] | None = None) -> Iterator[Record]:
        """Yield the rows in order, in constant memory.

        Args:
            columns: those that are needed; others may be left out. All when None.

        Raises:
            DataError: a row cannot be read; the message names file, line and remedy.
        """
        ...
