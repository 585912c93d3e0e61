"""The published metric's reading of an answer, to the letter.

It is kept for comparison with published tables only: a fifth of GPT-5's GeoBench answers end in a trailing
comma, and it drops every one of them. Source of the rule: the reward `localization` of "Thinking with Map"
(arXiv 2601.05432), which reproduces that paper's tables from its published answers.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, cast

from wheretaken.answers.fields import words
from wheretaken.answers.model import Answer, NoAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEYS = ("lat", "lon", "city", "country")
_SHORTEST = len('{"lat":0,"lon":0,"city":0,"country":0}')
_BRACE = re.compile(r"[{}]")


def parse_strict(text: str) -> Answer | NoAnswer:
    """Read the first JSON object of a text that has all of `lat`, `lon`, `city` and `country`.

    The rule in full:

    1. Objects are the outermost spans of balanced braces. Braces are counted wherever they stand, in strings
       as well, and one that is never closed hides all objects behind it.
    2. Of the spans that are JSON, the first with all four keys at its top level is the answer; the others,
       and objects within objects, are passed over. `city` and `country` may be anything.
    3. `lat` and `lon` are numbers, or strings that hold nothing but a number; an empty string, list or object
       is 0, and true is 1. A longitude outside [-180, 180] is turned round the globe. Where they are null, no
       finite numbers, or the latitude is outside [-90, 90], there is no answer, and later objects are not
       looked at.

    0, 0 is an answer like any other, and a refusal is not told from a broken text: `NoAnswer` is always
    `unparsed`. Takes time in proportion to the text.
    """
    for span in _spans(text):
        try:
            content: object = json.loads(span)
        except (ValueError, RecursionError):
            continue
        fields = cast("dict[str, object]", content)  # it begins with a brace
        if all(key in fields for key in _KEYS):
            return _answer(fields, span)
    return NoAnswer(reason="unparsed", detail="no JSON object has all of lat, lon, city and country")


def _spans(text: str) -> Iterator[str]:
    """Yield the outermost spans of balanced braces that are long enough for four keys."""
    depth = start = 0
    for brace in _BRACE.finditer(text):
        if brace[0] == "{":
            if depth == 0:
                start = brace.start()
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0 and brace.end() - start >= _SHORTEST:
                yield text[start : brace.end()]


def _answer(fields: dict[str, object], span: str) -> Answer | NoAnswer:
    lat, lon = _number(fields["lat"]), _number(fields["lon"])
    if not (math.isfinite(lat) and math.isfinite(lon) and abs(lat) <= 90):
        return NoAnswer(reason="unparsed", detail="lat and lon are no position")
    if abs(lon) > 180:
        lon = math.remainder(lon, 360)
    return Answer(lat=lat, lon=lon, city=words(fields["city"]), country=words(fields["country"]), raw=span)


def _number(value: object) -> float:
    """Return what `float` makes of a value, 0 for an empty one, NaN where it makes nothing."""
    if value is None or (value and not isinstance(value, (int, float, str))):
        return math.nan
    try:
        return float(cast("float | str", value or 0.0))
    except (ValueError, OverflowError):
        return math.nan
