"""Merge the ways of one name into streets: OpenStreetMap cuts a street at every change of a tag.

Ways of the same name and kind belong together when they come within `GAP_KM` of each other (the two sides of
a boulevard, a street that a square interrupts); two streets of one name in two districts stay two.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from wheretaken.maps.offline.region import tags as tagging
from wheretaken.maps.offline.region.geometry import connected, middles

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from wheretaken.maps.offline.region.geometry import Spot
    from wheretaken.maps.offline.region.words import Words

GAP_KM = 0.15
_BATCH = 4000
"""Streets wait in memory until they have this many ways: a country has millions, and some names thousands."""
_NOT_STREETS = {"platform", "rest_area", "services", "elevator", "corridor", "raceway", "proposed"}


class _Way(NamedTuple):
    row: int
    osm: int
    kind: str
    name: str
    wkb: bytes


def merge(connection: sqlite3.Connection, words: Words) -> int:
    """Write one thing, its parts and its names for every connected named line; return how many there are."""
    first = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM things").fetchone()[0]
    named = connection.execute(
        "SELECT lines.id, osm, class, subclass, name, geometry FROM lines JOIN sort ON sort.id = sort"
        " WHERE class <> 'boundary' AND lines.id IN (SELECT line_id FROM temp.street_name) ORDER BY name"
    )
    ways = (_Way(row, osm, _kind(key, value), name, wkb) for row, osm, key, value, name, wkb in named)
    thing_id = first
    waiting: list[list[_Way]] = []
    held = 0
    for _, same_name in groupby(ways, key=lambda way: way.name):
        for cluster in _clusters(same_name):
            waiting.append(cluster)
            held += len(cluster)
            if held >= _BATCH:
                thing_id += _write(connection, words, thing_id, waiting)
                waiting, held = [], 0
    thing_id += _write(connection, words, thing_id, waiting)
    # Sorted, not looked up in what was there already: that would take a memory as large as the map.
    connection.execute(
        "INSERT INTO temp.name SELECT thing_id, name, rank FROM temp.street_name JOIN part USING (line_id)"
        " GROUP BY thing_id, name, rank ORDER BY thing_id, min(street_name.rowid)"
    )
    return thing_id - first


def _write(connection: sqlite3.Connection, words: Words, first: int, clusters: Sequence[list[_Way]]) -> int:
    """Write the things that clusters of ways are, numbered from the first, and return how many they are."""
    spots = middles([[way.wkb for way in cluster] for cluster in clusters]) if clusters else []
    things = [
        _thing(number, cluster, spot, words)
        for number, (cluster, spot) in enumerate(zip(clusters, spots, strict=True), start=first)
    ]
    words.write(connection)
    connection.executemany("INSERT INTO things VALUES (?, ?, ?, ?, '', ?, ?, ?, '', ?, ?)", things)
    connection.executemany(
        "INSERT INTO part VALUES (?, ?)",
        ((way.row, number) for number, cluster in enumerate(clusters, start=first) for way in cluster),
    )
    return len(clusters)


def finish(connection: sqlite3.Connection) -> None:
    """Complete what needs all things: Latin names of streets, and the city of addresses that do not say."""
    connection.create_function("is_latin", 1, tagging.is_latin, deterministic=True)
    connection.executescript(
        """
        CREATE TEMP TABLE latin AS
          SELECT thing_id, min(name) AS name FROM temp.name
          WHERE rank = 1 AND thing_id IN (SELECT thing_id FROM part) AND is_latin(name) GROUP BY thing_id;
        UPDATE things SET english = (SELECT name FROM temp.latin WHERE thing_id = things.id)
          WHERE id IN (SELECT thing_id FROM temp.latin) AND NOT is_latin(name);
        CREATE TEMP TABLE home AS
          SELECT folded, city, max(n) FROM (
            SELECT folded, city, count(*) AS n FROM things JOIN street ON street.id = street
            WHERE folded <> '' AND city IN (SELECT id FROM city WHERE name <> '') GROUP BY 1, 2
          ) GROUP BY folded;
        CREATE TEMP TABLE street_home(street INTEGER PRIMARY KEY, city INTEGER);
        INSERT INTO temp.street_home SELECT id, city FROM street JOIN temp.home USING (folded);
        UPDATE things SET city = (SELECT city FROM temp.street_home WHERE street = things.street)
          WHERE city IN (SELECT id FROM city WHERE name = '')
          AND street IN (SELECT street FROM temp.street_home);
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


def _thing(thing_id: int, cluster: list[_Way], spot: Spot, words: Words) -> tuple[object, ...]:
    """Return the street's row: its middle as a point on it, and how far its ends are from there."""
    way = cluster[0]
    street = words.streets[way.name if way.kind == "street" else ""]
    at = (round(spot.lat * 1e7), round(spot.lon * 1e7))
    first = min(way.osm for way in cluster)
    extent_m = round(spot.extent_km * 1000)
    return (thing_id, first, words.kinds[way.kind], way.name, *at, street, words.none[1], extent_m)
