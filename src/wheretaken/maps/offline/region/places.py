"""Things of a region file as the places that a search answers with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken.maps.base import Match, Place
from wheretaken.maps.offline.region import schema
from wheretaken.maps.offline.region import tags as tagging

if TYPE_CHECKING:
    from wheretaken.maps.offline.region.geometry import Spot
    from wheretaken.maps.offline.region.table import Thing

ADDRESS_KM = 0.03
"""How far from its position something at an address may be."""


def line(thing: Thing) -> str:
    """Return street and number, "" when either is unknown."""
    if not (thing.house_number and thing.street):
        return ""
    return tagging.Address(thing.street, thing.house_number, thing.city, thing.country_code).line()


def seen(thing: Thing, spot: Spot) -> dict[str, object]:
    """Return what changes with the point of view: a street is where it is nearest, other things stay."""
    if thing.kind == "street":
        return {"distance_km": spot.extent_km, "lat": spot.lat, "lon": spot.lon}
    return {"distance_km": spot.extent_km}


def door(thing: Thing, met: Match | None = None, extent_km: float = ADDRESS_KM) -> Place:
    """Return an address as a place of its own, whatever is behind the door."""
    update = {"kind": "address", "name": line(thing), "english": "", "extent_km": extent_km}
    return place(thing, met).model_copy(update=update)


def place(thing: Thing, met: Match | None = None) -> Place:
    """Return a thing as a place."""
    return Place(
        id=schema.place_id(thing.osm_id),
        name=thing.name,
        kind=thing.kind,
        lat=thing.lat,
        lon=thing.lon,
        country_code=thing.country_code,
        city=thing.city,
        address=line(thing),
        english=thing.english,
        extent_km=thing.extent_km,
        match=met,
        source=schema.source_of(thing.osm_id),
    )


def telling(one: Place) -> float:
    """Return the sort key of things around a point: a park around it says less than a shop beside it."""
    return (one.distance_km or 0.0) + one.extent_km / 5
