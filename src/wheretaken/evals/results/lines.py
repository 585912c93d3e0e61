"""JSON Lines as a stream of numbered lines that say what is wrong with them, and what to do about it."""

from __future__ import annotations

import gzip
import os
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from wheretaken.errors import DataError

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator
    from pathlib import Path

_GZIP = b"\x1f\x8b"
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_ANY_OBJECT: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Line:
    """A line and where it stands."""

    path: Path
    number: int
    """From 1, blank lines counted."""
    data: bytes

    def read(self, model: type[_Model], remedy: str) -> _Model:
        """Read the line as JSON with the fields of a model.

        Raises:
            DataError: it is something else; `remedy` says what to do about wrong fields.
        """
        try:
            return model.model_validate_json(self.data)
        except ValidationError as error:
            raise self._explained(error, remedy) from error

    def keys(self) -> frozenset[str]:
        """Return the keys of the line's object.

        Raises:
            DataError: the line is no JSON object.
        """
        try:
            return frozenset(_ANY_OBJECT.validate_json(self.data))
        except ValidationError as error:
            raise self._explained(error, "every line must be one JSON object") from error

    def wrong(self, what: str, remedy: str) -> DataError:
        """Return the error that says `FILE:LINE is so: remedy`."""
        return DataError(f"{self.path}:{self.number} {what}: {remedy}")

    def _explained(self, error: ValidationError, remedy: str) -> DataError:
        if self.data.startswith(_UTF16_MARKS) or b"\0" in self.data:
            return self.wrong("is not UTF-8", f"convert the file: iconv -f UTF-16 -t UTF-8 {self.path}")
        try:
            self.data.decode("utf-8")
        except UnicodeDecodeError:
            return self.wrong("is not UTF-8", f"convert the file, for instance iconv -f LATIN1 {self.path}")
        problem = error.errors(include_url=False)[0]
        if problem["type"] == "json_invalid":
            why = problem["msg"].removeprefix("Invalid JSON: ")
            return self.wrong(f"is no JSON ({why})", "correct it, or copy the file again")
        field = ".".join(map(str, problem["loc"])) or "the line"
        return self.wrong(f"cannot be used ({field}: {problem['msg']})", remedy)


def read_lines(path: Path, *, killed: bool = False) -> Iterator[Line]:
    """Yield the lines of a file that are not blank, gzipped or not.

    Args:
        path: the file, in UTF-8; a byte order mark is passed over.
        killed: the writer may have been killed: a last line without its line break is passed over.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        with path.open("rb") as raw, _unpacked(raw) as file:
            for number, data in enumerate(file, 1):
                if killed and not data.endswith(b"\n"):
                    return
                text = (data.removeprefix(_UTF8_MARK) if number == 1 else data).strip()
                if text:
                    yield Line(path, number, text)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path} is damaged or cut off (gzip): copy it again from its source") from error
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise DataError(f"{path} cannot be read ({why}): check the path") from error


def _unpacked(raw: io.BufferedReader) -> io.BufferedReader | gzip.GzipFile:
    return gzip.GzipFile(fileobj=raw) if raw.peek(2)[:2] == _GZIP else raw
