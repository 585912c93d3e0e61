"""Writes the world file: the order of the work, and the tables that are not geometry."""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3
from array import array
from typing import TYPE_CHECKING, Any

from wheretaken.maps.offline.names import fold, skeleton_of_key
from wheretaken.maps.offline.world import gather, grams, schema, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wheretaken.maps.offline.world.cached import Progress

_STAGES = ("reading sources", "places", "names", "name index", "outlines", "finishing")
_ANTIMERIDIAN_WIDTH = 180.0
_FUZZY_POPULATION = 300_000
_LONGEST_FUZZY = 40


def write_file(path: Path, progress: Progress) -> None:
    """Write the whole world file to `path` (an empty file).

    Raises:
        MissingExtraError: the packages that hold the data are not installed.
    """

    def begin(at: int) -> None:
        progress(_STAGES[at], at, len(_STAGES))

    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # Nobody reads the file before it is renamed, and an interrupted build is thrown away.
        connection.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -200000;"
        )
        connection.executescript(schema.TABLES)
        for table in schema.GEOMETRY_TABLES:
            shapes.create_rtree(connection, table)
        connection.execute("BEGIN")
        begin(0)
        sources = gather.read_sources()
        begin(1)
        areas, codes = gather.areas(sources)
        local_names = _write_places(connection, sources, codes)
        _write_areas(connection, areas, sources)
        begin(2)
        names, fuzzy = _names(areas, sources, local_names)
        begin(3)
        _write_names(connection, names, fuzzy)
        begin(4)
        shapes.write_shapes(connection, areas, sources.outlines)
        begin(5)
        connection.execute("COMMIT")
        connection.executescript(schema.INDEXES)
        connection.execute("INSERT INTO meta VALUES ('complete', ?)", (str(schema.VERSION),))
    progress("done", len(_STAGES), len(_STAGES))


def _write_places(
    connection: sqlite3.Connection, sources: gather.Sources, codes: dict[str, str]
) -> dict[int, str]:
    """Fill the `place` table; return by id the names in their own script, of places that have one."""
    known = gather.native_names(sources)
    rows = [gather.place_row(row, codes, known) for row in sources.places]
    # In id order the table is filled front to back.
    rows.sort(key=lambda row: row[0])
    connection.executemany(f"INSERT INTO place VALUES ({_marks(12)})", rows)  # noqa: S608 - only question marks
    rows.sort(key=lambda row: (round(row[6]), row[5]))  # neighbours on neighbouring pages
    connection.executemany(
        "INSERT INTO idx_place_geometry VALUES (?, ?, ?, ?, ?)",
        ((row[0], row[6], row[6], row[5], row[5]) for row in rows),
    )
    return {row[0]: row[2] for row in rows if row[3]}


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _names(
    areas: list[gather.Area], sources: gather.Sources, local_names: dict[int, str]
) -> tuple[gather.Names, set[str]]:
    """Return all names, and the keys that misspellings are looked for among.

    Of small places those are only the names used there: with every alias of every village in reach, a
    word that is no name would always find one.
    """
    names = gather.Names()
    fuzzy: set[str] = set()
    for area in areas:
        found = gather.area_names(area)
        names.add(area.id, found)
        fuzzy.update(_fuzzy_keys(found))
    for row in sources.places:
        found = gather.place_names(row)
        names.add(row["geonameid"], found)
        if row["population"] >= _FUZZY_POPULATION:
            fuzzy.update(_fuzzy_keys(found))
        else:
            own = {fold(row["name"]), fold(local_names.get(row["geonameid"], ""))}
            fuzzy.update(_fuzzy_keys({key: value for key, value in found.items() if key in own}))
    return names, fuzzy


def _fuzzy_keys(names: dict[str, tuple[str, int]]) -> Iterator[str]:
    """Yield the full names of ordinary length, but none in kanji, where one error makes another name."""
    for key, (_, flag) in names.items():
        if not flag and 4 <= len(key) <= _LONGEST_FUZZY and not "\u3040" <= key[0] <= "\u9fff":
            yield key


def _write_names(connection: sqlite3.Connection, names: gather.Names, fuzzy: set[str]) -> None:
    connection.executemany(
        "INSERT INTO alias VALUES (?, ?, ?)",
        (
            (key, schema.spelling_code(key, names.spellings[key]), array("I", names.refs[key]).tobytes())
            for key in sorted(names.refs)
        ),
    )
    rows = sorted((len(skeleton), key, skeleton) for key in fuzzy for skeleton in (skeleton_of_key(key),))
    first: list[int] = []
    for at, (length, _, _) in enumerate(rows):
        first.extend([at] * (length + 1 - len(first)))
    connection.execute("INSERT INTO meta VALUES ('lengths', ?)", (json.dumps([*first, len(rows)]),))
    connection.executemany("INSERT INTO fuzzy VALUES (?, ?)", ((at, row[1]) for at, row in enumerate(rows)))
    connection.executemany("INSERT INTO gram VALUES (?, ?)", grams.postings([row[2] for row in rows]))


def _write_areas(connection: sqlite3.Connection, areas: list[gather.Area], sources: gather.Sources) -> None:
    polygons: dict[str, list[Any]] = {}
    for properties, outline in sources.outlines:
        polygons.setdefault(properties["code"], []).extend(outline)
        polygons.setdefault(properties["country"], []).extend(outline)
    members = _member_extent(connection)
    marks = {p["code"]: (p["lat"], p["lon"]) for p, _ in sources.outlines}
    for area in areas:
        population = members[area.code][4] if area.code in members else 0
        if area.kind == "country":
            population = sources.countries[area.code]["population"]
        if area.code in polygons:
            box, lat, lon, size = _outline_extent(polygons[area.code])
            lat, lon = marks.get(area.code, (lat, lon))
            if area.kind == "country" and area.code in members:
                lat, lon = members[area.code][5:]
        elif area.code in members:
            west, south, east, north, _, lat, lon = members[area.code]
            box = (west, south, east, north)
            size = _box_km2(*box) * 0.6  # an ordinary outline fills about so much of its box
        else:
            continue  # neither an outline nor a settlement: nothing to point at
        english = area.english if area.local != area.name or area.english != area.name else ""
        extent = round(math.sqrt(size / math.pi), 2)
        row = (area.id, area.code, area.kind, area.name, area.local, english, lat, lon, area.country_code)
        connection.execute(
            f"INSERT OR IGNORE INTO area VALUES ({_marks(16)})",  # noqa: S608 - only question marks
            (*row, population, extent, round(size, 1), *box),
        )


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


def _outline_extent(polygons: list[Any]) -> tuple[tuple[float, float, float, float], float, float, float]:
    """Return the box (west > east across the antimeridian), a point inside, and the area in km²."""
    import numpy as np  # noqa: PLC0415 - only building needs it
    import shapely  # noqa: PLC0415 - as above

    outer = [polygon[0] for polygon in polygons]
    points = np.concatenate(outer)
    west, south = points.min(axis=0).tolist()
    east, north = points.max(axis=0).tolist()
    if east - west > _ANTIMERIDIAN_WIDTH:
        lons = points[:, 0]
        gap = (float(lons[lons > 0].min(initial=180)), float(lons[lons < 0].max(initial=-180)))
        if gap[0] - gap[1] > 90:
            west, east = gap
    size = sum(_ring_km2(np, ring) for ring in outer)
    largest = max(outer, key=lambda ring: _ring_km2(np, ring))
    inside = shapely.Polygon(largest).representative_point()
    return (west, south, east, north), inside.y, inside.x, size


def _ring_km2(np: Any, ring: Any) -> float:
    """Return the area of a ring in an equal-area cylindrical projection on the authalic sphere."""
    x = np.radians(ring[:, 0])
    y = np.sin(np.radians(ring[:, 1]))
    return abs(float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))) / 2 * 6371.0072**2


def _box_km2(west: float, south: float, east: float, north: float) -> float:
    height = math.sin(math.radians(north)) - math.sin(math.radians(south))
    return math.radians(east - west) * height * 6371.0072**2
