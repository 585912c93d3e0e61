"""House numbers: reading them from a query, comparing them, and finding the nearest one that is mapped.

A query is taken apart into tokens (`names.tokens`), so "Mannerheimintie 10 B, 00100 Helsinki",
"12, rue Grimaldi" and "上大路98号" all become a number beside the words that may be a street.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from wheretaken.maps.offline.names import tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

_NUMBER = re.compile(r"(\d{1,4})([a-z]?)")
_MAX_STREET_WORDS = 6
_OTHER_SIDE = 4
"""A number across the street counts as this many numbers further away."""


class Number(NamedTuple):
    """A house number as data or signs write it: "10", "10b", "10-12", "351弄2号"."""

    low: int
    high: int
    letter: str

    def meets(self, other: Number) -> float:
        """Return how well two numbers agree: 1 equal, 0.95 but for a letter or a range, 0 not at all."""
        if (self.low, self.high) == (other.low, other.high):
            if self.letter == other.letter:
                return 1.0
            return 0.0 if self.letter and other.letter else 0.95
        return 0.95 if self.low <= other.low <= self.high or other.low <= self.low <= other.high else 0.0


class Guess(NamedTuple):
    """Words of a query that may be a street, and the number beside them."""

    street: str
    number: Number
    used: tuple[int, int]
    """The tokens that the guess accounts for: from, to (exclusive)."""


@lru_cache(maxsize=4096)
def parse(text: str) -> Number | None:
    """Return the house number that a text of the data is, or None."""
    found = [_NUMBER.fullmatch(token) for token in tokens(text)]
    if not found or found[0] is None:
        return None
    low, letter = int(found[0][1]), found[0][2]
    high = int(found[1][1]) if len(found) > 1 and found[1] is not None else low
    if not letter and len(found) == 2 and found[1] is None:
        last = tokens(text)[1]
        letter = last if len(last) == 1 and last.isascii() else ""
    return Number(low, high if low < high < low + 100 else low, letter)


def guesses(words: Sequence[str]) -> list[Guess]:
    """Return every way to read tokens as street and number, the longest streets first."""
    found: list[Guess] = []
    for i, word in enumerate(words):
        met = _NUMBER.fullmatch(word)
        if met is None:
            continue
        number, end = _number_at(words, i, met)
        found += [
            Guess(" ".join(words[start:i]), number, (start, end))
            for start in range(max(0, i - _MAX_STREET_WORDS), i)
        ]
        found += [
            Guess(" ".join(words[end:stop]), number, (i, stop))
            for stop in range(end + 1, min(len(words), end + _MAX_STREET_WORDS) + 1)
        ]
    named = [guess for guess in found if any(letter.isalpha() for letter in guess.street)]
    return sorted(named, key=lambda guess: -len(guess.street))


def _number_at(words: Sequence[str], i: int, met: re.Match[str]) -> tuple[Number, int]:
    """Return the number that begins at a token, with a letter or a range that follows, and where it ends."""
    low, letter, end = int(met[1]), met[2], i + 1
    following = words[end] if end < len(words) else ""
    if not letter and len(following) == 1 and following.isalpha() and following.isascii():
        return Number(low, low, following), end + 1
    if following in {"号", "號", "番", "番地", "번지", "弄"}:
        return Number(low, low, ""), end + 1
    return Number(low, low, letter), end


def nearest(wanted: Number, mapped: Sequence[Number]) -> tuple[int, int | None]:
    """Return the index of the mapped number nearest to the wanted one, and of the nearest on its other side.

    Numbers on the wanted one's side of the street (odd or even) are preferred, as that is how most countries
    count. The second index is None when the wanted number is beyond the last mapped one.
    """

    def away(i: int) -> int:
        steps = abs(mapped[i].low - wanted.low)
        return steps + _OTHER_SIDE * (steps % 2)

    order = sorted(range(len(mapped)), key=away)
    first = order[0]
    below = mapped[first].low < wanted.low
    beyond = [i for i in order if mapped[i].low != wanted.low and (mapped[i].low > wanted.low) == below]
    return first, beyond[0] if beyond else None
