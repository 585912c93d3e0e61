"""From a record of a file to a row of a data set: truth in WGS-84, a photo inside the set, a unique id."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from wheretaken.errors import DataError
from wheretaken.evals.datasets.ledger import Seen
from wheretaken.evals.model import Row, Truth
from wheretaken.geo import Datum, LatLon

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheretaken.evals.datasets.gallery import Gallery
    from wheretaken.evals.datasets.sources import Record, Source

_DATUMS = {"".join(filter(str.isalnum, datum)).casefold(): datum for datum in Datum}
_LIMITS = {"lat": 90.0, "lon": 180.0}
_LONGEST = 200
"""Characters of an extra column that are kept; longer ones are texts, which nobody looks up by a row."""


def datum_named(text: str) -> Datum | None:
    """Return the datum that a text names, however it is spelled: `gcj02`, `GCJ-02`, ..."""
    return _DATUMS.get("".join(filter(str.isalnum, text)).casefold())


@dataclass(frozen=True)
class Table:
    """A data set in a table: a `DataSet`, and what is known of it."""

    name: str
    format: str
    """The family of data sets and what it is stored in, for people."""
    notes: tuple[str, ...]
    source: Source
    columns: Mapping[str, str]
    """Field -> column."""
    gallery: Gallery
    datum: Datum | None = None
    """Of all positions, when the user says so."""
    spare_image: str = ""
    """A column with the picture itself, for photos that are not there as files."""

    def rows(self) -> Iterator[Row]:
        """Yield the rows; see `DataSet.rows`."""
        needed = [*self.columns.values(), *([self.spare_image] if self.spare_image else [])]
        first: Datum | None = None
        with Seen() as ids:
            for number, record in enumerate(self.source.records(needed), 1):
                datum = self._datum(record, first)
                first = first or datum
                row = self._row(record, datum, number)
                earlier = ids.first(row.id, record.where)
                if earlier and "id" not in self.columns:
                    # A picture that a table has twice is two rows (MAPBench has such, one at two places);
                    # pictures within a table need no names, and parts of a set may use the same ones.
                    row = replace(row, id=f"{row.id}#{number}")
                    earlier = ids.first(row.id, record.where)
                if earlier:
                    raise DataError(
                        f"{record.where} has the id {row.id!r} a second time, after {earlier}: "
                        "delete one of them, or name another column with --column id=NAME"
                    )
                yield row

    def _row(self, record: Record, datum: Datum, number: int) -> Row:
        lat, lon = (self._degrees(record, field) for field in ("lat", "lon"))
        place = LatLon(lat, lon, datum).wgs84
        image, source = self._image(record)
        mapped = set(self.columns.values())
        return Row(
            id=self._text(record, "id") or image or str(number),
            image=image or self._text(record, "id") or str(number),
            source=source,
            truth=Truth(
                lat=place.lat,
                lon=place.lon,
                city=self._text(record, "city"),
                country=self._text(record, "country"),
            ),
            line=record.line,
            split=self._text(record, "split") or record.split,
            extra={
                name: str(value)
                for name, value in record.values.items()
                if name not in mapped and isinstance(value, str | int | float) and len(str(value)) <= _LONGEST
            },
        )

    def _text(self, record: Record, field: str) -> str:
        value = record.values.get(self.columns.get(field, ""))
        return "" if value is None or isinstance(value, bytes | dict | list) else str(value).strip()

    def _degrees(self, record: Record, field: str) -> float:
        column, limit = self.columns[field], _LIMITS[field]
        value = record.values.get(column)
        try:
            number = float(str(value))
        except ValueError:
            shown = "nothing" if value is None or value == "" else repr(value)[:40]
            raise DataError(
                f"{record.where} has {shown} for {column}: write degrees, such as 48.8584, or delete the row"
            ) from None
        if not (math.isfinite(number) and abs(number) <= limit):
            other = self.columns["lon" if field == "lat" else "lat"]
            hint = (
                f"if the columns are swapped, use --column lat={other} --column lon={column}"
                if field == "lat"
                else "mend or delete the row"
            )
            raise DataError(
                f"{record.where} has {value} for {column}, outside [-{limit:g}, {limit:g}]: {hint}"
            )
        return number

    def _datum(self, record: Record, first: Datum | None) -> Datum:
        """Return the datum of a row, which has to be that of the first."""
        text = self._text(record, "datum")
        named = datum_named(text)
        if text and named is None:
            raise DataError(
                f"{record.where} has the datum {text!r}: write one of {', '.join(Datum)}, or leave it empty"
            )
        datum = named or self.datum or Datum.WGS84
        known = self.datum or first or datum
        if datum is not known:
            by = "--datum says" if self.datum else "the first row is in"
            raise DataError(
                f"{record.where} is in {datum}, but {by} {known}: a set has one datum; split the table, or "
                "convert the row"
            )
        return datum

    def _image(self, record: Record) -> tuple[str, Any]:
        """Return the photo's name, and its bytes or its path."""
        column = self.columns["image"]
        value = record.values.get(column)
        if isinstance(value, list) and len(cast("list[Any]", value)) == 1:
            value = cast("list[Any]", value)[0]
        name = ""
        if isinstance(value, dict):
            both = cast("dict[str, Any]", value)
            name, value = str(both.get("path") or ""), both.get("bytes") or both.get("path")
        if isinstance(value, bytes):
            return name, value
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            raise DataError(
                f"{record.where} has no photo in {column}: write its path, or name another column with "
                "--column image=NAME"
            )
        return value.strip(), self._file(record, value.strip())

    def _file(self, record: Record, name: str) -> Any:
        """Return the path of a photo, or the bytes that stand in for it."""
        if "://" in name:
            raise DataError(
                f"{record.where} has the address {name}: download the photos, and give --images DIR"
            )
        path = self.gallery.find(name)
        if path is None:
            raise DataError(
                f"{record.where} has the photo {name}, outside {self.gallery.root}: move it into that "
                "folder, or name the folder that holds all photos with --images DIR"
            )
        if self.spare_image and not path.is_file():
            spare = record.values.get(self.spare_image)
            data = cast("dict[str, Any]", spare).get("bytes") if isinstance(spare, dict) else spare
            return data if isinstance(data, bytes) else path
        return path
