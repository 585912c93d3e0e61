"""`LatLon` and geodesic distance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from pyproj import Geod


class Datum(StrEnum):
    """The coordinate systems that map services answer in."""

    WGS84 = "WGS-84"
    """GPS and OpenStreetMap; the only datum in which distances are computed."""
    GCJ02 = "GCJ-02"
    """The shifted datum that maps of mainland China must use (AMap, Google's road map there)."""
    BD09 = "BD-09"
    """Baidu's further shift of GCJ-02."""


@dataclass(frozen=True, slots=True)
class LatLon:
    """A position on Earth: degrees north, degrees east, and the datum they are given in.

    Raises:
        ValueError: a coordinate is not finite, or outside [-90, 90] x [-180, 180].
    """

    lat: float
    lon: float
    datum: Datum = Datum.WGS84

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lat) and -90 <= self.lat <= 90):
            raise ValueError(f"latitude {self.lat!r} is outside [-90, 90]")
        if not (math.isfinite(self.lon) and -180 <= self.lon <= 180):
            raise ValueError(f"longitude {self.lon!r} is outside [-180, 180]")


@cache
def _geod() -> Geod:
    from pyproj import Geod  # noqa: PLC0415 - loading PROJ takes 0.2 s, and --help must not wait for it

    return Geod(ellps="WGS84")


def distance_km(a: LatLon, b: LatLon) -> float:
    """Return the geodesic distance in kilometres on the WGS-84 ellipsoid."""
    return _geod().inv(a.lon, a.lat, b.lon, b.lat)[2] / 1000


def distances_km(
    lats1: npt.ArrayLike, lons1: npt.ArrayLike, lats2: npt.ArrayLike, lons2: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Return geodesic distances in kilometres between WGS-84 positions, broadcast together."""
    import numpy as np  # noqa: PLC0415 - 0.4 s that one-to-one users need not pay

    one, two, three, four = np.broadcast_arrays(lons1, lats1, lons2, lats2)
    return np.asarray(_geod().inv(one, two, three, four)[2], dtype=np.float64) / 1000
