"""AMap's replies as places, and positions as it writes them.

A field without a value is an empty list (`"address": []`), never null and seldom left out; a position is
`"116.310905,39.992806"`, longitude first, GCJ-02 in the mainland. Shapes:
https://lbs.amap.com/api/webservice/guide/api-advanced/newpoisearch (v5),
https://lbs.amap.com/api/webservice/guide/api/georegeo, .../api-advanced/inputtips (v3).
What has no name or no position is left out: nothing can be looked at there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypedDict, cast

from wheretaken.geo import Datum, LatLon, distance_km
from wheretaken.maps.amap.kinds import ADMIN1, EXTENTS_KM, LEVELS, kind_of
from wheretaken.maps.base import Place
from wheretaken.maps.matching import best_match

if TYPE_CHECKING:
    from collections.abc import Mapping

    Record = Mapping[str, Any]

SOURCE = "AMap (高德地图)"
PREFIX = "amap:"
COUNTRIES = {"CN": "China", "HK": "Hong Kong", "MO": "Macao", "TW": "Taiwan"}
_SPECIAL = {"71": "TW", "81": "HK", "82": "MO"}
"""First digits of an adcode (GB/T 2260) of what has a country code of its own."""
_EXTENT_KM = 0.1
"""Of a POI: its pin is on the building or the gate."""
_CITY = re.compile("(?:^|省|自治区|自治州)((?:(?!自治州)[^省区])+?市)")
"""The city in 广东省深圳市南山区, 北京市海淀区 and 新疆维吾尔自治区乌鲁木齐市天山区."""


def text(value: object) -> str:
    """Return a field's text; "" for the empty list that stands for none."""
    return value.strip() if isinstance(value, str) else ""


def record(value: object) -> Record:
    """Return a field that is an object; an empty one for anything else."""
    return cast("Record", value) if isinstance(value, dict) else {}


def records(value: object) -> list[Record]:
    """Return the objects in a field that is a list of them."""
    return [record(entry) for entry in cast("list[object]", value)] if isinstance(value, list) else []


def position(value: object) -> LatLon | None:
    """Return a position in WGS-84; None where the field holds none."""
    lon, _, lat = text(value).partition(",")
    try:
        return LatLon(float(lat), float(lon), Datum.GCJ02).wgs84
    except ValueError:
        return None


def written(place: LatLon) -> str:
    """Write a position as AMap takes it: GCJ-02, longitude first, six decimals (0.1 m)."""
    shown = place.to(Datum.GCJ02)
    return f"{shown.lon:.6f},{shown.lat:.6f}"


def tip(found: Record, query: str, near: LatLon | None) -> Place | None:
    """Read an entry of `tips` (v3); None for completions that are no place, and for bus lines."""
    district = text(found.get("district"))
    city = _CITY.search(district)
    more = {"district": district}
    return _place(found, found.get("adcode"), query, near, city=city[1] if city else "", more=more)


def poi(found: Record, query: str = "", near: LatLon | None = None) -> Place | None:
    """Read an entry of `pois` (v5); its `match` is told if there was a query."""
    business = record(found.get("business"))
    more = {
        "type": text(found.get("type")),
        "district": text(found.get("adname")),
        "business_area": text(business.get("business_area")),
        "alias": text(business.get("alias")),
    }
    return _place(found, found.get("pcode"), query, near, city=text(found.get("cityname")), more=more)


def surroundings(reply: Record, asked: LatLon) -> list[Place]:
    """Read a reverse geocoding (v3): POIs, the nearest first, then the address.

    AMap tells no positions of town, division and country; they are fields of all that is returned.
    """
    regeocode = record(reply.get("regeocode"))
    parts = record(regeocode.get("addressComponent"))
    city = text(parts.get("city")) or text(parts.get("province"))
    near = [
        _place(entry, parts.get("adcode"), "", asked, city=city, more={"type": text(entry.get("type"))})
        for entry in records(regeocode.get("pois"))
    ]
    found = sorted((place for place in near if place), key=lambda place: place.distance_km or 0.0)
    address = _address(regeocode, parts, asked, city)
    return [*found, address] if address else found


def geocode(found: Record, query: str, near: LatLon | None) -> Place | None:
    """Read an entry of `geocodes` (v3): an address, or a division that has no POI."""
    at = position(found.get("location"))
    name = text(found.get("formatted_address"))
    if at is None or not name:
        return None
    kind = LEVELS.get(text(found.get("level")), "poi")
    street = text(found.get("street")) + text(found.get("number"))
    return Place(
        id=PREFIX + written(at),
        name=name,
        kind=kind,
        lat=at.lat,
        lon=at.lon,
        **_region(text(found.get("adcode"))),
        city=text(found.get("city")) or text(found.get("province")),
        address=street,
        extent_km=EXTENTS_KM.get(kind, _EXTENT_KM),
        distance_km=distance_km(near, at) if near else None,
        match=best_match(query, (name, street, text(found.get("district")))),
        source=SOURCE,
    )


def _address(regeocode: Record, parts: Record, asked: LatLon, city: str) -> Place | None:
    name = text(regeocode.get("formatted_address"))
    if not name:
        return None
    door = record(parts.get("streetNumber"))
    street = text(door.get("street")) + text(door.get("number"))
    # The house's own position is told only where there is a house.
    at = position(door.get("location")) or asked.wgs84
    kind = "address" if street else "town"
    return Place(
        id=PREFIX + written(asked),
        name=name,
        kind=kind,
        lat=at.lat,
        lon=at.lon,
        **_region(text(parts.get("adcode"))),
        city=city,
        address=street,
        extent_km=EXTENTS_KM[kind],
        distance_km=distance_km(asked, at),
        source=SOURCE,
        more=_filled({"district": text(parts.get("district")), "township": text(parts.get("township"))}),
    )


def _place(
    found: Record, adcode: object, query: str, near: LatLon | None, *, city: str, more: dict[str, str]
) -> Place | None:
    """Read what all entries that stand for a POI have in common."""
    at, name, key = position(found.get("location")), text(found.get("name")), text(found.get("id"))
    if at is None or not name or not key:
        return None
    typecode, address = text(found.get("typecode")), text(found.get("address"))
    kind = kind_of(typecode, more.get("type", ""))
    names = (name, *more.get("alias", "").split("|"), address)
    return Place(
        id=PREFIX + key,
        name=name,
        kind=kind,
        lat=at.lat,
        lon=at.lon,
        **_region(text(adcode)),
        city=city,
        address=address,
        extent_km=EXTENTS_KM.get(kind, _EXTENT_KM),
        distance_km=distance_km(near, at) if near else None,
        match=best_match(query, names) if query else None,
        source=SOURCE,
        more=_filled({"typecode": typecode, **more}),
    )


class _Region(TypedDict, total=False):
    country_code: str
    country: str
    admin1: str


def _region(adcode: str) -> _Region:
    """Return country and first-level division of a place; nothing for one without an adcode."""
    if not adcode:
        return {}
    code = _SPECIAL.get(adcode[:2], "CN")
    return {"country_code": code, "country": COUNTRIES[code], "admin1": ADMIN1.get(adcode[:2], "")}


def _filled(more: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in more.items() if value}
