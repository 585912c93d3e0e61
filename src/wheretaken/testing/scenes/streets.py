"""Which places of the built-in street region scenes are drawn of, and what stands around each.

The tags come straight from the OpenStreetMap extract that ships as the built-in region (central Helsinki,
ODbL): the search tables of a region keep names and addresses only, while signs also show opening hours,
telephone numbers and the street's name in both languages.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from wheretaken.geo import LatLon, distance_km
from wheretaken.testing import fonts

if TYPE_CHECKING:
    from collections.abc import Iterable

_EXTRACT = "data/region/helsinki.osm.pbf"
_NEIGHBOUR_KM = 0.06

# OpenStreetMap value -> the word that stands on such a shop's front in Helsinki; "" where none does.
_TRADES = {
    "restaurant": "Ravintola", "cafe": "Kahvila", "pub": "Pub", "bar": "Bar", "fast_food": "Grilli",
    "pharmacy": "Apteekki", "hairdresser": "Parturi-Kampaamo", "florist": "Kukkakauppa", "bakery": "Leipomo",
    "optician": "Optikko", "books": "Kirjakauppa", "hotel": "Hotelli", "hostel": "Hostel", "clothes": "",
    "jewelry": "Kultaseppä", "beauty": "Kauneushoitola", "bank": "Pankki", "shoes": "Kengät", "furniture": "",
    "kiosk": "Kioski", "convenience": "", "supermarket": "", "art": "Galleria", "theatre": "Teatteri",
    "library": "Kirjasto", "museum": "Museo", "gallery": "Galleria", "cinema": "", "nightclub": "",
    "sports": "", "interior_decoration": "Sisustus", "gift": "Lahjatavarat",
    "mobile_phone": "", "dentist": "Hammaslääkäri",
    "travel_agency": "Matkatoimisto", "tea": "", "deli": "Herkut", "antiques": "Antiikki", "toys": "Lelut",
    "cosmetics": "", "bicycle": "Polkupyörät", "musical_instrument": "Soittimet", "confectionery": "Makeiset",
    "tailor": "Räätäli", "music": "Levyt", "stationery": "Paperikauppa", "second_hand": "Kirpputori",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class StreetTarget:
    """A POI, an address or a stop, with what its signs and those around it say."""

    osm_id: str
    kind: str
    """`shop`, `address` or `tram_stop`."""
    name: str
    """The name on its sign; for an address, street and house number."""
    position: LatLon
    name_swedish: str = ""
    trade: str = ""
    street: str = ""
    street_swedish: str = ""
    house_number: str = ""
    hours: tuple[str, ...] = ()
    phone: str = ""
    website: str = ""
    chain: bool = False
    """Several places in the region have this name, so it does not tell where one is."""


@dataclass(slots=True)
class _District:
    """All targets of the region."""

    shops: list[StreetTarget] = field(default_factory=list[StreetTarget])
    addresses: list[StreetTarget] = field(default_factory=list[StreetTarget])
    stops: list[StreetTarget] = field(default_factory=list[StreetTarget])


_DAYS = {"Mo": "Ma", "Tu": "Ti", "We": "Ke", "Th": "To", "Fr": "Pe", "Sa": "La", "Su": "Su"}


def _hours(value: str) -> tuple[str, ...]:
    """Return opening hours as a Finnish door says them ("Ma-Pe 10-18"); none for other rules."""
    rules = [rule.strip() for rule in value.split(";") if rule.strip()]
    plain = set("MoTuWeThFrSaSu0123456789:-, ")
    if not 1 <= len(rules) <= 4 or any(set(rule) - plain or not rule[0].isalpha() for rule in rules):
        return ()
    if any(part.rstrip().endswith("-") for rule in rules for part in rule.split(",")):  # open-ended
        return ()
    lines: list[str] = []
    for rule in rules:
        line = rule.replace(":00", "")
        for english, finnish in _DAYS.items():
            line = line.replace(english, finnish)
        lines.append(line)
    return tuple(lines)


def _website(value: str) -> str:
    """Return the host a shop writes on its door, without scheme and path; nothing for social networks."""
    host = value.rsplit("://", maxsplit=1)[-1].split("/", maxsplit=1)[0].lower()
    return host if host.count(".") in {1, 2} and "facebook" not in host and len(host) <= 28 else ""


def _position(wkb: bytes) -> LatLon:
    """Return the middle of a point, way or area."""
    import shapely  # noqa: PLC0415 - only scenes of streets need it

    centre = shapely.from_wkb(wkb).centroid
    return LatLon(round(centre.y, 6), round(centre.x, 6))


def _shop(osm_id: str, tags: dict[str, str], position: LatLon) -> StreetTarget | None:
    kind = next((tags[key] for key in ("shop", "amenity", "tourism") if key in tags), "")
    name = tags.get("name", "").partition(" (")[0]  # mappers explain in brackets: "Zio (Shoe store)"
    drawable = 2 <= len(name) <= 32 and not fonts.missing_glyphs(name)
    if kind not in _TRADES or not drawable or ";" in tags.get("addr:street", ""):
        return None
    return StreetTarget(
        osm_id=osm_id,
        kind="shop",
        name=name,
        position=position,
        trade=_TRADES[kind],
        street=tags.get("addr:street", ""),
        house_number=tags.get("addr:housenumber", "").partition(",")[0],
        hours=_hours(tags.get("opening_hours", "")),
        phone=tags.get("phone", ""),
        website=_website(tags.get("website", "")),
    )


@cache
def _district() -> _District:
    """Read the extract once."""
    from wheretaken.maps.offline.region.read import Source  # noqa: PLC0415 - loads osmium

    found, swedish = _District(), dict[str, str]()
    extract = resources.files("wheretaken.maps.offline").joinpath(_EXTRACT)
    with resources.as_file(extract) as path:
        for feature in Source(path).features():
            tags, osm_id = feature.tags, f"osm:{feature.osm_id}"
            if "highway" in tags and "name" in tags and feature.shape == "line":
                swedish.setdefault(tags["name"], tags.get("name:sv", ""))
            elif tags.get("railway") == "tram_stop" and "name" in tags:
                stop = StreetTarget(osm_id, "tram_stop", tags["name"], _position(feature.wkb))
                found.stops.append(replace(stop, name_swedish=tags.get("name:sv", "")))
            elif shop := _shop(osm_id, tags, _position(feature.wkb)):
                found.shops.append(shop)
            elif "addr:street" in tags and tags.get("addr:housenumber", "").replace(" ", "").isalnum():
                street, number = tags["addr:street"], tags["addr:housenumber"]
                address = StreetTarget(osm_id, "address", f"{street} {number}", _position(feature.wkb))
                found.addresses.append(replace(address, street=street, house_number=number))
    # A street is only signed as one that exists: some addresses name squares or arcades without a way.
    known = [
        place for place in (*found.shops, *found.addresses) if not place.street or place.street in swedish
    ]
    known = [replace(place, street_swedish=swedish.get(place.street, "")) for place in known]
    names = Counter(place.name for place in found.shops)
    found.shops = [replace(p, chain=names[p.name] > 1) for p in known if p.kind == "shop"]
    found.addresses = [place for place in known if place.kind == "address"]
    return found


def _one_each(places: Iterable[StreetTarget]) -> list[StreetTarget]:
    """Return the first place of each name: another entrance or track of the same thing adds nothing."""
    first: dict[str, StreetTarget] = {}
    for place in sorted(places, key=lambda place: place.osm_id):
        first.setdefault(place.name, place)
    return list(first.values())


def street_targets(n: int, seed: int) -> list[StreetTarget]:
    """Return `n` places of the built-in region: about 6 shops to 3 addresses to 1 tram stop, no place twice.

    A shop whose name several places bear is only used with its address. The same arguments give the same
    places.
    """
    district = _district()
    rng = random.Random(f"streets {seed}")  # noqa: S311 - reproducible drawing, not secrecy
    pools = {
        "shop": sorted(
            (s for s in district.shops if s.street or not s.chain), key=lambda place: place.osm_id
        ),
        "address": _one_each(district.addresses),
        "tram_stop": _one_each(district.stops),
    }
    for pool in pools.values():
        rng.shuffle(pool)
    targets: list[StreetTarget] = []
    while len(targets) < n and any(pools.values()):
        kind = rng.choices(list(pools), weights=[6, 3, 1])[0]
        if pools[kind]:
            targets.append(pools[kind].pop())
    return targets


def _within_60_m(places: Iterable[StreetTarget], position: LatLon) -> list[StreetTarget]:
    """Return the places within 60 m of a position, nearest first."""
    near: list[tuple[float, str, StreetTarget]] = []
    for place in places:
        # Degrees first: 0.001 of latitude is 111 m, 0.002 of longitude at 60 degrees north as well.
        if abs(place.position.lat - position.lat) < 0.001 and abs(place.position.lon - position.lon) < 0.002:
            km = distance_km(position, place.position)
            if km <= _NEIGHBOUR_KM:
                near.append((km, place.osm_id, place))
    return [place for *_, place in sorted(near, key=lambda item: item[:2])]


def shops_near(target: StreetTarget, limit: int = 5) -> list[StreetTarget]:
    """Return the shops of other names within 60 m of a target, nearest first."""
    return [shop for shop in _within_60_m(_district().shops, target.position) if shop.name != target.name][
        :limit
    ]


def street_at(target: StreetTarget) -> tuple[str, str]:
    """Return the Finnish and Swedish name of the street at a target: its own, else the nearest address's."""
    if target.street:
        return target.street, target.street_swedish
    near = _within_60_m(_district().addresses, target.position)
    return (near[0].street, near[0].street_swedish) if near else ("", "")


def find_target(name: str) -> StreetTarget:
    """Return the shop, stop or address with exactly this name.

    Raises:
        LookupError: the region has no such place.
    """
    district = _district()
    for place in (*district.shops, *district.stops, *district.addresses):
        if place.name == name:
            return place
    raise LookupError(f"the built-in region has no {name!r}")
