"""Photon: search as you type in OpenStreetMap (https://github.com/komoot/photon/blob/master/docs/api-v1.md).

Photon tells one name of a place, in one language. It is asked for none, and so tells the local one, which is
what stands on signs; that of the division is then local as well, and the country is known by its code only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import BaseModel, TypeAdapter

from wheretaken.geo import LatLon
from wheretaken.maps import filters
from wheretaken.maps.base import MapProvider, Place
from wheretaken.maps.matching import best_match
from wheretaken.maps.offline.ranking import with_distance
from wheretaken.maps.offline.region import tags
from wheretaken.maps.offline.region.schema import ATTRIBUTION
from wheretaken.maps.osm.elements import (
    Box,
    Edge,
    Element,
    Latitude,
    Longitude,
    extent_km,
    kind,
    service_for,
)
from wheretaken.maps.web.shapes import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.maps.web import Connection, Service

_TYPES = {"N": "node", "W": "way", "R": "relation"}
_RADIUS_KM = 1
"""How far a reverse query looks."""
_MOST = 40
"""Results that are asked for where some of them will be left out."""
_SETTLEMENTS = {"city", "town", "village"}


class _Properties(BaseModel):
    osm_type: Literal["N", "W", "R"]
    osm_id: int
    osm_key: str
    osm_value: str
    type: str = ""
    name: str = ""
    housenumber: str = ""
    street: str = ""
    city: str = ""
    state: str = ""
    countrycode: str = ""
    extent: tuple[Edge, Edge, Edge, Edge] | None = None
    """West, north, east, south."""


class _Point(BaseModel):
    coordinates: tuple[Longitude, Latitude]


class _Feature(BaseModel):
    geometry: _Point
    properties: _Properties

    def place(self, query: str = "") -> Place:
        about = self.properties
        lon, lat = self.geometry.coordinates
        line = (
            tags.address({"addr:street": about.street, "addr:housenumber": about.housenumber}).line().strip()
        )
        west, north, east, south = about.extent or (0.0, 0.0, 0.0, 0.0)
        box = Box.within_the_world(south, west, north, east) if about.extent else None
        address = line if about.housenumber else ""
        named = about.name or not address
        what = kind(about.osm_key, about.osm_value, about.type) if named else "address"
        name = about.name or line
        return Place(
            id=Element(_TYPES[about.osm_type], about.osm_id).place_id,
            name=name,
            kind=what,
            lat=lat,
            lon=lon,
            country_code=about.countrycode.upper(),
            admin1="" if what in {"country", "admin1"} else about.state,
            city="" if what in {"country", "admin1", *_SETTLEMENTS} else about.city,
            address=address,
            extent_km=extent_km(LatLon(lat, lon), box, what),
            match=best_match(query, [name, address]) if query else None,
            source=ATTRIBUTION,
        )


class _Collection(BaseModel):
    features: list[_Feature]


_COLLECTION: TypeAdapter[_Collection] = TypeAdapter(_Collection)


class Photon(MapProvider):
    """Searches, completes and reverse geocodes with a Photon server."""

    name = "photon"

    def __init__(self, service: Service) -> None:
        """Ask this service, whose base URL is that of the server."""
        self.services = (service,)
        self._service = service

    @classmethod
    def connected(cls, connection: Connection) -> Self:
        """Make the provider from the section of its name."""
        return cls(service_for(connection, cls.name, connection.settings.photon))

    async def search(
        self,
        query: str,
        *,
        near: LatLon | None = None,
        radius_km: float | None = None,
        kind: str = "",
        country_code: str = "",
        limit: int = 10,
    ) -> Sequence[Place]:
        """Return the places that `query` may name, in Photon's order; raises as the base class says."""
        query = query.strip() or kind
        if not query:
            raise self._unsupported("list the largest places of a country")
        most = filters.asked(limit, max(limit, _MOST), radius_km=radius_km, kind=kind)
        params: dict[str, str | int] = {"q": query, "limit": most}
        if country_code:
            params["countrycode"] = country_code.upper()
        if near is not None:
            params |= _position(near)
        found = await self._features("/api", params)
        places = [feature.place(query) for feature in found]
        # Servers before version 1.0 ignore the country.
        places = [place for place in places if country_code.upper() in {"", place.country_code}]
        places = filters.kept(places, near=near, radius_km=radius_km, kind=kind)[:limit]
        return [with_distance(place, near) for place in places] if near else places

    async def suggest(self, query: str, *, near: LatLon | None = None, limit: int = 10) -> Sequence[Place]:
        """Return places whose names complete what was typed so far; Photon's search does that by itself."""
        return await self.search(query, near=near, limit=limit) if query.strip() else []

    async def reverse(self, position: LatLon, *, limit: int = 5) -> Sequence[Place]:
        """Return the addresses, streets and POIs around a position, the closest first."""
        params = {**_position(position), "limit": limit, "radius": _RADIUS_KM}
        return [
            with_distance(feature.place(), position) for feature in await self._features("/reverse", params)
        ]

    async def _features(self, path: str, params: dict[str, str | int]) -> list[_Feature]:
        return read(self.name, _COLLECTION, await self._service.json(path, params=params)).features


def _position(position: LatLon) -> dict[str, str | int]:
    true = position.wgs84
    return {"lat": f"{true.lat:.6f}", "lon": f"{true.lon:.6f}"}
