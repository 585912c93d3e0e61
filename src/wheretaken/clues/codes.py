"""Postcodes and road numbers: formats that only some countries use.

Both are tables of patterns (`data/postcodes.tsv`, `data/roads.tsv`, `data/e_roads.tsv`). A pattern that house
numbers, dates or bus lines also fit counts only when the caller says what the text is.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from wheretaken.clues.countries import country_name, country_prior
from wheretaken.clues.model import Clue, scaled
from wheretaken.clues.tables import pairs, rows, weights

_CAPITALISED = r"[^\W\d_a-zß-öø-ÿа-яё]"
_PLACE = rf"(?P<place>{_CAPITALISED}[^\W\d_]{{2,}}(?:[ \-]{_CAPITALISED}[^\W\d_]+){{0,2}})"
_UNITS_NOT_POSTCODES = re.compile(
    r"^\d{4}\s?(?:AD|AM|BC|CC|CE|CM|DM|EU|FT|GB|GT|HP|HZ|KG|KJ|KM|KR|KW|LB|MB|ML|MM|MW|OZ|PM|PS|TB|TL|WC)\b"
)
_EUROPEAN_ROUTE = re.compile(r"(?<![\w.\-/])E[ \-]?(?P<number>\d{1,2})(?![\w/%.,]|-\d)")
_FUELS = frozenset({"5", "10", "85"})
"""Petrol grades that look like European routes."""


class _Format(NamedTuple):
    pattern: re.Pattern[str]
    countries: dict[str, float]
    confidence: float
    use: str
    what: str


@cache
def _areas() -> dict[str, str]:
    regions = {code.replace("-", " "): name for code, name in pairs("regions.tsv").items()}
    return regions | pairs("postcode_areas.tsv")


@cache
def _postcodes() -> list[_Format]:
    # "DE" is left out: with five digits after it, it is Germany's.
    states = "|".join(code[3:] for code in _areas() if code.startswith("US ") and code != "US DE")
    found: list[_Format] = []
    for pattern, where, confidence, use, what in rows("postcodes.tsv", 5):
        full = pattern.replace("{PLACE}", _PLACE).replace("{STATE_US}", states)
        bounded = re.compile(rf"(?<![\w\-./])(?:{full})(?![\w]|-\d)")
        found.append(_Format(bounded, weights(where), float(confidence), use, what))
    return found


def read_postcode(text: str, *, explicit: bool = False) -> list[Clue]:
    """Return the postcodes in a text; `explicit` (the caller says it is one) admits ambiguous formats."""
    found: list[Clue] = []
    taken: list[tuple[int, int]] = []
    for form in _postcodes():
        if form.use == "asked" and not explicit:
            continue
        for match in form.pattern.finditer(text):
            if any(match.start() < end and start < match.end() for start, end in taken):
                continue
            country = next(iter(form.countries))
            groups = match.groupdict()
            area = _areas().get(f"{country} {groups.get('area')}", "")
            if (groups.get("area") and not area) or (
                country == "NL" and _UNITS_NOT_POSTCODES.match(match.group())
            ):
                continue
            taken.append(match.span())
            places = [place for place in (groups.get("place"), area) if place]
            found.append(_postcode(match.group(), form, places))
    return found


def _postcode(written: str, form: _Format, places: list[str]) -> Clue:
    where = scaled(form.countries, sum(form.countries.values()))
    of = f" of {places[-1]}" if places else ""
    return Clue(
        kind="postcode",
        text=written,
        reading=f"{written} is {form.what}{of}",
        countries=where,
        places=list(dict.fromkeys(places)),
        confidence=form.confidence,
        source="postal addressing rules",
    )


@cache
def _roads() -> list[_Format]:
    found: list[_Format] = []
    for pattern, where, use, what in rows("roads.tsv", 4):
        bounded = re.compile(rf"(?<![\w.\-/])(?:{pattern})(?![\w]|[.,-]\d)")
        confidence = {"any": 0.8, "line": 0.55, "asked": 0.5}[use]
        found.append(_Format(bounded, weights(where), confidence, use, what))
    return found


@cache
def _european_routes() -> dict[str, list[str]]:
    return {number: codes.split(",") for number, codes in pairs("e_roads.tsv").items()}


def _only_numbers(line: str) -> bool:
    """Tell whether a line holds nothing but road numbers, such as "E 18  40" or "D 906"."""
    rest = _EUROPEAN_ROUTE.sub(" ", line)
    for form in _roads():
        rest = form.pattern.sub(" ", rest)
    return not rest.strip(" /|·,-0123456789")


def read_road(text: str, *, explicit: bool = False) -> list[Clue]:
    """Return the road numbers in a text; `explicit` (the caller says it is one) admits ambiguous ones."""
    found: dict[str, Clue] = {}
    for line in text.splitlines():
        alone = explicit or _only_numbers(line)
        for match in _EUROPEAN_ROUTE.finditer(line) if alone else ():
            number = match["number"].lstrip("0")
            if number in _european_routes() and (explicit or number not in _FUELS):
                found.setdefault(match.group(), _european(match.group(), number))
        for form in _roads():
            if form.use == "any" or (form.use == "line" and alone) or explicit:
                for match in form.pattern.finditer(line):
                    found.setdefault(match.group(), _road(match.group(), form))
    return list(found.values())


def _european(written: str, number: str) -> Clue:
    codes = _european_routes()[number]
    return Clue(
        kind="vehicle_code",
        text=written,
        reading=f"European route E {number} runs through {', '.join(country_name(code) for code in codes)}",
        countries=country_prior(codes, 0.85),
        confidence=0.55 if " " in written else 0.4,
        source="European routes (AGR treaty)",
    )


def _road(written: str, form: _Format) -> Clue:
    where = scaled(form.countries, sum(form.countries.values()))
    shown = ", ".join(country_name(code) for code in list(where)[:3])
    return Clue(
        kind="vehicle_code",
        text=written,
        reading=f"{written} is the number of {form.what}, as in {shown}",
        countries=where,
        confidence=form.confidence,
        source="road numbering schemes",
    )
