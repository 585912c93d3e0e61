"""Units, speed signs, currencies and the side of the road: weak facts that rule countries out.

"56 km" says little more than "not the United States, not Great Britain"; it is returned with weights that say
so.
"""

from __future__ import annotations

import re
from functools import cache

from wheretaken.clues.countries import countries, country_name, country_prior, drive_side, speed_unit
from wheretaken.clues.model import Clue, scaled
from wheretaken.clues.tables import rows, weights

_UNIT_SOURCE = "country-coder (units on road signs)"
_NUMBER = r"\d+(?:[.,]\d+)?"
_FRACTION = r"(?:\d+\s+)?(?:\d/\d|[½¼¾⅓⅔])"
_UNITS: tuple[tuple[re.Pattern[str], str, dict[str, float], float], ...] = (
    (re.compile(rf"(?i)(?<![\w.]){_NUMBER}\s?mph\b"), "miles per hour", {}, 0.9),
    (re.compile(rf"(?i)(?<![\w./])(?:{_FRACTION}|{_NUMBER})\s?(?:miles?|mi)\b(?!\s?/)"), "miles",
     {"US": 0.68, "GB": 0.24, "PR": 0.01, "LR": 0.005, "MM": 0.01}, 0.7),
    (re.compile(rf"(?i)(?<![\w./])(?:{_FRACTION}|\d+)\s?(?:yds|yards)\b"), "yards",
     {"GB": 0.9, "US": 0.05}, 0.85),
    (re.compile(r"(?i)(?<![\w./])\d+\s?(?:ft|')\s?\d+\s?(?:in|\"|'')(?!\w)"), "feet and inches",
     {"US": 0.55, "GB": 0.32, "CA": 0.05}, 0.75),
)  # fmt: skip
_KILOMETRES = re.compile(
    rf"(?i)(?<![\w.]){_NUMBER}\s?(?:km(?:/h|/t|/st|h)?|км(?:/ч)?|公里|กม\.?|كم|χλμ)(?![\w])"
)
_KM_VALUE = "kilometres"
_DRIVE = re.compile(
    r"(?i)\b(?:drive|driving|keep|circuler|conduire|roulez|links fahren|rechts fahren|conduzca por|"
    r"guida a|guidare a)"
    r"(?:\s+\w+){0,4}?\s+(?P<side>left|gauche|sinistra|izquierda|right|droite|destra|derecha)\b"
)
_DRIVE_AUTO = re.compile(
    r"(?i)\bdrive\s+on\s+(?:the\s+)?left\b|\broule[rz]\s+à\s+gauche\b|\blinks\s+fahren\b"
)
_LEFT_WORDS = frozenset({"left", "gauche", "sinistra", "izquierda"})


def _countries_with(unit: str) -> list[str]:
    return [code for code in countries() if speed_unit(code) == unit]


def read_units(text: str) -> list[Clue]:
    """Return the distances and speeds in a text whose unit says something about the country."""
    found: list[Clue] = []
    for pattern, name, given, confidence in _UNITS:
        if match := pattern.search(text):
            where = scaled(given, sum(given.values())) or country_prior(_countries_with("mph"), 0.95)
            found.append(_unit(match.group(), name, where, confidence))
    if match := _KILOMETRES.search(text):
        found.append(_unit(match.group(), _KM_VALUE, country_prior(_countries_with("km/h"), 0.97), 0.6))
    return found


def _unit(written: str, name: str, where: dict[str, float], confidence: float) -> Clue:
    if name == _KM_VALUE:
        reading = f"{written}: kilometres, so hardly the United States or the United Kingdom"
    else:
        reading = f"{written}: {name}, as in {', '.join(country_name(code) for code in list(where)[:3])}"
    return Clue(
        kind="units",
        text=written.strip(),
        reading=reading,
        countries=where,
        confidence=confidence,
        source=_UNIT_SOURCE,
    )


@cache
def _currencies() -> tuple[re.Pattern[str], dict[str, dict[str, float]]]:
    euro = country_prior([c.code for c in countries().values() if c.currency == "EUR"], 0.93)
    signs: dict[str, dict[str, float]] = {}
    forms: list[str] = []
    for sign, where, position in sorted(rows("currencies.tsv", 3), key=lambda row: -len(row[0])):
        signs[sign] = euro if where == "eurozone" else weights(where)
        mark = re.escape(sign)
        left = r"(?<!\w)" if sign[0].isalpha() and sign.isascii() else ""
        before = rf"{left}{mark}\.?\s?(?=\d)"
        after = (
            rf"(?<=\d){mark}(?!\w)|(?<=\d\s){mark}(?!\w)|(?<=\d[.,]-){mark}(?!\w)|(?<=[.,]-\s){mark}(?!\w)"
        )
        if not sign.isascii() or not sign[0].isalpha():
            before = rf"(?<![A-Z]){mark}\s?(?=\d)"
        forms.append(
            {"any": rf"(?<![A-Z]){mark}", "before": before, "after": after}.get(position, f"{before}|{after}")
        )
    alternatives = "|".join(f"(?:{form})" for form in forms)
    return re.compile(alternatives), signs


def read_currency(text: str) -> list[Clue]:
    """Return the currencies of the prices in a text, one clue each."""
    pattern, signs = _currencies()
    found: dict[str, Clue] = {}
    for match in pattern.finditer(text):
        sign = match.group().strip().rstrip(".")
        if sign in found or sign not in signs:
            continue
        where = scaled(signs[sign], sum(signs[sign].values()))
        best = next(iter(where))
        sure = where[best] > 0.8
        others = "" if sure else f" or {country_name(list(where)[1])}"
        found[sign] = Clue(
            kind="currency",
            text=sign,
            reading=f"a price in {sign}: money of {country_name(best)}{others}",
            countries=where,
            confidence=0.85 if sure else 0.6,
            source="ISO 4217",
        )
    return list(found.values())


def read_drive_side(text: str, *, explicit: bool = False) -> list[Clue]:
    """Return what a text says of the side of the road.

    Args:
        text: Any text; with `explicit` also just "left" or "right", as seen in a picture, or a
            country's code.
        explicit: The caller says that the text is about the side of the road.
    """
    plain = text.strip()
    side = ""
    if _DRIVE_AUTO.search(text):
        side = "left"
    elif explicit and plain.lower() in {"left", "right"}:
        side = plain.lower()
    elif explicit and (match := _DRIVE.search(text)):
        side = "left" if match["side"].lower() in _LEFT_WORDS else "right"
    if side:
        where = country_prior([code for code in countries() if drive_side(code) == side], 0.97)
        reading = f"traffic on the {side}, as in {', '.join(country_name(code) for code in list(where)[:5])}"
    elif explicit and (known := drive_side(plain)):
        where, reading = {plain.upper(): 1.0}, f"{country_name(plain)} drives on the {known}"
    else:
        return []
    return [
        Clue(
            kind="drive_side",
            text=plain,
            reading=reading,
            countries=where,
            confidence=0.9,
            source="country-coder (driving side)",
        )
    ]
