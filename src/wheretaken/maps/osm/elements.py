"""What the services over OpenStreetMap have in common: ids, kinds, extents, and how they are asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field

from wheretaken.geo import LatLon, distance_km
from wheretaken.maps.offline.region import tags

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wheretaken.maps.web import Connection, Fault, Response, Service
    from wheretaken.maps.web.settings import NominatimSettings, OverpassSettings, PhotonSettings

Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Edge = Annotated[float, Field(ge=-181, le=181)]
"""Of a bounding box, degrees; the margin of a point may reach over the edge of the world."""

_ID = re.compile(r"osm:([nwr])([0-9]{1,18})")
_TYPES = {"n": "node", "w": "way", "r": "relation"}
_AREAS = {
    "country": "country", "state": "admin1", "province": "admin1", "region": "admin1",
    "city": "city", "municipality": "city", "town": "town", "village": "village",
}  # fmt: skip
"""What administrative boundaries are, in the words of `Place.kind`; all others are districts."""
_STREETS = {"road", "street"}
_EXTENTS_KM = {
    "country": 500.0, "admin1": 100.0, "city": 10.0, "town": 5.0, "village": 2.0, "district": 2.0,
    "street": 0.5,
}  # fmt: skip
_POINT_KM = 0.05
_TELLING = ("brand", "operator", "phone", "contact:phone", "website", "contact:website", "opening_hours")
_LONGEST = 100
"""Characters of a tag that are passed on."""


class Element(NamedTuple):
    """A node, way or relation."""

    type: str
    """`node`, `way` or `relation`."""
    number: int

    @classmethod
    def of(cls, place_id: str) -> Element | None:
        """Return the element of a place id such as `osm:n123`; None for other ids."""
        found = _ID.fullmatch(place_id)
        return cls(_TYPES[found[1]], int(found[2])) if found else None

    @classmethod
    def known(cls, type_: str, number: int) -> Element | None:
        """Return the element that a service names; None for what is no element, such as a postcode."""
        return cls(type_, number) if type_ in _TYPES.values() and number > 0 else None

    @property
    def place_id(self) -> str:
        """The id of its place."""
        return f"osm:{self.type[0]}{self.number}"


class Box(NamedTuple):
    """An area in degrees."""

    south: float
    west: float
    north: float
    east: float

    @classmethod
    def within_the_world(cls, south: float, west: float, north: float, east: float) -> Box:
        """Return the part of an area that is on the map: services add a margin to points at its edge."""
        return cls(max(-90.0, south), max(-180.0, west), min(90.0, north), min(180.0, east))

    @classmethod
    def around(cls, position: LatLon, degrees: float) -> Box:
        """Return the box that reaches so far in each direction, cut off at the antimeridian."""
        true = position.wgs84
        return cls.within_the_world(
            true.lat - degrees, true.lon - degrees, true.lat + degrees, true.lon + degrees
        )


def kind(key: str, value: str, rank: str) -> str:
    """Return what an element is, in the words of `Place.kind`.

    Args:
        key: Its main tag's key.
        value: Its main tag's value.
        rank: Its place in an address as the service says it: `country`, `city`, `road`, `house`, ...
    """
    if key == "boundary":
        return _AREAS.get(rank, "district")
    if rank in _STREETS:
        return "street"
    return tags.kind({key: value}) or value


def more(found: Mapping[str, str]) -> dict[str, str]:
    """Return the tags by which a place can be compared with a picture: what signs and windows tell, too."""
    return {key: found[key][:_LONGEST] for key in _TELLING if found.get(key)}


def extent_km(position: LatLon, box: Box | None, kind: str) -> float:
    """Return half the diagonal of an element's bounding box, or what is usual for its kind."""
    # A box across the antimeridian comes as one around the whole world.
    if box is None or box.east - box.west > 180:
        return _EXTENTS_KM.get(kind, _POINT_KM)
    corners = LatLon(box.south, box.west), LatLon(box.north, box.east)
    return max(_POINT_KM, *(distance_km(position, corner) for corner in corners))


def service_for(
    connection: Connection,
    name: str,
    section: NominatimSettings | PhotonSettings | OverpassSettings,
    *,
    fault: Callable[[Response], Fault | None] | None = None,
) -> Service:
    """Return the service that a section of the settings describes; a key that it may want is in the query."""
    query = {"key": section.key} if section.key else None
    return connection.service(name, section.url, section.limits, query=query, fault=fault)
