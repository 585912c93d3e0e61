"""What the reader makes of its notes: lines, texts, clues, candidates, and its belief.

Everything here is a pure function of the notes and of what the eye reads in their pictures.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from wheretaken.maps import Match, MatchKind, Place
from wheretaken.models.reader import belief, circles, hints, signs
from wheretaken.models.reader.belief import LookedUp
from wheretaken.models.reader.notes import places_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from wheretaken.messages import Picture
    from wheretaken.models.reader.eye import Line
    from wheretaken.models.reader.notes import Done, Notes

CLUE_PLACE_WEIGHT = 0.6
"""How often the place that a telephone prefix or an airport code names is where the photo is."""
LANGUAGE_TRUST = 0.9
MOST_CANDIDATES = 400


@dataclass
class Thoughts:
    """What the picture says and what was found out, at one point of the conversation."""

    lines: list[Line]
    texts: list[signs.Text]
    clues: list[dict[str, Any]]
    found: dict[signs.Text, list[belief.Found]] = field(default_factory=dict[signs.Text, list[belief.Found]])
    hint: hints.Hint = field(default_factory=hints.Hint)
    belief: belief.Belief | None = None
    unhinted: belief.Belief | None = None
    """What would be believed without the hint; none where there is no hint."""

    @property
    def countries(self) -> list[tuple[Mapping[str, float], float]]:
        """Country clues, each kind and reading once: ten French words are one clue to France."""
        best: dict[tuple[str, str], tuple[Mapping[str, float], float, float]] = {}
        for clue in self.clues:
            countries = cast("dict[str, float]", clue.get("countries", {}))
            if not countries:
                continue
            leader = max(countries, key=lambda code: (countries[code], code))
            kind = str(clue.get("kind", ""))
            key = (kind, "" if kind == "language" else leader)
            sure = float(clue.get("confidence", 0.5)) * (LANGUAGE_TRUST if kind == "language" else 1.0)
            # Of languages, the longest text is telling: letters of one line may be common to many.
            worth = float(len(str(clue.get("text", "")))) if kind == "language" else sure * countries[leader]
            if key not in best or worth > best[key][2]:
                best[key] = (countries, sure, worth)
        told = [(countries, sure) for countries, sure, _ in best.values()]
        return [*told, *self.hint.clues]


def think(notes: Notes, read: Callable[[Picture], list[Line]]) -> Thoughts:
    """Go through the notes from the start."""
    lines = _lines(notes, read)
    texts = signs.texts_of(lines, notes.photo.height)
    clues = [
        cast("dict[str, Any]", clue)
        for call in notes.of("read_clue")
        for clue in cast("list[Any]", call.result.get("clues", []))
    ]
    thoughts = Thoughts(lines, texts, clues)
    for text in texts:
        asked = [c for c in notes.of("search_places") if c.arguments.get("query") in text.queries]
        looked_up = [LookedUp(call.id, str(call.arguments["query"]), call.places) for call in asked]
        looked_up += _together(text, notes)
        hits = belief.reliability(text, looked_up)
        if hits:
            thoughts.found[text] = hits
    thoughts.found |= _clue_texts(thoughts, notes)
    hint = hints.understood(notes)
    if hint.countries or hint.found:
        thoughts.unhinted = belief.weigh(thoughts.found, thoughts.countries, _candidates(thoughts, notes))
        thoughts.hint = hint
        thoughts.found |= hint.found
    thoughts.belief = belief.weigh(thoughts.found, thoughts.countries, _candidates(thoughts, notes))
    return thoughts


def _together(text: signs.Text, notes: Notes) -> list[LookedUp]:
    """What a text names where other texts name something close by: branches of chains that no list had."""
    found: list[LookedUp] = []
    for call in notes.of("find_combination"):
        for one in cast("list[dict[str, Any]]", call.result.get("results", [])):
            members = cast("list[dict[str, Any]]", one.get("members", []))
            places = places_in([m.get("place") for m in members if m.get("wanted") in text.queries])
            if places:
                reading = next(str(m["wanted"]) for m in members if m.get("wanted") in text.queries)
                found.append(LookedUp(call.id, reading, places))
    return found


def _clue_texts(thoughts: Thoughts, notes: Notes) -> dict[signs.Text, list[belief.Found]]:
    """Places that a telephone prefix, an airport code or the like names, by the line it was read in."""
    found: dict[signs.Text, list[belief.Found]] = {}
    for clue in thoughts.clues:
        part = str(clue.get("text", ""))
        lines = frozenset(n for n, line in enumerate(thoughts.lines) if part and part in line.text)
        hits = [*_named_by(clue, notes), *_positioned(clue)]
        if lines and hits:
            text = signs.Text(reads=part, queries=(), lines=frozenset({min(lines)}))
            found.setdefault(text, []).extend(hits)
    return found


def _named_by(clue: Mapping[str, Any], notes: Notes) -> list[belief.Found]:
    """What the look-ups of the places that a clue names found."""
    sure = float(clue.get("confidence", 0.5)) * CLUE_PLACE_WEIGHT
    places = cast("list[str]", clue.get("places", []))
    return [
        belief.Found(place, sure, call.id)
        for call in notes.of("search_places")
        if call.arguments.get("query") in places
        for place in [p for p in call.places if p.match and p.match.kind == MatchKind.EXACT][:3]
    ]


def _positioned(clue: Mapping[str, Any]) -> list[belief.Found]:
    """The place of a clue that has a position of its own, such as an airport."""
    position = clue.get("position")
    if not isinstance(position, dict):
        return []
    where = cast("dict[str, Any]", position)
    place = Place(
        id=f"clue:{clue.get('text')}",
        name=str(clue.get("reading", "")),
        kind=str(clue.get("kind", "")),
        lat=float(where["lat"]),
        lon=float(where["lon"]),
        country_code=next(iter(cast("dict[str, float]", clue.get("countries", {}))), ""),
        extent_km=float(clue.get("radius_km") or 5.0),
        population=50_000,
        match=Match(kind=MatchKind.EXACT, alias=str(clue.get("text", "")), similarity=1.0),
    )
    return [belief.Found(place, float(clue.get("confidence", 0.5)) * CLUE_PLACE_WEIGHT, "")]


def _candidates(thoughts: Thoughts, notes: Notes) -> list[belief.Candidate]:
    """Every place that was found, the cities of countries that were listed, and where circles meet."""
    places: dict[str, Place] = {}
    for hits in thoughts.found.values():
        for hit in sorted(hits, key=lambda h: -h.weight):
            places.setdefault(hit.place.id, hit.place)
    for call in notes.of("search_places"):
        if not call.arguments.get("query"):
            places.update({place.id: place for place in call.places})
    # Towns around a point where distance circles meet are where such a sign may stand.
    if any(text.distance_km for text in thoughts.found):
        for call in notes.of("reverse_geocode"):
            places.update({p.id: p for p in call.places if p.population and p.id not in places})
    places = {key: place for key, place in places.items() if place.kind != "country"}
    candidates = [belief.Candidate(place, belief.spread_of(place)) for place in places.values()]
    return [*candidates[:MOST_CANDIDATES], *circles.candidates(thoughts.found)]


def _lines(notes: Notes, read: Callable[[Picture], list[Line]]) -> list[Line]:
    """Lines of the photo, with those read better on a closer look in their place."""
    lines = read(notes.photo)
    for call in notes.of("zoom"):
        if not call.pictures or call.arguments.get("image", 0) != 0:
            continue
        closer = [_moved(line, call, notes.photo) for line in read(call.pictures[0])]
        lines = _merged(lines, closer)
    return sorted(lines, key=lambda line: (round(line.box[1]), round(line.box[0])))


def _moved(line: Line, call: Done, photo: Picture) -> Line:
    """Bring a line from a zoomed crop to the coordinates of the photo."""
    left, top, right, bottom = cast("list[int]", call.arguments["bbox_2d"])
    crop = call.pictures[0]
    x0, y0 = left * photo.width / 1000, top * photo.height / 1000
    sx = (right - left) * photo.width / 1000 / crop.width
    sy = (bottom - top) * photo.height / 1000 / crop.height
    return replace(line, quad=tuple((x0 + x * sx, y0 + y * sy) for x, y in line.quad))


def _merged(lines: Sequence[Line], closer: Sequence[Line]) -> list[Line]:
    """Replace lines that a closer look read more surely; keep what only one of the looks saw."""
    kept = list(lines)
    for line in closer:
        same = [other for other in kept if _covers(line, other)]
        if not same:
            kept.append(line)
        elif line.confidence * len(line.text) > max(o.confidence * len(o.text) for o in same):
            kept = [other for other in kept if other not in same]
            kept.append(line)
    return kept


def _covers(a: Line, b: Line) -> bool:
    """Whether two boxes show the same writing: half of the smaller one is common."""
    ax0, ay0, ax1, ay1 = a.box
    bx0, by0, bx1, by1 = b.box
    common = max(0.0, min(ax1, bx1) - max(ax0, bx0)) * max(0.0, min(ay1, by1) - max(ay0, by0))
    smaller = min((ax1 - ax0) * (ay1 - ay0), (bx1 - bx0) * (by1 - by0))
    return smaller > 0 and common / smaller > 0.5


def quoted(texts: Sequence[str], most: int = 8) -> str:
    """List readings as a sentence does."""
    shown = [f"“{' '.join(text.split())}”" for text in texts[:most]]
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(shown) + more
