"""What OpenStreetMap tags say about a feature: its class on the map, its kind in a search, names and address.

Pure functions on a tag dictionary. Key and value meanings: https://wiki.openstreetmap.org/wiki/Map_features
"""

from __future__ import annotations

import json
import re
import unicodedata
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


def area_class(tags: Tags) -> tuple[str, str] | None:
    """Return (key, value) when a closed way or multipolygon with these tags is an area, else None."""
    for key in AREA_KEYS:
        value = tags.get(key, "no")
        if value != "no" and (key, value) not in _LINES_EVEN_IF_CLOSED:
            if key == "railway" and value not in {"station", "platform", "turntable", "roundhouse"}:
                continue
            return key, value
    if tags.get("area") == "yes":
        return next(((key, tags[key]) for key in _AREAS_IF_SAID if key in tags), ("area", "yes"))
    return None


def line_class(tags: Tags, *, closed: bool) -> tuple[str, str] | None:
    """Return (key, value) when a way with these tags is a line, else None; a fenced park is area and line."""
    for key in LINE_KEYS:
        value = tags.get(key, "no")
        if value == "no":
            continue
        if closed and key in _AREAS_IF_SAID and tags.get("area") == "yes":
            continue
        if closed and key in _LINES_IF_OPEN and (key, value) not in _LINES_EVEN_IF_CLOSED:
            continue
        if key == "railway" and value in {"station", "platform"} and closed:
            continue
        return key, value
    return None


def point_class(tags: Tags) -> tuple[str, str] | None:
    """Return (key, value) of a node, or of the POI that an area is, else None; an address has a class."""
    for key in POINT_KEYS:
        value = tags.get(key, "no")
        if value != "no":
            return key, value
    return ("address", "house") if "addr:housenumber" in tags else None


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


def names(tags: Tags) -> list[Name]:
    """Return every name of a feature once, the best rank first; both halves of a two-language name count."""
    found: dict[str, int] = {}
    for text, rank in _spelled(tags):
        for part in (text, *_SIGN_SEPARATOR.split(text)):
            cleaned = " ".join(part.split())
            if cleaned:
                # Half of "Rue Neuve - Nieuwstraat" is a name, but so is a stop's "Larvotto - Casino".
                part_rank = rank if part == text else max(rank, 2)
                found[cleaned] = min(part_rank, found.get(cleaned, part_rank))
    return sorted((Name(text, rank) for text, rank in found.items()), key=lambda name: name.rank)


def _spelled(tags: Tags) -> Iterator[tuple[str, int]]:
    if "name" in tags:
        yield tags["name"], 0
    for key, value in tags.items():
        base, _, language = key.partition(":")
        if key == "addr:full" or _stands_for_name(key, tags):
            yield value, 3
        elif language and not _TRANSLATION.fullmatch(language):
            continue  # `name:etymology`, `brand:wikidata`
        elif base in _NAME_RANKS and key != "name":
            yield value, _NAME_RANKS[base]


def _stands_for_name(key: str, tags: Tags) -> bool:
    """Tell whether people call it by its operator, by its house, having no name, or by its number: roads."""
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
    keys = ["name"]
    if tags.keys() & {"amenity", "shop", "tourism", "office", "leisure"}:
        keys.append("brand")
    if "office" in tags or "shop" in tags or tags.get("amenity") in _RUN_BY_NAME:
        keys.append("operator")
    return next((" ".join(tags[key].split()) for key in keys if tags.get(key, "").strip()), "")


def translations(tags: Tags) -> str:
    """Return the JSON object language -> name of `name:*`, with `int_name` under that key; "" when empty.

    What is the same as the title is kept: it says which language the title is in.
    """
    found = {
        language: " ".join(value.split())
        for key, value in sorted(tags.items())
        for base, _, language in (key.partition(":"),)
        if base == "name" and _TRANSLATION.fullmatch(language) and value.strip()
    }
    if tags.get("int_name", "").strip():
        found["int_name"] = " ".join(tags["int_name"].split())
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")) if found else ""


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
    return all(unicodedata.name(letter, "").startswith("LATIN") for letter in text if letter.isalpha())


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
