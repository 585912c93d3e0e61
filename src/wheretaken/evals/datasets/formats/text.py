"""Tables in text files: CSV, TSV and JSON lines, in UTF-8."""

from __future__ import annotations

import csv
import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from wheretaken.errors import DataError
from wheretaken.evals.datasets.columns import flat
from wheretaken.evals.datasets.sources import Record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BOM = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_PEEKED = 100
"""Lines of a JSONL file whose keys are its columns; later keys belong to columns that are optional."""


def _lines(path: Path) -> Iterator[str]:
    """Yield the lines of a text file; a wrong byte is reported with its line."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if number == 1 and line.startswith(_WIDE):
                    remedy = f"convert it, such as with: iconv -f UTF-16 -t UTF-8 {path.name}"
                    raise DataError(f"{path}:1 is UTF-16: {remedy}")
                try:
                    yield (line.removeprefix(_BOM) if number == 1 else line).decode()
                except UnicodeDecodeError as error:
                    raise DataError(
                        f"{path}:{number} is not UTF-8 (byte {error.start + 1} is {line[error.start]:#04x}); "
                        "encodings may be mixed: convert the file or that line to UTF-8"
                    ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}: check its permission") from error


@dataclass(frozen=True, slots=True)
class Delimited:
    """A CSV or TSV file with a header."""

    path: Path

    @property
    def name(self) -> str:
        """The file, for messages."""
        return str(self.path)

    @property
    def kind(self) -> str:
        """`CSV` or `TSV`."""
        return "TSV" if self.path.suffix.lower() == ".tsv" else "CSV"

    def columns(self) -> list[str]:
        """Return the header.

        Raises:
            DataError: there is none, or it names a column twice.
        """
        return self._open()[0]

    def records(self, columns: object = None) -> Iterator[Record]:
        """Yield the rows; see `Source.records`."""
        del columns  # a line is read as a whole in any case
        header, rows = self._open()
        width, file = len(header), str(self.path)
        try:
            for row in rows:
                if not row:
                    continue
                if len(row) != width:
                    raise DataError(
                        f"{file}:{rows.line_num} has {len(row)} fields where the header has {width}: "
                        "put a field that holds the delimiter in double quotes"
                    )
                values = dict(zip(header, row, strict=True))
                # Objects in cells are rare, and looking for them in every cell takes time.
                yield Record(flat(values) if "{" in "".join(row) else values, file, rows.line_num)
        except csv.Error as error:
            raise DataError(f"{file}:{rows.line_num} is no CSV: {error}: check its quotes") from None

    def _open(self) -> tuple[list[str], Any]:
        lines = _lines(self.path)
        first = next(lines, "")
        if not first.strip():
            raise DataError(f"{self.path}:1 is empty: the first line has to name the columns")
        delimiter = max(",;\t", key=first.count)
        rows = csv.reader(itertools.chain((first,), lines), delimiter=delimiter, strict=True)
        header = [name.strip() for name in next(rows)]
        twice = sorted({name for name in header if header.count(name) > 1})
        if twice:
            raise DataError(f"{self.path}:1 names {', '.join(map(repr, twice))} twice: rename one column")
        return header, rows


@dataclass(frozen=True, slots=True)
class JsonLines:
    """A file with one JSON object a line."""

    path: Path
    kind: str = "JSONL"

    @property
    def name(self) -> str:
        """The file, for messages."""
        return str(self.path)

    def columns(self) -> list[str]:
        """Return the keys of the first lines, in the order in which they come up."""
        return list(
            dict.fromkeys(
                key for record in itertools.islice(self.records(), _PEEKED) for key in record.values
            )
        )

    def records(self, columns: object = None) -> Iterator[Record]:
        """Yield the rows; see `Source.records`."""
        del columns  # a line is read as a whole in any case
        file = str(self.path)
        for number, line in enumerate(_lines(self.path), 1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:
                reason = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
                raise DataError(
                    f"{file}:{number} is no JSON ({reason}): mend or delete the line; "
                    "the file needs one object a line"
                ) from None
            if not isinstance(value, dict):
                raise DataError(f"{file}:{number} is no JSON object: write one object a line (JSONL)")
            yield Record(flat(cast("dict[str, Any]", value)), file, number)
