"""Where distance circles meet: candidates from direction signs.

A sign that says "A 56 km, B 205 km" stands where roads to A and B have these lengths. Points on the circles
around every place that a name may mean are tried, and those where other circles pass are kept; one circle
alone gives points all around.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from wheretaken.geo import LatLon, destination, distance_km
from wheretaken.maps import Place
from wheretaken.models.reader.belief import ROAD_FACTOR, Candidate, Found

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheretaken.models.reader.signs import Text

BEARINGS = 36
RATIOS = (1.08, 1.2, ROAD_FACTOR, 1.36, 1.5)
"""Road distance over straight line, from a motorway to a mountain road."""
MOST_PLACES = 4
"""Places that are considered for one name."""
KEPT = 120
MISFIT = 0.25
"""How far, as a share of the straight distance, a point may be off the other circle."""


def candidates(found: Mapping[Text, Sequence[Found]]) -> list[Candidate]:
    """Return points on distance circles, those that fit two circles when there are such."""
    signs = [
        (text.distance_km, sorted(hits, key=lambda h: -h.weight)[:MOST_PLACES])
        for text, hits in found.items()
        if text.distance_km
    ]
    crossing: list[Candidate] = []
    for (km_a, hits_a), (km_b, hits_b) in itertools.permutations(signs, 2):
        for a, b in itertools.product(hits_a, hits_b):
            if a.place.id != b.place.id and _may_meet(a.place, km_a, b.place, km_b):
                crossing += _crossings(a.place, km_a, b.place, km_b)
    if crossing:
        return crossing[: KEPT * 4]
    alone = [c for km, hits in signs for hit in hits[:1] for c in _around(hit.place, km)]
    return alone[:KEPT]


def _may_meet(a: Place, km_a: float, b: Place, km_b: float) -> bool:
    """A road to A and a road to B from one point are together at least as long as the way from A to B."""
    apart = distance_km(LatLon(a.lat, a.lon), LatLon(b.lat, b.lon))
    return abs(km_a - km_b) / 1.5 <= apart <= (km_a + km_b) * 1.05 and apart > 1.0


def _crossings(a: Place, km_a: float, b: Place, km_b: float) -> list[Candidate]:
    """Points around A whose distance to B fits as well, the best first."""
    target = LatLon(b.lat, b.lon)
    scored: list[tuple[float, Candidate]] = []
    for point in _ring_points(a, km_a):
        straight = max(distance_km(point, target), 0.1)
        misfit = abs(km_b / straight / ROAD_FACTOR - 1)
        if misfit < MISFIT:
            scored.append((misfit, _candidate(point, a, max(km_a, 5.0) / 10)))
    scored.sort(key=lambda pair: pair[0])
    return [candidate for _, candidate in scored[:KEPT]]


def _around(place: Place, km: float) -> list[Candidate]:
    return [_candidate(point, place, max(km, 5.0) / 6) for point in _ring_points(place, km)]


def _ring_points(place: Place, km: float) -> list[LatLon]:
    centre = LatLon(place.lat, place.lon)
    steps = itertools.product(RATIOS, range(BEARINGS))
    return [destination(centre, 360 * n / BEARINGS, km / ratio) for ratio, n in steps]


def _candidate(point: LatLon, named: Place, spread_km: float) -> Candidate:
    """A point on the road to a place; nobody lives there, so that towns nearby stay more probable."""
    place = Place(
        id=f"circle:{point.lat:.4f},{point.lon:.4f}",
        name=f"on the way to {named.name}",
        kind="point",
        lat=point.lat,
        lon=point.lon,
        country_code=named.country_code,
        country=named.country,
        population=3_000,
    )
    return Candidate(place, spread_km)
