"""Merge the ways of one name into streets: OpenStreetMap cuts a street at every change of a tag.

Ways of the same name and kind belong together when they come within `GAP_KM` of each other (the two sides of
a boulevard, a street that a square interrupts); two streets of one name in two districts stay two.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from wheretaken.maps.offline.names import fold
from wheretaken.maps.offline.region import tags as tagging
from wheretaken.maps.offline.region.geometry import connected, middle

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

GAP_KM = 0.15
_BATCH = 5000
"""Streets and their ways wait in memory until there are this many: a country has millions."""
_NOT_STREETS = {"platform", "rest_area", "services", "elevator", "corridor", "raceway", "proposed"}


class _Way(NamedTuple):
    row: int
    number: int
    kind: str
    name: str
    wkb: bytes


def merge(connection: sqlite3.Connection) -> int:
    """Write one thing, its parts and its names for every connected named line; return how many there are."""
    first = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM thing").fetchone()[0]
    named = connection.execute(
        "SELECT id, osm_id, class, subclass, name, geometry FROM line"
        " WHERE class <> 'boundary' AND id IN (SELECT line_id FROM temp.street_name) ORDER BY name"
    )
    ways = (
        _Way(row, int(osm_id[1:]), _kind(key, value), name, wkb)
        for row, osm_id, key, value, name, wkb in named
    )
    thing_id = first
    things: list[tuple[object, ...]] = []
    parts: list[tuple[int, int]] = []
    for _, same_name in groupby(ways, key=lambda way: way.name):
        for cluster in _clusters(same_name):
            things.append(_thing(thing_id, cluster))
            parts += [(thing_id, way.row) for way in cluster]
            thing_id += 1
        if len(parts) >= _BATCH:
            _write(connection, things, parts)
    _write(connection, things, parts)
    connection.execute(
        "INSERT INTO temp.name SELECT DISTINCT thing_id, name, rank"
        " FROM temp.street_name JOIN part USING (line_id)"
    )
    return thing_id - first


def _write(
    connection: sqlite3.Connection, things: list[tuple[object, ...]], parts: list[tuple[int, int]]
) -> None:
    """Write the waiting rows and forget them."""
    connection.executemany("INSERT INTO thing VALUES (?, ?, ?, ?, '', ?, ?, ?, '', '', ?, '', '')", things)
    connection.executemany("INSERT INTO part VALUES (?, ?)", parts)
    things.clear()
    parts.clear()


def finish(connection: sqlite3.Connection) -> None:
    """Complete what needs all things: Latin names of streets, their city, folded streets, positions."""
    connection.create_function("fold", 1, fold, deterministic=True)
    connection.create_function("is_latin", 1, tagging.is_latin, deterministic=True)
    connection.executescript(
        """
        CREATE TEMP TABLE latin AS
          SELECT thing_id, min(name) AS name FROM temp.name
          WHERE rank = 1 AND is_latin(name) GROUP BY thing_id;
        UPDATE thing SET english = (SELECT name FROM temp.latin WHERE thing_id = thing.id)
          WHERE id IN (SELECT thing_id FROM part) AND NOT is_latin(name)
          AND id IN (SELECT thing_id FROM temp.latin);
        UPDATE thing SET street_folded = fold(street) WHERE street <> '';
        CREATE TEMP TABLE home AS
          SELECT street_folded, city, country_code, max(n) FROM (
            SELECT street_folded, city, country_code, count(*) AS n FROM thing
            WHERE street_folded <> '' AND city <> '' GROUP BY 1, 2, 3
          ) GROUP BY street_folded;
        UPDATE thing SET (city, country_code) = (
          SELECT city, country_code FROM temp.home WHERE street_folded = thing.street_folded
        ) WHERE city = '' AND street_folded IN (SELECT street_folded FROM temp.home);
        INSERT INTO idx_thing_position SELECT id, lon, lon, lat, lat FROM thing;
        """
    )


def _kind(key: str, value: str) -> str:
    if key == "highway" and value not in _NOT_STREETS:
        return "street"
    return key if value == "yes" else value


def _clusters(ways: Iterable[_Way]) -> Iterator[list[_Way]]:
    """Yield the groups of ways of one kind that lie within the gap of each other."""
    for _, same_kind in groupby(sorted(ways, key=lambda way: way.kind), key=lambda way: way.kind):
        members = list(same_kind)
        for group in connected([way.wkb for way in members], GAP_KM):
            yield [members[i] for i in group]


def _thing(thing_id: int, cluster: list[_Way]) -> tuple[object, ...]:
    """Return the street's row: its middle as a point on it, and how far its ends are from there."""
    spot = middle([way.wkb for way in cluster])
    way = cluster[0]
    street = way.name if way.kind == "street" else ""
    number = min(way.number for way in cluster)
    return (thing_id, f"w{number}", way.kind, way.name, spot.lat, spot.lon, street, spot.extent_km)
