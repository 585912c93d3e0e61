"""Airports: a name or a code -> where the airport is.

Data from `airportsdata` (MIT). Three capitals are a code only next to a word for airport, or when the caller
says so: EXIT, BAR and TAX would be airports otherwise.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from wheretaken.clues.countries import country_name
from wheretaken.clues.model import Clue
from wheretaken.clues.text import fold
from wheretaken.errors import MissingExtraError
from wheretaken.geo import LatLon

_SOURCE = "airportsdata"
_RADIUS_KM = 5.0
_SIGNPOST_RADIUS_KM = 60.0
"""A sign that names an airport stands at it or on a road to it."""
_WORD = re.compile(
    r"(?i)\b(?:air\s?port|aéroport|flughafen|aeropuerto|aeroporto|aeroportul|luchthaven|lufthavn|flygplats|lentoasema|"
    r"lotnisko|letiště|letisko|repülőtér|havalimanı|havaalanı|аэропорт|аеропорт|летище|аеродром|aerodrom|"
    r"sân bay|bandara)"
    r"|空港|机场|機場|공항|ท่าอากาศยาน|สนามบิน|مطار|فرودگاه|हवाई अड्डा|נמל התעופה|αεροδρ"
)
_CODE = re.compile(r"(?<![A-Za-z])[A-Z]{3}(?![A-Za-z])")
_BRACKETED = re.compile(r"(?<=\()[A-Z]{3}(?=\))")
"""In a line of capitals only brackets set a code apart from a word: BUS is Batumi."""
_LONG_CODE = re.compile(r"^[A-Z]{4}$")
_GENERIC = frozenset(
    (
        *(
            "international",
            "airport",
            "intl",
            "air",
            "regional",
            "municipal",
            "national",
            "metropolitan",
            "airfield",
        ),
        *(
            "aeropuerto",
            "aeroporto",
            "aeroport",
            "memorial",
            "domestic",
            "aerodrome",
            "base",
            "field",
            "city",
            "county",
        ),
        *("de", "la", "le", "du", "d", "and", "of", "the", "new", "north", "south", "east", "west"),
    )
)
"""Words of airports' names that do not tell one from another."""


class _Airport(NamedTuple):
    code: str
    name: str
    city: str
    country: str
    lat: float
    lon: float


@cache
def _airports(kind: str) -> dict[str, _Airport]:
    try:
        import airportsdata  # noqa: PLC0415 - 0.3 s of tables that only airports need
    except ImportError as error:
        raise MissingExtraError("reading airport names", "offline", "airportsdata") from error
    table = airportsdata.load("IATA" if kind == "IATA" else "ICAO")
    return {
        code: _Airport(code, row["name"], row["city"], row["country"], row["lat"], row["lon"])
        for code, row in table.items()
    }


@cache
def _by_name() -> dict[frozenset[str], list[_Airport]]:
    found: dict[frozenset[str], list[_Airport]] = {}
    for airport in _airports("IATA").values():
        for name in (airport.name, f"{airport.city} {airport.name}"):
            key = frozenset(fold(name).split()) - _GENERIC
            if key:
                found.setdefault(key, []).append(airport)
    return found


def _named(line: str) -> list[_Airport]:
    """Return the airports whose whole name, without words like "international", is in the line."""
    rest = frozenset(fold(_WORD.sub(" ", line)).split()) - _GENERIC
    if not rest:
        return []
    if rest in _by_name():
        return _by_name()[rest]
    held = [key for key in _by_name() if len(key) > 1 and key <= rest]
    longest = max((len(key) for key in held), default=0)
    return [airport for key in held if len(key) == longest for airport in _by_name()[key]]


def _clue(airport: _Airport, written: str, confidence: float, radius: float) -> Clue:
    place = airport.city or airport.name
    return Clue(
        kind="airport",
        text=written,
        reading=f"{written}: {airport.name} ({airport.code}) at {place}, {country_name(airport.country)}",
        countries={airport.country: 0.95},
        places=[place],
        position=LatLon(airport.lat, airport.lon),
        radius_km=radius,
        confidence=confidence,
        source=_SOURCE,
    )


def read(text: str, *, explicit: bool = False) -> list[Clue]:
    """Return the airports that a text names.

    Args:
        text: Any text.
        explicit: The caller says that it is an airport's name or code: no other word is needed.

    Raises:
        MissingExtraError: `airportsdata` is not installed (only when the text has something like an airport).
    """
    found: dict[str, Clue] = {}
    for line in text.splitlines():
        plain = line.strip()
        if not explicit and not _WORD.search(line):
            continue
        if explicit and _LONG_CODE.match(plain) and (airport := _airports("ICAO").get(plain)):
            found[airport.code] = _clue(airport, plain, 0.9, _RADIUS_KM)
        for match in _CODE.finditer(line) if explicit or not line.isupper() else _BRACKETED.finditer(line):
            if airport := _airports("IATA").get(match.group()):
                found[airport.code] = _clue(airport, match.group(), 0.8, _SIGNPOST_RADIUS_KM)
        named = {airport.code: airport for airport in _named(line)}
        for airport in named.values():
            found[airport.code] = _clue(airport, plain, round(0.85 / len(named), 3), _SIGNPOST_RADIUS_KM)
    return list(found.values())
