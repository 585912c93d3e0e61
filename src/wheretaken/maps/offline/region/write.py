"""Write features into the tables that are drawn and the things that are searched, in one pass.

Features wait until there are some thousands: shapes are then measured all at once, and rows written in a run.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from wheretaken.maps.offline.region import geometry, interpolation, kinds
from wheretaken.maps.offline.region import tags as tagging
from wheretaken.maps.offline.region.schema import DRAWN, osm_number
from wheretaken.maps.offline.region.words import Words
from wheretaken.maps.offline.rtree import Builder

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from wheretaken.maps.offline.region.geometry import Polygon
    from wheretaken.maps.offline.region.read import Feature

    Box = tuple[float, float, float, float]

_BATCH = 5000
_POINT_EXTENT_M = {"address": 30, "district": 1000, "village": 1000, "town": 3000, "city": 8000}
"""How far something "in" a mapped point may be from it, by kind; a shop or a stop is within 50 m."""
_USUAL_EXTENT_M = 50

_INSERT = {
    "area": "INSERT INTO areas VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "line": "INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "point": "INSERT INTO points VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "thing": "INSERT INTO things VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "name": "INSERT INTO temp.name VALUES (?, ?, ?)",
    "street_name": "INSERT INTO temp.street_name VALUES (?, ?, ?)",
    "kind": "INSERT INTO temp.thing_kind VALUES (?, ?)",
    "interpolated": "INSERT INTO temp.interpolated VALUES (?, ?, ?, ?, ?)",
}


class Writer:
    """Fills a new region file; `temp.name` and `temp.street_name` keep the names for the search index.

    Named lines become things later, when all ways of a street are known (`streets.merge`), and numbers along
    ways when all addresses are (`interpolation.add`).
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.words = Words()
        self.bounds: Box | None = None
        """South, west, north, east of everything written."""
        self._connection = connection
        self._waiting: dict[str, list[Feature]] = {"point": [], "line": [], "area": []}
        self._unseen: list[Feature] = []
        self._count = 0
        self._rows: dict[str, list[Sequence[object]]] = {table: [] for table in _INSERT}
        self._boxes: dict[str, list[float]] = {table: [] for table in DRAWN}
        self._trees = {table: Builder(connection, f"idx_{table}_geometry") for table in DRAWN}
        self._ids: dict[str, int] = dict.fromkeys((*DRAWN, "thing"), 0)
        connection.executescript(
            "CREATE TEMP TABLE name(thing_id INTEGER, name TEXT, rank INTEGER);"
            "CREATE TEMP TABLE street_name(line_id INTEGER, name TEXT, rank INTEGER);"
            "CREATE TEMP TABLE thing_kind(kind INTEGER, thing_id INTEGER);" + interpolation.TABLE
        )

    def add(self, feature: Feature) -> None:
        """Write one feature: what is drawn, and the thing that it is."""
        if feature.nodes:
            self._rows["interpolated"].append(interpolation.row(feature))
            return
        self._waiting[feature.shape].append(feature)
        self._count += 1
        if self._count >= _BATCH:
            self.flush()

    def add_unseen(self, feature: Feature) -> None:
        """Write the thing at a point that is searched and not drawn."""
        self._unseen.append(feature)

    def add_sea(self, wkb: bytes) -> None:
        """Write a polygon of sea: no element of OpenStreetMap, as that maps coasts only."""
        (polygon,) = geometry.measure([wkb])
        self._draw_area(("", ("natural", "sea"), "", "", ""), polygon, None, wkb)

    def flush(self) -> None:
        """Write what waits."""
        points, lines, areas = (self._waiting[shape] for shape in ("point", "line", "area"))
        for feature in points:
            self._point(feature)
        if lines:
            for feature, box in zip(lines, geometry.boxes([line.wkb for line in lines]), strict=True):
                self._line(feature, box)
        if areas:
            for feature, polygon in zip(areas, geometry.measure([area.wkb for area in areas]), strict=True):
                self._area(feature, polygon)
        for feature in self._unseen:
            lon, lat = struct.unpack_from("<dd", feature.wkb, 5)
            self._thing(feature, tagging.title(feature.tags), lat, lon, None)
        for waiting in (points, lines, areas, self._unseen):
            waiting.clear()
        self._count = 0
        self.words.write(self._connection)
        for table, rows in self._rows.items():
            self._connection.executemany(_INSERT[table], rows)
            rows.clear()
        for table, boxes in self._boxes.items():
            self._trees[table].add(boxes)
            self._widen(boxes)
            boxes.clear()

    def finish(self) -> None:
        """Write what waits, and the spatial indexes."""
        self.flush()
        for tree in self._trees.values():
            tree.finish()

    def _point(self, feature: Feature) -> None:
        lon, lat = struct.unpack_from("<dd", feature.wkb, 5)
        title = tagging.title(feature.tags)
        self._draw_point(feature, title, lat, lon, feature.wkb)
        self._thing(feature, title, lat, lon, None)

    def _draw_point(self, feature: Feature, title: str, lat: float, lon: float, wkb: bytes) -> None:
        """Write a point that has something to be written beside it: no map shows the others."""
        tags = feature.tags
        number = tags.get("addr:housenumber", "")
        found = tagging.point_class(tags) if title or number else None
        if found is not None:
            names, detail = tagging.translations(tags), tagging.detail(tags)
            row = (osm_number(feature.osm_id), self.words.sorts[found], title, names, number, detail, wkb)
            self._draw("point", row, (lon, lon, lat, lat))

    def _line(self, feature: Feature, box: Box) -> None:
        tags = feature.tags
        found = tagging.line_class(tags, closed=feature.closed)
        title = tagging.title(tags)
        if found is None or not (title or tagging.is_drawn_line(found)):
            return
        row = self._draw(
            "line",
            (
                osm_number(feature.osm_id),
                self.words.sorts[found],
                title,
                tagging.translations(tags),
                tags.get("ref", ""),
                tagging.oneway(tags),
                tagging.flag(tags, "tunnel"),
                tagging.flag(tags, "bridge"),
                feature.wkb,
            ),
            box,
        )
        # A fenced park is drawn as a line as well, but the area is what has the name.
        if title and not (feature.closed and tagging.area_class(tags)):
            self._rows["street_name"] += [(row, *name) for name in tagging.names(tags)]

    def _area(self, feature: Feature, polygon: Polygon) -> None:
        found = tagging.area_class(feature.tags)
        if found is None:
            return
        lat, lon, extent_km = polygon.spot
        title = tagging.title(feature.tags)
        thing = self._thing(feature, title, lat, lon, round(extent_km * 1000))
        number = feature.tags.get("addr:housenumber", "")
        names = tagging.translations(feature.tags)
        self._draw_area((feature.osm_id, found, title, names, number), polygon, thing, feature.wkb)
        point = tagging.point_class(feature.tags)
        if title and point is not None and point != found and point[0] != "address":
            # A museum that is mapped as its building is drawn as both: the building, and the museum's label.
            self._draw_point(feature, title, lat, lon, struct.pack("<BIdd", 1, 1, lon, lat))

    def _draw_area(
        self,
        about: tuple[str, tuple[str, str], str, str, str],
        polygon: Polygon,
        thing: int | None,
        wkb: bytes,
    ) -> None:
        osm_id, found, title, names, number = about
        row = (
            osm_number(osm_id),
            self.words.sorts[found],
            title,
            names,
            number,
            round(polygon.m2),
            thing,
            wkb,
        )
        self._draw("area", row, (polygon.west, polygon.east, polygon.south, polygon.north))

    def _draw(self, table: str, columns: tuple[object, ...], box: Box) -> int:
        self._ids[table] += 1
        row = self._ids[table]
        self._rows[table].append((row, *columns))
        self._boxes[table] += box
        return row

    def _widen(self, boxes: list[float]) -> None:
        """Let the bounds hold some boxes: xmin, xmax, ymin, ymax of each."""
        if boxes:
            south, west, north, east = self.bounds or (90.0, 180.0, -90.0, -180.0)
            self.bounds = (
                min(south, *boxes[2::4]), min(west, *boxes[::4]),
                max(north, *boxes[3::4]), max(east, *boxes[1::4]),
            )  # fmt: skip

    def _thing(
        self, feature: Feature, title: str, lat: float, lon: float, extent_m: int | None
    ) -> int | None:
        """Write the thing that a feature is and return its number, None when it is nothing to look for."""
        tags = feature.tags
        kind = tagging.kind(tags) if title else ""
        if not kind and "addr:housenumber" not in tags and "addr:full" not in tags:
            return None
        address = tagging.address(tags)
        if not kind and address.number and address.street:
            kind, title = "address", address.line()
        elif not kind and tags.get("addr:full"):
            kind, title = "address", " ".join(tags["addr:full"].split())
        if not kind:
            return None
        self._ids["thing"] += 1
        row = self._ids["thing"]
        if extent_m is None:
            extent_m = _POINT_EXTENT_M.get(kind, _USUAL_EXTENT_M)
        words = self.words
        self._rows["thing"].append(
            (
                row,
                osm_number(feature.osm_id),
                words.kinds[kind],
                title,
                tagging.english(tags),
                round(lat * 1e7),
                round(lon * 1e7),
                words.streets[address.street],
                address.number,
                words.cities[address.city, address.country_code],
                extent_m,
            )
        )
        self._rows["name"] += [(row, *name) for name in tagging.names(tags)]
        self._rows["kind"] += [(words.kinds[one], row) for one in kinds.of(tags, kind)]
        return row
