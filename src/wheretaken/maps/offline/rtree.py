"""Building SQLite's R*Trees at once, from all boxes, instead of one row after the other.

Boxes are put in the order of a Hilbert curve and packed into full nodes, which takes a fraction of the time
of inserting them and makes the tree a third smaller. The tables behind an R*Tree and their nodes are
described at https://www.sqlite.org/rtree.html#shadow_tables and in `rtree.c`: a node is a blob of its depth
(in the root only) and its number of cells (16 bits each), then cells of an id (64 bits) and of xmin, xmax,
ymin, ymax (32-bit floats), all big-endian; the root is node 1.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

from wheretaken.maps.offline import bulk

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    import numpy as np
    import numpy.typing as npt

    Boxes = npt.NDArray[np.float32]
    """Shape (n, 4): xmin, xmax, ymin, ymax."""
    Ids = npt.NDArray[np.int64]

CELLS = 51
"""In a node, as SQLite has it for two dimensions."""
_CELL = 24
_HEAD = 4
_ROOT = 1
CHUNK = 1 << 19
"""Boxes that are sorted together, at 24 bytes each and some times that meanwhile: memory stays bounded."""
_SLICE = 1 << 14
_ORDER = 16
"""Bits of each coordinate on the curve."""


class Builder:
    """Takes the boxes of a table's rows, in parts, and writes its R*Tree, which must be empty."""

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._boxes = array("f")
        self._ids = array("q")
        self._rows = 0
        self._node = _ROOT
        self._level: list[tuple[Ids, Boxes]] = []

    def add(self, boxes: Sequence[float] | npt.NDArray[np.float64], ids: Sequence[int] | None = None) -> None:
        """Add rows.

        Args:
            boxes: Of each, xmin, xmax, ymin, ymax, one after the other.
            ids: Of each, no two alike; by default they go on counting, from 1.
        """
        count = len(boxes) // 4
        self._ids.extend(range(self._rows + 1, self._rows + count + 1) if ids is None else ids)
        self._boxes.frombytes(_outward(boxes).tobytes())
        self._rows += count
        if len(self._boxes) >= 4 * CHUNK:
            self._leaves()

    def finish(self) -> None:
        """Write what is left, and the nodes above."""
        import numpy as np  # noqa: PLC0415 - only an import needs it

        self._leaves()
        depth = 0
        while self._level:
            ids = np.concatenate([ids for ids, _ in self._level])
            boxes = np.concatenate([boxes for _, boxes in self._level])
            depth += 1
            if len(ids) <= CELLS:
                self._root(ids, boxes, depth)
                return
            self._level = [self._write(ids, boxes, "parent")]

    def _leaves(self) -> None:
        import numpy as np  # noqa: PLC0415 - as above

        boxes = np.frombuffer(self._boxes, dtype=np.float32).reshape(-1, 4)
        if not len(boxes):
            return
        order = _hilbert_order(boxes)
        ids = np.frombuffer(self._ids, dtype=np.int64)[order]
        self._level.append(self._write(ids, boxes[order], "rowid"))
        del boxes
        self._boxes, self._ids = array("f"), array("q")

    def _write(self, ids: Ids, boxes: Boxes, told: str) -> tuple[Ids, Boxes]:
        """Write nodes with these cells, and in a table which node each is in; return the nodes' own cells."""
        import numpy as np  # noqa: PLC0415 - as above

        starts = np.arange(0, len(ids), CELLS)
        nodes = np.arange(self._node + 1, self._node + 1 + len(starts))
        self._node += len(starts)
        blobs = zip(nodes.tolist(), _blobs(ids, boxes, starts), strict=True)
        bulk.insert(self._connection, f"{self._name}_node", 2, blobs)
        homes = np.repeat(nodes, CELLS)[: len(ids)]
        order = np.argsort(ids)
        bulk.insert(self._connection, f"{self._name}_{told}", 2, _pairs(ids[order], homes[order]))
        around = np.empty((len(starts), 4), np.float32)
        for axis, lowest in ((0, True), (1, False), (2, True), (3, False)):
            reduce = np.minimum if lowest else np.maximum
            around[:, axis] = reduce.reduceat(boxes[:, axis], starts)
        return nodes, around

    def _root(self, ids: Ids, boxes: Boxes, depth: int) -> None:
        """Write the root, whose children are `depth` levels above nothing."""
        bulk.insert(self._connection, f"{self._name}_parent", 2, ((node, _ROOT) for node in ids.tolist()))
        (blob,) = _blobs(ids, boxes, [0])
        # The tree of a new file already has an empty root.
        root = (_ROOT, depth.to_bytes(2, "big") + blob[2:])
        bulk.insert(self._connection, f"{self._name}_node", 2, [root])


def _outward(boxes: Sequence[float] | npt.NDArray[np.float64]) -> Boxes:
    """Return boxes in single precision, none of them smaller than it was."""
    import numpy as np  # noqa: PLC0415 - as above

    exact = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    rounded = exact.astype(np.float32)
    for column, side, wrong in ((0, -np.inf, np.greater), (1, np.inf, np.less)):
        for axis in (column, column + 2):
            off = wrong(rounded[:, axis], exact[:, axis])
            rounded[off, axis] = np.nextafter(rounded[off, axis], np.float32(side))
    return rounded


def _pairs(ones: Ids, others: Ids) -> Iterator[tuple[int, int]]:
    """Yield the numbers of two arrays, some thousands at a time: objects take five times the memory."""
    for start in range(0, len(ones), _SLICE):
        part = slice(start, start + _SLICE)
        yield from zip(ones[part].tolist(), others[part].tolist(), strict=True)


def _blobs(ids: Ids, boxes: Boxes, starts: Any) -> Iterator[bytes]:
    import numpy as np  # noqa: PLC0415 - as above

    cells = np.empty(len(ids), dtype=[("id", ">i8"), ("box", ">f4", 4)])
    cells["id"], cells["box"] = ids, boxes
    packed = cells.tobytes()
    size = _HEAD + CELLS * _CELL
    for start in starts:
        part = packed[start * _CELL : (start + CELLS) * _CELL]
        yield (b"\0\0" + (len(part) // _CELL).to_bytes(2, "big") + part).ljust(size, b"\0")


def _hilbert_order(boxes: Boxes) -> Ids:
    """Return the order of boxes by where their middles are on a Hilbert curve over all of them.

    The rotation of the curve's quadrants bit by bit, as in https://en.wikipedia.org/wiki/Hilbert_curve.
    """
    import numpy as np  # noqa: PLC0415 - as above

    at: list[npt.NDArray[np.int64]] = []
    for axis in (0, 2):
        middle = boxes[:, axis].astype(np.float64) + boxes[:, axis + 1]
        low, high = float(middle.min()), float(middle.max())
        at.append(((middle - low) / max(high - low, 1e-12) * ((1 << _ORDER) - 1)).astype(np.int64))
    x, y = at
    key = np.zeros(len(boxes), np.int64)
    for bit in range(_ORDER - 1, -1, -1):
        side = 1 << bit
        right, up = (x & side) > 0, (y & side) > 0
        key += side * side * ((3 * right) ^ up)
        flip = right & ~up
        x, y = np.where(flip, side - 1 - x, x), np.where(flip, side - 1 - y, y)
        x, y = np.where(up, x, y), np.where(up, y, x)
        x, y = x & (side - 1), y & (side - 1)
    return np.argsort(key, kind="stable")
