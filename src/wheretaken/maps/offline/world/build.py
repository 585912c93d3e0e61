"""Writes the world file: the order of the work, and the tables that are not geometry."""

from __future__ import annotations

import contextlib
import math
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from wheretaken.maps.offline import bulk
from wheretaken.maps.offline.world import gather, lexicon, rtree, schema, shapes

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from wheretaken.maps.offline.world.cached import Progress

_STAGES = ("reading sources", "places", "names", "name index", "outlines", "finishing")
_ANTIMERIDIAN_WIDTH = 180.0


@dataclass(frozen=True, slots=True)
class _Piece:
    """One outer ring of an outline, (n, 2) degrees, with its corners (longitude, latitude) and area."""

    ring: npt.NDArray[np.float64]
    low: list[float]
    high: list[float]
    km2: float


def write_file(path: Path, progress: Progress) -> None:
    """Write the whole world file to `path` (an empty file).

    Raises:
        MissingExtraError: the packages that hold the data are not installed.
    """

    def begin(at: int) -> None:
        progress(_STAGES[at], at, len(_STAGES))

    # Written in memory and copied: the copy packs its pages, and no half-written page reaches the disk.
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(f"PRAGMA page_size = {schema.PAGE_SIZE};{schema.TABLES}")
        for table in schema.GEOMETRY_TABLES:
            rtree.create(connection, table)
        connection.execute("BEGIN")
        begin(0)
        sources = gather.read_sources()
        begin(1)
        areas, codes = gather.areas(sources)
        local_names = _write_places(connection, sources, codes)
        _write_areas(connection, areas, sources)
        begin(2)
        names = lexicon.collect(areas, sources.places, local_names)
        begin(3)
        lexicon.write(connection, names)
        begin(4)
        shapes.write_shapes(connection, areas, sources.outlines)
        begin(5)
        connection.execute("COMMIT")
        connection.executescript(schema.INDEXES)
        connection.execute("INSERT INTO meta VALUES ('complete', ?)", (str(schema.VERSION),))
        connection.execute("VACUUM INTO ?", (str(path),))
    progress("done", len(_STAGES), len(_STAGES))


def _write_places(
    connection: sqlite3.Connection, sources: gather.Sources, codes: dict[str, str]
) -> dict[int, str]:
    """Fill the `place` table; return by id the names in their own script, of places that have one."""
    known = gather.native_names(sources)
    rows = [gather.place_row(row, codes, known) for row in sources.places]
    # In id order the table is filled front to back.
    rows.sort(key=lambda row: row[0])
    bulk.insert(connection, "place", 12, rows)
    boxes = [(row[6], row[6], row[5], row[5]) for row in rows]
    rtree.fill(connection, "place", [row[0] for row in rows], boxes)
    return {row[0]: row[2] for row in rows if row[3]}


def _write_areas(connection: sqlite3.Connection, areas: list[gather.Area], sources: gather.Sources) -> None:
    polygons: dict[str, list[_Piece]] = {}
    for properties, outline in sources.outlines:
        pieces = [_piece(polygon[0]) for polygon in outline]
        polygons.setdefault(properties["code"], []).extend(pieces)
        polygons.setdefault(properties["country"], []).extend(pieces)
    members = _member_extent(connection)
    marks = {p["code"]: (p["lat"], p["lon"]) for p, _ in sources.outlines}
    rows: dict[str, tuple[Any, ...]] = {}
    for area in areas:
        population = members[area.code][4] if area.code in members else 0
        if area.kind == "country":
            population = sources.countries[area.code]["population"]
        if area.code in polygons:
            box, size = _outline_extent(polygons[area.code])
            if area.kind == "country" and area.code in members:
                lat, lon = members[area.code][5:]
            else:
                lat, lon = marks.get(area.code) or _inside(polygons[area.code])
        elif area.code in members:
            west, south, east, north, _, lat, lon = members[area.code]
            box = (west, south, east, north)
            size = _box_km2(*box) * 0.6  # an ordinary outline fills about so much of its box
        else:
            continue  # neither an outline nor a settlement: nothing to point at
        english = area.english if area.local != area.name or area.english != area.name else ""
        extent = round(math.sqrt(size / math.pi), 2)
        row = (area.id, area.code, area.kind, area.name, area.local, english, lat, lon, area.country_code)
        rows.setdefault(area.code, (*row, population, extent, round(size, 1), *box))
    bulk.insert(connection, "area", 16, rows.values())


def _member_extent(
    connection: sqlite3.Connection,
) -> dict[str, tuple[float, float, float, float, int, float, float]]:
    """Return the box, population and largest settlement's position of each division (and each country)."""
    found: dict[str, tuple[float, float, float, float, int, float, float]] = {}
    for column in ("admin1_code", "country_code"):
        query = (
            f"SELECT {column}, MIN(lon), MIN(lat), MAX(lon), MAX(lat), SUM(population), lat, lon,"  # noqa: S608 - column names
            f" MAX(population) FROM place WHERE {column} != '' GROUP BY {column}"
        )
        for code, west, south, east, north, people, lat, lon, _ in connection.execute(query):
            found[code] = (west, south, east, north, people, lat, lon)
    return found


def _piece(ring: npt.NDArray[np.float64]) -> _Piece:
    return _Piece(ring, ring.min(axis=0).tolist(), ring.max(axis=0).tolist(), _ring_km2(ring))


def _outline_extent(pieces: list[_Piece]) -> tuple[tuple[float, float, float, float], float]:
    """Return the box (west > east across the antimeridian) and the area in km²."""
    west, south = (min(piece.low[axis] for piece in pieces) for axis in (0, 1))
    east, north = (max(piece.high[axis] for piece in pieces) for axis in (0, 1))
    if east - west > _ANTIMERIDIAN_WIDTH:
        lons = np.concatenate([piece.ring[:, 0] for piece in pieces])
        gap = (float(lons[lons > 0].min(initial=180)), float(lons[lons < 0].max(initial=-180)))
        if gap[0] - gap[1] > 90:
            west, east = gap
    return (west, south, east, north), sum(piece.km2 for piece in pieces)


def _inside(pieces: list[_Piece]) -> tuple[float, float]:
    """Return the latitude and longitude of a point inside the largest piece."""
    point = shapely.Polygon(max(pieces, key=lambda piece: piece.km2).ring).representative_point()
    return point.y, point.x


def _ring_km2(ring: npt.NDArray[np.float64]) -> float:
    """Return the area of a ring in an equal-area cylindrical projection on the authalic sphere."""
    x = np.radians(ring[:, 0])
    y = np.sin(np.radians(ring[:, 1]))
    return abs(float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))) / 2 * 6371.0072**2


def _box_km2(west: float, south: float, east: float, north: float) -> float:
    height = math.sin(math.radians(north)) - math.sin(math.radians(south))
    return math.radians(east - west) * height * 6371.0072**2
