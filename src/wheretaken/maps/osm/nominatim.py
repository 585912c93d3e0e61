"""Nominatim: geocoding of OpenStreetMap (https://nominatim.org/release-docs/latest/api/Overview/).

The public server is for moderate use: one request a second for a whole application, a User-Agent that says
who asks, no completion of what is being typed (https://operations.osmfoundation.org/policies/nominatim/).
The limits are those of the settings, and the public server is refused with wider ones. Names are asked for
in all languages: `Place.name` is the one on signs, divisions and countries are in English.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import urlsplit

from pydantic import BaseModel, TypeAdapter

from wheretaken.errors import UserError
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
    more,
    service_for,
)
from wheretaken.maps.web import Fault, FaultKind
from wheretaken.maps.web.shapes import read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheretaken.maps.web import Connection, Response, Service

_PUBLIC = "nominatim.openstreetmap.org"
_ALWAYS = {
    "format": "jsonv2",
    "addressdetails": 1,
    "namedetails": 1,
    "extratags": 1,
    "accept-language": "en",
}
_MOST = 40
"""Results that a search returns at most."""
_NEAR_DEGREES = 0.3
"""How far from `near` places are preferred; those farther away still come, later."""
_DIGITS = 10
"""Of a number of people; a mapper can write anything."""
_SETTLEMENTS = ("city", "town", "village", "municipality", "hamlet")
_DIVISIONS = ("state", "province", "region")


class _Found(BaseModel):
    """One place in `jsonv2`; what else is there is ignored."""

    osm_type: str = ""
    osm_id: int = 0
    place_id: int = 0
    lat: Latitude
    lon: Longitude
    category: str
    type: str
    addresstype: str = ""
    display_name: str
    address: dict[str, str] = {}
    namedetails: dict[str, str] | None = None
    extratags: dict[str, str] | None = None
    boundingbox: tuple[Edge, Edge, Edge, Edge] | None = None
    """South, north, west, east."""

    def place(self, query: str = "") -> Place:
        names = self.namedetails or {}
        position = LatLon(self.lat, self.lon)
        line, title = self._address_line(), tags.title(names)
        what = kind(self.category, self.type, self.addresstype) if title or not line else "address"
        element = Element.known(self.osm_type, self.osm_id)
        south, north, west, east = self.boundingbox or (0.0, 0.0, 0.0, 0.0)
        box = Box.within_the_world(south, west, north, east) if self.boundingbox else None
        name = title or line or self.display_name.partition(",")[0]
        spelled = [name, *(spelling.text for spelling in tags.names(names)), line]
        extra = self.extratags or {}
        population = extra.get("population", "")
        return Place(
            id=element.place_id if element else f"nominatim:{self.place_id}",
            name=name,
            kind=what,
            lat=self.lat,
            lon=self.lon,
            country_code=self.address.get("country_code", "").upper(),
            country=self.address.get("country", ""),
            admin1="" if what in {"country", "admin1"} else _first(self.address, _DIVISIONS),
            city="" if what in {"country", "admin1", *_SETTLEMENTS} else _first(self.address, _SETTLEMENTS),
            address=line,
            english=tags.english(names),
            population=int(population) if population.isdecimal() and len(population) <= _DIGITS else 0,
            extent_km=extent_km(position, box, what),
            match=best_match(query, spelled) if query else None,
            source=ATTRIBUTION,
            more=more(extra),
        )

    def _address_line(self) -> str:
        parts = {"addr:street": self.address.get("road", "")}
        number = self.address.get("house_number", "")
        return tags.address({**parts, "addr:housenumber": number}).line().strip() if number else ""


_LIST: TypeAdapter[list[_Found]] = TypeAdapter(list[_Found])
_ONE: TypeAdapter[_Found] = TypeAdapter(_Found)


class Nominatim(MapProvider):
    """Searches and reverse geocodes with a Nominatim server."""

    name = "nominatim"
    id_sources = ("osm",)

    def __init__(self, service: Service) -> None:
        """Ask this service, whose base URL is that of the API."""
        self.services = (service,)
        self._service = service

    @classmethod
    def connected(cls, connection: Connection) -> Self:
        """Make the provider from the section of its name.

        Raises:
            UserError: the limits are wider than the public server's policy.
        """
        section = connection.settings.nominatim
        limits = section.limits
        widest = max(limits.per_second, limits.burst, limits.concurrency)
        if urlsplit(section.url).hostname == _PUBLIC and widest > 1:
            raise UserError(
                f"{_PUBLIC} allows one request a second: leave per_second, burst and concurrency in "
                "maps.nominatim.limits at 1, or set maps.nominatim.url to a server of your own"
            )
        return cls(service_for(connection, cls.name, section, fault=_fault))

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
        """Return the places that `query` may name, in Nominatim's order; raises as the base class says."""
        query = query.strip() or kind
        if not query:
            raise self._unsupported("list the largest places of a country")
        most = filters.asked(limit, _MOST, radius_km=radius_km, kind=kind)
        params: dict[str, str | int | float] = {**_ALWAYS, "q": query, "limit": most}
        if country_code:
            params["countrycodes"] = country_code.lower()
        if near is not None:
            box = Box.around(near, _NEAR_DEGREES)
            params["viewbox"] = f"{box.west:.5f},{box.north:.5f},{box.east:.5f},{box.south:.5f}"
        found = read(self.name, _LIST, await self._service.json("/search", params=params))
        places = [one.place(query) for one in found]
        places = filters.kept(places, near=near, radius_km=radius_km, kind=kind)[:limit]
        return [with_distance(place, near) for place in places] if near else places

    async def details(self, place_id: str) -> Place | None:
        """Return the place of an id such as `osm:n123`, or None."""
        element = Element.of(place_id)
        if element is None:
            return None
        params = {**_ALWAYS, "osm_ids": f"{element.type[0].upper()}{element.number}"}
        found = read(self.name, _LIST, await self._service.json("/lookup", params=params))
        return found[0].place() if found else None

    async def reverse(self, position: LatLon, *, limit: int = 5) -> Sequence[Place]:
        """Return the closest address or POI with all divisions that it is in; nothing at sea."""
        true = position.wgs84
        params = {**_ALWAYS, "lat": f"{true.lat:.6f}", "lon": f"{true.lon:.6f}", "zoom": 18}
        answer = await self._service.json("/reverse", params=params)
        # At sea there is nothing to geocode, which comes with status 200.
        if limit < 1 or (isinstance(answer, dict) and "error" in cast("dict[str, Any]", answer)):
            return []
        return [with_distance(read(self.name, _ONE, answer).place(), true)]


def _fault(response: Response) -> Fault | None:
    """Read errors as Nominatim sends them: `{"error": {"code": 400, "message": ...}}`, 403 by policy."""
    if response.status == 403:
        return Fault(FaultKind.ACCESS, "refuses this application; set maps.contact and read its usage policy")
    if response.status in {400, 414}:
        return Fault(FaultKind.ARGUMENT, _message(response.json) or "cannot read the query; shorten it")
    return None


def _message(answer: Any) -> str:
    error = cast("dict[str, Any]", answer).get("error") if isinstance(answer, dict) else None
    message = cast("dict[str, Any]", error).get("message") if isinstance(error, dict) else error
    return message if isinstance(message, str) else ""


def _first(values: Mapping[str, str], keys: Sequence[str]) -> str:
    return next((values[key] for key in keys if values.get(key)), "")
