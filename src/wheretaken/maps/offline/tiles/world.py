"""The layers of a tile that come from the world file: the open sea, borders, countries and settlements."""

from __future__ import annotations

import sqlite3
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any

from wheretaken.errors import DataError
from wheretaken.maps.offline.render.world_map import (
    LAND_DETAIL_FROM,
    POPULATIONS,
    SETTLEMENTS_UNTIL,
    STREETS_FROM,
)
from wheretaken.maps.offline.render.world_names import LARGE, read_names
from wheretaken.maps.offline.tiles import shapes
from wheretaken.maps.offline.tiles.encode import add_layer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wheretaken.maps.offline.region.info import RegionInfo
    from wheretaken.maps.offline.tiles.encode import Value
    from wheretaken.maps.offline.tiles.grid import Tile

_BORDERS = (("country_border", 0, 2), ("admin1_border", 5, 4))
"""Table, first zoom, `admin_level`."""
_MOST_PLACES = 300


class World:
    """Reads the world file; each thread has a connection of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()

    def add(self, message: Any, tile: Tile, regions: Sequence[RegionInfo]) -> None:
        """Add what the world file has to a tile.

        Args:
            message: the tile.
            tile: which one it is.
            regions: those that know their own coast and settlements better; their areas are left out of it
                where they are drawn.

        Raises:
            DataError: the world file is damaged.
        """
        frames = list(regions) if tile.zoom >= STREETS_FROM else []
        try:
            self._sea(message, tile, frames)
            self._borders(message, tile)
            self._places(message, tile, frames)
        except sqlite3.DatabaseError as error:
            raise DataError(f"{self._path} is damaged ({error}): delete it to have it rebuilt") from error

    def _sea(self, message: Any, tile: Tile, frames: Sequence[RegionInfo]) -> None:
        shapely = shapes.lib()
        table = "land" if tile.zoom >= LAND_DETAIL_FROM else "land_low"
        wkbs = [row[0] for row in self._in_tile("geometry", table, tile)]
        known = [shapely.to_wkb(shapely.box(one.west, one.south, one.east, one.north)) for one in frames]
        plain = shapes.in_tile([*wkbs, *known], tile)
        cut = shapes.clipped(plain, areas=True, tolerance=4.0)
        sea = shapes.outside(cut[~shapely.is_empty(cut)], [])
        add_layer(message, "water", "area", [sea], [{"class": "ocean"}])

    def _borders(self, message: Any, tile: Tile) -> None:
        for table, first, level in _BORDERS:
            wkbs = [row[0] for row in self._in_tile("geometry", table, tile)] if tile.zoom >= first else []
            if wkbs:
                cut = shapes.clipped(shapes.in_tile(wkbs, tile), areas=False, tolerance=4.0)
                told: list[dict[str, Value]] = [{"admin_level": level, "maritime": 0, "disputed": 0}] * len(
                    wkbs
                )
                add_layer(message, "boundary", "line", cut, told)

    def _places(self, message: Any, tile: Tile, frames: Sequence[RegionInfo]) -> None:
        west, south, east, north = tile.bounds(shapes.BUFFER / shapes.EXTENT)
        found: list[tuple[float, float, dict[str, Value]]] = []
        if tile.zoom <= 7:
            found = [
                (lat, lon, told)
                for lat, lon, told in self._countries
                if south <= lat <= north and west <= lon <= east and tile.zoom >= int(told["from_zoom"]) - 1
            ]
        for name, english, lat, lon, population, kind in self._settlements(tile):
            if tile.zoom > SETTLEMENTS_UNTIL and any(one.covers(lat, lon) for one in frames):
                continue
            latin = english or name
            told: dict[str, Value] = {"class": kind, "name": name, "name:en": latin, "name_en": latin}
            told |= {"name_int": latin, "name:latin": latin, "population": population}
            told["rank"] = min(20, len(found) + 1)
            found.append((lat, lon, told))
        shapely = shapes.lib()
        points = shapes.in_tile([shapely.to_wkb(shapely.Point(lon, lat)) for lat, lon, _ in found], tile)
        if found:
            add_layer(message, "place", "point", points, [told for _, _, told in found])

    def _settlements(self, tile: Tile) -> list[tuple[str, str, float, float, int, str]]:
        """Return name, English name, latitude, longitude, inhabitants and class, the largest first."""
        if tile.zoom < min(POPULATIONS):
            return []
        least = POPULATIONS.get(tile.zoom, 0)
        if least >= LARGE:
            west, south, east, north = tile.bounds()
            return [
                row
                for row in self._large
                if row[4] >= least and south <= row[2] <= north and west <= row[3] <= east
            ]
        columns = "name_local, english, lat, lon, population, kind"
        where = f"population >= {least}" + (
            " AND kind <> 'district'" if tile.zoom < SETTLEMENTS_UNTIL else ""
        )
        rows = self._in_tile(columns, "place", tile, where, "population DESC, id")
        return [_settlement(row) for row in rows[:_MOST_PLACES]]

    @cached_property
    def _large(self) -> list[tuple[str, str, float, float, int, str]]:
        """Settlements that are seen from afar, the largest first; a far tile would find too many rows."""
        rows = self._connection().execute(
            "SELECT name_local, english, lat, lon, population, kind FROM place"  # noqa: S608 - a constant
            f" WHERE population >= {LARGE} AND kind <> 'district' ORDER BY population DESC, id"
        )
        return [_settlement(row) for row in rows]

    @cached_property
    def _countries(self) -> list[tuple[float, float, dict[str, Value]]]:
        english = {(one.lat, one.lon): one.name for one in read_names(self._path, "en").countries}
        return [
            (
                one.lat,
                one.lon,
                {
                    "class": "country",
                    "name": one.name,
                    "name:en": english[one.lat, one.lon],
                    "name_en": english[one.lat, one.lon],
                    "name_int": english[one.lat, one.lon],
                    "name:latin": english[one.lat, one.lon],
                    "rank": min(6, one.first_zoom),
                    "from_zoom": one.first_zoom,
                },
            )
            for one in read_names(self._path, "").countries
        ]

    def _in_tile(
        self, columns: str, table: str, tile: Tile, where: str = "true", order: str = "id"
    ) -> list[tuple[Any, ...]]:
        west, south, east, north = tile.bounds(shapes.BUFFER / shapes.EXTENT)
        query = (
            f"SELECT {columns} FROM {table} WHERE id IN (SELECT pkid FROM idx_{table}_geometry"  # noqa: S608
            f" WHERE xmax >= ? AND xmin <= ? AND ymax >= ? AND ymin <= ?) AND {where} ORDER BY {order}"
        )
        return self._connection().execute(query, (west, east, south, north)).fetchall()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            uri = f"{self._path.absolute().as_uri()}?mode=ro"
            connection = self._local.connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
        return connection


def _settlement(row: tuple[Any, ...]) -> tuple[str, str, float, float, int, str]:
    name, english, lat, lon, population, kind = row
    return name, english, lat, lon, population, _KINDS.get(str(kind), str(kind))


_KINDS = {"district": "suburb"}
"""Our kinds of settlements in OpenMapTiles' words; the others are the same."""
