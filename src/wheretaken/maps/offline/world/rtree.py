"""The R*Tree of a geometry table, filled in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wheretaken.maps.offline.rtree import Builder

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    import numpy.typing as npt


def create(connection: sqlite3.Connection, table: str) -> None:
    """Create the empty R*Tree of a geometry table, named as mapnik's SQLite plug-in looks for it."""
    connection.execute(f"CREATE VIRTUAL TABLE idx_{table}_geometry USING rtree(pkid, xmin, xmax, ymin, ymax)")


def fill(
    connection: sqlite3.Connection,
    table: str,
    ids: Sequence[int],
    boxes: Sequence[tuple[float, float, float, float]] | npt.NDArray[np.float64],
) -> None:
    """Fill the empty R*Tree of a geometry table.

    Args:
        connection: an open transaction on the file.
        table: the geometry table.
        ids: row ids in `table`, each once.
        boxes: of the same length, (n, 4): west, east, south, north.
    """
    builder = Builder(connection, f"idx_{table}_geometry")
    builder.add(np.asarray(boxes, dtype=np.float64).ravel(), ids)
    builder.finish()
