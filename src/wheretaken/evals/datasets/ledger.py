"""What was seen before, on disk: whether an id, a picture or a place comes up twice takes no memory.

Both ledgers keep their table in a temporary database that SQLite deletes by itself; some megabytes of it stay
in memory, however long it gets.
"""

from __future__ import annotations

import hashlib
import math
import sqlite3
from typing import Self, cast

from wheretaken.geo import distances_km

_STEP = 0.0005
"""Height of a cell in degrees: 55 m, so that places within 50 m are in the same cell or in adjacent ones."""
_STEP_KM = 0.0553
_CIRCLE_KM = 40_075.0
"""Length of the equator."""
_COLUMNS = 1_000_000
"""More than the cells of a row."""


class _Table:
    def __init__(self, layout: str) -> None:
        # A set's rows may be taken by several threads, one after the other.
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("BEGIN")
        self._db.execute(layout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Delete the table."""
        self._db.close()


class Seen(_Table):
    """Who bore a key first."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__("CREATE TABLE seen (key BLOB PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID")

    def first(self, key: str, name: str) -> str | None:
        """Return the name that bore this key first, or None when it is new: then `name` does from now on."""
        digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        done = self._db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (digest, name))
        return None if done.rowcount else self._named(digest)

    def find(self, key: str) -> str | None:
        """Return the name that bore this key first, if any."""
        return self._named(hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest())

    def _named(self, digest: bytes) -> str | None:
        row = self._db.execute("SELECT name FROM seen WHERE key = ?", (digest,)).fetchone()
        return cast("str", row[0]) if row else None


class Places(_Table):
    """Positions, found again by what is within 50 m."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__("CREATE TABLE place (cell INTEGER, lat REAL, lon REAL, name TEXT)")
        self._db.execute("CREATE INDEX by_cell ON place (cell)")

    def add(self, lat: float, lon: float, name: str) -> None:
        """Remember a position (WGS-84 degrees)."""
        row = _row(lat)
        cell = row * _COLUMNS + _column(row, lon)
        self._db.execute("INSERT INTO place VALUES (?, ?, ?, ?)", (cell, lat, lon, name))

    def nearest(self, lat: float, lon: float, within_km: float = 0.05) -> tuple[str, float] | None:
        """Return the name of the nearest position and its geodesic distance in km, if it is near enough.

        Args:
            lat: degrees north, WGS-84.
            lon: degrees east.
            within_km: at most 0.05.
        """
        cells: set[int] = set()
        for row in range(_row(lat) - 1, _row(lat) + 2):
            column, width = _column(row, lon), _width(row)
            cells |= {row * _COLUMNS + (column + step) % width for step in (-1, 0, 1)}
        marks = ", ".join("?" * len(cells))
        query = f"SELECT lat, lon, name FROM place WHERE cell IN ({marks})"  # noqa: S608 - only question marks
        found = cast("list[tuple[float, float, str]]", self._db.execute(query, tuple(cells)).fetchall())
        if not found:
            return None
        distances = distances_km(lat, lon, [place[0] for place in found], [place[1] for place in found])
        best = int(distances.argmin())
        return (found[best][2], float(distances[best])) if distances[best] <= within_km else None


def _row(lat: float) -> int:
    return math.floor((lat + 90) / _STEP)


def _width(row: int) -> int:
    """Return how many cells a row has: none is narrower than a cell is high, even at the polar edge."""
    edges = (row * _STEP - 90, (row + 1) * _STEP - 90)
    narrowest = max(0.0, min(math.cos(math.radians(edge)) for edge in edges))
    return max(1, math.floor(_CIRCLE_KM * narrowest / _STEP_KM))


def _column(row: int, lon: float) -> int:
    width = _width(row)
    return math.floor((lon + 180) / 360 * width) % width
