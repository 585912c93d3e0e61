"""The shifted datums of mainland China: WGS-84 <-> GCJ-02 <-> BD-09.

The model: a *position* is WGS-84. Inside mainland China a map service may publish it moved by some 300 to
700 m (GCJ-02), and Baidu moves it once more (BD-09). Outside the mainland no shifted datum exists: services
publish WGS-84 there, in Hong Kong, Macau and Taiwan as well as abroad.

What "inside" means is decided by the true, WGS-84 position alone (`mainland.contains`):

* `shift` moves a WGS-84 position that is inside, and returns None for one that is outside.
* `unshift` takes numbers that a service published as GCJ-02 or BD-09. They were shifted if the position
  that the shift maps to them is inside, or if they read as inside themselves (the service draws the border
  elsewhere than our polygon). Otherwise it returns None: nothing was shifted.

Within a shift's length outside the border the same numbers can be both a shifted inside position and an
unshifted outside one, which no function of the numbers alone can tell apart. `LatLon.to` therefore keeps
the WGS-84 label on a position that has no shifted form, so that every conversion can be undone exactly, on
both sides.

Formula: the widely published approximation of GCJ-02 on the Krasovsky 1940 ellipsoid; BD-09 likewise. Both
are continuous and contract when inverted, so the inverse is a plain fixed-point iteration.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from wheretaken.geo import mainland

if TYPE_CHECKING:
    from collections.abc import Callable

    Pair = tuple[float, float]  # latitude, longitude; bare pairs do not leave this package

_KRASOVSKY_A = 6378245.0
"""Semi-major axis in metres."""
_KRASOVSKY_E2 = 0.00669342162296594323
"""First eccentricity, squared."""
_BD_PI = math.pi * 3000 / 180
_INVERSE_TOLERANCE = 1e-13
"""Degrees, about 0.01 micrometres."""
_INVERSE_STEPS = 30
_BORDER_TOLERANCE = 1e-9
"""Degrees, 0.1 mm."""


def gcj_from_wgs(lat: float, lon: float) -> Pair:
    """Return the GCJ-02 coordinates of a WGS-84 position, without asking whether it is in the mainland."""
    x, y = lon - 105, lat - 35
    root = math.sqrt(abs(x))
    ripple = 20 * math.sin(6 * math.pi * x) + 20 * math.sin(2 * math.pi * x)
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += (ripple + _waves(y, (20, 1), (40, 1 / 3), (160, 1 / 12), (320, 1 / 30))) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += (ripple + _waves(x, (20, 1), (40, 1 / 3), (150, 1 / 12), (300, 1 / 30))) * 2 / 3
    phi = math.radians(lat)
    flattening = 1 - _KRASOVSKY_E2 * math.sin(phi) ** 2
    meridian_radius = _KRASOVSKY_A * (1 - _KRASOVSKY_E2) / flattening**1.5
    parallel_radius = _KRASOVSKY_A / math.sqrt(flattening) * math.cos(phi)
    return lat + math.degrees(north / meridian_radius), lon + math.degrees(east / parallel_radius)


def bd_from_gcj(lat: float, lon: float) -> Pair:
    """Return the BD-09 coordinates of GCJ-02 ones."""
    radius = math.hypot(lon, lat) + 0.00002 * math.sin(lat * _BD_PI)
    angle = math.atan2(lat, lon) + 0.000003 * math.cos(lon * _BD_PI)
    return radius * math.sin(angle) + 0.006, radius * math.cos(angle) + 0.0065


def bd_from_wgs(lat: float, lon: float) -> Pair:
    """Return the BD-09 coordinates of a WGS-84 position, without asking whether it is in the mainland."""
    return bd_from_gcj(*gcj_from_wgs(lat, lon))


def shift(forward: Callable[[float, float], Pair], lat: float, lon: float) -> Pair | None:
    """Return a WGS-84 position as a datum publishes it, or None outside the mainland.

    Args:
        forward: `gcj_from_wgs` or `bd_from_wgs`.
        lat: degrees north.
        lon: degrees east.
    """
    return forward(lat, lon) if mainland.contains(lat, lon) else None


def unshift(forward: Callable[[float, float], Pair], lat: float, lon: float) -> Pair | None:
    """Return the WGS-84 position that is published as these coordinates, or None where nothing is shifted."""
    if not mainland.may_contain(lat, lon):
        return None
    at_lat, at_lon = lat, lon
    for _ in range(_INVERSE_STEPS):
        to_lat, to_lon = forward(at_lat, at_lon)
        miss_lat, miss_lon = lat - to_lat, lon - to_lon
        at_lat, at_lon = at_lat + miss_lat, at_lon + miss_lon
        if max(abs(miss_lat), abs(miss_lon)) < _INVERSE_TOLERANCE:
            break
    shifted = _on_mainland(at_lat, at_lon) or mainland.contains(lat, lon)
    return (at_lat, at_lon) if shifted else None


def _on_mainland(lat: float, lon: float) -> bool:
    """Like `mainland.contains`, but rounding cannot put a position on the very border outside."""
    step = _BORDER_TOLERANCE
    return mainland.contains(lat, lon) or any(
        mainland.contains(lat + north, lon + east)
        for north, east in ((step, 0.0), (-step, 0.0), (0.0, step), (0.0, -step))
    )


def _waves(degrees: float, *terms: tuple[float, float]) -> float:
    """Return the sum of `amplitude * sin(frequency * pi * degrees)`, amplitudes in metres."""
    return sum(amplitude * math.sin(frequency * math.pi * degrees) for amplitude, frequency in terms)
