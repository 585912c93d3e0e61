"""Which places of an OpenStreetMap extract scenes are drawn of, and what stands around each.

The tags come straight from the extract - by default the one that ships as the built-in region (central
Helsinki, ODbL): the search tables of a region keep names and addresses only, while signs also show opening
hours, telephone numbers and the street's name in a second language.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from itertools import combinations
from typing import TYPE_CHECKING

import shapely

from wheretaken.geo import LatLon, distance_km
from wheretaken.maps.offline.region.read import Source
from wheretaken.testing import fonts
from wheretaken.testing.scenes.manners import FINNISH, Manners

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from wheretaken.maps.offline.region.read import Feature

_EXTRACT = "data/region/helsinki.osm.pbf"
_NEIGHBOUR_KM = 0.06
_DAY = re.compile("Mo|Tu|We|Th|Fr|Sa|Su")


@dataclass(frozen=True, slots=True)
class StreetTarget:
    """A POI, an address or a stop, with what its signs and those around it say."""

    osm_id: str
    kind: str
    """`shop`, `address`, `crossing`, `tram_stop` or `bus_stop`."""
    name: str
    """The name on its sign; for an address, street and house number; for a crossing, its streets."""
    position: LatLon
    name_second: str = ""
    """In the second language of the signs, as are the next ones of this name."""
    trade: str = ""
    street: str = ""
    street_second: str = ""
    other_street: str = ""
    """Of a crossing."""
    other_street_second: str = ""
    house_number: str = ""
    hours: tuple[str, ...] = ()
    phone: str = ""
    website: str = ""
    chain: bool = False
    """Several places in the region have this name, so it does not tell where one is."""


_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


def _hours(value: str, days: Sequence[str] = FINNISH.days) -> tuple[str, ...]:
    """Return opening hours as a door says them ("Ma-Pe 10-18"); none for other rules."""
    rules = [rule.strip() for rule in value.split(";") if rule.strip()]
    plain = set("MoTuWeThFrSaSu0123456789:-, ")
    if not 1 <= len(rules) <= 4 or any(set(rule) - plain or not rule[0].isalpha() for rule in rules):
        return ()
    if any(part.rstrip().endswith("-") for rule in rules for part in rule.split(",")):  # open-ended
        return ()
    names: dict[str, str] = dict(zip(_DAYS, days, strict=True))
    return tuple(_DAY.sub(lambda day: names[day[0]], rule.replace(":00", "")) for rule in rules)


def _website(value: str) -> str:
    """Return the host a shop writes on its door, without scheme and path; nothing for social networks."""
    host = value.rsplit("://", maxsplit=1)[-1].split("/", maxsplit=1)[0].lower()
    return host if host.count(".") in {1, 2} and "facebook" not in host and len(host) <= 28 else ""


def _position(wkb: bytes) -> LatLon:
    """Return the middle of a point, way or area."""
    centre = shapely.from_wkb(wkb).centroid
    return LatLon(round(centre.y, 6), round(centre.x, 6))


@dataclass(frozen=True, slots=True)
class District:
    """All places of an extract that can be drawn, and how signs are lettered there."""

    manners: Manners
    shops: tuple[StreetTarget, ...] = ()
    addresses: tuple[StreetTarget, ...] = ()
    stops: tuple[StreetTarget, ...] = ()
    crossings: tuple[StreetTarget, ...] = ()

    @classmethod
    def read(cls, extract: Path, manners: Manners) -> District:
        """Read an extract (.osm.pbf, .osm, ...).

        Raises:
            DataError: it is no extract.
        """
        found = _Reading(manners)
        for feature in Source(extract).features():
            found.take(feature)
        return found.district()

    def targets(self, n: int, seed: int) -> list[StreetTarget]:
        """Return `n` places, or as many as there are: about 6 shops to 3 addresses, 2 crossings and 1 stop.

        No place comes twice. A shop whose name several places bear is only used with its address. The same
        arguments give the same places.
        """
        rng = random.Random(f"streets {seed}")  # noqa: S311 - reproducible drawing, not secrecy
        shops = (shop for shop in self.shops if shop.street or not shop.chain)
        pools = {
            "shop": sorted(shops, key=lambda place: place.osm_id),
            "address": _one_each(self.addresses),
            "stop": _one_each(self.stops),
            "crossing": _one_each(self.crossings),
        }
        for pool in pools.values():
            rng.shuffle(pool)
        weights = [6, 3, 1, 2 if pools["crossing"] else 0]
        targets: list[StreetTarget] = []
        while len(targets) < n and any(pools.values()):
            kind = rng.choices(list(pools), weights=weights)[0]
            if pools[kind]:
                targets.append(pools[kind].pop())
        return targets

    def shops_near(self, target: StreetTarget, limit: int = 5) -> list[StreetTarget]:
        """Return the shops of other names within 60 m of a target, nearest first."""
        near = _within_60_m(self.shops, target.position)
        return [shop for shop in near if shop.name != target.name][:limit]

    def street_at(self, target: StreetTarget) -> tuple[str, str]:
        """Return the name of the street at a target in both languages: its own, or the nearest address's."""
        if target.street:
            return target.street, target.street_second
        near = _within_60_m(self.addresses, target.position)
        return (near[0].street, near[0].street_second) if near else ("", "")

    def find(self, name: str) -> StreetTarget:
        """Return the shop, stop or address with exactly this name.

        Raises:
            LookupError: there is no such place.
        """
        for place in (*self.shops, *self.stops, *self.addresses):
            if place.name == name:
                return place
        raise LookupError(f"the extract has no {name!r}")


@cache
def helsinki() -> District:
    """Return the built-in region's, read once."""
    extract = resources.files("wheretaken.maps.offline").joinpath(_EXTRACT)
    with resources.as_file(extract) as path:
        return District.read(path, FINNISH)


def street_targets(n: int, seed: int, district: District | None = None) -> list[StreetTarget]:
    """Return `n` places of a district, by default of the built-in region; see `District.targets`."""
    return (district or helsinki()).targets(n, seed)


@dataclass(slots=True)
class _Reading:
    """Takes an extract's features one by one."""

    manners: Manners
    shops: list[StreetTarget] = field(default_factory=list[StreetTarget])
    addresses: list[StreetTarget] = field(default_factory=list[StreetTarget])
    stops: list[StreetTarget] = field(default_factory=list[StreetTarget])
    second: dict[str, str] = field(default_factory=dict[str, str])
    """Street -> its name in the second language, or nothing."""
    corners: dict[tuple[float, float], dict[str, None]] = field(
        default_factory=dict[tuple[float, float], dict[str, None]]
    )
    """Longitude and latitude -> the streets with a node there."""

    def take(self, feature: Feature) -> None:
        """Note what a feature is."""
        tags, osm_id = feature.tags, f"osm:{feature.osm_id}"
        second = f"name:{self.manners.second}"
        if "highway" in tags and "name" in tags and feature.shape == "line":
            self.second.setdefault(tags["name"], tags.get(second, ""))
            if self.manners.crossings and _signed(tags["name"]):
                for point in shapely.get_coordinates(shapely.from_wkb(feature.wkb)).tolist():
                    self.corners.setdefault((point[0], point[1]), {})[tags["name"]] = None
        elif self.manners.stops in {tags.get("railway"), tags.get("highway")} and _signed(
            tags.get("name", "")
        ):
            stop = StreetTarget(osm_id, self.manners.stops, tags["name"], _position(feature.wkb))
            self.stops.append(replace(stop, name_second=tags.get(second, "")))
        elif shop := _shop(osm_id, tags, _position(feature.wkb), self.manners):
            self.shops.append(shop)
        elif "addr:street" in tags and tags.get("addr:housenumber", "").replace(" ", "").isalnum():
            street, number = tags["addr:street"], tags["addr:housenumber"]
            address = StreetTarget(osm_id, "address", f"{street} {number}", _position(feature.wkb))
            self.addresses.append(replace(address, street=street, house_number=number))

    def district(self) -> District:
        """Return what was found; call it once."""
        # A street is only signed as one that exists: some addresses name squares or arcades without a way.
        known = [p for p in (*self.shops, *self.addresses) if not p.street or p.street in self.second]
        known = [replace(place, street_second=self.second.get(place.street, "")) for place in known]
        names = Counter(place.name for place in self.shops)
        return District(
            self.manners,
            shops=tuple(replace(p, chain=names[p.name] > 1) for p in known if p.kind == "shop"),
            addresses=tuple(place for place in known if place.kind == "address"),
            stops=tuple(self.stops),
            crossings=tuple(self._crossings()),
        )

    def _crossings(self) -> Iterator[StreetTarget]:
        for (lon, lat), streets in self.corners.items():
            for one, other in combinations(streets, 2):
                yield StreetTarget(
                    f"crossing:{lat},{lon}",
                    "crossing",
                    f"{one} / {other}",
                    LatLon(round(lat, 6), round(lon, 6)),
                    street=one,
                    street_second=self.second[one],
                    other_street=other,
                    other_street_second=self.second[other],
                )


def _signed(name: str) -> bool:
    """Tell whether a name fits on a sign as it is; mappers explain in brackets."""
    return 2 <= len(name) <= 40 and not set("()（）;") & set(name) and not fonts.missing_glyphs(name)


def _shop(osm_id: str, tags: dict[str, str], position: LatLon, manners: Manners) -> StreetTarget | None:
    kind = next((tags[key] for key in ("shop", "amenity", "tourism") if key in tags), "")
    name = tags.get("name", "").partition(" (")[0]  # mappers explain in brackets: "Zio (Shoe store)"
    drawable = 2 <= len(name) <= 32 and not fonts.missing_glyphs(name)
    if kind not in manners.kinds or not drawable or ";" in tags.get("addr:street", ""):
        return None
    return StreetTarget(
        osm_id=osm_id,
        kind="shop",
        name=name,
        position=position,
        trade=manners.trades.get(kind, ""),
        street=tags.get("addr:street", ""),
        house_number=tags.get("addr:housenumber", "").partition(",")[0],
        hours=_hours(tags.get("opening_hours", ""), manners.days),
        phone=tags.get("phone", ""),
        website=_website(tags.get("website", "")),
    )


def _one_each(places: Iterable[StreetTarget]) -> list[StreetTarget]:
    """Return the first place of each name: another entrance or track of the same thing adds nothing."""
    first: dict[str, StreetTarget] = {}
    for place in sorted(places, key=lambda place: place.osm_id):
        first.setdefault(place.name, place)
    return list(first.values())


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
