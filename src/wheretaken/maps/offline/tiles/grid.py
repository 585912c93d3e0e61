"""The grid of tiles: Web Mercator, row 0 in the north (XYZ).

Formulas: https://wiki.openstreetmap.org/wiki/Slippy_map_tilenames
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from wheretaken.maps.offline.render.view import MAX_LAT, WORLD, latitude

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_ZOOM = 16
"""The closest tiles that are made; browsers enlarge these for closer zooms."""


class Tile(NamedTuple):
    """A tile of the grid."""

    zoom: int
    column: int
    row: int

    @property
    def exists(self) -> bool:
        """Whether the grid has it."""
        return 0 <= self.zoom <= MAX_ZOOM and min(self[1:]) >= 0 and max(self[1:]) < 1 << self.zoom

    def bounds(self, margin: float = 0.0) -> tuple[float, float, float, float]:
        """Return west, south, east, north in degrees, with a margin in widths of the tile on every side."""
        size = 1 << self.zoom
        west = (self.column - margin) / size * 360 - 180
        east = (self.column + 1 + margin) / size * 360 - 180
        north, south = (
            latitude(WORLD / 2 - max(0.0, min(1.0, row / size)) * WORLD)
            for row in (self.row - margin, self.row + 1 + margin)
        )
        return west, south, east, north


def covering(south: float, west: float, north: float, east: float, zooms: tuple[int, int]) -> Iterator[Tile]:
    """Yield the tiles that touch an area (degrees, not across the antimeridian), the far ones first."""
    for zoom in range(zooms[0], zooms[1] + 1):
        size = 1 << zoom
        left, top = _cell(north, west, size)
        right, bottom = _cell(south, east, size)
        for column in range(left, right + 1):
            for row in range(top, bottom + 1):
                yield Tile(zoom, column, row)


def _cell(lat: float, lon: float, size: int) -> tuple[int, int]:
    lat = max(-MAX_LAT, min(MAX_LAT, lat))
    x = (lon + 180) / 360
    y = 0.5 - math.asinh(math.tan(math.radians(lat))) / (2 * math.pi)
    return max(0, min(size - 1, int(x * size))), max(0, min(size - 1, int(y * size)))
