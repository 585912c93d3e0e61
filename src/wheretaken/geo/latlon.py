"""`LatLon`, and geodesics between positions."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Protocol, cast

from wheretaken.geo import datum as shifts

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


_FORWARD = {Datum.GCJ02: shifts.gcj_from_wgs, Datum.BD09: shifts.bd_from_wgs}
_PAIR = re.compile(r"\s*([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)\s*[,;\s]\s*([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)\s*")


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

    @classmethod
    def parse(cls, text: str) -> LatLon:
        """Read `"lat,lon"` in WGS-84 degrees, as it is written on a command line.

        Raises:
            ValueError: the text is something else, or out of range; the message says what is expected.
        """
        match = _PAIR.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a position: write LAT,LON in degrees, such as 48.8584,2.2945")
        return cls(float(match[1]), float(match[2]))

    def to(self, datum: Datum) -> LatLon:
        """Return the same place in another datum.

        Outside mainland China GCJ-02 and BD-09 do not exist and services publish WGS-84: there the result
        has the coordinates unchanged and the label WGS-84 (`wheretaken.geo.datum` says why). A position
        that already is in `datum` is returned as it is. `p.to(a).to(b)` names the same place as `p.to(b)`,
        to less than 1 cm.
        """
        if datum is self.datum:
            return self
        if self.datum is not Datum.WGS84:
            found = shifts.unshift(_FORWARD[self.datum], self.lat, self.lon)
            true = LatLon(*(found or (self.lat, self.lon)))
            return true.to(datum)
        moved = shifts.shift(_FORWARD[datum], self.lat, self.lon)
        return LatLon(*moved, datum) if moved else self

    @property
    def wgs84(self) -> LatLon:
        """The same place in WGS-84."""
        return self.to(Datum.WGS84)


class _Geodesic(Protocol):
    """What we use of `geographiclib.geodesic.Geodesic`, which has no types: degrees and metres."""

    def Inverse(self, lat1: float, lon1: float, lat2: float, lon2: float) -> dict[str, float]: ...  # noqa: N802 - its name

    def Direct(self, lat1: float, lon1: float, azi1: float, s12: float) -> dict[str, float]: ...  # noqa: N802 - its name


@cache
def _geodesic() -> _Geodesic:
    # Pure Python, ready in a tenth of the time that PROJ needs to load: better for single distances.
    from geographiclib import geodesic  # noqa: PLC0415 - --help must not wait for it

    return cast("_Geodesic", geodesic.Geodesic.WGS84)  # pyright: ignore[reportUnknownMemberType] - no types


@cache
def _geod() -> Geod:
    from pyproj import Geod  # noqa: PLC0415 - loading it takes longer than one distance is worth

    return Geod(ellps="WGS84")


def distance_km(a: LatLon, b: LatLon) -> float:
    """Return the geodesic distance in kilometres on the WGS-84 ellipsoid; any datum is converted first."""
    one, two = a.wgs84, b.wgs84
    return _geodesic().Inverse(one.lat, one.lon, two.lat, two.lon)["s12"] / 1000


def distances_km(
    lats1: npt.ArrayLike, lons1: npt.ArrayLike, lats2: npt.ArrayLike, lons2: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Return geodesic distances in kilometres between WGS-84 positions in degrees, broadcast together."""
    import numpy as np  # noqa: PLC0415 - 0.4 s that one-to-one users need not pay

    one, two, three, four = np.broadcast_arrays(lons1, lats1, lons2, lats2)
    return np.asarray(_geod().inv(one, two, three, four)[2], dtype=np.float64) / 1000


def destination(start: LatLon, bearing_deg: float, km: float) -> LatLon:
    """Return the WGS-84 position reached by a geodesic from `start`.

    Args:
        start: any datum.
        bearing_deg: azimuth at the start, degrees clockwise from north.
        km: length in kilometres; a negative one goes backwards.
    """
    true = start.wgs84
    end = _geodesic().Direct(true.lat, true.lon, bearing_deg, km * 1000)
    return LatLon(end["lat2"], end["lon2"])


def destinations(
    start: LatLon, bearings_deg: npt.ArrayLike, km: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return latitudes and longitudes (WGS-84) reached from one start; bearings and lengths are broadcast."""
    import numpy as np  # noqa: PLC0415 - one-to-one users need not pay for it

    true = start.wgs84
    bearings, lengths = np.broadcast_arrays(np.asarray(bearings_deg, float), np.asarray(km, float))
    lons, lats, _ = _geod().fwd(
        np.full(bearings.shape, true.lon), np.full(bearings.shape, true.lat), bearings, lengths * 1000
    )
    return np.asarray(lats, dtype=np.float64), np.asarray(lons, dtype=np.float64)


def rounded_up_km(km: float) -> float:
    """Round a radius up to two digits, as people are told it: more would pretend."""
    digits = 1 - math.floor(math.log10(max(km, 0.01)))
    return math.ceil(km * 10**digits - 1e-9) / 10**digits
