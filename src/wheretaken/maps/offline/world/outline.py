"""Which division and country a position lies in, from the polygons of the world file."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

from wheretaken.geo.latlon import LatLon, distance_km

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Rows = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]

COAST_KM = 30.0
"""How far from land a position at sea (a harbour, a coarse coastline) still counts to its country."""
_KM_PER_DEG = 110.5
_QUERY = (
    "SELECT admin1.code, admin1.country_code, admin1.geometry"
    " FROM idx_admin1_geometry AS box JOIN admin1 ON admin1.id = box.pkid"
    " WHERE xmax >= ? AND xmin <= ? AND ymax >= ? AND ymin <= ?"
)


class Outlines:
    """Point-in-polygon and nearest-polygon queries on the `admin1` table."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def at(self, position: LatLon) -> tuple[str, str]:
        """Return the codes of the division and the country at or within 30 km of a position, else ""s."""
        import shapely  # noqa: PLC0415 - a name search needs no geometry library

        point = shapely.Point(position.lon, position.lat)
        for code, country, geometry in self._rows(_QUERY, _values(position.lon, position.lat)):
            if shapely.from_wkb(cast("bytes", geometry)).intersects(point):
                return code, country
        best = (COAST_KM, "", "")
        for west, south, east, north in self.boxes(position, COAST_KM / _KM_PER_DEG):
            for code, country, geometry in self._rows(_QUERY, (west, east, south, north)):
                best = min(best, (_distance_km(position, geometry, (west + east) / 2), code, country))
        return best[1], best[2]

    @staticmethod
    def boxes(position: LatLon, half: float) -> Iterator[tuple[float, float, float, float]]:
        """Yield the box (west, south, east, north) around a position, again 360° away where it wraps.

        Args:
            position: its centre.
            half: half its height in degrees; its width is the same in kilometres.
        """
        wide = min(180.0, half / max(0.01, math.cos(math.radians(position.lat))))
        south, north = position.lat - half, position.lat + half
        for turn in (0, -360, 360):
            west, east = position.lon - wide + turn, position.lon + wide + turn
            if east >= -180 and west <= 180:
                yield west, south, east, north


def _values(lon: float, lat: float) -> tuple[float, float, float, float]:
    return lon, lon, lat, lat


def _distance_km(position: LatLon, geometry: bytes, lon: float) -> float:
    """Return the distance to the closest point of a polygon, seen from `lon` (the position's, turned)."""
    import shapely  # noqa: PLC0415 - as above
    from shapely.ops import nearest_points  # noqa: PLC0415 - as above

    shrink = math.cos(math.radians(position.lat))
    outline = shapely.transform(shapely.from_wkb(geometry), lambda points: points * [shrink, 1.0])
    closest = nearest_points(outline, shapely.Point(lon * shrink, position.lat))[0]
    found_lon = max(-180.0, min(180.0, closest.x / max(shrink, 1e-9)))
    turned = LatLon(position.lat, (lon + 180) % 360 - 180)
    return distance_km(turned, LatLon(closest.y, found_lon))
