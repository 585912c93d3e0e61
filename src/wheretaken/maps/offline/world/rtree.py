"""Fills an R*Tree in one go: packed nodes written to the shadow tables that SQLite keeps it in.

Inserting a quarter of a million boxes one by one takes seconds and leaves nodes two thirds full. Here the
nodes are packed by sort-tile-recursive (Leutenegger et al., "STR: A Simple and Efficient Algorithm for
R-Tree Packing", ICDE 1997): full nodes, little overlap. The layout of nodes and shadow tables is the one
that SQLite documents ("The SQLite R*Tree Module", section on shadow tables); `rtreecheck` approves of it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from wheretaken.maps.offline.world import bulk

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    import numpy.typing as npt

_CELLS = 51
"""The most entries that SQLite puts in a node, whatever the page size (from 2 KB upwards)."""
_CELL = np.dtype([("id", ">i8"), ("box", ">f4", 4)])
_NODE = np.dtype([("depth", ">u2"), ("count", ">u2"), ("cells", _CELL, _CELLS)])
_ROOT = 1


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
    if not len(ids):
        return
    name = f"idx_{table}_geometry"
    cells = np.zeros(len(ids), dtype=_CELL)
    cells["id"] = ids
    cells["box"] = _rounded(np.asarray(boxes, dtype=np.float64))
    cells, depth, next_node = _packed(cells), 0, _ROOT + 1
    while True:
        count = math.ceil(len(cells) / _CELLS)
        nodes = _nodes(cells, count)
        numbers = np.arange(next_node, next_node + count) if count > 1 else np.array([_ROOT])
        nodes["depth"][numbers == _ROOT] = depth
        owners = np.repeat(numbers, _CELLS)[: len(cells)]
        # The tree of a new file already has an empty root.
        blobs = [node.tobytes() for node in nodes]
        bulk.insert(connection, f"{name}_node", 2, zip(numbers.tolist(), blobs, strict=True))
        order = np.argsort(cells["id"])
        shadow = f"{name}_parent" if depth else f"{name}_rowid"
        pairs = zip(cells["id"][order].tolist(), owners[order].tolist(), strict=True)
        bulk.insert(connection, shadow, 2, pairs)
        if count == 1:
            return
        parents = np.zeros(count, dtype=_CELL)
        parents["id"] = numbers
        starts = np.arange(0, len(cells), _CELLS)
        box = cells["box"].astype(np.float32)
        for column, extreme in enumerate((np.minimum, np.maximum, np.minimum, np.maximum)):
            parents["box"][:, column] = extreme.reduceat(box[:, column], starts)
        cells, depth, next_node = _packed(parents), depth + 1, next_node + count


def _rounded(boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Return the boxes as the tree's 32-bit floats, rounded outwards so that none loses its rim."""
    near = boxes.astype(np.float32)
    down, up = np.nextafter(near, np.float32(-np.inf)), np.nextafter(near, np.float32(np.inf))
    near[:, ::2] = np.where(near[:, ::2] > boxes[:, ::2], down[:, ::2], near[:, ::2])
    near[:, 1::2] = np.where(near[:, 1::2] < boxes[:, 1::2], up[:, 1::2], near[:, 1::2])
    return near


def _packed(cells: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Return the cells in an order in which each run of `_CELLS` is a compact tile."""
    box = cells["box"].astype(np.float64)
    x, y = box[:, 0] + box[:, 1], box[:, 2] + box[:, 3]
    strips = math.ceil(math.sqrt(math.ceil(len(cells) / _CELLS)))
    strip = np.empty(len(cells), dtype=np.int64)
    strip[np.argsort(x, kind="stable")] = np.arange(len(cells)) // (strips * _CELLS)
    return cells[np.lexsort((y, strip))]


def _nodes(cells: npt.NDArray[np.void], count: int) -> npt.NDArray[np.void]:
    padded = np.zeros(count * _CELLS, dtype=_CELL)
    padded[: len(cells)] = cells
    nodes = np.zeros(count, dtype=_NODE)
    nodes["cells"] = padded.reshape(count, _CELLS)
    nodes["count"] = _CELLS
    nodes["count"][-1] = len(cells) - (count - 1) * _CELLS
    return nodes
