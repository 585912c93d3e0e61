"""Whether a WGS-84 position is in mainland China, from a polygon that ships with the package.

The polygon is the land of mainland China and the water along it (bridges, quays and reclaimed land
count), up to the border on land and a roughly drawn line at sea. Hong Kong, Macau,
Taiwan with Kinmen and Matsu, and all neighbours are outside. `scripts/build_mainland.py` makes it and says
from what.
"""

from __future__ import annotations

import itertools
import json
from functools import cache
from importlib.resources import files
from typing import NamedTuple, cast

_BAND_DEGREES = 0.25
"""Height of the latitude bands that edges are filed under: some 20 edges each instead of thousands."""
_NEAR_DEGREES = 0.05
"""More than GCJ-02 and BD-09 together ever move a position (about 2 km)."""


class _Polygon(NamedTuple):
    south: float
    west: float
    north: float
    east: float
    bands: dict[int, list[tuple[float, float, float, float]]]
    """Edges `(lat1, lon1, lat2, lon2)` by the latitude bands that they touch."""


def contains(lat: float, lon: float) -> bool:
    """Return whether a WGS-84 position, in degrees, is in mainland China (even-odd rule)."""
    polygon = _polygon()
    if not (polygon.south <= lat <= polygon.north and polygon.west <= lon <= polygon.east):
        return False
    inside = False
    for lat1, lon1, lat2, lon2 in polygon.bands.get(int(lat // _BAND_DEGREES), ()):
        if (lat1 > lat) != (lat2 > lat) and lon < lon1 + (lat - lat1) / (lat2 - lat1) * (lon2 - lon1):
            inside = not inside
    return inside


def may_contain(lat: float, lon: float) -> bool:
    """Return False where even the shifted coordinates of a mainland position cannot be (a cheap box)."""
    polygon = _polygon()
    return (
        polygon.south - _NEAR_DEGREES <= lat <= polygon.north + _NEAR_DEGREES
        and polygon.west - _NEAR_DEGREES <= lon <= polygon.east + _NEAR_DEGREES
    )


def rings() -> list[list[tuple[float, float]]]:
    """Return the polygon's rings as `(lat, lon)` in degrees, closed; holes are rings as well (even-odd)."""
    raw = files("wheretaken.geo").joinpath("mainland.json").read_text("utf-8")
    data = cast("dict[str, object]", json.loads(raw))
    unit = 1 / cast("int", data["units_per_degree"])
    result: list[list[tuple[float, float]]] = []
    for deltas in cast("list[list[int]]", data["rings"]):
        lat = lon = 0
        ring: list[tuple[float, float]] = []
        for north, east in zip(deltas[::2], deltas[1::2], strict=True):
            lat, lon = lat + north, lon + east
            ring.append((lat * unit, lon * unit))
        result.append(ring)
    return result


@cache
def _polygon() -> _Polygon:
    bands: dict[int, list[tuple[float, float, float, float]]] = {}
    points: list[tuple[float, float]] = []
    for ring in rings():
        points += ring
        for (lat1, lon1), (lat2, lon2) in itertools.pairwise(ring):
            low, high = sorted((lat1, lat2))
            for band in range(int(low // _BAND_DEGREES), int(high // _BAND_DEGREES) + 1):
                bands.setdefault(band, []).append((lat1, lon1, lat2, lon2))
    lats, lons = [lat for lat, _ in points], [lon for _, lon in points]
    return _Polygon(min(lats), min(lons), max(lats), max(lons), bands)
