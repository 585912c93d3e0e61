"""What is measured: a `Row` of a data set is a photo and its truth, a `Result` adds what was answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field

from wheretaken.agent.events import Status
from wheretaken.answers import Answer
from wheretaken.errors import PhotoError
from wheretaken.messages import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


class Truth(BaseModel):
    """Where a photo was taken, WGS-84 degrees: a data set's datum is converted when it is read."""

    model_config = ConfigDict(frozen=True)

    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    city: str = ""
    country: str = ""


class Result(BaseModel):
    """What became of one photo: one line of `results.jsonl`, and what every other format is read into."""

    model_config = ConfigDict(frozen=True)

    id: str
    """Names the photo in every file about the same data set."""
    index: str = ""
    """Of the row, where the file numbers them: sets exist that have one picture in several rows."""
    truth: Truth
    status: Status
    answer: Answer | None = None
    """Set exactly when the status is `answered`."""
    detail: str = ""
    """Why there is no answer, for people."""
    image: str = ""
    """The photo's name in the data set."""
    data_source: str = ""
    split: str = ""
    sha256: str = ""
    """Of the photo's bytes; empty for published lines."""
    model: str = ""
    runs: tuple[str, ...] = ()
    """The ids of the trajectories that led to the answer."""
    agree: int | None = None
    """Of several runs, how many lie within 25 km of the answer, itself counted."""
    seconds: float | None = None
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A photo of a data set."""

    id: str
    """Unique in the set: what the set calls the photo."""
    image: str
    """The photo's name in the set, for people."""
    source: Path | bytes
    """The file, or its bytes."""
    truth: Truth
    line: int = 0
    """Where the row stands in its table, from 1."""
    split: str = ""
    extra: Mapping[str, str] = field(default_factory=dict[str, str])
    """Columns that the set has beyond these."""

    def read(self) -> bytes:
        """Return the bytes of the photo's file.

        Raises:
            PhotoError: the file is missing or cannot be read.
        """
        if isinstance(self.source, bytes):
            return self.source
        try:
            return self.source.read_bytes()
        except OSError as error:
            raise PhotoError(f"{self.source} cannot be read: {error.strerror}") from error


class DataSet(Protocol):
    """Photos with their truth, read as a stream: memory does not grow with the set."""

    @property
    def name(self) -> str:
        """What results call it."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """What a person should know of how it was read, such as "the LON and LAT headers are swapped"."""
        ...

    def rows(self) -> Iterator[Row]:
        """Yield the rows in the order of the table, always the same.

        Raises:
            DataError: a row cannot be used; the message names file, line and remedy.
        """
        ...
