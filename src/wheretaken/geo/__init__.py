"""Coordinates that know their datum, and distances between them.

Inside wheretaken a position is a `LatLon`, never a bare tuple. Providers convert at their edge; distances are
geodesics on the WGS-84 ellipsoid. `lon, lat` order exists only inside adapters.
"""

from wheretaken.geo.latlon import (
    Datum,
    LatLon,
    destination,
    destinations,
    distance_km,
    distances_km,
    rounded_up_km,
)

__all__ = ["Datum", "LatLon", "destination", "destinations", "distance_km", "distances_km", "rounded_up_km"]
