"""Reading the search tables of a region file: one connection, one lock, typed rows.

SQLite connections may not be used by two threads at once; look-ups take well under a millisecond each, so
they simply queue for the connection.
"""

from __future__ import annotations

import sqlite3
import threading
import weakref
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from wheretaken.errors import DataError
from wheretaken.maps.offline.region import schema
from wheretaken.maps.offline.region.aliases import unpack

if TYPE_CHECKING:
    from array import array
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

_NO_ID = 2**32
"""Above every number that a name can have."""
_CHUNK = 500
"""Values in one `IN (...)`."""


class Thing(NamedTuple):
    """A row of `thing`."""

    id: int
    osm_id: str
    kind: str
    name: str
    english: str
    lat: float
    lon: float
    street: str
    house_number: str
    city: str
    extent_km: float
    country_code: str
    street_folded: str


class Alias(NamedTuple):
    """A row of `alias`."""

    id: int
    folded: str
    stripped: str
    thing_id: int
    name: str
    rank: int
    skeleton: str


_THING = "SELECT thing.* FROM thing"
_OF_WAY = (
    "SELECT thing.* FROM line JOIN part ON line_id = line.id JOIN thing ON thing.id = thing_id"
    " WHERE line.osm_id = ?"
)
_POINTS_IN = (
    "SELECT thing.* FROM idx_thing_position JOIN thing ON thing.id = pkid"
    " WHERE xmin >= ? AND xmax <= ? AND ymin >= ? AND ymax <= ?"
    " AND thing.id NOT IN (SELECT thing_id FROM part)"
)
_LINES_IN = (
    "SELECT geometry, thing.* FROM idx_line_geometry JOIN line ON line.id = pkid"
    " JOIN part ON line_id = line.id JOIN thing ON thing.id = thing_id"
    " WHERE xmax >= ? AND xmin <= ? AND ymax >= ? AND ymin <= ?"
)
_LINES_OF = "SELECT thing_id, geometry FROM part JOIN line ON line.id = line_id WHERE thing_id"
_AREAS_IN = (
    "SELECT geometry, thing.* FROM idx_area_geometry JOIN area ON area.id = pkid"
    " JOIN thing ON thing.osm_id = area.osm_id"
    " WHERE area.osm_id <> '' AND xmax >= ? AND xmin <= ? AND ymax >= ? AND ymin <= ?"
)


class Tables:
    """The search tables of one region file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = schema.open_region(path)
        self._lock = threading.Lock()
        self._lengths = [
            (int(length), int(first_id))
            for length, first_id in self._rows("SELECT length, first_id FROM alias_length ORDER BY length")
        ]
        self._close = weakref.finalize(self, self._connection.close)

    def close(self) -> None:
        """Close the file; further reading raises `DataError`."""
        with self._lock:
            self._close()

    def _rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return self._connection.execute(sql, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise DataError(
                f"{self._path} is damaged or closed ({error}): import its extract again"
            ) from error

    def _in(self, sql: str, values: Collection[object]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query that lacks its final `IN (...)`, in chunks of the values."""
        waiting = list(values)
        for start in range(0, len(waiting), _CHUNK):
            chunk = waiting[start : start + _CHUNK]
            yield from self._rows(f"{sql} IN ({','.join('?' * len(chunk))})", chunk)

    def aliases(self, column: Literal["folded", "stripped"], keys: Collection[str]) -> Iterator[Alias]:
        """Yield the names whose key in a column is one of `keys`."""
        sql = {
            "folded": "SELECT * FROM alias WHERE folded",
            "stripped": "SELECT * FROM alias WHERE stripped <> '' AND stripped",
        }[column]
        return (Alias(*row) for row in self._in(sql, keys))

    def aliases_of(self, things: Collection[int]) -> list[Alias]:
        """Return every name of some things."""
        return [Alias(*row) for row in self._in("SELECT * FROM alias WHERE thing_id", things)]

    def aliases_by_id(self, ids: Collection[int]) -> Iterator[Alias]:
        """Yield the names with these numbers."""
        return (Alias(*row) for row in self._in("SELECT * FROM alias WHERE id", ids))

    def of_length(self, shortest: int, longest: int) -> tuple[int, int]:
        """Return the numbers of the names with skeletons of these lengths: the first, one past the last."""
        ids = [first_id for length, first_id in self._lengths if length >= shortest]
        ends = [first_id for length, first_id in self._lengths if length > longest]
        return (ids[0] if ids else _NO_ID, ends[0] if ends else _NO_ID)

    def beginning(self, key: str, limit: int) -> list[Alias]:
        """Return names that begin with a folded text, or have a word that does; the shortest first."""
        end = key + "\U0010ffff"
        rows = self._rows(
            "SELECT * FROM alias WHERE id IN ("
            "SELECT id FROM alias WHERE folded > ?1 AND folded < ?2 UNION"
            " SELECT alias_id FROM tail WHERE folded >= ?1 AND folded < ?2"
            ") ORDER BY length(folded) LIMIT ?3",
            (key, end, limit),
        )
        return [Alias(*row) for row in rows]

    def postings(self, pairs: Collection[str]) -> dict[str, array[int]]:
        """Return the names that have each character pair; pairs that no name has are left out."""
        return {pair: unpack(ids) for pair, ids in self._in("SELECT gram, ids FROM gram WHERE gram", pairs)}

    def posting_sizes(self, pairs: Collection[str]) -> dict[str, int]:
        """Return how many names have each character pair (0 when none), without reading the lists."""
        sizes = self._in("SELECT gram, length(ids) / 4 FROM gram WHERE gram", pairs)
        return dict.fromkeys(pairs, 0) | dict(sizes)

    def things(self, ids: Collection[int]) -> dict[int, Thing]:
        """Return the things with these numbers."""
        return {row[0]: Thing(*row) for row in self._in(_THING + " WHERE thing.id", ids)}

    def addresses(self, streets: Collection[str]) -> list[Thing]:
        """Return everything that has a house number on one of the streets, given as folded names."""
        rows = self._in(
            _THING + " WHERE house_number <> '' AND street_folded <> '' AND street_folded", streets
        )
        return [Thing(*row) for row in rows]

    def kind_lists(self, kinds: Collection[str]) -> list[bytes]:
        """Return where all things of each of the kinds are, packed as `kinds.unpack` reads it."""
        return [row[0] for row in self._in("SELECT places FROM kind WHERE kind", kinds)]

    def lines_of(self, things: Collection[int]) -> dict[int, list[bytes]]:
        """Return the geometry (WKB) of the ways of each street."""
        found: dict[int, list[bytes]] = {}
        for thing_id, wkb in self._in(_LINES_OF, things):
            found.setdefault(thing_id, []).append(wkb)
        return found

    def positions(self, things: Collection[int]) -> list[tuple[int, float, float]]:
        """Return number, latitude and longitude of each of the things."""
        return [tuple(row) for row in self._in("SELECT id, lat, lon FROM thing WHERE id", things)]

    def by_osm_id(self, osm_id: str) -> Thing | None:
        """Return the thing that an OpenStreetMap element is, or the street that a way is a part of."""
        rows = self._rows(_THING + " WHERE osm_id = ?", (osm_id,)) or self._rows(_OF_WAY, (osm_id,))
        return Thing(*rows[0]) if rows else None

    def things_in(self, box: tuple[float, float, float, float]) -> list[Thing]:
        """Return the things with their position in a box (west, east, south, north); no streets."""
        return [Thing(*row) for row in self._rows(_POINTS_IN, box)]

    def shapes_in(self, box: tuple[float, float, float, float]) -> list[tuple[Thing, bytes]]:
        """Return named lines and areas that touch a box (west, east, south, north), with their geometry."""
        rows = self._rows(_LINES_IN, box) + self._rows(_AREAS_IN, box)
        return [(Thing(*row[1:]), row[0]) for row in rows]
