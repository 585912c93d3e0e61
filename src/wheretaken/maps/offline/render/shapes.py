"""Geometry helpers that need shapely's loosely typed functions: the types are stated here, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry import LineString
    from shapely.geometry.base import BaseGeometry


def joined(lines: Sequence[LineString]) -> list[LineString]:
    """Join lines that meet end to start into the longest chains, in any order of the lines.

    Junctions of three or more stay cut, no line is turned round to fit, and empty lines are dropped.
    """
    import shapely  # noqa: PLC0415 - pictures need no shapely, imports of data do

    merge = cast("Any", shapely).line_merge
    merged = merge(shapely.MultiLineString([line for line in lines if line.length > 0]), directed=True)
    return cast("list[LineString]", list(shapely.get_parts(merged)))


def inner_point(area: BaseGeometry, *, tolerance: float) -> tuple[float, float]:
    """Return the point (x, y) of an area that is farthest from its edges, to within a tolerance."""
    import shapely  # noqa: PLC0415

    x, y = cast("Any", shapely).maximum_inscribed_circle(area, tolerance=tolerance).coords[0]
    return float(x), float(y)
