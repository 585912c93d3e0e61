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
from wheretaken.maps.offline import names
from wheretaken.maps.offline.region import cells, packing, schema
from wheretaken.maps.offline.region.aliases import BLOCK, gram_id

if TYPE_CHECKING:
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
    """A name of a thing."""

    id: int
    thing_id: int
    name: str
    rank: int
    key: str
    """What it was looked up by, where that was a text."""

    @property
    def folded(self) -> str:
        """The name as queries are compared with it."""
        return names.fold(self.name)


_THING = "SELECT thing.* FROM thing"
_OF_WAY = "SELECT thing_id FROM part WHERE line_id IN (SELECT id FROM lines WHERE osm = ?)"
_DOORS = (
    "SELECT things.id FROM street CROSS JOIN things ON things.street = street.id"
    " WHERE house_number <> '' AND street.folded <> '' AND street.folded"
)
_IN_CELLS = "SELECT things FROM cell WHERE id BETWEEN ? AND ?"
_LINES_IN = (
    "SELECT geometry, thing_id FROM idx_line_geometry JOIN lines ON lines.id = pkid"
    " JOIN part ON line_id = lines.id WHERE xmax >= ? AND xmin <= ? AND ymax >= ? AND ymin <= ?"
)
_AREAS_IN = (
    "SELECT geometry, thing_id FROM idx_area_geometry JOIN areas ON areas.id = pkid"
    " WHERE thing_id IS NOT NULL AND xmax >= ? AND xmin <= ? AND ymax >= ? AND ymin <= ?"
)
_LINES_OF = "SELECT thing_id, geometry FROM part JOIN lines ON lines.id = line_id WHERE thing_id"
_ALIAS = "SELECT aliases.id, thing_id, coalesce(aliases.name, things.name), rank, "
_OF_ALIAS = " FROM aliases JOIN things ON things.id = thing_id WHERE "
_BY_KEY = " CROSS JOIN aliases ON aliases.id = alias_id CROSS JOIN things ON things.id = thing_id WHERE "


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
        sql = f"{_ALIAS} {column} FROM alias_{column} {_BY_KEY} {column}"
        return (Alias(*row) for row in self._in(sql, keys))

    def aliases_of(self, things: Collection[int]) -> list[Alias]:
        """Return every name of some things."""
        return [Alias(*row) for row in self._in(f"{_ALIAS} '' {_OF_ALIAS} thing_id", things)]

    def aliases_by_id(self, ids: Collection[int]) -> Iterator[Alias]:
        """Yield the names with these numbers."""
        return (Alias(*row) for row in self._in(f"{_ALIAS} '' {_OF_ALIAS} aliases.id", ids))

    def of_length(self, shortest: int, longest: int) -> tuple[int, int]:
        """Return the numbers of the names with skeletons of these lengths: the first, one past the last."""
        ids = [first_id for length, first_id in self._lengths if length >= shortest]
        ends = [first_id for length, first_id in self._lengths if length > longest]
        return (ids[0] if ids else _NO_ID, ends[0] if ends else _NO_ID)

    def beginning(self, key: str, limit: int) -> list[Alias]:
        """Return names that begin with a folded text, or have a word that does; the shortest first."""
        end = key + "\U0010ffff"
        # The numbers of names are in the order of their lengths.
        rows = self._rows(
            "SELECT alias_id FROM alias_folded WHERE folded > ?1 AND folded < ?2 UNION"
            " SELECT alias_id FROM alias_tail WHERE folded >= ?1 AND folded < ?2 ORDER BY 1 LIMIT ?3",
            (key, end, limit),
        )
        return list(self.aliases_by_id([row[0] for row in rows]))

    def gram_sizes(self, pairs: Collection[str], blocks: range) -> dict[str, int]:
        """Return how many names of some blocks have each character pair, without reading the lists."""
        sql = "SELECT coalesce(sum(length(ids)), 0) / 2 FROM gram WHERE id BETWEEN ? AND ?"
        return {pair: self._rows(sql, _of_blocks(pair, blocks))[0][0] for pair in pairs}

    def grams(self, pairs: Collection[str], blocks: range) -> dict[int, list[bytes]]:
        """Return by block which of its names have each character pair, as `packing.pack16` packed them."""
        found: dict[int, list[bytes]] = {}
        for pair in pairs:
            for row, ids in self._rows(
                "SELECT id, ids FROM gram WHERE id BETWEEN ? AND ?", _of_blocks(pair, blocks)
            ):
                found.setdefault(row % BLOCK, []).append(ids)
        return found

    def things(self, ids: Collection[int]) -> dict[int, Thing]:
        """Return the things with these numbers."""
        return {row[0]: Thing(*row) for row in self._in(_THING + " WHERE thing.id", ids)}

    def addresses(self, streets: Collection[str]) -> list[Thing]:
        """Return everything that has a house number on one of the streets, given as folded names."""
        return list(self.things([row[0] for row in self._in(_DOORS, streets)]).values())

    def kind_lists(self, kinds: Collection[str]) -> list[bytes]:
        """Return where all things of each of the kinds are, packed as `kinds.unpack` reads it."""
        return [row[0] for row in self._in("SELECT places FROM kind WHERE places NOTNULL AND kind", kinds)]

    def lines_of(self, things: Collection[int]) -> dict[int, list[bytes]]:
        """Return the geometry (WKB) of the ways of each street."""
        found: dict[int, list[bytes]] = {}
        for thing_id, wkb in self._in(_LINES_OF, things):
            found.setdefault(thing_id, []).append(wkb)
        return found

    def positions(self, things: Collection[int]) -> list[tuple[int, float, float]]:
        """Return number, latitude and longitude of each of the things."""
        sql = "SELECT id, lat / 1e7, lon / 1e7 FROM things WHERE id"
        return [tuple(row) for row in self._in(sql, things)]

    def by_osm_id(self, osm_id: str) -> Thing | None:
        """Return the thing that an OpenStreetMap element is, or the street that a way is a part of."""
        number = (schema.osm_number(osm_id),)
        rows = self._rows("SELECT id FROM things WHERE osm = ?", number) or self._rows(_OF_WAY, number)
        return next(iter(self.things([rows[0][0]]).values())) if rows else None

    def things_in(self, box: tuple[float, float, float, float]) -> list[Thing]:
        """Return the things with their position in a box (west, east, south, north); no streets."""
        west, east, south, north = box
        ids = [
            number
            for row in cells.rows(*box)
            for (packed,) in self._rows(_IN_CELLS, row)
            for number in packing.unpack32(packed)
        ]
        found = self.things(ids).values()
        return [one for one in found if west <= one.lon <= east and south <= one.lat <= north]

    def shapes_in(self, box: tuple[float, float, float, float]) -> list[tuple[Thing, bytes]]:
        """Return named lines and areas that touch a box (west, east, south, north), with their geometry."""
        rows = self._rows(_LINES_IN, box) + self._rows(_AREAS_IN, box)
        things = self.things({number for _, number in rows})
        return [(things[number], wkb) for wkb, number in rows]


def _of_blocks(pair: str, blocks: range) -> tuple[int, int]:
    """Return the first and the last row of a pair's lists."""
    return gram_id(pair, blocks.start), gram_id(pair, blocks.stop - 1)
