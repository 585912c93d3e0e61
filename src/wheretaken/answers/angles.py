"""One coordinate as people and models write it: `48.8566`, `-74.03° W`, `48°51'24" N`, `北纬31.23度`."""

from __future__ import annotations

import re
from typing import NamedTuple

from wheretaken.answers.model import Repair

_FOLDED = {
    "-": "−–‒‑﹣－",
    "+": "＋",
    "°": "º˚度",
    "'": "’‘′＇分",
    '"': "”“″＂秒",
    ".": "．",
    ",": "，、",
    ";": "；",
    ":": "：",
    "=": "＝",
    "(": "（",
    ")": "）",
    " ": "\u00a0\u2009\u202f\u3000",
    **{str(n): chr(ord("０") + n) for n in range(10)},
}
_FOLD = {ord(character): plain for plain, characters in _FOLDED.items() for character in characters}
_UNFOLDED = re.compile(f"[{''.join(map(chr, _FOLD))}]")

NUMBER = r"""
    (?P<whole>\d(?<![\d.]\d)\d{0,2}+)(?P<fraction>\.\d++|,\d{2,}+(?=\ ?°))?+ (?!\.?\d)
    (?:\s{0,2}(?P<mark>°|degrees?\b|deg\b))?+
    (?:\s{0,2}(?P<minutes>\d{1,2}+(?:\.\d++)?+)\s{0,2}'(?!')
       (?:\s{0,2}(?P<seconds>\d{1,2}+(?:\.\d++)?+)\s{0,2}(?:"|''))?+ )?+
    (?:\s{0,2}(?P<letter>[NSEW]|North|South|East|West)\b)?+
"""
"""A coordinate in folded text, from its first digit to its hemisphere; for `re.VERBOSE | re.IGNORECASE`.

It begins with a digit because text is searched several times faster for a digit than for anything else.
"""
CHINESE_HEMISPHERE = r"(?P<chinese>[北南东西東])[纬緯经經]"
_HEMISPHERES = {"北": "N", "南": "S", "东": "E", "東": "E", "西": "W"}
_VALUE = re.compile(
    rf"""(?:about|approx(?:\.|imately)?|约|[~≈])?+\s*
         (?:(?P<head>[NSEW])\s{{0,2}}|{CHINESE_HEMISPHERE}\s{{0,2}})?+ [+-]?+ {NUMBER} \D{{0,40}}""",
    re.IGNORECASE | re.VERBOSE,
)
_DECIMAL_COMMA = re.compile(r"([+-]?\d{1,3}),(\d+)")
NONE: frozenset[Repair] = frozenset()
SWAPPED = frozenset({Repair.SWAPPED})
_SIGN = frozenset({Repair.SIGN})
_LONGEST = 100
"""Characters; no coordinate is longer."""


class Angle(NamedTuple):
    """A coordinate."""

    degrees: float
    """Signed: south and west are negative."""
    axis: str
    """`lat`, `lon`, or empty when no letter says which it is."""
    repairs: frozenset[Repair] = NONE


def fold(text: str) -> str:
    """Return the text with dashes, quotes, punctuation and digits in one spelling; offsets stay the same."""
    return text if text.isascii() else _UNFOLDED.sub(lambda match: _FOLD[ord(match[0])], text)


def hemisphere(letter: str | None) -> str:
    """Return `N`, `S`, `E`, `W` for a hemisphere's letter, word or character; empty for none."""
    return _HEMISPHERES.get(letter, letter[:1].upper()) if letter else ""


def number_start(match: re.Match[str]) -> int:
    """Return where a matched `NUMBER` begins, its sign included; a dash behind another number is none."""
    text, digit = match.string, match.start("whole")
    if digit == 0 or text[digit - 1] not in "+-":
        return digit
    behind_number = digit > 1 and (text[digit - 2] in ".°" or text[digit - 2].isdigit())
    return digit if behind_number else digit - 1


def angle(match: re.Match[str], before: str = "") -> Angle | None:
    """Return the coordinate of a matched `NUMBER`; None when its letters contradict each other.

    Args:
        match: of a pattern that contains `NUMBER`.
        before: the hemisphere that stands before the number, `N`, `S`, `E`, `W` or empty.
    """
    after = hemisphere(match["letter"])
    if before and after and before != after:
        return None
    letter = before or after
    minutes, seconds = float(match["minutes"] or 0), float(match["seconds"] or 0)
    if minutes >= 60 or seconds >= 60:
        return None
    whole = float(match["whole"] + (match["fraction"] or "").replace(",", "."))
    size = whole + minutes / 60 + seconds / 3600
    minus = match.string[number_start(match)] == "-"
    return Angle(
        degrees=-size if minus or letter in {"S", "W"} else size,
        axis={"N": "lat", "S": "lat", "E": "lon", "W": "lon"}.get(letter, ""),
        repairs=_SIGN if minus and letter else NONE,
    )


def read_angle(text: str) -> Angle | None:
    """Return the coordinate that a text is; None when it is anything else or more."""
    if len(text) > _LONGEST:
        return None
    plain = fold(text).strip()
    match = _VALUE.fullmatch(_DECIMAL_COMMA.sub(r"\1.\2", plain))
    return angle(match, hemisphere(match["head"] or match["chinese"])) if match else None


def in_range(lat: float, lon: float) -> tuple[float, float, bool] | None:
    """Return the pair and whether it was exchanged, which is done when only that way it is a position.

    None when it is no position either way, NaN included.
    """
    if abs(lat) <= 90 and abs(lon) <= 180:
        return lat, lon, False
    if abs(lat) <= 180 and abs(lon) <= 90:
        return lon, lat, True
    return None
