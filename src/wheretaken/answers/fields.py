"""The fields of an answer object: what models call them, and what their values mean."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import cast

_NAMES = {
    "lat": ("lat", "latitude", "纬度", "緯度"),
    "lon": ("lon", "lng", "long", "longitude", "经度", "經度", "経度"),
    "city": ("city", "城市", "市", "都市"),
    "country": ("country", "国家", "國家", "国"),
    "radius": ("radius", "radiuskm", "半径", "半徑"),
    "confidence": ("confidence", "置信度", "信心"),
    "coordinates": (
        *("coordinates", "coordinate", "coords", "gpscoordinates", "gps", "latlon", "latlng", "latlong"),
        *("point", "geometry", "坐标", "座標", "经纬度", "經緯度", "gps坐标"),
    ),
    "answer": ("answer", "finalanswer", "final", "最终答案", "答案", "回答"),
    "result": ("result", "results", "结果", "prediction", "predictions", "output", "features"),
    "place": ("location", "position", "geolocation", "位置", "地点", "地點", "reversegeocoding"),
    "other": (
        *("alternatives", "hypotheses", "postinteractionhypotheses", "bbox", "observation", "example"),
        *("groundtruth", "toolcalls", "toolresponse"),
    ),
    "evidence": ("evidence", "证据"),
    "candidates": ("candidates", "候选"),
    "call": ("name", "tool", "action", "function", "toolname"),
    "arguments": ("arguments", "args", "parameters", "params", "input", "actioninput", "toolinput"),
}
NESTED = ("answer", "result", "place", "coordinates")
"""The fields in which a position is looked for first, in this order."""
NOT_THE_ANSWER = frozenset({"other", "evidence", "candidates", "call", "arguments"})
"""The fields whose positions are something else than the answer."""
_NAME = {spelling: name for name, spellings in _NAMES.items() for spelling in spellings}
_QUALIFIER = re.compile(
    r"^(?:pred(?:icted)?|estimated?|approx(?:imate)?|final|best|gps|center|guess(?:ed)?)|deg(?:rees)?$"
)
_NOT_A_LETTER = re.compile(r"[\W\d_]+")
_EMPTY_WORDS = frozenset({"", "null", "none", "n/a", "na", "unknown", "undefined", "?", "未知", "不明", "无"})
_MAX_DEPTH = 8
_LARGEST = 1e9
_FARTHEST_KM = 20_004
"""Half a meridian: no place on Earth is farther from another one."""


@lru_cache(maxsize=4096)
def canonical(key: str) -> str:
    """Return the name of a field: one of `_NAMES`, or the key's own letters in lower case."""
    letters = _NOT_A_LETTER.sub("", key[:100].lower())
    return _NAME.get(letters) or _NAME.get(_QUALIFIER.sub("", letters), letters)


def named(content: dict[str, object]) -> dict[str, object]:
    """Return the fields of an object under their canonical names; of two that mean the same, the first.

    An object or list goes before a plain value: `{"location": "Paris", "position": {...}}`.
    """
    fields: dict[str, object] = {}
    for key, value in content.items():
        name = canonical(key)
        if name not in fields or (isinstance(value, (dict, list)) and isinstance(fields[name], str)):
            fields[name] = value
    return fields


def flat(content: dict[str, object], depth: int = 0) -> dict[str, object]:
    """Return the fields of an object and of the objects in it, the inner ones winning."""
    fields: dict[str, object] = {}
    for key, value in content.items():
        name = canonical(key)
        if not isinstance(value, dict):
            fields.setdefault(name, value)
        elif name not in NOT_THE_ANSWER and depth < _MAX_DEPTH:
            fields |= flat(cast("dict[str, object]", value), depth + 1)
    return fields


def is_call(fields: dict[str, object]) -> bool:
    """Return whether named fields are a tool call: a name and arguments, also within `{"function": ...}`."""
    call = fields.get("call")
    if isinstance(call, dict):
        fields = named(cast("dict[str, object]", call))
    return isinstance(fields.get("call"), str) and "arguments" in fields


def is_empty(value: object) -> bool:
    """Return whether a value says that there is none: null, or a word for it."""
    return value is None or (isinstance(value, str) and value.strip().lower() in _EMPTY_WORDS)


def words(value: object) -> str:
    """Return a name; empty for everything that is none."""
    text = value.strip() if isinstance(value, str) else ""
    if text.lower() in {"null", "none"}:
        return ""
    return writable(text)


def writable(text: str) -> str:
    """Return the text as it can be encoded: lone surrogates, which JSON can name, become `?`."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def kilometres(value: object) -> float | None:
    """Return a distance, given as a number or as text with its unit; None for what is none on Earth."""
    number = _quantity(value, "km|kilomet(?:er|re)s?|公里|千米")
    return number if number is not None and number <= _FARTHEST_KM else None


def share(value: object) -> float | None:
    """Return a share of 1; percentages are divided by 100."""
    number = _quantity(value, "[%％]")
    if number is None or number > 100:
        return None
    return number / 100 if number > 1 or (isinstance(value, str) and value.strip()[-1] in "%％") else number


def _quantity(value: object, unit: str) -> float | None:
    """Return a number that is not negative."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value) if 0 <= value <= _LARGEST else None
    if not isinstance(value, str):
        return None
    match = re.fullmatch(
        rf"\s*(\d{{1,15}}(?:\.\d{{1,30}})?(?:e[+-]?\d{{1,2}})?)\s*(?:{unit})?\s*", value, re.IGNORECASE
    )
    return float(match[1]) if match else None
