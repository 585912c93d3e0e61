"""What an answer's coordinates rest on: the result of a tool, a map that was looked at, a clue, or nothing.

The model: a run's tools told of places, showed areas and explained clues. An answer is grounded by the first
of these that holds, in this order:

- `place`: a search, or the details of a place, told of one within 25 km of the answer; the nearest counts
- `map`: the model looked at a map, at imagery or at a street there, or asked what is there
- `clue`: something read in the picture speaks for the answer's country, or for a position near it
- `none`: nothing that was asked supports it; a run without tools is never more

What a model says of its own evidence is checked against the same record: a claim holds when the call that it
names, or else any call, told of such a place. The text of tools is data here: read as JSON or not at all, its
positions in the datum of the run's toolset.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import BaseModel, ConfigDict

from wheretaken.clues.countries import countries
from wheretaken.geo import Datum, LatLon, distance_km
from wheretaken.sampling.calibration import AGREE_KM

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from wheretaken.agent import Trajectory
    from wheretaken.answers import Answer, Evidence
    from wheretaken.messages import Message

SAME_PLACE_KM = 1.0
"""A claimed position this near to one that a tool told is that place."""
TELLING = 0.1
"""Share of a clue's countries from which it speaks for one of them."""
_LOOKS = frozenset({"reverse_geocode", "street_view"})
"""What these tell is there whatever one asks for: the model looked, it did not find."""
_MOST_DEPTH = 8
_MOST_PLACES = 1000
"""Of one result; more are no answer to a question."""
_NAMES = ("name", "title", "english", "alias", "address")


class CallMade(BaseModel):
    """A tool call, as a person can find it in the run."""

    model_config = ConfigDict(frozen=True)

    turn: int
    """The model's turn, from 1."""
    id: str
    tool: str
    arguments: str
    """JSON text as the model wrote it."""


class Grounding(BaseModel):
    """What an answer rests on."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["place", "map", "clue", "none"] = "none"
    distance_km: float | None = None
    """From the answer to that place or to the middle of that map; None for a country or nothing."""
    name: str = ""
    """Of the place, or what the clue says."""
    call: CallMade | None = None


class Support(BaseModel):
    """A piece of evidence that an answer states, and what the record of the run says of it."""

    model_config = ConfigDict(frozen=True)

    reads: str
    place: str
    lat: float | None
    """WGS-84 degrees."""
    lon: float | None
    distance_km: float | None
    """From the answer to that place."""
    call: CallMade | None
    """The call that told of the place; None when no call did."""
    holds: bool
    """Whether a call told of it. What is only seen in the picture may be right and does not hold here."""


@dataclass(frozen=True, slots=True)
class Told:
    """A place that a tool told of."""

    names: tuple[str, ...]
    position: LatLon
    """WGS-84."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A call and what can be read off its result."""

    call: CallMade
    told: tuple[Told, ...] = ()
    names: tuple[str, ...] = ()
    """Every name in the result, those of places without a position as well."""
    looked: LatLon | None = None
    """The middle of the map, or the position that was asked about. WGS-84."""
    area: tuple[float, float, float, float] | None = None
    """South, west, north, east of the map, WGS-84."""
    clues: tuple[Mapping[str, Any], ...] = field(default=())


def ground(run: Trajectory) -> Grounding:
    """Return what a run's answer rests on; nothing where it has no answer."""
    return Grounding() if run.answer is None else grounding(run.answer, seen(run.messages, run.datum))


def supports(run: Trajectory) -> tuple[Support, ...]:
    """Return the evidence that a run's answer states, each checked against its calls."""
    return () if run.answer is None else checked(run.answer, seen(run.messages, run.datum))


def checked(answer: Answer, calls: Sequence[Seen]) -> tuple[Support, ...]:
    """Return the evidence that an answer states, each checked against what a run's calls told."""
    return tuple(_check(item, answer, calls) for item in answer.evidence)


def grounding(answer: Answer, calls: Sequence[Seen]) -> Grounding:
    """Return what an answer rests on, given what a run's calls told."""
    here = answer.position
    found = [
        (distance_km(here, told.position), number, told, one.call)
        for one in calls
        if one.looked is None
        for number, told in enumerate(one.told)
    ]
    if found:
        km, _, told, call = min(found, key=lambda entry: entry[:2])
        if km < AGREE_KM:
            return Grounding(kind="place", distance_km=round(km, 3), name=_first(told.names), call=call)
    looks = [(distance_km(here, one.looked), one) for one in calls if one.looked and _covers(one, here)]
    if looks:
        km, one = min(looks, key=lambda entry: entry[0])
        return Grounding(kind="map", distance_km=round(km, 3), name=_first(one.names), call=one.call)
    return _by_clue(answer, calls)


def seen(messages: Sequence[Message], datum: Datum = Datum.WGS84) -> tuple[Seen, ...]:
    """Return a conversation's tool calls with what their results tell, in order.

    Args:
        messages: A run's.
        datum: In which its tools take and give positions (`Toolset.datum`).
    """
    found: list[Seen] = []
    turn = 0
    asked: dict[str, CallMade] = {}
    for message in messages:
        if message.role == "assistant":
            turn += 1
            # Ids of text calls begin anew in every turn: only this turn's are open.
            asked = {
                call.id: CallMade(turn=turn, id=call.id, tool=call.name, arguments=call.arguments)
                for call in message.tool_calls
            }
        elif message.role == "tool" and (call := asked.pop(message.tool_call_id, None)):
            found.append(_read(call, message.text, datum))
    return tuple(found)


def _read(call: CallMade, text: str, datum: Datum) -> Seen:
    result, arguments = _object(text), _object(call.arguments)
    if not result:
        return Seen(call)
    clues = result.get("clues")
    if isinstance(clues, list):
        kept = [cast("Mapping[str, Any]", c) for c in cast("list[Any]", clues) if isinstance(c, dict)]
        return Seen(call, clues=tuple(kept))
    objects = list(_objects(result))[:_MOST_PLACES]
    names = tuple(dict.fromkeys(name for entry in objects for name in _names(entry)))
    if "image" in result:
        asked = _position(arguments, datum) or _position(result, datum)
        return Seen(call, names=names, looked=asked, area=_area(result))
    places = [(entry, _position(entry, datum)) for entry in objects]
    told = tuple(Told(tuple(_names(entry)), at) for entry, at in places if at is not None)
    if call.tool in _LOOKS:
        return Seen(call, told, names, looked=_position(arguments, datum))
    if not str(arguments.get("query", arguments.get("id", ""))).strip():
        return Seen(call, names=names)  # the largest cities of a country answer no question about a name
    return Seen(call, told, names)


def _object(text: str) -> dict[str, Any]:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _objects(value: object, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the objects in a JSON value, the outer ones first."""
    if depth > _MOST_DEPTH:
        return
    inner: Sequence[object] = ()
    if isinstance(value, dict):
        entry = cast("dict[str, Any]", value)
        yield entry
        inner = list(entry.values())
    elif isinstance(value, list):
        inner = cast("list[object]", value)
    for one in inner:
        yield from _objects(one, depth + 1)


def _position(entry: Mapping[str, Any], datum: Datum) -> LatLon | None:
    """Return where an object says that it is: numbers by name, or AMap's "lon,lat"."""
    lat, lon = entry.get("lat", entry.get("latitude")), entry.get("lon", entry.get("longitude"))
    if lat is None and isinstance(place := entry.get("location"), str):
        lon, _, lat = place.partition(",")
    if isinstance(lat, bool) or isinstance(lon, bool):
        return None
    try:
        degrees = float(cast("Any", lat)), float(cast("Any", lon))
    except (TypeError, ValueError, OverflowError):
        return None
    if not (math.isfinite(sum(degrees)) and abs(degrees[0]) <= 90 and abs(degrees[1]) <= 180):
        return None
    return LatLon(*degrees, datum).wgs84


def _area(result: Mapping[str, Any]) -> tuple[float, float, float, float] | None:
    sides = [result.get(side) for side in ("south", "west", "north", "east")]
    if not all(isinstance(side, (int, float)) for side in sides):
        return None
    south, west, north, east = (float(cast("float", side)) for side in sides)
    return south, west, north, east


def _covers(one: Seen, here: LatLon) -> bool:
    """Tell whether a look at a position shows another one: within its map, or within a walk of it."""
    if one.area:
        south, west, north, east = one.area
        # A map of half the world shows every answer and grounds none.
        wide = distance_km(LatLon(south, west), LatLon(north, east)) if south < north else math.inf
        inside = south <= here.lat <= north and (here.lon - west) % 360 <= (east - west) % 360
        return inside and wide < 4 * AGREE_KM
    return one.looked is not None and distance_km(one.looked, here) < SAME_PLACE_KM


def _by_clue(answer: Answer, calls: Sequence[Seen]) -> Grounding:
    code = _code(answer.country)
    best: tuple[float, Grounding] | None = None
    for one in calls:
        for clue in one.clues:
            share, km = _speaks(clue, code, answer)
            if share >= TELLING and (best is None or share > best[0]):
                name = str(clue.get("reading", ""))[:200]
                best = share, Grounding(kind="clue", distance_km=km, name=name, call=one.call)
    return best[1] if best else Grounding()


def _speaks(clue: Mapping[str, Any], code: str, answer: Answer) -> tuple[float, float | None]:
    """Return how much a clue speaks for an answer, 0 to 1, and how far its position is from it."""
    where, radius = clue.get("position"), clue.get("radius_km")
    if isinstance(where, dict) and isinstance(radius, (int, float)):
        at = _position(cast("dict[str, Any]", where), Datum.WGS84)
        km = distance_km(at, answer.position) if at else math.inf
        if km <= radius:
            return 1.0, round(km, 3)
    shares = clue.get("countries")
    share = cast("dict[str, Any]", shares).get(code, 0) if isinstance(shares, dict) else 0
    return (float(share), None) if isinstance(share, (int, float)) else (0.0, None)


def _code(country: str) -> str:
    """Return the code of a country, from its code or its English name; empty when it is neither."""
    named = country.strip()
    if named.upper() in countries():
        return named.upper()
    folded = named.casefold()
    return next((code for code, known in countries().items() if known.name.casefold() == folded), "")


def _check(item: Evidence, answer: Answer, calls: Sequence[Seen]) -> Support:
    at = None if item.lat is None or item.lon is None else LatLon(item.lat, item.lon)
    named = [one for one in calls if item.call and one.call.id == item.call]
    others = [one for one in calls if one not in named]
    # Ids may repeat, and models mistake them: the call that is named goes before the others.
    holding = next((one for one in (*named, *others) if _told(one, item, at)), None)
    return Support(
        reads=item.reads,
        place=item.place,
        lat=item.lat,
        lon=item.lon,
        distance_km=round(distance_km(at, answer.position), 3) if at else None,
        call=holding.call if holding else None,
        holds=holding is not None,
    )


def _told(one: Seen, item: Evidence, at: LatLon | None) -> bool:
    if at is not None:
        return any(distance_km(told.position, at) < SAME_PLACE_KM for told in one.told)
    claimed = item.place.strip().casefold()
    if not claimed:
        return False
    readings = [str(clue.get("reading", "")) for clue in one.clues]
    return any(_same(claimed, name.casefold()) for name in (*one.names, *readings) if name)


def _same(claimed: str, name: str) -> bool:
    """Tell whether a claim is this name, alone or with what it lies in: "Kamppi, Helsinki"."""
    return claimed == name or claimed.split(",", 1)[0].strip() == name


def _names(entry: Mapping[str, Any]) -> Iterator[str]:
    return (text for key in _NAMES if isinstance(text := entry.get(key), str) and text)


def _first(names: Sequence[str]) -> str:
    return names[0][:200] if names else ""
