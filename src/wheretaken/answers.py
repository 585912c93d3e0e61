"""The one answer parser: what a model wrote -> `Answer` or `NoAnswer`.

The model: small readers are tried in order of how explicit their shape is. Each prefers what stands last, so
that a final answer beats the guesses before it.

1. objects: `{...}`, strict JSON or nearly so (fences, trailing commas, single quotes, comments, bare words,
   numbers as strings, nesting, `coordinates: [lat, lon]`)
2. labelled numbers: `lat: 48.85, lon: 2.35`, `Latitude: 48.85° N ... Longitude: 2.35° E`
3. degrees with hemispheres: `48.8566° N, 2.3522° E`, `48°51'24"N 2°21'03"E`
4. a bare pair with at least two decimals: `48.8566, 2.3522`

A position is usable when it is finite and in range. Latitude and longitude are exchanged only when the
latitude is out of range and the exchanged pair is not. An object that says that it has no position
(`"lat": null`, or 0, 0 in no known place) is a refusal and is not overruled by a guess before it.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wheretaken.geo import LatLon

if TYPE_CHECKING:
    from collections.abc import Callable


class Evidence(BaseModel):
    """Something that the picture shows, and the place that it speaks for."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    reads: str
    """What is read or seen."""
    place: str = ""
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    """Of that place, WGS-84; None for evidence of a country or a language."""
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    call: str = ""
    """The id of the tool call that showed it."""


class Candidate(BaseModel):
    """A place that was considered, WGS-84 degrees."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    city: str = ""
    country: str = ""
    weight: Annotated[float, Field(ge=0, le=1)] | None = None
    """Its share of the probability, as the answerer sees it."""


class Answer(BaseModel):
    """A place that was given as the answer, WGS-84 degrees."""

    model_config = ConfigDict(frozen=True)

    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    city: str = ""
    country: str = ""
    radius_km: Annotated[float, Field(ge=0)] | None = None
    """The radius within which the answerer expects the place."""
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    evidence: tuple[Evidence, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    raw: str = ""
    """The part of the text that was read as the answer."""

    @property
    def position(self) -> LatLon:
        """Where it is."""
        return LatLon(self.lat, self.lon)


_Entry = TypeVar("_Entry", Evidence, Candidate)


class NoAnswer(BaseModel):
    """Why a text holds no position."""

    model_config = ConfigDict(frozen=True)

    reason: Literal["refused", "unparsed"]
    """`refused`: it says that it gives no place; `unparsed`: it is something else, or cut off."""
    detail: str


def parse(text: str) -> Answer | NoAnswer:
    """Read the last answer in a model's text.

    What stands in `<answer>` tags is the answer; only when nothing can be read there is the rest looked at.
    """
    tagged = _ANSWER_TAG.findall(text)
    parts = [*tagged[-1:], text]
    for part in parts:
        plain = part.translate(_MINUS)
        for reader in _READERS:
            found = reader(plain)
            if found is not None:
                return found
        if _REFUSAL.search(part[-_REFUSAL_REACH:]):
            return NoAnswer(reason="refused", detail="the text says that it cannot or will not name a place")
    detail = "there are no coordinates in the text" if text.strip() else "the text is empty"
    return NoAnswer(reason="unparsed", detail=detail)


_ANSWER_TAG = re.compile(r"<answer>(.*?)(?:</answer>|\Z)", re.DOTALL | re.IGNORECASE)
_MINUS = str.maketrans(dict.fromkeys("−–‒‑﹣－", "-"))
"""The dashes that models write for a minus sign."""
_REFUSAL_REACH = 600
"""Characters from the end in which a refusal must stand: doubts early in a long text are only reasoning."""
_REFUSAL = re.compile(
    r"""\b(?: cannot | can['’]?t | can\s+not | could(?:\s+not|n['’]?t) | unable | not\s+able | impossible
         | not\s+possible | won['’]?t | will\s+not | not\s+enough
         | don['’]?t\s+(?:have\s+enough|know) | insufficient | sorry )\b
      | 无法 | 不能 | 抱歉""",
    re.IGNORECASE | re.VERBOSE,
)


# Values


_ANGLE = r"""
    (?P<{0}head>[NSEW]\b)?\s*
    (?P<{0}degrees>[+-]?\d{{1,3}}(?:\.\d+)?)(?![\d.]\d)
    (?:\s*(?P<{0}mark>°|º|degrees\b|deg\b))?
    (?:\s*(?P<{0}minutes>\d{{1,2}}(?:\.\d+)?)\s*['’′])?
    (?:\s*(?P<{0}seconds>\d{{1,2}}(?:\.\d+)?)\s*(?:["”″]|'')(?=\s*[NSEW]))?
    (?:\s*(?P<{0}tail>(?:[NSEW]|North|South|East|West)\b))?
"""
"""One coordinate; `{0}` names its groups, as one pattern may hold two."""
_ONE_ANGLE = re.compile(_ANGLE.format(""), re.IGNORECASE | re.VERBOSE)
_DECIMAL_COMMA = re.compile(r"([+-]?\d{1,3}),(\d+)")
_EMPTY_WORDS = frozenset({"", "null", "none", "n/a", "na", "unknown", "undefined", "?"})


class _Null:
    """A coordinate that was given as "there is none"."""


_NULL = _Null()


def _degrees(groups: dict[str, str | None], prefix: str = "") -> tuple[float, str]:
    """Return the signed degrees of a matched `_ANGLE`, and its hemisphere (`N`, `S`, `E`, `W` or empty)."""
    value = float(groups[prefix + "degrees"] or 0)
    rest = float(groups[prefix + "minutes"] or 0) / 60 + float(groups[prefix + "seconds"] or 0) / 3600
    hemisphere = (groups[prefix + "head"] or groups[prefix + "tail"] or "")[:1].upper()
    size = abs(value) + rest
    negative = hemisphere in {"S", "W"} or (groups[prefix + "degrees"] or "").startswith("-")
    return (-size if negative else size), hemisphere


def _coordinate(value: object, hemispheres: str) -> float | _Null | None:
    """Return a coordinate from a value of an object; None when it is not one."""
    if value is None:
        return _NULL
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if text.lower() in _EMPTY_WORDS:
        return _NULL
    match = _ONE_ANGLE.fullmatch(_DECIMAL_COMMA.sub(r"\1.\2", text))
    if match is None:
        return None
    degrees, hemisphere = _degrees(match.groupdict())
    return degrees if hemisphere in hemispheres else None


def _in_range(lat: float, lon: float) -> tuple[float, float] | None:
    """Return the pair, exchanged when only that way it is a position; None when it is none (NaN included)."""
    if abs(lat) <= 90 and abs(lon) <= 180:
        return lat, lon
    if abs(lat) <= 180 and abs(lon) <= 90:
        return lon, lat
    return None


def _answer(lat: float, lon: float, raw: str) -> Answer | None:
    pair = _in_range(lat, lon)
    return None if pair is None else Answer(lat=pair[0], lon=pair[1], raw=raw)


# Reader 1: objects


_MAX_OBJECT = 20_000
"""Characters; longer objects and more deeply nested ones are no answers."""
_MAX_OBJECTS = 200
"""Only so many opening braces from the end are tried."""
_MAX_DEPTH = 8
_LAT_KEYS = ("lat", "latitude")
_LON_KEYS = ("lon", "lng", "long", "longitude")
_NESTED_KEYS = (
    *("answer", "finalanswer", "final", "result", "prediction", "location", "position", "geolocation"),
    *("coordinates", "coordinate", "coords", "gps", "latlon", "latlng", "point", "geometry"),
)


def _read_object(text: str) -> Answer | NoAnswer | None:
    for content, raw in reversed(_objects(text)):
        found = _from_object(content, raw)
        if found is not None:
            return found
    return None


def _objects(text: str) -> list[tuple[dict[str, object], str]]:
    """Return the objects that can be read, in order, each with its text; inner ones are not listed."""
    objects: list[tuple[dict[str, object], str]] = []
    end = 0
    for start in [match.start() for match in re.finditer(r"\{", text)][-_MAX_OBJECTS:]:
        if start < end:
            continue
        reader = _Lenient(text[start : start + _MAX_OBJECT])
        try:
            content = cast("dict[str, object]", reader.value())  # it begins with a brace
        except ValueError:
            continue
        end = start + reader.at
        objects.append((content, text[start:end]))
    return objects


def _from_object(content: dict[str, object], raw: str) -> Answer | NoAnswer | None:
    pair = _find_pair(content)
    if pair is None:
        return None
    fields = _flat(content)
    city, country = _words(fields.get("city")), _words(fields.get("country"))
    known = {city.lower(), country.lower()} - _EMPTY_WORDS
    if isinstance(pair, _Null) or (pair == (0.0, 0.0) and not known):
        return NoAnswer(reason="refused", detail="the answer object has no coordinates")
    position = _in_range(*pair)
    if position is None:
        return None
    return Answer(
        lat=position[0],
        lon=position[1],
        city=city,
        country=country,
        radius_km=_quantity(fields.get("radiuskm", fields.get("radius")), "km"),
        confidence=_confidence(fields.get("confidence")),
        evidence=_entries(fields.get("evidence"), Evidence),
        candidates=_entries(fields.get("candidates"), Candidate),
        raw=raw,
    )


def _entries(value: object, kind: type[_Entry]) -> tuple[_Entry, ...]:
    """Read a list of objects; entries of another shape are left out, they are no reason to lose an answer."""
    found: list[_Entry] = []
    for entry in cast("list[object]", value) if isinstance(value, list) else []:
        with contextlib.suppress(ValidationError):
            found.append(kind.model_validate(entry))
    return tuple(found)


def _find_pair(value: object) -> tuple[float, float] | _Null | None:
    """Return the coordinates in a value of an object, `_NULL` when it says that there are none."""
    if isinstance(value, dict):
        fields = _normalised(cast("dict[str, object]", value))
        lat_key = next((key for key in _LAT_KEYS if key in fields), None)
        lon_key = next((key for key in _LON_KEYS if key in fields), None)
        if lat_key and lon_key:
            return _pair(fields[lat_key], fields[lon_key])
        nested = (_find_nested(fields, key) for key in _NESTED_KEYS if key in fields)
        return next((found for found in nested if found is not None), None)
    if isinstance(value, list):
        items = cast("list[object]", value)
        return _pair(items[0], items[1]) if len(items) == 2 else None
    if isinstance(value, str):
        found = _read_degrees(value) or _read_pair(value)
        return (found.lat, found.lon) if found else None
    return None


def _find_nested(fields: dict[str, object], key: str) -> tuple[float, float] | _Null | None:
    if fields[key] is None:
        return _NULL
    found = _find_pair(fields[key])
    is_geojson = str(fields.get("type", "")).lower() == "point"  # RFC 7946: longitude first
    return (found[1], found[0]) if is_geojson and isinstance(found, tuple) else found


def _pair(lat: object, lon: object) -> tuple[float, float] | _Null | None:
    north, east = _coordinate(lat, "NS"), _coordinate(lon, "EW")
    if isinstance(north, _Null) or isinstance(east, _Null):
        return _NULL
    return None if north is None or east is None else (north, east)


def _normalised(content: dict[str, object]) -> dict[str, object]:
    return {re.sub(r"[^a-z]", "", key.lower()): value for key, value in content.items()}


def _flat(content: dict[str, object]) -> dict[str, object]:
    """Return the fields of an object and of the objects in it, the inner ones winning."""
    flat: dict[str, object] = {}
    for key, value in _normalised(content).items():
        if isinstance(value, dict):
            flat |= _flat(cast("dict[str, object]", value))
        else:
            flat.setdefault(key, value)
    return flat


def _words(value: object) -> str:
    return value.strip() if isinstance(value, str) and value.strip().lower() not in {"null", "none"} else ""


def _quantity(value: object, unit: str) -> float | None:
    """Return a number that is not negative, given as a number or as text with or without its unit."""
    match = re.fullmatch(rf"\s*(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(?:{unit})?\s*", str(value))
    return float(match[1]) if match else None


def _confidence(value: object) -> float | None:
    """Return a share of 1; percentages are divided by 100."""
    number = _quantity(value, "%")
    if number is None or number > 100:
        return None
    return number / 100 if number > 1 or "%" in str(value) else number


class _Lenient:
    """Reads JSON and what models write for it; whatever it cannot follow is a `ValueError`.

    Beyond JSON: single and curly quotes, bare keys and words (a value without quotes ends at the comma,
    the bracket or the line end), trailing and missing commas, `//`, `#` and `/* */` comments.
    """

    _blank = re.compile(r"(?:[\s,]|//[^\n]*|\#[^\n]*|/\*.*?\*/)*", re.DOTALL)
    _string = re.compile(
        r""""((?:[^"\\]|\\.)*)"|'((?:[^'\\\n]|\\.|'(?=\w))*)'|“([^”]*)”|‘([^’]*)’""", re.DOTALL
    )
    _key = re.compile(r"""[^\s"':,{}\[\]]+""")
    _bare = re.compile(r"(?:[^,\n{}\[\]/#]|/(?![/*]))+")

    def __init__(self, text: str) -> None:
        self._text = text
        self.at = 0
        """Where it is in the text; after `value`, behind it."""
        self._depth = 0

    def value(self) -> object:
        """Return the value at the current place and go behind it."""
        self._skip()
        mark = self._text[self.at : self.at + 1]
        if mark in {"{", "["}:
            self._depth += 1
            if self._depth > _MAX_DEPTH:
                raise ValueError("nested too deeply")
            self.at += 1
            result = self._members() if mark == "{" else self._items()
            self._depth -= 1
            return result
        match = self._string.match(self._text, self.at)
        return self._unquoted(match) if match else _scalar(self._take(self._bare)[0].strip())

    def _members(self) -> dict[str, object]:
        members: dict[str, object] = {}
        while not self._closes("}"):
            match = self._string.match(self._text, self.at)
            key = self._unquoted(match) if match else self._take(self._key)[0]
            self._take(re.compile(r"\s*[:=]"))
            members[key] = self.value()
        return members

    def _items(self) -> list[object]:
        items: list[object] = []
        while not self._closes("]"):
            items.append(self.value())
        return items

    def _closes(self, mark: str) -> bool:
        self._skip()
        if not self._text.startswith(mark, self.at):
            return False
        self.at += 1
        return True

    def _skip(self) -> None:
        self._take(self._blank)

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self._text, self.at)
        if match is None:
            raise ValueError(f"unexpected {self._text[self.at : self.at + 10]!r}")
        self.at = match.end()
        return match

    def _unquoted(self, match: re.Match[str]) -> str:
        self.at = match.end()
        text = next(group for group in match.groups() if group is not None)
        if "\\" not in text or match[1] is None:
            return text
        return cast("str", json.loads(match[0], strict=False))


def _scalar(text: str) -> object:
    """Return what a bare word stands for: a number, None, or itself (`NaN` and `true` are only words)."""
    if text.lower() in {"null", "none"}:
        return None
    try:
        return float(text) if text[-1:].isdigit() else text
    except ValueError:
        return text


# Readers 2 to 4: plain text


_LABELLED = re.compile(
    rf"""\b(?:(?P<lat>lat(?:itude)?)|lon(?:g(?:itude)?)?|lng)\b
         (?:[\s"'*_`:=≈~(]|-\s|\bis\b|\babout\b|\baround\b|\bapprox(?:imately|\.)?)*
         {_ANGLE.format("")}""",
    re.IGNORECASE | re.VERBOSE,
)
_LABEL_GAP = 60
"""Characters between a labelled latitude and its longitude, at most."""
_UNIT = r"(?:\s*(?:lat|lon)(?:g?itude)?\b)?"
_BETWEEN = _UNIT + r"\s*[,;/&]?\s*(?:and\s+)?(?:about\s+)?"
_WITH_HEMISPHERES = re.compile(
    _ANGLE.format("a_") + _BETWEEN + _ANGLE.format("b_"), re.IGNORECASE | re.VERBOSE
)
_BARE_PAIR = re.compile(
    rf"(?<![\d.])([+-]?\d{{1,3}}\.\d{{2,}})°?{_UNIT}\s*[,;]\s*([+-]?\d{{1,3}}\.\d{{2,}})(?![\d.]*\d)",
    re.IGNORECASE,
)


def _read_labelled(text: str) -> Answer | None:
    labels = list(_LABELLED.finditer(text))
    for first, second in reversed(list(itertools.pairwise(labels))):
        if bool(first["lat"]) == bool(second["lat"]) or second.start() - first.end() > _LABEL_GAP:
            continue
        north, east = (first, second) if first["lat"] else (second, first)
        lat, ns = _degrees(north.groupdict())
        lon, ew = _degrees(east.groupdict())
        found = _answer(lat, lon, text[first.start() : second.end()]) if ns in "NS" and ew in "EW" else None
        if found is not None:
            return found
    return None


def _read_degrees(text: str) -> Answer | None:
    for match in reversed(list(_WITH_HEMISPHERES.finditer(text))):
        groups = match.groupdict()
        one, first = _degrees(groups, "a_")
        two, second = _degrees(groups, "b_")
        if not all(groups[side + "mark"] or "." in (groups[side + "degrees"] or "") for side in ("a_", "b_")):
            continue  # "12 S, 7 E" is a street address at least as often
        if first and second and first in "NS" and second in "EW":
            found = _answer(one, two, match[0])
        elif first and second and first in "EW" and second in "NS":
            found = _answer(two, one, match[0])
        else:
            found = None
        if found is not None:
            return found
    return None


def _read_pair(text: str) -> Answer | None:
    found = (_answer(float(m[1]), float(m[2]), m[0]) for m in reversed(list(_BARE_PAIR.finditer(text))))
    return next((answer for answer in found if answer is not None), None)


_READERS: tuple[Callable[[str], Answer | NoAnswer | None], ...] = (
    _read_object,
    _read_labelled,
    _read_degrees,
    _read_pair,
)
