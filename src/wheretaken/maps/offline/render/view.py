"""The area that a picture shows: Web Mercator (EPSG:3857), north up, at most one world wide.

World coordinates are Mercator metres: x east of Greenwich, y north of the equator, the world is `WORLD` wide
and as high. A view may reach past x = +-WORLD/2: the antimeridian is then inside it, and `copies` says by
how many worlds the map must be shifted so that each side is drawn. Pixel (0, 0) is the picture's top left
corner.

Formulas: https://epsg.io/3857 and https://wiki.openstreetmap.org/wiki/Slippy_map_tilenames (zoom levels).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from wheretaken.errors import ToolError
from wheretaken.geo import Datum, LatLon

RADIUS = 6378137.0
"""Of the sphere that Web Mercator projects on, metres."""
WORLD = 2 * math.pi * RADIUS
"""Width and height of the world in Mercator metres."""
TILE = 256
"""Pixels that the world is wide at zoom 0."""
MAX_LAT = math.degrees(math.atan(math.sinh(math.pi)))
"""The latitude (85.05) at which the square world ends; the poles are never on the map."""
MAX_ZOOM = 19
SIZES = range(64, 2049)
"""Picture widths and heights that are drawn, pixels."""


def mercator(lat: float, lon: float) -> tuple[float, float]:
    """Project degrees to Mercator metres; latitudes beyond `MAX_LAT` are moved to it."""
    lat = max(-MAX_LAT, min(MAX_LAT, lat))
    return math.radians(lon) * RADIUS, math.asinh(math.tan(math.radians(lat))) * RADIUS


def latitude(y: float) -> float:
    """Return the latitude of a Mercator y in metres, degrees."""
    return math.degrees(math.atan(math.sinh(y / RADIUS)))


def wgs84(position: LatLon) -> LatLon:
    """Return the position unchanged.

    Raises:
        ValueError: it is in another datum: on a WGS-84 map it would be off by half a kilometre.
    """
    if position.datum is not Datum.WGS84:
        raise ValueError(f"map pictures are drawn in WGS-84, not {position.datum}: convert first")
    return position


@dataclass(frozen=True, slots=True)
class View:
    """A picture's frame: its centre in Mercator metres, its zoom, and its size in pixels."""

    x: float
    y: float
    zoom: float
    width: int
    height: int

    @classmethod
    def around(cls, centre: LatLon, *, zoom: float, width: int, height: int) -> View:
        """Return the view around a position.

        A zoom so low that the world would be smaller than the picture is raised until it fills it, and near
        the poles the view moves towards the equator: no place is shown twice, and nothing beyond the map.

        Raises:
            ToolError: zoom or size is outside what can be drawn.
            ValueError: the centre is not in WGS-84.
        """
        check_size(width, height)
        if not 0 <= zoom <= MAX_ZOOM:
            raise ToolError(
                f"zoom is {zoom}, but must be between 0 (the world) and {MAX_ZOOM} (a few houses)"
            )
        wgs84(centre)
        x, y = mercator(centre.lat, centre.lon)
        return cls._within_the_world(x, y, zoom, width, height)

    @classmethod
    def fitting(
        cls, south: float, west: float, north: float, east: float, *, width: int, height: int
    ) -> View:
        """Return the closest view that shows a whole area; `east` < `west` means across the antimeridian.

        Raises:
            ToolError: the area is upside down or not on Earth, or the size cannot be drawn.
        """
        check_size(width, height)
        if not (-90 <= south <= north <= 90 and -180 <= west <= 180 and -180 <= east <= 180):
            raise ToolError(
                f"the area south={south} west={west} north={north} east={east} is not on Earth or upside down"
            )
        left, bottom = mercator(south, west)
        right, top = mercator(north, east)
        if right < left:
            right += WORLD
        across, up = (right - left) / WORLD * TILE, (top - bottom) / WORLD * TILE
        scale = min(width / across if across else math.inf, height / up if up else math.inf)
        zoom = max(0.0, min(float(MAX_ZOOM), math.log2(scale))) if math.isfinite(scale) else float(MAX_ZOOM)
        x = math.remainder((left + right) / 2, WORLD)
        return cls._within_the_world(x, (bottom + top) / 2, zoom, width, height)

    @classmethod
    def _within_the_world(cls, x: float, y: float, zoom: float, width: int, height: int) -> View:
        zoom = max(zoom, math.log2(max(width, height) / TILE))
        room = max(0.0, (WORLD - height * WORLD / (TILE * 2**zoom)) / 2)
        return cls(x, max(-room, min(room, y)), zoom, width, height)

    @property
    def resolution(self) -> float:
        """Mercator metres in a pixel; real metres are this times the cosine of the latitude."""
        return WORLD / (TILE * 2**self.zoom)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """xmin, ymin, xmax, ymax in Mercator metres; x may reach past the edge of the world."""
        half_x, half_y = self.width * self.resolution / 2, self.height * self.resolution / 2
        return self.x - half_x, self.y - half_y, self.x + half_x, self.y + half_y

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """South, west, north, east in degrees; east < west when the view crosses 180 degrees (RFC 7946)."""
        left, bottom, right, top = self.box
        if right - left >= WORLD * (1 - 1e-12):
            return latitude(bottom), -180.0, latitude(top), 180.0
        return latitude(bottom), _longitude(left), latitude(top), _longitude(right)

    @property
    def copies(self) -> range:
        """The worlds that the view touches: 0 is the usual one, 1 the one east of the antimeridian."""
        left, _, right, _ = self.box
        return range(math.floor(left / WORLD + 0.5), math.ceil(right / WORLD - 0.5) + 1)

    def pixel(self, position: LatLon) -> tuple[float, float]:
        """Return where a position lies in the picture (the nearest of its copies), possibly outside it."""
        x, y = mercator(position.lat, position.lon)
        return self.to_pixel(self.x + math.remainder(x - self.x, WORLD), y)

    def to_pixel(self, x: float, y: float) -> tuple[float, float]:
        """Return the pixel of Mercator metres."""
        left, _, _, top = self.box
        return (x - left) / self.resolution, (top - y) / self.resolution

    def metres_per_pixel(self, row: float) -> float:
        """Return the real metres that a pixel is wide in a row of the picture (sphere of `RADIUS`)."""
        y = self.box[3] - row * self.resolution
        return self.resolution / math.cosh(y / RADIUS)


def check_size(width: int, height: int) -> None:
    """Raise ToolError unless a picture of this size can be drawn."""
    if width not in SIZES or height not in SIZES:
        raise ToolError(
            f"the picture size {width}x{height} must be between {SIZES[0]} and {SIZES[-1]} pixels each way"
        )


def _longitude(x: float) -> float:
    return math.degrees(math.remainder(x, WORLD) / RADIUS)
