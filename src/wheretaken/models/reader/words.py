"""What the reader says: its thoughts turn by turn, and the answer with its evidence."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from wheretaken.geo import LatLon, distance_km, rounded_up_km
from wheretaken.models.reader.belief import SETTLEMENTS
from wheretaken.models.reader.thinking import quoted

if TYPE_CHECKING:
    from wheretaken.maps import Place
    from wheretaken.messages import Picture
    from wheretaken.models.reader.belief import Belief
    from wheretaken.models.reader.eye import Line
    from wheretaken.models.reader.notes import Notes
    from wheretaken.models.reader.thinking import Thoughts

MOST_EVIDENCE = 6
MOST_CANDIDATES = 5
NEXT_TO_KM = 25.0
HINTED_KM = 100.0
"""How far from a place that was hinted at an answer still follows the hint."""
NO_TEXT = (
    "I can read no text in this picture, and text is all I go by: I cannot determine where it was taken."
)
NO_PLACE = (
    "I read {texts}, but nothing of it names a place that I know: I cannot determine where it was taken."
)
_MARKUP = str.maketrans("<>{}[]", "‹›()()")
"""What could be read as a call, a mark or an answer of the reader itself, and what stands in its place."""


def prose(text: str) -> str:
    """Return what is said in words, in which nothing that was read can be more than words."""
    return text.translate(_MARKUP)


def looking(thoughts: Thoughts, hint: str) -> str:
    """The first thought: what can be read."""
    if not thoughts.lines:
        return f"I can read no text in this picture. What is left is the hint: “{hint}”." if hint else NO_TEXT
    read = quoted([line.text for line in thoughts.lines])
    distances = [t for t in thoughts.texts if t.distance_km]
    signs = "".join(f" A sign gives {t.distance_km:g} km to “{t.reads}”." for t in distances[:4])
    return f"I read {read}.{signs} First what these say by themselves, without a map."


def seen(thoughts: Thoughts, photo: Picture) -> str:
    """Where each line stands in the photo: `“KIOSKI” [left, top, right, bottom]`, each from 0 to 1000."""
    return "\n".join(f"“{' '.join(line.text.split())}” {area(line, photo)}" for line in thoughts.lines)


def area(line: Line, photo: Picture, margin: float = 0.0) -> list[int]:
    """The box of a line from 0 to 1000, widened by `margin` times its height."""
    left, top, right, bottom = line.box
    more = (bottom - top) * margin
    sides = (
        (left - more) / photo.width,
        (top - more) / photo.height,
        (right + more) / photo.width,
        (bottom + more) / photo.height,
    )
    return [min(max(round(side * 1000), 0), 1000) for side in sides]


def looking_up(thoughts: Thoughts) -> str:
    """The second thought: what the clues said, and what is looked up now."""
    # Every line has a language; the whole sign's, which is asked for first, is the one to tell.
    told = {
        str(clue.get("kind")): clue for clue in reversed(thoughts.clues) if clue.get("kind") == "language"
    }
    telling = [*told.values(), *(clue for clue in thoughts.clues if clue.get("kind") != "language")]
    readings = list(dict.fromkeys(str(clue.get("reading", "")) for clue in telling))
    said = " ".join(f"{reading.rstrip('.')}." for reading in readings[:4] if reading)
    names = quoted([text.reads for text in thoughts.texts])
    return f"{said} Now the names on the map: {names}.".strip()


def following_up(thoughts: Thoughts) -> str:
    """The third thought: the hypotheses."""
    belief = thoughts.belief
    if belief is None:
        return "No name was found; what is left is what the country clues say."
    shown = [f"{title(place)} ({share:.0%})" for place, share in _groups(belief)[:3]]
    return f"Hypotheses: {'; '.join(shown)}. I look for the other names near these."


def checking(thoughts: Thoughts) -> str:
    """The fourth thought: what speaks for the best hypothesis."""
    belief = thoughts.belief
    if belief is None:
        return ""
    reasons = [f"“{s.text.reads}” fits {s.found.place.name}" for s in belief.support[:3]]
    because = f" because {', '.join(reasons)}" if reasons else ""
    return f"{title(belief.best.place)} is the most probable{because}. I check it on the map."


def answer(notes: Notes, thoughts: Thoughts) -> str:
    """The last turn: a sentence and the JSON object that the prompt asks for."""
    belief = thoughts.belief
    if belief is None:
        return _nowhere([line.text for line in thoughts.lines])
    best = belief.best.place
    here = {"lat": round(best.lat, 5), "lon": round(best.lon, 5)}
    asked = [call for call in notes.of("reverse_geocode") if here.items() <= call.arguments.items()]
    around = [place for call in asked for place in call.places]
    city, country = _names(best, around)
    radius = rounded_up_km(belief.radius_km)
    data: dict[str, Any] = {
        "lat": round(best.lat, 5),
        "lon": round(best.lon, 5),
        "city": city,
        "country": country,
        "radius_km": radius,
        "confidence": round(min(belief.confidence, 0.99), 2),
        "evidence": _evidence(belief) + _country_evidence(thoughts),
        "candidates": [
            {
                "lat": round(place.lat, 5),
                "lon": round(place.lon, 5),
                "city": _names(place, [])[0],
                "country": place.country,
                "weight": round(share, 3),
            }
            for place, share in _groups(belief)[:MOST_CANDIDATES]
        ],
    }
    sentence = f"This is {title(best)}, within {radius:g} km with 80 % probability."
    sentence += _of_the_hint(notes, thoughts)
    return f"{prose(sentence)}\n{json.dumps(data, ensure_ascii=False)}"


def _of_the_hint(notes: Notes, thoughts: Thoughts) -> str:
    """Say where what is known already and what the picture says part: nobody is led without being told."""
    belief, alone, hint = thoughts.belief, thoughts.unhinted, thoughts.hint
    if belief is None or not (hint.countries or hint.found):
        return f" I know no place that “{notes.hint}” names." if notes.hint else ""
    best = belief.best.place
    here = LatLon(best.lat, best.lon)
    places = [hit.place for hits in hint.found.values() for hit in hits]
    near = any(distance_km(here, LatLon(p.lat, p.lon)) < max(HINTED_KM, 2 * p.extent_km) for p in places)
    if not (near if places else best.country_code in hint.countries):
        return f" That is not what the hint says (“{notes.hint}”), but what I read speaks against it."
    if alone is None:
        return " Only the hint speaks for it: what I read names no place."
    other = alone.best.place
    if distance_km(here, LatLon(other.lat, other.lon)) < NEXT_TO_KM:
        return ""
    return f" Without the hint it would be {title(other)}."


def _nowhere(read: list[str]) -> str:
    """Say that there is no answer; a line with figures, which could be taken for one, is not repeated."""
    if not read:
        return NO_TEXT
    names = [text for text in read if not any(sign.isnumeric() for sign in text)]
    return prose(NO_PLACE.format(texts=quoted(names) if names else f"{len(read)} lines"))


def title(place: Place) -> str:
    """Name, settlement and country, without saying anything twice."""
    name = f"{place.name} ({place.english})" if place.english else place.name
    parts = [name, place.city, place.country]
    return ", ".join(part for n, part in enumerate(parts) if part and part not in parts[:n])


def zoom_for(radius_km: float) -> float:
    """The zoom at which a circle of this radius about fills a 500-pixel picture."""
    return max(2.0, min(17.0, round(math.log2(156.5 * 250 / max(radius_km, 0.05)))))


def _names(best: Place, around: list[Place]) -> tuple[str, str]:
    """City and country of a place, from itself and from what the map says is around."""
    if best.kind in SETTLEMENTS:
        city = best.english or best.name
    else:
        near = [p for p in around if p.kind in SETTLEMENTS and (p.distance_km or 0) < 30]
        city = best.city or next((p.city or p.english or p.name for p in near), "")
    country = best.country or next((p.country for p in around if p.country), "")
    return city, country


def _evidence(belief: Belief) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = []
    used: set[int] = set()
    for support in belief.support:
        place = support.found.place
        if used & support.text.lines:
            continue
        used |= support.text.lines
        hinted = min(support.text.lines) < 0
        reads = f"the hint: {support.text.reads}" if hinted else support.text.reads
        entry: dict[str, Any] = {"reads": reads, "place": title(place)}
        if support.text.distance_km:
            entry["reads"] += f" {support.text.distance_km:g} km"
        entry |= {"lat": round(place.lat, 5), "lon": round(place.lon, 5), "call": support.found.call}
        listed.append(entry)
    return listed[:MOST_EVIDENCE]


def _country_evidence(thoughts: Thoughts) -> list[dict[str, Any]]:
    belief = thoughts.belief
    code = belief.best.place.country_code if belief else ""
    fitting = [clue for clue in thoughts.clues if clue.get("countries", {}).get(code, 0) >= 0.1]
    fitting.sort(key=lambda clue: -float(clue["countries"][code]) * float(clue.get("confidence", 0.5)))
    listed: dict[str, dict[str, Any]] = {}
    for clue in fitting:
        # One clue of a kind is enough: the language of every line on a sign is the same fact.
        listed.setdefault(str(clue["kind"]), {"reads": clue.get("text", ""), "place": clue["reading"]})
    return list(listed.values())[:3]


def _groups(belief: Belief, within_km: float = 25.0) -> list[tuple[Place, float]]:
    """Candidates with those within 25 km of a better one added to it, most probable first."""
    groups: list[tuple[Place, float]] = []
    for n in belief.order[:60]:
        place, weight = belief.candidates[n].place, float(belief.weights[n])
        here = LatLon(place.lat, place.lon)
        for g, (other, total) in enumerate(groups):
            if distance_km(here, LatLon(other.lat, other.lon)) < within_km:
                groups[g] = (other, total + weight)
                break
        else:
            groups.append((place, weight))
    first, *rest = groups
    return [first, *sorted(rest, key=lambda pair: -pair[1])]
