"""Writes the geometry tables: fills, outlines, borders, and the R*Tree of each."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import shapely

from wheretaken.maps.offline import bulk
from wheretaken.maps.offline.world import packed, rtree
from wheretaken.maps.offline.world.gather import Area, shipped

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    import numpy.typing as npt


Box: TypeAlias = tuple[float, float, float, float]
"""West, east, south, north: the order of an R*Tree row."""
Shape: TypeAlias = tuple[bytes, Box]
"""WKB and its box."""
Row: TypeAlias = tuple[tuple[str, ...], Shape]
"""Attribute values and shape."""

_LINE_DETAIL_DEG = 0.0005
"""Half a pixel at zoom 10, where the renderer stops being a map of states."""
_LINE_POINTS = 200
"""Border lines are cut after so many points, so that a map picture reads only those near it."""


def write_shapes(
    connection: sqlite3.Connection,
    areas: Iterable[Area],
    outlines: list[tuple[dict[str, Any], list[packed.Polygon]]],
) -> None:
    """Fill land, country, admin1 and the two border tables."""
    for table in ("land_low", "land"):
        records = packed.unpack(shipped(f"{table}.bin.xz"))
        insert(connection, table, [((), polygon_wkb(p)) for _, polygons in records for p in polygons])
    by_code = {area.code: area for area in areas}
    rows: list[Row] = []
    for properties, polygons in packed.unpack(shipped("country.bin.xz")):
        area = by_code.get(properties["code"])
        values = (properties["code"], area.name, area.local) if area else (properties["code"], "", "")
        rows.extend((values, polygon_wkb(p)) for p in polygons)
    insert(connection, "country", rows)
    rows = []
    for properties, polygons in outlines:
        area = by_code.get(properties["code"])
        names = (area.english, area.local) if area else ("", "")
        rows.extend(((properties["code"], properties["country"], *names), polygon_wkb(p)) for p in polygons)
    insert(connection, "admin1", rows)
    inner, outer = borders([(properties["country"], polygons) for properties, polygons in outlines])
    insert(connection, "country_border", [((), line) for line in outer])
    insert(connection, "admin1_border", [((), line) for line in inner])


def insert(connection: sqlite3.Connection, table: str, rows: Sequence[Row]) -> None:
    """Fill an empty geometry table with rows of attribute values and shape, and its R*Tree."""
    ids = range(1, len(rows) + 1)
    values = ((at, *attributes, wkb) for at, (attributes, (wkb, _)) in zip(ids, rows, strict=True))
    bulk.insert(connection, table, len(rows[0][0]) + 2, values)
    rtree.fill(connection, table, ids, [box for _, (_, box) in rows])


def polygon_wkb(polygon: packed.Polygon) -> Shape:
    """Return a polygon's WKB and box (west, east, south, north)."""
    parts = [struct.pack("<BII", 1, 3, len(polygon))]
    for ring in polygon:
        parts.append(struct.pack("<I", len(ring)))
        parts.append(ring.astype("<f8").tobytes())
    return b"".join(parts), _box(polygon[0])


def _line_wkb(points: npt.NDArray[np.float64]) -> Shape:
    points = shapely.get_coordinates(shapely.simplify(shapely.LineString(points), _LINE_DETAIL_DEG))
    return struct.pack("<BII", 1, 2, len(points)) + points.astype("<f8").tobytes(), _box(points)


def _box(points: npt.NDArray[np.float64]) -> Box:
    west, south = points.min(axis=0).tolist()
    east, north = points.max(axis=0).tolist()
    return west, east, south, north


def borders(outlines: list[tuple[str, list[packed.Polygon]]]) -> tuple[list[Shape], list[Shape]]:
    """Return the lines between areas of one country, and between countries.

    Neighbours share their vertices, so a border is a segment that two rings have; a segment that only one
    has is a coast. Each border comes once, in the direction of the ring that was seen first.
    """
    rings = [(country, ring) for country, polygons in outlines for polygon in polygons for ring in polygon]
    starts = np.concatenate([ring[:-1] for _, ring in rings])
    ends = np.concatenate([ring[1:] for _, ring in rings])
    ids = {country: at for at, country in enumerate(sorted({country for country, _ in outlines}))}
    owner = np.repeat([ids[country] for country, _ in rings], [len(ring) - 1 for _, ring in rings])
    one, two = _point_codes(starts), _point_codes(ends)
    low, high = np.minimum(one, two), np.maximum(one, two)
    order = np.lexsort((high, low))
    same = (low[order][1:] == low[order][:-1]) & (high[order][1:] == high[order][:-1])
    first, second = order[:-1][same], order[1:][same]
    kept = np.minimum(first, second)
    kind = np.zeros(len(starts), dtype=np.int8)
    kind[kept] = np.where(owner[first] == owner[second], 1, 2)
    lines: tuple[list[Shape], list[Shape]] = ([], [])
    for value, start, end in _runs(kind, one, two):
        lines[value - 1].append(_line_wkb(np.concatenate([starts[start:end], ends[end - 1 : end]])))
    return lines


def _point_codes(points: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    steps = np.rint(points / packed.STEP).astype(np.int64)
    return (steps[:, 0] << 32) + steps[:, 1]


def _runs(
    kind: npt.NDArray[np.int8], one: npt.NDArray[np.int64], two: npt.NDArray[np.int64]
) -> Iterator[tuple[int, int, int]]:
    """Yield (kind, start, end) of runs of joined segments that have the same kind, not zero."""
    joined = (kind[1:] == kind[:-1]) & (one[1:] == two[:-1])
    breaks = np.concatenate([[0], np.flatnonzero(~joined) + 1, [len(kind)]])
    for start, end in zip(breaks[:-1].tolist(), breaks[1:].tolist(), strict=True):
        if kind[start]:
            for at in range(start, end, _LINE_POINTS):
                yield int(kind[start]), at, min(at + _LINE_POINTS, end)
