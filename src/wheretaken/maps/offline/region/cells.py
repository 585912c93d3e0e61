"""Which things are where, as a grid: for each cell of some 200 m the numbers of the things in it.

A tenth of the size of an R*Tree, for points that are only ever asked for by a small box.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from wheretaken.maps.offline.region import packing

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

_SIZE = 20_000
"""Of a cell, in 1e-7 degrees."""
_COLUMNS = 1 << 20
"""Cells in a row of the grid, so that one number tells row and column; the first row is at the south pole."""


def index(connection: sqlite3.Connection) -> None:
    """Fill `cell` with all things that are no streets, as those are where their ways are."""
    rows = connection.execute(
        "SELECT (lat + 900000000) / ?1 * ?2 + (lon + 1800000000) / ?1 AS cell, id FROM things"
        " WHERE id NOT IN (SELECT thing_id FROM part) ORDER BY cell, id",
        (_SIZE, _COLUMNS),
    )
    connection.executemany(
        "INSERT INTO cell VALUES (?, ?)",
        (
            (cell, packing.pack32(number for _, number in group))
            for cell, group in groupby(rows, itemgetter(0))
        ),
    )


def rows(west: float, east: float, south: float, north: float) -> Iterator[tuple[int, int]]:
    """Yield the first and the last cell of each row of the grid that a box in degrees touches."""
    first, last = (int((lon + 180) * 1e7) // _SIZE for lon in (max(west, -180.0), min(east, 180.0)))
    for row in range(int((south + 90) * 1e7) // _SIZE, int((north + 90) * 1e7) // _SIZE + 1):
        yield row * _COLUMNS + first, row * _COLUMNS + last
