"""Overture Maps' places (GeoParquet) as features, which are written and searched like OpenStreetMap's.

Schema: https://docs.overturemaps.org/schema/reference/places/place/ (`id`, `geometry` as WKB,
`names.primary`, `names.common`, `categories` and `basic_category`, `addresses`, `brand.names.primary`,
`confidence`, `sources`). A file of any part of it will do: columns that it lacks are left out.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from wheretaken.errors import DataError, MissingExtraError
from wheretaken.maps.offline.region import kinds
from wheretaken.maps.offline.region.read import Feature
from wheretaken.maps.offline.region.schema import OVERTURE, OVERTURE_ATTRIBUTION

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from pathlib import Path

LEAST_CONFIDENCE = 0.3
"""Overture's own probability that a place exists; below it most do not."""
_COLUMNS = (
    "id", "geometry", "names", "categories", "taxonomy", "basic_category", "addresses", "brand", "confidence",
    "update_time", "sources",
)  # fmt: skip
_POINT = 1
_KEYS = {
    "hotel": "tourism", "hostel": "tourism", "motel": "tourism", "museum": "tourism", "attraction": "tourism",
    "park": "leisure", "playground": "leisure", "stadium": "leisure",
    "airport": "aeroway", "train_station": "railway", "metro_station": "railway",
}  # fmt: skip
"""Under which of OpenStreetMap's keys a category stands; the others are shops or amenities."""
_VALUES = {
    "coffee_shop": ("amenity", "cafe"), "fast_food_restaurant": ("amenity", "fast_food"),
    "grocery_store": ("shop", "supermarket"), "clothing_store": ("shop", "clothes"),
    "convenience_store": ("shop", "convenience"), "gas_station": ("amenity", "fuel"),
    "church_cathedral": ("amenity", "church"), "train_station": ("railway", "station"),
    "metro_station": ("railway", "station"), "art_gallery": ("tourism", "gallery"),
    "book_store": ("shop", "books"), "bookstore": ("shop", "books"), "shoe_store": ("shop", "shoes"),
    "airport": ("aeroway", "aerodrome"), "drugstore": ("amenity", "pharmacy"),
}  # fmt: skip


@dataclass(slots=True)
class OverturePlaces:
    """A GeoParquet file of places: iterate once over `features()`, then look at the rest."""

    path: Path
    bounds: tuple[float, float, float, float] | None = None
    """None: the places themselves say how far they reach."""
    date: str = ""
    """Day of the newest change, where the file has it."""
    incomplete: int = 0
    attribution: str = OVERTURE_ATTRIBUTION
    _read: int = 0
    _rows: int = 0
    _datasets: set[str] = field(default_factory=set[str])

    def read_share(self) -> tuple[int, int]:
        """Return how many rows were read, of how many."""
        return self._read, self._rows

    def features(self) -> Generator[Feature]:
        """Yield every named place.

        Raises:
            DataError: The file is no Parquet, or holds no Overture places.
            MissingExtraError: pyarrow is not installed.
        """
        try:
            pa: Any = import_module("pyarrow")  # its stubs are partly unknown to a strict checker
            parquet: Any = import_module("pyarrow.parquet")
        except ModuleNotFoundError as error:
            raise MissingExtraError("importing Overture places", "overture", "pyarrow") from error
        try:
            with parquet.ParquetFile(self.path) as file:
                there = set(file.schema_arrow.names)
                if not {"id", "geometry", "names"} <= there:
                    raise DataError(f"{self.path} holds no Overture places: it lacks id, geometry or names")
                self._rows = file.metadata.num_rows
                columns = [column for column in _COLUMNS if column in there]
                for batch in file.iter_batches(batch_size=2000, columns=columns):
                    for row in cast("list[dict[str, Any]]", batch.to_pylist()):
                        self._read += 1
                        yield from self._place(row)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
            reason = " ".join(str(error).split())
            raise DataError(f"{self.path} cannot be read as Parquet: {reason}") from error

    def _place(self, row: Mapping[str, Any]) -> Iterator[Feature]:
        wkb = row.get("geometry")
        name = _text(_inner(row, "names", "primary"))
        confidence = row.get("confidence")
        if not (isinstance(wkb, bytes) and name) or (confidence or 1.0) < LEAST_CONFIDENCE:
            return
        point = _point(wkb)
        if point is None:
            self.incomplete += 1
            return
        self.date = max(self.date, _text(row.get("update_time"))[:10])
        for source in cast("list[Mapping[str, Any] | None]", row.get("sources") or ()):
            self._told_by(source or {})
        yield Feature(f"{OVERTURE}:{row['id']}", "point", _tags(row, name), point)

    def _told_by(self, source: Mapping[str, Any]) -> None:
        """Note whose data a place is, as their licences want it said, and how new they are."""
        self.date = max(self.date, _text(source.get("update_time"))[:10])
        name = _text(source.get("dataset"))
        if name and name not in self._datasets:
            self._datasets.add(name)
            self.attribution = f"{OVERTURE_ATTRIBUTION}: {', '.join(sorted(self._datasets))}"


def _tags(row: Mapping[str, Any], name: str) -> dict[str, str]:
    """Return a place in OpenStreetMap's words."""
    category = (
        _text(_inner(row, "categories", "primary"))
        or _text(_inner(row, "taxonomy", "primary"))
        or _text(row.get("basic_category"))
        or "yes"
    )
    key, value = _sort(category)
    tags = {"name": name, key: value}
    others = cast("list[str | None]", _inner(row, "categories", "alternate") or ())
    tags[kinds.ALSO] = ";".join(_sort(_text(other))[1] for other in others if other)
    common: Any = _inner(row, "names", "common") or {}
    # Parquet has maps as lists of pairs; other writers make structs of them.
    pairs: Any = cast("Mapping[str, Any]", common).items() if isinstance(common, dict) else common
    for language, text in pairs:
        tags[f"name:{language}"] = _text(text)
    if brand := _text(_inner(row, "brand", "names", "primary")):
        tags["brand"] = brand
    addresses: Any = row.get("addresses") or [{}]
    first = cast("Mapping[str, Any]", addresses[0] or {})
    for ours, theirs in (("addr:full", "freeform"), ("addr:city", "locality"), ("addr:country", "country")):
        if text := _text(first.get(theirs)):
            tags[ours] = text
    return {key: text for key, text in tags.items() if text}


def _sort(category: str) -> tuple[str, str]:
    """Return a category as OpenStreetMap's key and value."""
    if category in _VALUES:
        return _VALUES[category]
    if category.endswith("_restaurant"):
        return "amenity", "restaurant"
    if category.endswith(("_store", "_shop")):
        return "shop", category.removesuffix("_store").removesuffix("_shop")
    return _KEYS.get(category, "amenity"), category


def _inner(row: Mapping[str, Any], *path: str) -> Any:
    value: Any = row
    for step in path:
        value = cast("Mapping[str, Any]", value).get(step) if isinstance(value, dict) else None
    return value


def _text(value: object) -> str:
    return " ".join(str(value).split()) if value is not None else ""


def _point(wkb: bytes) -> bytes | None:
    """Return a WKB point in little-endian order, or None for what is no position on the Earth."""
    if len(wkb) < 21 or wkb[0] not in {0, 1}:
        return None
    order = "<" if wkb[0] else ">"
    kind, lon, lat = struct.unpack_from(f"{order}Idd", wkb, 1)
    if kind & 0xFF != _POINT or not (abs(lat) <= 90 and abs(lon) <= 180):
        return None
    return struct.pack("<BIdd", 1, _POINT, lon, lat)
