"""What a search leaves out: one filter for every provider whose service cannot do it by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken.geo import LatLon, distance_km
from wheretaken.maps import kinds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheretaken.maps.base import Place


def kept(
    places: Iterable[Place], *, near: LatLon | None = None, radius_km: float | None = None, kind: str = ""
) -> list[Place]:
    """Return the places within a radius of a position and of a kind, in their order.

    Args:
        places: What was found.
        near: The middle; without it the radius says nothing.
        radius_km: Great-circle kilometres; None for any distance.
        kind: As `MapProvider.search` takes it; empty for any.
    """
    wanted = kinds.kinds_of(kind)
    found = [place for place in places if not wanted or kinds.is_of(place.kind, wanted)]
    if near is None or radius_km is None:
        return found
    middle = near.wgs84
    return [one for one in found if distance_km(LatLon(one.lat, one.lon), middle) <= radius_km]


def asked(limit: int, most: int, *, radius_km: float | None, kind: str) -> int:
    """Return how many results to ask a service for that gives `most` at once: all where some will go."""
    return most if kind or radius_km is not None else min(limit, most)
