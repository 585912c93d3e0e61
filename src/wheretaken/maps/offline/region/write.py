"""Write features into the tables that are drawn and the things that are searched, in one pass."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from wheretaken.maps.offline.region import kinds
from wheretaken.maps.offline.region import tags as tagging
from wheretaken.maps.offline.region.geometry import measure

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from wheretaken.maps.offline.region.read import Feature

    Box = tuple[float, float, float, float]

_BATCH = 5000
_POINT_EXTENT_KM = {"address": 0.03, "district": 1.0, "village": 1.0, "town": 3.0, "city": 8.0}
"""How far something "in" a mapped point may be from it, by kind; a shop or a stop is within 50 m."""

_INSERT = {
    "area": "INSERT INTO area VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "line": "INSERT INTO line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "point": "INSERT INTO point VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "thing": "INSERT INTO thing VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '')",
    "part": "INSERT INTO part VALUES (?, ?)",
    "name": "INSERT INTO temp.name VALUES (?, ?, ?)",
    "street_name": "INSERT INTO temp.street_name VALUES (?, ?, ?)",
    "kind": "INSERT OR IGNORE INTO temp.thing_kind VALUES (?, ?)",
    "idx_area_geometry": "INSERT INTO idx_area_geometry VALUES (?, ?, ?, ?, ?)",
    "idx_line_geometry": "INSERT INTO idx_line_geometry VALUES (?, ?, ?, ?, ?)",
    "idx_point_geometry": "INSERT INTO idx_point_geometry VALUES (?, ?, ?, ?, ?)",
}


class Writer:
    """Fills a new region file; `temp.name` and `temp.street_name` keep the names for the search index.

    Named lines become things later, when all ways of a street are known (`streets.merge`).
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._rows: dict[str, list[Sequence[object]]] = {table: [] for table in _INSERT}
        self._ids: dict[str, int] = dict.fromkeys(("area", "line", "point", "thing"), 0)
        self.interpolations: list[Feature] = []
        """Ways along which house numbers are interpolated, when all addresses are known."""
        self.bounds: Box | None = None
        """South, west, north, east of everything written."""
        connection.executescript(
            "CREATE TEMP TABLE name(thing_id INTEGER, name TEXT, rank INTEGER);"
            "CREATE TEMP TABLE street_name(line_id INTEGER, name TEXT, rank INTEGER);"
            "CREATE TEMP TABLE thing_kind(kind TEXT, thing_id INTEGER, PRIMARY KEY(kind, thing_id))"
            " WITHOUT ROWID;"
        )

    def add(self, feature: Feature) -> None:
        """Write one feature: what is drawn, and the thing that it is."""
        if feature.nodes:
            self.interpolations.append(feature)
        elif feature.shape == "point":
            self._point(feature)
        elif feature.shape == "line":
            self._line(feature)
        else:
            self._area(feature)
        if len(self._rows["line"]) + len(self._rows["point"]) + len(self._rows["area"]) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Write the waiting rows."""
        for table, rows in self._rows.items():
            self._connection.executemany(_INSERT[table], rows)
            rows.clear()

    def _point(self, feature: Feature) -> None:
        lon, lat = struct.unpack_from("<dd", feature.wkb, 5)
        self._draw_point(feature, lat, lon, feature.wkb)
        self._thing(feature, lat, lon, None)

    def _draw_point(self, feature: Feature, lat: float, lon: float, wkb: bytes) -> None:
        found = tagging.point_class(feature.tags)
        if found is not None:
            number = feature.tags.get("addr:housenumber", "")
            self._draw(
                "point",
                (
                    feature.osm_id,
                    *found,
                    tagging.title(feature.tags),
                    tagging.translations(feature.tags),
                    number,
                    tagging.detail(feature.tags),
                    wkb,
                ),
                (lon, lon, lat, lat),
            )

    def _line(self, feature: Feature) -> None:
        found = tagging.line_class(feature.tags, closed=feature.closed)
        if found is None:
            return
        flat = struct.unpack_from(f"<{(len(feature.wkb) - 9) // 8}d", feature.wkb, 9)
        title = tagging.title(feature.tags)
        row = self._draw(
            "line",
            (
                feature.osm_id,
                *found,
                title,
                tagging.translations(feature.tags),
                feature.tags.get("ref", ""),
                tagging.oneway(feature.tags),
                tagging.flag(feature.tags, "tunnel"),
                tagging.flag(feature.tags, "bridge"),
                feature.wkb,
            ),
            (min(flat[::2]), max(flat[::2]), min(flat[1::2]), max(flat[1::2])),
        )
        # A fenced park is drawn as a line as well, but the area is what has the name.
        if title and not (feature.closed and tagging.area_class(feature.tags)):
            self._rows["street_name"] += [(row, *name) for name in tagging.names(feature.tags)]

    def _area(self, feature: Feature) -> None:
        found = tagging.area_class(feature.tags)
        if found is None:
            return
        polygon = measure(feature.wkb)
        lat, lon, extent_km = polygon.spot
        title = tagging.title(feature.tags)
        self._draw(
            "area",
            (
                feature.osm_id,
                *found,
                title,
                tagging.translations(feature.tags),
                feature.tags.get("addr:housenumber", ""),
                polygon.m2,
                feature.wkb,
            ),
            (polygon.west, polygon.east, polygon.south, polygon.north),
        )
        point = tagging.point_class(feature.tags)
        if title and point is not None and point != found and point[0] != "address":
            # A museum that is mapped as its building is drawn as both: the building, and the museum's label.
            self._draw_point(feature, lat, lon, struct.pack("<BIdd", 1, 1, lon, lat))
        self._thing(feature, lat, lon, extent_km)

    def add_unseen(self, feature: Feature) -> None:
        """Write the thing at a point that is searched and not drawn."""
        lon, lat = struct.unpack_from("<dd", feature.wkb, 5)
        self._thing(feature, lat, lon, None)

    def add_sea(self, wkb: bytes) -> None:
        """Write a polygon of sea: no element of OpenStreetMap, as that maps coasts only."""
        polygon = measure(wkb)
        box = (polygon.west, polygon.east, polygon.south, polygon.north)
        self._draw("area", ("", "natural", "sea", "", "", "", polygon.m2, wkb), box)

    def _draw(self, table: str, columns: tuple[object, ...], box: Box) -> int:
        self._ids[table] += 1
        row = self._ids[table]
        self._rows[table].append((row, *columns))
        self._rows[f"idx_{table}_geometry"].append((row, *box))
        west, east, south, north = box
        if self.bounds is None:
            self.bounds = (south, west, north, east)
        else:
            low, left, high, right = self.bounds
            self.bounds = (min(low, south), min(left, west), max(high, north), max(right, east))
        return row

    def _thing(self, feature: Feature, lat: float, lon: float, extent_km: float | None) -> None:
        title = tagging.title(feature.tags)
        kind = tagging.kind(feature.tags) if title else ""
        address = tagging.address(feature.tags)
        if not kind and address.number and address.street:
            kind, title = "address", address.line()
        elif not kind and feature.tags.get("addr:full"):
            kind, title = "address", " ".join(feature.tags["addr:full"].split())
        if not kind:
            return
        self._ids["thing"] += 1
        row = self._ids["thing"]
        if extent_km is None:
            extent_km = _POINT_EXTENT_KM.get(kind, 0.05)
        self._rows["thing"].append(
            (
                row,
                feature.osm_id,
                kind,
                title,
                tagging.english(feature.tags),
                lat,
                lon,
                address.street,
                address.number,
                address.city,
                extent_km,
                address.country_code,
            )
        )
        self._rows["name"] += [(row, *name) for name in tagging.names(feature.tags)]
        self._rows["kind"] += [(one, row) for one in kinds.of(feature.tags, kind)]
