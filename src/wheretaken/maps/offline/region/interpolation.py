"""House numbers between those that are mapped, where the map says that they run along a line.

`addr:interpolation` on a way (https://wiki.openstreetmap.org/wiki/Addresses#Interpolation) says which numbers
lie between two of its nodes with a number: `odd`, `even`, `all`, a step, or `alphabetic` for letters behind
one number. Each gets the position that its share of the way's length gives it. What is mapped by itself goes
before: a number that exists is not made up again.
"""

from __future__ import annotations

import itertools
import struct
from typing import TYPE_CHECKING, NamedTuple

from wheretaken.maps.offline.region.geometry import flat_km
from wheretaken.maps.offline.region.read import Feature
from wheretaken.maps.offline.region.schema import osm_number

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence

    from wheretaken.maps.offline.region.write import Writer

_STEPS = {"odd": 2, "even": 2, "all": 1}
_MOST = 500
"""Numbers between two nodes; more are a mistake in the map."""
_BATCH = 20_000
"""Ways that are in memory at once, with the addresses at their nodes: some countries have millions."""

TABLE = "CREATE TEMP TABLE interpolated(osm_id TEXT, how TEXT, street TEXT, nodes BLOB, wkb BLOB);"
"""Where the ways wait until all addresses are known."""


class _Way(NamedTuple):
    osm_id: str
    how: str
    street: str
    nodes: tuple[int, ...]
    wkb: bytes


class _Door(NamedTuple):
    number: str
    street: str
    city: str
    country_code: str


def row(way: Feature) -> tuple[object, ...]:
    """Return the row of `TABLE` that keeps a way."""
    nodes = struct.pack(f"<{len(way.nodes)}q", *way.nodes)
    return (way.osm_id, way.tags["addr:interpolation"], way.tags.get("addr:street", ""), nodes, way.wkb)


def _way(osm_id: str, how: str, street: str, nodes: bytes, wkb: bytes) -> _Way:
    return _Way(osm_id, how, street, struct.unpack(f"<{len(nodes) // 8}q", nodes), wkb)


def add(connection: sqlite3.Connection, writer: Writer) -> int:
    """Write an address for every number between two that are known; return how many there are."""
    writer.flush()
    connection.executescript(
        "CREATE TEMP TABLE ends(osm INTEGER PRIMARY KEY);"
        "CREATE TEMP TABLE along(street TEXT PRIMARY KEY) WITHOUT ROWID;"
    )
    rows = connection.execute("SELECT * FROM temp.interpolated ORDER BY rowid")
    count = 0
    while batch := rows.fetchmany(_BATCH):
        count += _add(connection, writer, [_way(*one) for one in batch])
    return count


def _add(connection: sqlite3.Connection, writer: Writer, ways: Sequence[_Way]) -> int:
    """Write the addresses along some ways; return how many there are."""
    connection.executescript("DELETE FROM temp.ends; DELETE FROM temp.along;")
    connection.executemany(
        "INSERT OR IGNORE INTO temp.ends VALUES (?)",
        ((osm_number(f"n{node}"),) for way in ways for node in way.nodes),
    )
    # Without an index on the things, which comes later, this reads them once.
    found = connection.execute(
        "SELECT osm_id, house_number, street, city, country_code FROM thing"
        " WHERE house_number <> '' AND id IN (SELECT id FROM things WHERE osm IN (SELECT osm FROM temp.ends))"
    )
    doors = {int(osm_id[1:]): _Door(*door) for osm_id, *door in found}
    connection.executemany(
        "INSERT OR IGNORE INTO temp.along VALUES (?)", ((door.street,) for door in doors.values())
    )
    known: set[tuple[str, str]] = set(
        connection.execute(
            "SELECT street, house_number FROM thing"
            " WHERE house_number <> '' AND street IN (SELECT street FROM temp.along)"
        )
    )
    count = 0
    for way in ways:
        for feature in _between(way, doors):
            door = (feature.tags["addr:street"], feature.tags["addr:housenumber"])
            if door not in known:
                known.add(door)
                writer.add_unseen(feature)
                count += 1
    writer.flush()
    return count


def _between(way: _Way, doors: Mapping[int, _Door]) -> Iterator[Feature]:
    """Yield the addresses between every two nodes in a row that have one on the same street."""
    flat = struct.unpack_from(f"<{2 * len(way.nodes)}d", way.wkb, 9)
    points = list(zip(flat[1::2], flat[::2], strict=True))
    stops = [k for k, node in enumerate(way.nodes) if node in doors]
    for first, last in itertools.pairwise(stops):
        one, other = doors[way.nodes[first]], doors[way.nodes[last]]
        street = one.street or way.street
        if not street or (other.street or street) != street:
            continue
        for number, share in numbers(one.number, other.number, way.how):
            lat, lon = _along(points[first : last + 1], share)
            tags = {
                "addr:street": street,
                "addr:housenumber": number,
                "addr:city": one.city,
                "addr:country": one.country_code,
            }
            point = struct.pack("<BIdd", 1, 1, lon, lat)
            yield Feature(f"{way.osm_id}/{number}", "point", tags, point)


def numbers(first: str, last: str, how: str) -> Iterator[tuple[str, float]]:
    """Yield each number between two, and its share of the way from the first to the last.

    Nothing where the two do not fit the rule, such as an odd one where the numbers are even.
    """
    if how == "alphabetic":
        yield from _letters(first, last)
        return
    step = _STEPS.get(how) or (int(how) if how.isdecimal() else 0)
    if not (step and first.isdecimal() and last.isdecimal()):
        return
    low, high = int(first), int(last)
    parity = {"odd": 1, "even": 0}.get(how)
    if parity is not None and {low % 2, high % 2} != {parity}:
        return
    span = high - low
    if span % step or not 0 < abs(span) // step <= _MOST:
        return
    for number in range(low + (step if span > 0 else -step), high, step if span > 0 else -step):
        yield str(number), (number - low) / span


def _letters(first: str, last: str) -> Iterator[tuple[str, float]]:
    """Yield 12b and 12c between 12a and 12d, and 12a and 12b between 12 and 12c."""
    stem = first.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    begin, end = first[len(stem) :], last[len(stem) :]
    if not (last.startswith(stem) and len(begin) <= 1 and len(end) == 1 and end.isascii() and end.isalpha()):
        return
    low = ord(begin) if begin else ord("A" if end.isupper() else "a") - 1
    span = ord(end) - low
    for code in range(low + 1, ord(end)):
        yield f"{stem}{chr(code)}", (code - low) / span


def _along(points: Sequence[tuple[float, float]], share: float) -> tuple[float, float]:
    """Return the latitude and longitude at a share of a line's length."""
    lengths = [flat_km(*one, *other) for one, other in itertools.pairwise(points)]
    left = share * sum(lengths)
    for (one, other), length in zip(itertools.pairwise(points), lengths, strict=True):
        if left <= length and length > 0:
            part = left / length
            return one[0] + part * (other[0] - one[0]), one[1] + part * (other[1] - one[1])
        left -= length
    return points[-1]
