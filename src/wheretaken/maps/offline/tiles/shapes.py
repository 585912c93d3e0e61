"""Geometry of a tile's features: WGS-84 degrees to tile units, clipped, simplified; whole columns at a time.

A tile is `EXTENT` units wide; x goes east, y goes south. Features are kept for `BUFFER` units around it, so
that outlines and wide lines do not end at its edge.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from wheretaken.errors import MissingExtraError
from wheretaken.maps.offline.render.view import MAX_LAT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.maps.offline.tiles.grid import Tile

EXTENT = 4096
BUFFER = 128
_EDGE = (-BUFFER, -BUFFER, EXTENT + BUFFER, EXTENT + BUFFER)
SMALLEST = 64.0
"""Areas of fewer square units (half a pixel) are not seen."""


def lib() -> Any:
    """Return shapely; its stubs are partly unknown to a strict checker.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return import_module("shapely")
    except ModuleNotFoundError as error:
        raise MissingExtraError("vector tiles", "offline", "shapely") from error


def in_tile(wkbs: Sequence[bytes], tile: Tile) -> Any:
    """Return the shapes in tile units, one for each WKB, not clipped."""
    import numpy as np  # noqa: PLC0415 - with shapely

    size = EXTENT << tile.zoom

    def projected(degrees: Any) -> Any:
        lat = np.radians(np.clip(degrees[:, 1], -MAX_LAT, MAX_LAT))
        x = (degrees[:, 0] / 360 + 0.5) * size - tile.column * EXTENT
        y = (0.5 - np.arcsinh(np.tan(lat)) / (2 * np.pi)) * size - tile.row * EXTENT
        return np.column_stack([x, y])

    return lib().transform(lib().from_wkb(list(wkbs)), projected)


def clipped(shapes: Any, *, areas: bool, tolerance: float) -> Any:
    """Cut to the tile with its buffer and leave out points that would not be seen; as many shapes."""
    shapely = lib()
    if areas:  # cutting a ring that touches itself can fail: it is made valid first
        bad = ~shapely.is_valid(shapes)
        shapes[bad] = shapely.make_valid(shapes[bad])
    cut = shapely.clip_by_rect(shapes, *_EDGE)
    return shapely.simplify(cut, tolerance, preserve_topology=False) if tolerance else cut


def outside(land: Any, frames: Sequence[Any]) -> Any:
    """Return what of the tile is neither land nor in one of the frames (all in tile units): the open sea."""
    shapely = lib()
    return shapely.difference(shapely.box(*_EDGE), shapely.union_all([*land, *frames]))
