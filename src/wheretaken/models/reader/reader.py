"""The embedded model: reads the signs in a photo and looks them up, with no network and no GPU.

It is a chat model like any other. In each turn it goes through the conversation, thinks, and either calls
tools or answers. Its turns are: look (zoom, clues) - look names up - follow up on the best hypotheses -
check the map - answer. The same photo and the same tools give the same conversation, to the letter.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from wheretaken.geo import LatLon, distance_km
from wheretaken.messages import Message, ToolCall
from wheretaken.models.reader import hints, words
from wheretaken.models.reader.eye import Eye, shared_eye
from wheretaken.models.reader.notes import Notes, take
from wheretaken.models.reader.thinking import Thoughts, think

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wheretaken.maps import Place
    from wheretaken.messages import Picture, ToolSpec
    from wheretaken.models.reader.belief import Belief
    from wheretaken.models.reader.eye import Line

MOST_CALLS = 15
MOST_ZOOMS = 4
SMALL_PRINT = 22
"""Pixels of line height below which a closer look pays."""
UNSURE = 0.85
MOST_PIXELS = 2_400_000
"""The photo is read at this size at most; zoom shows the rest."""
REMEMBERED = 32
"""Pictures whose text is kept, so that a turn does not read them again."""
WORTH_A_LOOK = 0.02
"""Probability from which a second hypothesis is followed up."""
NEXT_TO_KM = 25.0
TOP_COUNTRIES = 3
WEAK = 2.6
"""Nats of evidence for the best hypothesis below which the cities of likely countries are considered."""

MOST_TOGETHER = 5
FEWEST_TOGETHER = 2
MOST_LETTERS = 100
TOGETHER_M = 120
"""How far apart the things may be whose signs one picture shows, metres."""

Call = tuple[str, dict[str, Any]]


class Reader:
    """A chat model that reads text in pictures.

    Needs the extra `offline`; raises `MissingExtraError` at the first picture without it.
    """

    name = "reader"
    pictures_in_tool_results = True

    def __init__(self, eye: Eye | None = None) -> None:
        """Use the given eye, by default the one that the process shares."""
        self._eye = eye or shared_eye()
        self._seen: dict[str, list[Line]] = {}

    async def complete(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        """Continue the conversation: call tools while there is something to find out, then answer."""
        return await asyncio.to_thread(self._complete, list(messages), {tool.name for tool in tools})

    def _complete(self, messages: list[Message], tools: set[str]) -> Message:
        notes = take(messages)
        thoughts = think(notes, self._read)
        for step in (_look, _look_up, _follow_up, _check):
            text, calls = step(notes, thoughts)
            fresh = [c for c in _unique(calls) if c[0] in tools and not notes.has(c[0], **c[1])]
            if fresh:
                # Where the lines stand is told when they were read, and again after closer looks.
                seen = words.seen(thoughts, notes.photo) if notes.turns < 2 else ""
                return _calling(text, fresh[:MOST_CALLS], notes.turns, seen)
        return Message.of("assistant", words.answer(notes, thoughts))

    def _read(self, picture: Picture) -> list[Line]:
        """Read a picture, once in this object's life as long as it is among the last ones."""
        if picture.sha256 not in self._seen:
            while len(self._seen) >= REMEMBERED:
                self._seen.pop(next(iter(self._seen)))
            self._seen[picture.sha256] = self._read_picture(picture)
        return self._seen[picture.sha256]

    def _read_picture(self, picture: Picture) -> list[Line]:
        image = picture.open()
        factor = (MOST_PIXELS / (image.width * image.height)) ** 0.5
        if factor >= 1:
            return self._eye.read(image)
        small = image.resize((round(image.width * factor), round(image.height * factor)))
        lines = self._eye.read(small)
        return [replace(ln, quad=tuple((x / factor, y / factor) for x, y in ln.quad)) for ln in lines]


def _calling(text: str, calls: Sequence[Call], turn: int, reasoning: str) -> Message:
    made = tuple(
        ToolCall(id=f"reader-{turn}-{n}", name=name, arguments=json.dumps(arguments, ensure_ascii=False))
        for n, (name, arguments) in enumerate(calls)
    )
    return Message.of("assistant", words.prose(text), tool_calls=made, reasoning=reasoning)


def _unique(calls: Iterable[Call]) -> list[Call]:
    return list({json.dumps(call, sort_keys=True): call for call in calls}.values())


def _look(notes: Notes, thoughts: Thoughts) -> tuple[str, list[Call]]:
    """First turn: closer looks at small or doubtful writing, and facts that need no map."""
    if notes.turns > 0:
        return "", []
    zooms: list[Call] = [
        ("zoom", {"bbox_2d": words.area(line, notes.photo, margin=0.6), "label": line.text})
        for line in sorted(thoughts.lines, key=lambda ln: ln.confidence)
        if line.height < SMALL_PRINT or line.confidence < UNSURE
    ][:MOST_ZOOMS]
    together = " ".join(line.text for line in thoughts.lines)[:500]
    clues: list[Call] = [("read_clue", {"text": together, "kind": "language"})] if together else []
    clues += [("read_clue", {"text": line.text}) for line in thoughts.lines if len(line.text) > 2]
    return words.looking(thoughts, notes.hint), [*zooms, *clues]


def _look_up(notes: Notes, thoughts: Thoughts) -> tuple[str, list[Call]]:
    """Second turn: every name, and the places that telephone prefixes and the like name."""
    if any(notes.of("search_places")) or notes.turns > 2:
        return "", []
    calls: list[Call] = [("search_places", hints.asking(name)) for name in hints.names_in(notes.hint)]
    for clue in thoughts.clues:
        for place in cast("list[str]", clue.get("places", []))[:2]:
            code = next(iter(cast("dict[str, float]", clue.get("countries", {}))), "")
            calls.append(("search_places", {"query": place, "country_code": code}))
    for text in thoughts.texts:
        calls += [("search_places", {"query": query, "limit": 20}) for query in text.queries[:3]]
    together = _together(thoughts)
    return words.looking_up(thoughts), [*together, *calls]


def _together(thoughts: Thoughts) -> list[Call]:
    """Ask where the names stand together, when there are several: what one of them leaves open, two tell."""
    names: dict[frozenset[int], str] = {}
    for text in thoughts.texts:
        # Texts overlap; of those that are made of the same line, the first is the most telling.
        if text.distance_km is None and not any(text.lines & lines for lines in names):
            names[text.lines] = text.queries[0][:MOST_LETTERS]
    wanted = list(dict.fromkeys(names.values()))[:MOST_TOGETHER]
    if len(wanted) < FEWEST_TOGETHER:
        return []
    return [("find_combination", {"wanted": wanted, "within_m": TOGETHER_M, "limit": 5})]


def _follow_up(notes: Notes, thoughts: Thoughts) -> tuple[str, list[Call]]:
    """Third turn: the other names near the best hypotheses, and the cities of likely countries."""
    if any("near_lat" in d.arguments or d.arguments.get("query") == "" for d in notes.of("search_places")):
        return "", []
    belief, calls = thoughts.belief, list[Call]()
    calls += [
        ("search_places", {"query": text.queries[0], "country_code": code, "limit": 10})
        for code in thoughts.hint.countries
        for text in thoughts.texts[:4]
    ]
    if belief is None or belief.strength < WEAK:
        calls += [
            ("search_places", {"query": "", "country_code": code, "limit": 50})
            for code in _likely_countries(thoughts)
        ]
    if belief is not None:
        for place in _hypotheses(belief):
            near = {"near_lat": round(place.lat, 4), "near_lon": round(place.lon, 4)}
            calls += [
                ("search_places", {"query": text.queries[0], **near, "limit": 5})
                for text in thoughts.texts[:6]
                if place.kind != "point"
            ]
            if place.kind == "point":
                calls.append(("reverse_geocode", {"lat": near["near_lat"], "lon": near["near_lon"]}))
    return words.following_up(thoughts), calls


def _hypotheses(belief: Belief, most: int = 2) -> list[Place]:
    """The best candidates that are not next to each other, as long as they are worth a look."""
    chosen: list[Place] = []
    for n in belief.order:
        place = belief.candidates[n].place
        here = LatLon(place.lat, place.lon)
        worth = not chosen or belief.weights[n] >= WORTH_A_LOOK
        if worth and all(distance_km(here, LatLon(p.lat, p.lon)) > NEXT_TO_KM for p in chosen):
            chosen.append(place)
        if len(chosen) == most:
            break
    return chosen


def _likely_countries(thoughts: Thoughts) -> list[str]:
    scores: dict[str, float] = {}
    for countries, sure in thoughts.countries:
        for code, share in countries.items():
            scores[code] = scores.get(code, 0.0) + share * sure
    ranked = sorted(scores, key=lambda code: (-scores[code], code))
    return [code for code in ranked[:TOP_COUNTRIES] if re.fullmatch("[A-Z]{2}", code)]


def _check(notes: Notes, thoughts: Thoughts) -> tuple[str, list[Call]]:
    """Fourth turn: look at the place on the map and ask what is there."""
    if any(notes.of("road_map")) or thoughts.belief is None:
        return "", []
    place = thoughts.belief.best.place
    lat, lon = round(place.lat, 5), round(place.lon, 5)
    named = [support.found.place for support in thoughts.belief.support[:3]]
    # A place that several lines name gets one marker.
    spots = {(round(p.lat, 3), round(p.lon, 3)): [round(p.lat, 5), round(p.lon, 5)] for p in [*named, place]}
    spots.pop((round(lat, 3), round(lon, 3)))
    marks = [[lat, lon], *spots.values()]
    zoom = words.zoom_for(thoughts.belief.radius_km)
    return words.checking(thoughts), [
        ("road_map", {"lat": lat, "lon": lon, "zoom": zoom, "markers": marks}),
        ("reverse_geocode", {"lat": lat, "lon": lon}),
    ]
