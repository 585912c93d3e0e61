"""Where distance circles meet: candidates from direction signs.

A sign that says "A 56 km, B 205 km" stands where roads to A and B have these lengths. Points on the circles
around every place that a name may mean are tried, and those where other circles pass are kept; one circle
alone gives points all around.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from wheretaken.geo import LatLon, destinations, distance_km, distances_km
from wheretaken.maps import Place
from wheretaken.models.reader.belief import ROAD_FACTOR, Candidate, Found

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from wheretaken.models.reader.signs import Text

    Floats = npt.NDArray[np.float64]

BEARINGS = 36
RATIOS = (1.08, 1.2, ROAD_FACTOR, 1.36, 1.5)
"""Road distance over straight line, from a motorway to a mountain road."""
MOST_PLACES = 4
"""Places that are considered for one name."""
KEPT = 400
"""Points that fit best."""
MISFIT = 0.25
"""How far, as a share of the straight distance, a point may be off the other circle."""


def candidates(found: Mapping[Text, Sequence[Found]]) -> list[Candidate]:
    """Return points on distance circles, those that fit two circles when there are such."""
    signs = [
        (km, hit.place, *_ring(hit.place, km))
        for text, hits in found.items()
        if (km := text.distance_km)
        for hit in sorted(hits, key=lambda h: -h.weight)[:MOST_PLACES]
    ]
    crossing: list[tuple[float, Candidate]] = []
    for (km_a, a, lats, lons), (km_b, b, _, _) in itertools.permutations(signs, 2):
        if a.id != b.id and _may_meet(a, km_a, b, km_b):
            crossing += _crossings(a, km_a, lats, lons, b, km_b)
    if crossing:
        crossing.sort(key=lambda pair: pair[0])
        return [candidate for _, candidate in crossing[:KEPT]]
    return [
        _candidate(float(lat), float(lon), place, max(km, 5.0) / 6)
        for km, place, lats, lons in signs[:2]
        for lat, lon in zip(lats, lons, strict=True)
    ]


def _may_meet(a: Place, km_a: float, b: Place, km_b: float) -> bool:
    """A road to A and a road to B from one point are together at least as long as the way from A to B."""
    apart = distance_km(LatLon(a.lat, a.lon), LatLon(b.lat, b.lon))
    return abs(km_a - km_b) / 1.5 <= apart <= (km_a + km_b) * 1.05 and apart > 1.0


def _ring(place: Place, km: float) -> tuple[Floats, Floats]:
    """Points at the straight distances that a road of this length may span, shape (n,) each."""
    import numpy as np  # noqa: PLC0415 - signs without distances need no arrays

    ratios, bearings = np.meshgrid(np.array(RATIOS), np.arange(BEARINGS) * 360.0 / BEARINGS)
    return destinations(LatLon(place.lat, place.lon), bearings.ravel(), km / ratios.ravel())


def _crossings(
    a: Place, km_a: float, lats: Floats, lons: Floats, b: Place, km_b: float
) -> list[tuple[float, Candidate]]:
    """Points around A whose distance to B fits as well, with their misfit."""
    import numpy as np  # noqa: PLC0415 - as above

    straight = np.maximum(distances_km(lats, lons, b.lat, b.lon), 0.1)
    misfit = np.abs(km_b / straight / ROAD_FACTOR - 1)
    return [
        (float(misfit[n]), _candidate(float(lats[n]), float(lons[n]), a, max(km_a, 5.0) / 10))
        for n in np.flatnonzero(misfit < MISFIT)
    ]


def _candidate(lat: float, lon: float, named: Place, spread_km: float) -> Candidate:
    """A point on the road to a place; nobody lives there, so that towns nearby stay more probable."""
    place = Place(
        id=f"circle:{lat:.4f},{lon:.4f}",
        name=f"on the way to {named.english or named.name}",
        kind="point",
        lat=lat,
        lon=lon,
        country_code=named.country_code,
        country=named.country,
        population=3_000,
    )
    return Candidate(place, spread_km)
