"""What a search in a region leaves out, and what it prefers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheretaken.maps.offline.region import geometry

if TYPE_CHECKING:
    from wheretaken.geo import LatLon


@dataclass(frozen=True, slots=True)
class Scope:
    """What a search leaves out, and what it prefers."""

    near: LatLon | None = None
    radius_km: float | None = None
    kinds: frozenset[str] = frozenset()
    """Empty for any; see `wheretaken.maps.kinds`."""

    def away(self, lat: float, lon: float) -> float:
        """Return how far a position is from `near`, in kilometres; 0 without one."""
        if self.near is None:
            return 0.0
        return geometry.flat_km(lat, lon, self.near.lat, self.near.lon)

    def has(self, lat: float, lon: float) -> bool:
        """Tell whether a position is within the radius."""
        return self.near is None or self.radius_km is None or self.away(lat, lon) <= self.radius_km
