"""What the person who asks knows already, as far as the reader understands it: the places that it names.

A hint is evidence like any other, only stronger: it raises what it names and lowers the rest, and what the
picture says can outweigh it. Names after a word that denies them say nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wheretaken.maps import MatchKind
from wheretaken.models.base import ASKER_ADDS
from wheretaken.models.reader import belief, signs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheretaken.messages import Message
    from wheretaken.models.reader.notes import Notes

TRUST = 0.9
"""How often a hint is right."""
MOST_NAMES = 4
_NAME = re.compile(
    r"[^\W\d_a-z][\w'’.-]*(?:\s+(?:(?:of|de|da|do|del|la|las|los|am|an der|upon)\s+)?[^\W\d_a-z][\w'’.-]*)*"
)
"""Words that begin with a capital or with a letter of a script without capitals: "Rio de Janeiro"."""
_AFTER = re.compile(
    r"\b(?:in|near|at|around|from|close to|outside)\s+(?:the\s+)?(?:\w+\s+of\s+)?([^\W\d_][\w'’ -]*)",
    re.IGNORECASE,
)
_DENIES = re.compile(
    r"\b(?:not|no|never|neither|nor|isn't|isn’t|nicht|keine?\w?|pas)\b(?:(?!\b(?:but|sondern|mais)\b)[^.;,])*$",
    re.IGNORECASE,
)
_NO_NAMES = frozenset(
    {
        *(
            "i",
            "it",
            "its",
            "it's",
            "it’s",
            "this",
            "that",
            "the",
            "a",
            "my",
            "our",
            "we",
            "he",
            "she",
            "they",
        ),
        *("photo", "picture", "image", "taken", "maybe", "perhaps", "probably", "in", "on", "at", "near"),
        *("north", "south", "east", "west", "northern", "southern", "eastern", "western", "somewhere"),
    }
)


@dataclass
class Hint:
    """What was hinted, and what the map knows of it."""

    names: tuple[str, ...] = ()
    countries: dict[str, float] = field(default_factory=dict[str, float])
    """Probability by code; empty where none was named."""
    found: dict[signs.Text, list[belief.Found]] = field(default_factory=dict[signs.Text, list[belief.Found]])
    """Places smaller than a country, by the name that they were given."""

    @property
    def clues(self) -> list[tuple[Mapping[str, float], float]]:
        """The countries as clues."""
        return [(self.countries, TRUST)] if self.countries else []


def hint_in(messages: Sequence[Message]) -> str:
    """Return what was added to the question about the photo."""
    asked = next((m for m in messages if m.role == "user" and m.pictures), None)
    return asked.text.partition(ASKER_ADDS)[2].strip() if asked else ""


def names_in(hint: str) -> tuple[str, ...]:
    """Return what may be names of places in a hint, in its order."""
    found: dict[str, None] = {}
    for made in _NAME.finditer(hint):
        words = made[0].split()
        while words and words[0].casefold() in _NO_NAMES:
            words.pop(0)
        if words and not _DENIES.search(hint[: made.start()]):
            found.setdefault(" ".join(words).strip(".'’-"))
    if not found:
        for made in _AFTER.finditer(hint):
            if not _DENIES.search(hint[: made.start()]):
                found.setdefault(made[1].strip())
    return tuple(name for name in found if len(name) > 1)[:MOST_NAMES]


def understood(notes: Notes) -> Hint:
    """Return what the look-ups of its names found."""
    hint = Hint(names_in(notes.hint))
    for number, name in enumerate(hint.names):
        asked = [call for call in notes.of("search_places") if call.arguments == asking(name)]
        places = [
            (p, call.id) for call in asked for p in call.places if p.match and p.match.kind == MatchKind.EXACT
        ]
        countries = [place.country_code for place, _ in places if place.kind == "country"]
        if countries:
            hint.countries[countries[0]] = 1.0
        elif places:
            # Negative: it is in no line of the picture.
            text = signs.Text(reads=name, queries=(), lines=frozenset({-1 - number}))
            weight = belief.RELIABILITY[MatchKind.EXACT] * TRUST
            hint.found[text] = [belief.Found(place, weight, call) for place, call in places]
    total = sum(hint.countries.values())
    hint.countries = {code: share / total for code, share in hint.countries.items()}
    return hint


def asking(name: str) -> dict[str, object]:
    """Return the arguments with which a name of a hint is looked up."""
    return {"query": name, "limit": 20}
