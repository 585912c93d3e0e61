"""The container of the shipped geometry: records with rings, small enough to sit in a wheel.

A file is LZMA around: the length of a JSON header (uint32, little-endian), the header, and the coordinates.
The header lists the records; `rings` of a record is a list of polygons, each the point counts of its rings
(outer first). Coordinates are integers in units of `STEP` degrees, longitude plane then latitude plane,
each as differences to the point before, zigzag-coded, the four byte planes one after the other: nearly all
of the high planes are zeros, which LZMA packs to nothing. A ring's closing point is left out.
"""

from __future__ import annotations

import json
import lzma
import struct
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Polygon: TypeAlias = list[npt.NDArray[np.float64]]
"""The closed rings of one polygon, outer first; each (n, 2), degrees, longitude and latitude."""

STEP = 1e-4
"""Degrees between two neighbouring values: 11 m at the equator, the detail of the 1:10m source is coarser."""


def pack(records: Sequence[tuple[dict[str, Any], Sequence[Polygon]]]) -> bytes:
    """Return the container of records (their properties, JSON-able) and polygons (arrays (n, 2), lon/lat).

    Rings come closed (last point = first point), as every geometry library gives them.
    """
    header = [
        {**properties, "rings": [[len(ring) - 1 for ring in polygon] for polygon in polygons]}
        for properties, polygons in records
    ]
    open_rings = [ring[:-1] for _, polygons in records for polygon in polygons for ring in polygon]
    values = np.rint(np.concatenate(open_rings) / STEP).astype(np.int32)
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    planes = b"".join(_encode(values[:, axis]) for axis in (0, 1))
    raw = struct.pack("<I", len(text)) + text + planes
    return lzma.compress(raw, preset=9 | lzma.PRESET_EXTREME)


def unpack(path: Path) -> list[tuple[dict[str, Any], list[Polygon]]]:
    """Return the records of a container file; rings come closed, in degrees."""
    raw = lzma.decompress(path.read_bytes())
    (size,) = struct.unpack_from("<I", raw)
    header = cast("list[dict[str, Any]]", json.loads(raw[4 : 4 + size]))
    planes = memoryview(raw)[4 + size :]
    half = len(planes) // 2
    points: npt.NDArray[np.float64] = np.stack(
        [_decode(planes[:half]), _decode(planes[half:])], axis=1
    ).astype(np.float64) * np.float64(STEP)
    records: list[tuple[dict[str, Any], list[Polygon]]] = []
    start = 0
    for properties in header:
        polygons: list[Polygon] = []
        for counts in cast("list[list[int]]", properties.pop("rings")):
            rings: Polygon = []
            for count in counts:
                ring = points[start : start + count]
                rings.append(np.concatenate([ring, ring[:1]]))
                start += count
            polygons.append(rings)
        records.append((properties, polygons))
    return records


def _encode(values: npt.NDArray[np.int32]) -> bytes:
    steps = np.diff(values, prepend=np.int32(0))
    zigzag = ((steps << 1) ^ (steps >> 31)).astype("<u4")
    return zigzag.view(np.uint8).reshape(-1, 4).T.tobytes()


def _decode(plane: memoryview) -> npt.NDArray[np.int64]:
    zigzag = np.ascontiguousarray(np.frombuffer(plane, dtype=np.uint8).reshape(4, -1).T).view("<u4").ravel()
    steps = (zigzag >> 1).astype(np.int64) ^ -(zigzag & 1).astype(np.int64)
    return np.cumsum(steps)
