"""Data sets of the Hugging Face hub, through the library `datasets`, as a stream: `hf:OWNER/NAME[:SPLIT]`."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from wheretaken.errors import DataError, MissingExtraError
from wheretaken.evals.datasets.columns import flat
from wheretaken.evals.datasets.sources import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PREFIX = "hf:"


@dataclass(frozen=True, slots=True)
class Hub:
    """A data set of the hub, or of a folder that the library can load."""

    id: str
    """`OWNER/NAME`, or a folder."""
    split: str = ""
    """All splits, one after the other, when empty."""
    kind: str = "Hugging Face data set"

    @classmethod
    def parse(cls, text: str) -> Hub:
        """Read `hf:OWNER/NAME[:SPLIT]`.

        Raises:
            DataError: it names no data set.
        """
        name, _, split = text.removeprefix(PREFIX).partition(":")
        if not name:
            raise DataError(f"{text!r} names no data set: write hf:OWNER/NAME, or hf:OWNER/NAME:SPLIT")
        return cls(name, split)

    @property
    def name(self) -> str:
        """The data set, for messages."""
        return f"{PREFIX}{self.id}"

    def columns(self) -> list[str]:
        """Return the keys of the first row."""
        return [key for record in itertools.islice(self.records(), 1) for key in record.values]

    def records(self, columns: Sequence[str] | None = None) -> Iterator[Record]:
        """Yield the rows; see `Source.records`.

        Raises:
            DataError: the library cannot load it.
            MissingExtraError: the library is not installed.
        """
        for split, rows in self._splits().items():
            features = cast("dict[str, Any]", rows.features or {})
            for name, feature in features.items():
                if type(feature).__name__ == "Image":  # bytes instead of pixels, which nobody needs yet
                    rows = rows.cast_column(name, type(feature)(decode=False))  # noqa: PLW2901 - the same rows
            if columns is not None and features:
                rows = rows.select_columns(self._needed(columns, features))  # noqa: PLW2901 - the same rows
            file = f"{self.name}:{split}"
            for number, row in enumerate(self._read(rows), 1):
                yield Record(flat(row), file, number, split)

    @staticmethod
    def _needed(columns: Sequence[str], features: Mapping[str, Any]) -> list[str]:
        wanted = dict.fromkeys(c if c in features else c.partition(".")[0] for c in columns)
        return [name for name in wanted if name in features]

    def _splits(self) -> dict[str, Any]:
        try:
            import datasets  # noqa: PLC0415 - an extra of its own, and slow to load
        except ModuleNotFoundError as error:
            raise MissingExtraError("reading a Hugging Face data set", "hub", "datasets") from error
        library = cast("Any", datasets)
        refusals: tuple[type[Exception], ...] = (library.exceptions.DatasetsError, OSError, ValueError)
        try:
            loaded = library.load_dataset(self.id, split=self.split or None, streaming=True)
        except refusals as error:
            reason = " ".join(str(error).split())[:160]
            raise DataError(
                f"{self.name} cannot be loaded: check the name, the split and the network ({reason})"
            ) from None
        return {self.split: loaded} if self.split else dict(loaded)

    def _read(self, rows: Any) -> Iterator[dict[str, Any]]:
        try:
            yield from rows
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())[:160]
            raise DataError(f"{self.name} broke off: try again ({reason})") from None
