"""The layers of a tile that come from a region file."""

from __future__ import annotations

import json
import sqlite3
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from wheretaken.errors import DataError
from wheretaken.maps.offline.region import schema
from wheretaken.maps.offline.region.tags import is_latin
from wheretaken.maps.offline.tiles import layers, shapes
from wheretaken.maps.offline.tiles.encode import add_layer
from wheretaken.maps.offline.tiles.layers import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from wheretaken.maps.offline.region.info import RegionInfo
    from wheretaken.maps.offline.tiles.encode import Geometry, Value
    from wheretaken.maps.offline.tiles.grid import Tile

FROM_ZOOM = 11
BUILDINGS_FROM = 13
NUMBERS_FROM = 16

_AREA_TABLES = {
    "water": Table(layers.WATER),
    "landcover": Table(layers.LANDCOVER),
    "landuse": Table(layers.LANDUSE),
    "park": Table(layers.PARK),
    "transportation": Table(layers.PAVED),
    "aeroway": Table(layers.AEROWAY_AREAS),
}
_LINE_TABLES = {
    "waterway": Table(layers.WATERWAY),
    "transportation": Table(layers.TRANSPORTATION),
    "aeroway": Table(layers.AEROWAY),
}
_POIS, _PLACES = Table(layers.POIS), Table(layers.PLACES)


class _Row(NamedTuple):
    """A feature as the tables have it; what a table lacks is empty."""

    key: str
    value: str
    name: str
    names: str
    number: str
    extra: tuple[Any, ...]
    wkb: bytes


_COLUMNS = {
    "area": "class, subclass, name, names, house_number, area_m2",
    "line": "class, subclass, name, names, '', ref, oneway, tunnel, bridge",
    "point": "class, subclass, name, names, house_number, detail",
}


class Streets:
    """Reads one region file; each thread has a connection of its own, as tiles are made side by side."""

    def __init__(self, info: RegionInfo) -> None:
        self.info = info
        self._local = threading.local()

    def add(self, message: Any, tile: Tile) -> None:
        """Add this region's features to a tile.

        Raises:
            DataError: the region file is damaged.
        """
        west, south, east, north = tile.bounds(shapes.BUFFER / shapes.EXTENT)
        info = self.info
        if tile.zoom < FROM_ZOOM or (
            west > info.east or east < info.west or south > info.north or north < info.south
        ):
            return
        try:
            self._areas(message, tile)
            self._lines(message, tile)
            self._points(message, tile)
        except sqlite3.DatabaseError as error:
            raise DataError(f"{info.path} is damaged ({error}): import its extract again") from error

    def _rows(self, table: str, tile: Tile, where: str) -> list[_Row]:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = schema.open_region(self.info.path)
        west, south, east, north = tile.bounds(shapes.BUFFER / shapes.EXTENT)
        query = (
            f"SELECT {_COLUMNS[table]}, geometry FROM {table} WHERE id IN (SELECT pkid FROM "  # noqa: S608
            f"idx_{table}_geometry WHERE xmax >= ? AND xmin <= ? AND ymax >= ? AND ymin <= ?) AND {where}"
        )
        rows = connection.execute(query, (west, east, south, north))
        return [_Row._make((*row[:5], row[5:-1], row[-1])) for row in rows]

    def _areas(self, message: Any, tile: Tile) -> None:
        zoom = tile.zoom
        wanted = {key for table in _AREA_TABLES.values() for key in table.classes(zoom)}
        if zoom >= BUILDINGS_FROM:
            wanted.add("building")
        least = (40_075_017 * 0.5 / (256 << zoom)) ** 2  # a pixel at 60 degrees, square metres
        where = f"class IN ({_quoted(wanted)}) AND area_m2 > {least:.2f} ORDER BY area_m2 DESC, id"
        rows = self._rows("area", tile, where)
        if not rows:
            return
        plain = shapes.in_tile([row.wkb for row in rows], tile)
        cut = shapes.clipped(plain.copy(), areas=True, tolerance=4.0 if zoom < 16 else 1.0)
        for layer, table in _AREA_TABLES.items():
            _add(message, layer, "area", rows, cut, _by_table(table, zoom))
        if zoom >= BUILDINGS_FROM:
            _add(message, "building", "area", rows, cut, _building)
        _add(message, "water_name", "point", rows, shapes.lib().point_on_surface(cut), _water_name(zoom))
        if zoom >= NUMBERS_FROM:
            _add(message, "housenumber", "point", rows, shapes.lib().point_on_surface(cut), _number)

    def _lines(self, message: Any, tile: Tile) -> None:
        zoom = tile.zoom
        wanted = {key for table in _LINE_TABLES.values() for key in table.classes(zoom)}
        rows = self._rows("line", tile, f"class IN ({_quoted(wanted)}) ORDER BY id")
        if not rows:
            return
        plain = shapes.in_tile([row.wkb for row in rows], tile)
        cut = shapes.clipped(plain, areas=False, tolerance=4.0 if zoom < 16 else 1.0)
        for layer, table in _LINE_TABLES.items():
            _add(message, layer, "line", rows, cut, _by_table(table, zoom, _way))
        _add(message, "transportation_name", "line", rows, cut, _street_name(zoom))

    def _points(self, message: Any, tile: Tile) -> None:
        zoom = tile.zoom
        wanted = _POIS.classes(zoom) | _PLACES.classes(zoom)
        named = f"(name <> '' AND class IN ({_quoted(wanted)}))"
        numbered = " OR house_number <> ''" if zoom >= NUMBERS_FROM else ""
        rows = self._rows("point", tile, f"({named}{numbered}) ORDER BY id")
        if not rows:
            return
        at = shapes.in_tile([row.wkb for row in rows], tile)
        _add(message, "place", "point", rows, at, _by_table(_PLACES, zoom, _ranked))
        _add(message, "poi", "point", rows, at, _by_table(_POIS, zoom, _ranked))
        if zoom >= NUMBERS_FROM:
            _add(message, "housenumber", "point", rows, at, _number)


def names(title: str, translations: str) -> dict[str, Value]:
    """Return what a thing is called; `translations` as the region's tables have them."""
    found: dict[str, Value] = {"name": title}
    known: Mapping[str, str] = json.loads(translations) if translations else {}
    for language in layers.LANGUAGES:
        if language in known:
            found[f"name:{language}"] = known[language]
    english = known.get("en", "")
    latin = title if is_latin(title) else english or known.get("int_name", "") or known.get("ja_rm", "")
    return found | {"name_en": english, "name_int": known.get("int_name", "") or latin, "name:latin": latin}


def _add(
    message: Any,
    layer: str,
    kind: Geometry,
    rows: Sequence[_Row],
    geometries: Any,
    attributes: Callable[[_Row], dict[str, Value] | None],
) -> None:
    """Add to a layer what `attributes` has an answer for."""
    told = [attributes(row) for row in rows]
    chosen = [number for number, one in enumerate(told) if one is not None]
    if chosen:
        add_layer(message, layer, kind, geometries[chosen], [one for one in told if one is not None])


def _by_table(
    table: Table, zoom: int, more: Callable[[_Row, int], dict[str, Value]] | None = None
) -> Callable[[_Row], dict[str, Value] | None]:
    def attributes(row: _Row) -> dict[str, Value] | None:
        sort = table.at(zoom, row.key, row.value)
        if sort is None:
            return None
        base: dict[str, Value] = {"class": sort.name, "subclass": row.value}
        return base | (more(row, sort.rank) if more else {})

    return attributes


def _way(row: _Row, _rank: int) -> dict[str, Value]:
    _, oneway, tunnel, bridge = row.extra
    found: dict[str, Value] = {"brunnel": "tunnel" if tunnel else "bridge" if bridge else ""}
    if oneway:
        found["oneway"] = int(oneway)
    if row.value.endswith("_link"):
        found["ramp"] = 1
    return found


def _ranked(row: _Row, rank: int) -> dict[str, Value]:
    religion: dict[str, Value] = {"religion": row.extra[0]} if row.value == "place_of_worship" else {}
    return {**names(row.name, row.names), "rank": rank, **religion}


def _building(row: _Row) -> dict[str, Value] | None:
    return {} if row.key == "building" and row.value != "roof" else None


def _number(row: _Row) -> dict[str, Value] | None:
    return {"housenumber": row.number} if row.number else None


def _water_name(zoom: int) -> Callable[[_Row], dict[str, Value] | None]:
    table = _AREA_TABLES["water"]

    def attributes(row: _Row) -> dict[str, Value] | None:
        sort = table.at(zoom, row.key, row.value) if row.name else None
        return None if sort is None else {"class": sort.name, **names(row.name, row.names)}

    return attributes


def _street_name(zoom: int) -> Callable[[_Row], dict[str, Value] | None]:
    table = _LINE_TABLES["transportation"]

    def attributes(row: _Row) -> dict[str, Value] | None:
        sort = table.at(zoom, row.key, row.value) if row.name or row.extra[0] else None
        if sort is None or row.key == "railway" or zoom < layers.NAMED_FROM.get(sort.name, 15):
            return None
        ref = str(row.extra[0])
        return {"class": sort.name, **names(row.name, row.names), "ref": ref, "ref_length": len(ref)}

    return attributes


def _quoted(words: set[str]) -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))
