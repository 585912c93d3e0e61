"""What OpenStreetMap tags say about a feature: its class on the map, its kind in a search, names and address.

Pure functions on a tag dictionary. Key and value meanings: https://wiki.openstreetmap.org/wiki/Map_features
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Tags: TypeAlias = Mapping[str, str]

AREA_KEYS = (
    "building", "aeroway", "amenity", "leisure", "tourism", "shop", "place", "natural", "waterway",
    "water", "historic", "man_made", "railway", "power", "office", "craft", "military", "landuse", "boundary",
)  # fmt: skip
"""Keys that make a closed way an area, the one that decides how it is drawn first."""

POINT_KEYS = (
    "place", "railway", "public_transport", "aeroway", "amenity", "shop", "tourism", "historic", "leisure",
    "office", "craft", "healthcare", "club", "emergency", "man_made", "highway", "natural", "waterway",
    "power", "barrier", "entrance", "building", "military", "landuse", "boundary",
)  # fmt: skip
"""Keys of points, and of named areas when they are looked for, the most telling first."""

LINE_KEYS = (
    "highway", "railway", "waterway", "natural", "aeroway", "aerialway", "barrier", "man_made", "leisure",
    "power", "route", "boundary",
)  # fmt: skip
"""Keys that make a way a line."""

_LINES_EVEN_IF_CLOSED = {
    ("natural", "coastline"), ("natural", "cliff"), ("natural", "tree_row"), ("natural", "ridge"),
    ("man_made", "embankment"), ("man_made", "pipeline"), ("man_made", "cutline"),
    ("leisure", "track"), ("leisure", "slipway"), ("power", "line"), ("power", "minor_line"),
    ("waterway", "river"), ("waterway", "stream"), ("waterway", "canal"), ("waterway", "ditch"),
    ("waterway", "drain"), ("waterway", "weir"), ("aeroway", "runway"), ("aeroway", "taxiway"),
}  # fmt: skip
_LINES_IF_OPEN = {"natural", "aeroway", "man_made", "leisure", "power", "boundary"}
"""Keys that say "line" for an open way, but "area" for a closed one unless listed above."""
_AREAS_IF_SAID = ("highway", "barrier")
"""Keys that say "line" for a closed way, but "area" with `area=yes`: pedestrian squares."""

_DRAWN_LINES = {"highway", "railway", "waterway", "aeroway"}
_DRAWN_VALUES = {("natural", "coastline"), ("man_made", "pier")}
"""Lines that pictures or tiles show; of the others, such as walls, only those with a name are kept."""

_NOT_THINGS = {
    ("highway", "crossing"), ("highway", "traffic_signals"), ("highway", "give_way"), ("highway", "stop"),
    ("highway", "turning_circle"), ("highway", "street_lamp"), ("railway", "switch"),
    ("railway", "level_crossing"), ("railway", "crossing"), ("railway", "signal"), ("railway", "buffer_stop"),
}  # fmt: skip
"""What carries a reference or a name now and then, but is nothing that a person would look for."""

_PLACES = {
    "state": "admin1", "province": "admin1", "region": "admin1",
    "municipality": "city", "suburb": "district", "quarter": "district", "neighbourhood": "district",
    "borough": "district", "city_block": "district", "hamlet": "village", "isolated_dwelling": "village",
}  # fmt: skip
"""OpenStreetMap's place values in the words of `Place.kind`; others (city, town, square, islet) stay."""


_NUMBER_FIRST = {
    "allée", "avenue", "boulevard", "chemin", "cours", "escalier", "escaliers", "galerie", "impasse",
    "montée", "passage", "place", "promenade", "quai", "route", "rue", "ruelle", "sentier", "square",
    "traverse",
}  # fmt: skip
"""French street types, which follow the house number."""

_KINDS = {
    ("aeroway", "aerodrome"): "airport",
    ("public_transport", "stop_position"): "stop",
    ("public_transport", "platform"): "stop",
    # As lines these are streets, but only nodes and areas are asked for their kind.
    ("highway", "pedestrian"): "square",
    ("highway", "footway"): "square",
    ("highway", "living_street"): "square",
}
_LEVELS = {"2": "country", "3": "admin1", "4": "admin1", "8": "city"}
"""`admin_level` in the words of `Place.kind`; the meaning of the others differs by country: a district."""


class Name(NamedTuple):
    """One name of a feature; `rank`: 0 its name, 1 translations, 2 other names, 3 brand and the like."""

    text: str
    rank: int


class Address(NamedTuple):
    """Street, house number and city as the data spell them; each may be empty."""

    street: str
    number: str
    city: str
    country_code: str

    def line(self) -> str:
        """Return street and number in the order that the street's language writes them."""
        first = self.street.split(" ", 1)[0].casefold()
        if first in _NUMBER_FIRST:
            return f"{self.number} {self.street}"
        return f"{self.street} {self.number}" if is_latin(self.street) else f"{self.street}{self.number}"


_AREA_ORDER, _LINE_ORDER, _POINT_ORDER = (
    {key: position for position, key in enumerate(keys)} for keys in (AREA_KEYS, LINE_KEYS, POINT_KEYS)
)
_RAILWAY_AREAS = {"station", "platform", "turntable", "roundhouse"}


def area_class(tags: Tags) -> tuple[str, str] | None:
    """Return (key, value) when a closed way or multipolygon with these tags is an area, else None."""
    best, found = len(_AREA_ORDER), None
    for key, value in tags.items():
        order = _AREA_ORDER.get(key, best)
        if (
            order < best
            and value != "no"
            and (key, value) not in _LINES_EVEN_IF_CLOSED
            and (key != "railway" or value in _RAILWAY_AREAS)
        ):
            best, found = order, (key, value)
    if found is None and tags.get("area") == "yes":
        return next(((key, tags[key]) for key in _AREAS_IF_SAID if key in tags), ("area", "yes"))
    return found


def line_class(tags: Tags, *, closed: bool) -> tuple[str, str] | None:
    """Return (key, value) when a way with these tags is a line, else None; a fenced park is area and line."""
    best, found = len(_LINE_ORDER), None
    for key, value in tags.items():
        order = _LINE_ORDER.get(key, best)
        if order < best and value != "no" and not (closed and _is_area_if_closed(key, value, tags)):
            best, found = order, (key, value)
    return found


def is_drawn_line(found: tuple[str, str]) -> bool:
    """Tell whether a line of this (key, value) is on a map even without a name, or is a coast."""
    return found[0] in _DRAWN_LINES or found in _DRAWN_VALUES


def _is_area_if_closed(key: str, value: str, tags: Tags) -> bool:
    if key in _AREAS_IF_SAID:
        return tags.get("area") == "yes"
    if key == "railway":
        return value in {"station", "platform"}
    return key in _LINES_IF_OPEN and (key, value) not in _LINES_EVEN_IF_CLOSED


def point_class(tags: Tags) -> tuple[str, str] | None:
    """Return (key, value) of a node, or of the POI that an area is, else None; an address has a class."""
    best, found = len(_POINT_ORDER), None
    for key, value in tags.items():
        order = _POINT_ORDER.get(key, best)
        if order < best and value != "no":
            best, found = order, (key, value)
    if found is None and "addr:housenumber" in tags:
        return "address", "house"
    return found


def kind(tags: Tags) -> str:
    """Return what a search calls the feature (`Place.kind`), or "" when it is nothing to look for."""
    found = point_class(tags)
    if found is None or found in _NOT_THINGS:
        return ""
    key, value = found
    if found == ("boundary", "administrative"):
        return _LEVELS.get(tags.get("admin_level", ""), "district")
    if key == "place":
        return _PLACES.get(value, value)
    return _KINDS.get(found, key if value == "yes" else value)


_TRANSLATION = re.compile(r"[a-z]{2,3}([_-][A-Za-z0-9]+)*")
_OTHER_NAMES = ("alt_name", "old_name", "short_name", "official_name", "loc_name", "nat_name", "reg_name")
_NAME_RANKS = {"name": 1, "int_name": 1, **dict.fromkeys(_OTHER_NAMES, 2), "brand": 3}
_SIGN_SEPARATOR = re.compile(r"\s+[/|–-]\s+|\s*;\s*")
_SIGN_MARKS = frozenset("/|–-;")
_STAND_INS = {"addr:full", "addr:housename", "operator", "ref"}


def names(tags: Tags) -> list[Name]:
    """Return every name of a feature once, the best rank first; both halves of a two-language name count."""
    found: dict[str, int] = {}
    for text, rank in _spelled(tags):
        whole = " ".join(text.split())
        if not whole:
            continue
        found[whole] = min(rank, found.get(whole, rank))
        if not _SIGN_MARKS.isdisjoint(text):
            for part in _SIGN_SEPARATOR.split(text):
                cleaned = " ".join(part.split())
                if cleaned and part != text:
                    # Half of "Rue Neuve - Nieuwstraat" is a name, but so is a stop's "Larvotto - Casino".
                    part_rank = max(rank, 2)
                    found[cleaned] = min(part_rank, found.get(cleaned, part_rank))
    return sorted((Name(text, rank) for text, rank in found.items()), key=_rank_of)


_rank_of = itemgetter(1)


def _spelled(tags: Tags) -> Iterator[tuple[str, int]]:
    if "name" in tags:
        yield tags["name"], 0
    for key, value in tags.items():
        rank = _name_rank(key)
        if key in _STAND_INS and _stands_for_name(key, tags):
            yield value, 3
        elif rank is not None:
            yield value, rank


@lru_cache(maxsize=10_000)
def _name_rank(key: str) -> int | None:
    """Return the rank of the names under a key that is neither `name` nor one of the stand-ins."""
    base, _, language = key.partition(":")
    if key == "name" or (language and not _TRANSLATION.fullmatch(language)):
        return None  # `name:etymology`, `brand:wikidata`
    return _NAME_RANKS.get(base)


def _stands_for_name(key: str, tags: Tags) -> bool:
    """Tell whether people call it by its operator, by its house, having no name, or by its number: roads."""
    if key == "addr:full":
        return True
    if key == "addr:housename":
        return not title(tags)
    if key == "operator":
        run = "office" in tags or "shop" in tags or tags.get("amenity") in _RUN_BY_NAME
        return run or title(tags) == " ".join(tags[key].split())
    return key == "ref" and "highway" in tags and not tags[key].isdigit()


_RUN_BY_NAME = {
    "atm", "bank", "car_rental", "clinic", "fire_station", "fuel", "hospital", "kindergarten", "library",
    "police", "post_office", "school", "university",
}  # fmt: skip
"""Amenities that people call by their operator when they have no name; nobody does that with a bench."""


def title(tags: Tags) -> str:
    """Return the name on the sign, or "" for a nameless feature.

    The brand of a shop stands in for its name, and the operator for that of an office, a bank, a school.
    """
    if name := " ".join(tags.get("name", "").split()):
        return name
    if "brand" in tags and not _BRANDED.isdisjoint(tags) and (brand := " ".join(tags["brand"].split())):
        return brand
    if "operator" in tags and ("office" in tags or "shop" in tags or tags.get("amenity") in _RUN_BY_NAME):
        return " ".join(tags["operator"].split())
    return ""


_BRANDED = frozenset({"amenity", "shop", "tourism", "office", "leisure"})


def translations(tags: Tags) -> str:
    """Return the JSON object language -> name of `name:*`, with `int_name` under that key; "" when empty.

    What is the same as the title is kept: it says which language the title is in.
    """
    found: dict[str, str] = {}
    for key, value in tags.items():
        if key[:5] == "name:" and _TRANSLATION.fullmatch(key, 5) and value.strip():
            found[key[5:]] = " ".join(value.split())
    if tags.get("int_name", "").strip():
        found["int_name"] = " ".join(tags["int_name"].split())
    if not found:
        return ""
    return json.dumps(dict(sorted(found.items())), ensure_ascii=False, separators=(",", ":"))


def detail(tags: Tags) -> str:
    """Return what a map's symbol depends on beside the class: a religion, or what kind of station it is."""
    if tags.get("amenity") == "place_of_worship":
        return tags.get("religion", "")
    return tags.get("station", "") if tags.get("railway") == "station" else ""


def english(tags: Tags) -> str:
    """Return a Latin-script name when the name is in another script, else ""."""
    if is_latin(tags.get("name", "")):
        return ""
    keys = ("name:en", "int_name", "name:ja_rm", "name:ja-Latn", "name:zh_pinyin", "name:ko_rm")
    return next((tags[key] for key in keys if key in tags and is_latin(tags[key])), "")


def is_latin(text: str) -> bool:
    """Return whether all letters of a text are Latin (a text without letters is)."""
    return text.isascii() or all(map(_is_latin, text))


@lru_cache(maxsize=50_000)
def _is_latin(char: str) -> bool:
    return not char.isalpha() or unicodedata.name(char, "").startswith("LATIN")


def address(tags: Tags) -> Address:
    """Return the address that the tags give; `addr:place` stands where there are no streets."""
    return Address(
        street=" ".join((tags.get("addr:street") or tags.get("addr:place") or "").split()),
        number=" ".join((tags.get("addr:housenumber") or "").split()),
        city=" ".join((tags.get("addr:city") or "").split()),
        country_code=tags.get("addr:country", "").upper() if len(tags.get("addr:country", "")) == 2 else "",
    )


_ONEWAY = {"yes": 1, "true": 1, "1": 1, "-1": -1, "reverse": -1}


def oneway(tags: Tags) -> int:
    """Return 1 when traffic goes along the way only, -1 against it, 0 both ways."""
    if tags.get("junction") in {"roundabout", "circular"} or tags.get("highway") == "motorway":
        return _ONEWAY.get(tags.get("oneway", "yes"), 0)
    return _ONEWAY.get(tags.get("oneway", ""), 0)


def flag(tags: Tags, key: str) -> int:
    """Return 1 when the tag is there and says anything but "no" (`tunnel=culvert`, `bridge=viaduct`)."""
    return int(tags.get(key, "no") != "no")
