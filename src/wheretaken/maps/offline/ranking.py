"""One order for results of every offline source: how the name was met, how well, how near, how important.

An exact name comes before every inexact one, whatever has it. Inexact ones are compared by how much they
explain: a misspelled name that is the whole query says more than a city that is one word of five.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from wheretaken.geo import LatLon, distance_km
from wheretaken.maps.base import MatchKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheretaken.maps.base import Place

_WORTH = {
    MatchKind.EXACT: 2.0,
    MatchKind.STRIPPED: 1.1,
    MatchKind.PARTIAL: 1.0,
    MatchKind.PREFIX: 0.95,
    MatchKind.FUZZY: 0.9,
    MatchKind.KIND: 1.05,
}
"""What a similarity of one is worth, by kind; an exact match can't be reached by the others."""
_KM_PER_DEGREE = 111.2
_SAME_KM = 0.2
"""Two things of one name and kind this close are one to a user: the platforms of a stop."""


def worth(kind: MatchKind, similarity: float) -> float:
    """Return what a match says for a place, 0 to 2."""
    return _WORTH[kind] if kind is MatchKind.EXACT else round(_WORTH[kind] * similarity, 2)


def order(place: Place) -> tuple[float, ...]:
    """Return the sort key of a result, smallest first; `distance_km` counts when the query had a `near`.

    Similarity and nearness are rounded, so that a hair of either does not outweigh a million people.
    """
    met = place.match
    score = worth(met.kind, met.similarity) if met else 0.0
    near = 0.0 if place.distance_km is None else round(math.log10(1 + place.distance_km), 1)
    if met and met.kind is MatchKind.KIND and place.distance_km is not None:
        near = place.distance_km  # among things of one kind nothing else tells which is meant
    by_other_name = met is not None and met.alias not in {place.name, place.english}
    return (-score, near, -place.population, by_other_name, -place.extent_km)


def with_distance(place: Place, near: LatLon) -> Place:
    """Return the place with its geodesic distance from a position."""
    return place.model_copy(update={"distance_km": distance_km(LatLon(place.lat, place.lon), near)})


def best(places: Iterable[Place], limit: int) -> list[Place]:
    """Return the first places in order, leaving out those that a user cannot tell from one already there."""
    kept: list[Place] = []
    for place in sorted(places, key=order):
        if len(kept) >= limit:
            break
        if not any(_twins(place, other) for other in kept):
            kept.append(place)
    return kept


def _twins(one: Place, other: Place) -> bool:
    if (one.name, one.kind) != (other.name, other.kind):
        return False
    # At this distance the Earth is flat and round enough, and a geodesic would cost more than the search.
    north = (one.lat - other.lat) * _KM_PER_DEGREE
    east = (one.lon - other.lon) * _KM_PER_DEGREE * math.cos(math.radians(one.lat))
    return math.hypot(north, east) < _SAME_KM
