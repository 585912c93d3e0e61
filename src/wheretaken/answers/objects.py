"""Answer objects in a text: finds them, and reads position, names and evidence from their fields."""

from __future__ import annotations

import contextlib
import json
import re
from typing import NamedTuple, TypeVar, cast

from pydantic import ValidationError

from wheretaken.answers import fields as names
from wheretaken.answers import lenient
from wheretaken.answers.angles import NONE, SWAPPED, Angle, in_range, read_angle
from wheretaken.answers.model import Answer, Candidate, Evidence, NoAnswer, Repair
from wheretaken.answers.prose import read_pair

_Entry = TypeVar("_Entry", Evidence, Candidate)
_Fields = dict[str, object]

_DECODER = json.JSONDecoder(parse_constant=str)
"""Strict JSON; `NaN` and `Infinity`, which Python would take for numbers, are words to it."""
_OPENING = re.compile(r"\{(?=\s*+[^\s{}\[\],:])")
"""A brace before something that could be a key."""
_STRICT_TRIES = 50
"""How often strict JSON may fail in one text before only the lenient reader is asked."""
_SPARE = 50_000
"""Characters that may be read again in one text, behind braces that opened nothing of use."""
_MAX_DEPTH = 8
_POSITIONS = names.NOT_THE_ANSWER - {"call"} | {"lat", "lon"}
"""Fields that hold numbers which running text would be misread for."""
_SYNTAX = frozenset({Repair.SYNTAX})
_TRUNCATED = frozenset({Repair.TRUNCATED})


class Reading(NamedTuple):
    """What the objects of a text give."""

    result: Answer | NoAnswer | None
    """Of the last whole object that decides, or else of the last one that broke off."""
    rest: str
    """The text without the objects that are not to be read as running text either."""


class _Found(NamedTuple):
    """An object in a text."""

    content: _Fields
    start: int
    end: int
    whole: bool
    repairs: frozenset[Repair]


class _Position(NamedTuple):
    """What an object says of the position."""

    degrees: tuple[float, float] | None
    """Latitude and longitude as they are given; None when the object says that there are none."""
    repairs: frozenset[Repair] = NONE
    beside: _Fields | None = None
    """The named fields of the objects that it was found in, the innermost winning."""


_NO_POSITION = _Position(None)


def read_objects(text: str) -> Reading:
    """Read the last object of a text that holds a position, or says that there is none."""
    whole: Answer | NoAnswer | None = None
    broken: Answer | NoAnswer | None = None
    rest: list[str] = []
    seen, tries, spare = 0, _STRICT_TRIES, _SPARE
    opening = _OPENING.search(text)
    while opening:
        start = opening.start()
        found = _strictly(text, start) if tries else None
        if found is None:
            tries -= tries > 0
            found = _leniently(text, start)
        result, hidden = _judge(found, text)
        follow = found.end
        if hidden:
            rest.append(text[seen : found.start])
            seen = found.end
        elif found.whole:
            whole = result or whole
        elif result is None and spare > 0:
            spare -= found.end - start
            follow = start + 1
        else:
            broken = result or broken
        opening = _OPENING.search(text, follow)
    return Reading(whole or broken, "".join([*rest, text[seen:]]) if rest else text)


def _strictly(text: str, start: int) -> _Found | None:
    try:
        content, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return _Found(content, start, end, whole=True, repairs=NONE)


def _leniently(text: str, start: int) -> _Found:
    loose = lenient.read(text, start)
    return _Found(loose.content, start, loose.end, loose.whole, _SYNTAX if loose.whole else _TRUNCATED)


def _judge(found: _Found, text: str) -> tuple[Answer | NoAnswer | None, bool]:
    """Return what an object answers, and whether it must not be read as running text either.

    That is so for a call, and for an object whose position is cut off, unusable or not the answer's.
    """
    plain = _plain(found, text)
    if plain or not found.content:
        return plain, False
    fields = names.named(found.content)
    if names.is_call(fields):
        return None, True
    result = _read(found, fields, text)
    ended = found.whole or found.end >= len(text)
    return result, result is None and ended and not _POSITIONS.isdisjoint(fields)


def _plain(found: _Found, text: str) -> Answer | None:
    """Read the one shape that nearly all objects have; gives what `_read` gives, in half the time."""
    content = found.content
    if not found.whole or len(content) != 4:
        return None
    lat, lon, city, country = map(content.get, ("lat", "lon", "city", "country"))
    if not (isinstance(lat, float) and isinstance(lon, float) and abs(lat) <= 90 and abs(lon) <= 180):
        return None
    if (lat, lon) == (0.0, 0.0) or not isinstance(city, str) or not isinstance(country, str):
        return None
    return Answer(
        lat=lat,
        lon=lon,
        city=names.words(city),
        country=names.words(country),
        raw=names.writable(text[found.start : found.end]),
        repairs=tuple(found.repairs),  # of finding it: one at most
    )


def _read(found: _Found, fields: _Fields, text: str) -> Answer | NoAnswer | None:
    position = _position(fields, 0)
    if position is None:
        return None
    if any(isinstance(value, (dict, list)) for value in fields.values()):
        fields = names.flat(found.content) | (position.beside or {})
    city, country = names.words(fields.get("city")), names.words(fields.get("country"))
    degrees = position.degrees
    if degrees is None or (degrees == (0.0, 0.0) and names.is_empty(city) and names.is_empty(country)):
        return NoAnswer(reason="refused", detail="the answer object has no coordinates")
    pair = in_range(*degrees)
    if pair is None:
        return None
    repairs = found.repairs | position.repairs | (SWAPPED if pair[2] else NONE)
    return Answer(
        lat=pair[0],
        lon=pair[1],
        city=city,
        country=country,
        radius_km=names.kilometres(fields.get("radius")),
        confidence=names.share(fields.get("confidence")),
        evidence=_entries(fields.get("evidence"), Evidence),
        candidates=_entries(fields.get("candidates"), Candidate),
        raw=names.writable(text[found.start : found.end]),
        repairs=tuple(repair for repair in Repair if repair in repairs) if repairs else (),
    )


def _entries(value: object, kind: type[_Entry]) -> tuple[_Entry, ...]:
    """Read a list of objects; entries of another shape are left out, they are no reason to lose an answer."""
    found: list[_Entry] = []
    for entry in cast("list[object]", value) if isinstance(value, list) else ():
        with contextlib.suppress(ValidationError):
            found.append(kind.model_validate(entry))
    return tuple(found)


def _position(fields: _Fields, depth: int) -> _Position | None:
    """Return the position in the named fields of an object; None when they speak of none."""
    if "lat" in fields and "lon" in fields:
        position = _coordinates(fields["lat"], fields["lon"])
        if position is not None:
            return position._replace(beside=fields)
    if depth == _MAX_DEPTH:
        return None
    longitude_first = fields.get("type") in {"Point", "point"}  # RFC 7946
    for name in names.NESTED:
        position = _nested(fields[name], name, depth) if name in fields else None
        if position is not None:
            if longitude_first and position.degrees and isinstance(fields[name], list):
                return position._replace(degrees=position.degrees[::-1])
            return position
    for name, value in fields.items():
        if isinstance(value, dict) and name not in names.NESTED and name not in names.NOT_THE_ANSWER:
            position = _inner(cast("_Fields", value), depth)
            if position is not None:
                return position
    is_null = any(name in fields and names.is_empty(fields[name]) for name in names.NESTED)
    return _NO_POSITION if is_null else None


def _inner(value: _Fields, depth: int) -> _Position | None:
    fields = names.named(value)
    position = None if names.is_call(fields) else _position(fields, depth + 1)
    if position is None:
        return None
    return position._replace(beside=names.flat(value) | (position.beside or {}))


def _nested(value: object, name: str, depth: int) -> _Position | None:
    """Return the position in a field that may hold one: an object, a list of objects or numbers, or text."""
    if isinstance(value, dict):
        return _inner(cast("_Fields", value), depth)
    if isinstance(value, str):
        pair = read_pair(value, decimals=0 if name == "coordinates" else 2)
        return _Position((pair.lat, pair.lon), pair.repairs) if pair else None
    if not isinstance(value, list):
        return None
    items = cast("list[object]", value)
    if len(items) in {2, 3} and not isinstance(items[0], dict):
        return _coordinates(items[0], items[1])
    found = (_inner(cast("_Fields", item), depth) for item in items if isinstance(item, dict))
    return next((position for position in found if position is not None), None)


def _coordinates(lat: object, lon: object) -> _Position | None:
    """Return the position that two values are; exchanged when their hemispheres say so."""
    if names.is_empty(lat) or names.is_empty(lon):
        return _NO_POSITION
    north, east = _angle(lat), _angle(lon)
    if north is None or east is None:
        return None
    repairs = north.repairs | east.repairs
    if north.axis != "lon" and east.axis != "lat":
        return _Position((north.degrees, east.degrees), repairs)
    if north.axis != "lat" and east.axis != "lon":
        return _Position((east.degrees, north.degrees), repairs | SWAPPED)
    return None


def _angle(value: object) -> Angle | None:
    if isinstance(value, str):
        return read_angle(value)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    # Far out of range is far enough: the largest integers cannot become floats.
    return Angle(float(value) if abs(value) < 1000 else 1000.0, "")
