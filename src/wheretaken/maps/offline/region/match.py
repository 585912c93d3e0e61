"""How a query meets the names of one region: the tiers, from an equal name to one with typing errors.

Every function here answers "which names, and how well"; `search` turns that into places and ranks them.
A query is folded once; "window" means some neighbouring words of it (characters, in scripts without spaces).
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheretaken.errors import MissingExtraError
from wheretaken.maps.base import MatchKind
from wheretaken.maps.offline import names, ranking
from wheretaken.maps.offline.region.aliases import BLOCK, GENERIC, IN_LATIN, MIN_FUZZY, pairs, stripped

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from wheretaken.maps.base import Match
    from wheretaken.maps.offline.region.table import Alias, Tables

_ORDER = {kind: position for position, kind in enumerate(MatchKind)}
"""Best first, as `MatchKind` lists them."""

_MAX_WORDS = 8
_MAX_RUN = 12
_MIN_PREFIX = 3
_PREFIXES = 60
_CONTAINING = 600
"""Names compared with a query in a script without spaces: the shortest of those with all its pairs."""
_LONGEST_NAME = 1_000_000
_REPEATED = 0.95
_GENERIC_COST = 0.1
"""What one generic word that a name has more than the query takes from the similarity."""
_STRIPPED_WORTH = 0.9
"""What a window that is only a stripped name counts, compared with one that is a whole name."""
_FUZZY_WINDOWS = 12
_SHARED = 6
"""Pairs that a name must share with the query, if this many are left after the possible errors: counting is
cheap, comparing is not."""
_IGNORED = GENERIC | names.LINK_WORDS


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that a query may mean, and why."""

    thing_id: int
    kind: MatchKind
    similarity: float
    alias: str
    rank: int

    @property
    def order(self) -> float:
        """The sort key, smallest first: that of results, as far as a name decides it."""
        return -ranking.worth(self.kind, self.similarity)

    def better_than(self, other: Hit | None) -> bool:
        """Tell whether this is the better reason for the same thing."""
        if other is None:
            return True
        mine = (self.order, _ORDER[self.kind], self.rank)
        return mine < (other.order, _ORDER[other.kind], other.rank)


@dataclass(frozen=True, slots=True)
class Window:
    """Some neighbouring characters of the folded query: `text == key[start:end]`."""

    text: str
    start: int
    end: int


def find(tables: Tables, query: str, *, explained: bool = False, parts: bool = False) -> dict[int, Hit]:
    """Return the best hit for every thing that the query may name; errors only where nothing fits.

    Args:
        tables: the region's.
        query: what is on a sign or what a person typed.
        explained: the query is known to be something else as well (an address), so no misspelled name.
        parts: also look for what has a part of the query as its name where something has all of it: in a
            country, thousands of things are called by one word of any longer name.
    """
    key = names.fold(query)
    if not key:
        return {}
    hits: dict[int, Hit] = {}
    _keep(hits, _whole(tables, key))
    windows = list(_windows(key))
    if parts or not any(hit.kind is MatchKind.EXACT for hit in hits.values()):
        _keep(hits, _inside(tables, key, windows))
    _keep(hits, _beginning(tables, key))
    if not explained and not any(certain(hit) for hit in hits.values()):
        _keep(hits, fuzzy(tables, query))
        if not any(hit.kind is MatchKind.FUZZY for hit in hits.values()):
            _keep(hits, _fuzzy_windows(tables, key, windows))
    return hits


def completing(tables: Tables, text: str) -> dict[int, Hit]:
    """Return the best hit for every thing that has a name which begins with what was typed, or is it."""
    key = names.fold(text)
    hits: dict[int, Hit] = {}
    if key:
        _keep(hits, _whole(tables, key))
        _keep(hits, _beginning(tables, key))
    return hits


def fuzzy(tables: Tables, text: str) -> Iterator[Hit]:
    """Yield names within one error (4-7 characters), two (8-15) or three; OCR look-alikes are equal.

    Similarity is 1 - edit distance / length of the longer text, on the folded names.
    """
    try:
        from rapidfuzz.distance import Levenshtein  # noqa: PLC0415 - only fuzzy queries need it
    except ModuleNotFoundError as error:
        raise MissingExtraError("searching street regions", "offline", error.name or "rapidfuzz") from error

    folded, skeleton = names.fold(text), names.skeleton(text)
    allowed = 0 if len(skeleton) < MIN_FUZZY else 1 if len(skeleton) < 8 else 2 if len(skeleton) < 16 else 3
    if not allowed:
        return
    first, end = tables.of_length(len(skeleton) - allowed, len(skeleton) + allowed)
    if first >= end:
        return
    sizes = tables.gram_sizes(pairs(skeleton), _blocks(first, end))
    rarest = sorted(sizes, key=lambda pair: (sizes[pair], pair))[: 2 * allowed + _SHARED]
    near = _sharing(tables, rarest, max(1, len(rarest) - 2 * allowed), first, end)
    for alias in tables.aliases_by_id(near):
        if Levenshtein.distance(skeleton, names.skeleton(alias.name), score_cutoff=allowed) <= allowed:
            similarity = Levenshtein.normalized_similarity(folded, alias.folded)
            yield Hit(alias.thing_id, MatchKind.FUZZY, similarity, alias.name, alias.rank)


def _sharing(tables: Tables, wanted: Collection[str], needed: int, first: int, end: int) -> list[int]:
    """Return which aliases from `first` up to `end` have so many of some character pairs, in their order."""
    import numpy as np  # noqa: PLC0415 - an exact search needs no arrays

    found: list[int] = []
    for block, lists in sorted(tables.grams(wanted, _blocks(first, end)).items()):
        if len(lists) >= needed:
            counts = np.bincount(np.frombuffer(b"".join(lists), dtype="<u2"))
            found += (np.flatnonzero(counts >= needed) + block * BLOCK).tolist()
    return found[bisect_left(found, first) : bisect_left(found, end)]


def _blocks(first: int, end: int) -> range:
    return range(first // BLOCK, (end - 1) // BLOCK + 1)


def _keep(hits: dict[int, Hit], found: Iterable[Hit]) -> None:
    for hit in found:
        if hit.better_than(hits.get(hit.thing_id)):
            hits[hit.thing_id] = hit


def certain(hit: Hit | Match) -> bool:
    """Tell whether a name explains so much of the query that a misspelled one is no better."""
    return hit.kind in {MatchKind.EXACT, MatchKind.STRIPPED} or (
        hit.kind is MatchKind.PARTIAL and hit.similarity > 0.6
    )


def _whole(tables: Tables, key: str) -> Iterator[Hit]:
    """Yield names equal to the query, and those equal without generic words on either side."""
    short = stripped(key)
    # Romanised names are one word where people write several: "Shanghai Daxue".
    joined = key.replace(" ", "")
    for alias in tables.aliases("folded", {key, joined}):
        if alias.key == key or alias.rank == IN_LATIN:
            yield Hit(alias.thing_id, MatchKind.EXACT, 1.0, alias.name, alias.rank)
    if short:
        for alias in tables.aliases("folded", {short}):
            yield _stripped_hit(key, alias)
    for alias in tables.aliases("stripped", {key, short} - {""}):
        yield _stripped_hit(key, alias)


def _stripped_hit(key: str, alias: Alias) -> Hit:
    """Return a hit for names that agree without generic words.

    A name with a generic word more than the query ("Ravintola Kosmos" for "Kosmos") is hardly worse than an
    equal one. A query with more says that something else is meant ("Helsinki University Library" is not
    Helsinki), so there the similarity is the share of both that agrees.
    """
    common = len(stripped(key) or key)
    similarity = min(1.0, 2 * common / (len(key) + len(alias.folded)))
    if key == stripped(alias.folded):
        more = len(alias.folded.split()) - len(key.split())
        similarity = max(similarity, 1 - _GENERIC_COST * max(more, 1))
    return Hit(alias.thing_id, MatchKind.STRIPPED, similarity, alias.name, alias.rank)


def _windows(key: str) -> Iterator[Window]:
    """Yield the windows of a query that may be names; not the query itself, nor generic words."""
    words = _positions(key)
    for first in range(len(words)):
        for last in range(first, min(first + _MAX_WORDS, len(words))):
            start, end = words[first].start, words[last].end
            text = key[start:end]
            if text != key and _may_be_name([word.text for word in words[first : last + 1]]):
                yield Window(text, start, end)
    for word in words:
        if names.is_unspaced(word.text):
            for start in range(word.start, word.end - 1):
                for end in range(start + 2, min(start + _MAX_RUN, word.end) + 1):
                    if (start, end) != (word.start, word.end):
                        yield Window(key[start:end], start, end)


def _positions(key: str) -> list[Window]:
    found: list[Window] = []
    end = 0
    for token in names.tokens(key):
        start = key.index(token, end)
        end = start + len(token)
        found.append(Window(token, start, end))
    return found


def _may_be_name(words: list[str]) -> bool:
    if all(word in _IGNORED or word.isdigit() for word in words):
        return False
    text = "".join(words)
    return len(text) >= (2 if names.is_unspaced(text) else 3)


def _inside(tables: Tables, key: str, windows: list[Window]) -> Iterator[Hit]:
    """Yield things named by a part of the query.

    Several names of one thing add up: the two lines of a Finnish and Swedish street sign are one street, and
    when they are the whole sign the match is exact.
    """
    by_text: dict[str, list[Window]] = {}
    for window in windows:
        by_text.setdefault(window.text, []).append(window)
    found: dict[int, list[tuple[Window, Alias, float]]] = {}
    for alias in tables.aliases("folded", by_text):
        for window in by_text[alias.key]:
            found.setdefault(alias.thing_id, []).append((window, alias, 1.0))
    for alias in tables.aliases("stripped", by_text):
        for window in by_text[alias.key]:
            found.setdefault(alias.thing_id, []).append((window, alias, _STRIPPED_WORTH))
    letters = len(key.replace(" ", ""))
    for thing_id, met in found.items():
        if len(met) == 1:
            window, alias, weight = met[0]
            share = weight * (len(window.text) - window.text.count(" ")) / letters
            yield Hit(thing_id, MatchKind.PARTIAL, min(share, _REPEATED), alias.name, alias.rank)
        else:
            yield _of_parts(key, letters, thing_id, met)


def _of_parts(key: str, letters: int, thing_id: int, met: list[tuple[Window, Alias, float]]) -> Hit:
    """Return the hit for a thing that several parts of the query name."""
    worth = [0.0] * len(key)
    for window, _, weight in met:
        for i in range(window.start, window.end):
            worth[i] = max(worth[i], weight)
    covered = sum(value for value, char in zip(worth, key, strict=True) if char != " ") / letters
    _, alias, _ = max(met, key=lambda one: (one[2] * len(one[0].text), -one[1].rank))
    spelled = {met_alias.folded for _, met_alias, _ in met}
    if covered == 1 and len(spelled) > 1:
        return Hit(thing_id, MatchKind.EXACT, 1.0, alias.name, alias.rank)
    # One name again and again ("Yes Yes Yes") is not the whole of what is written.
    similarity = covered if len(spelled) > 1 else min(covered, _REPEATED)
    return Hit(thing_id, MatchKind.PARTIAL, similarity, alias.name, alias.rank)


def _beginning(tables: Tables, key: str) -> Iterator[Hit]:
    """Yield names that begin with the query or have a word that does; inside a word only without spaces."""
    unspaced = any(names.is_unspaced(token) for token in names.tokens(key))
    if len(key) < (2 if unspaced else _MIN_PREFIX):
        return
    met = tables.beginning(key, _PREFIXES)
    if unspaced:
        within = pairs(names.skeleton(key))
        common = _sharing(tables, within, len(within), *tables.of_length(0, _LONGEST_NAME))
        met += [alias for alias in tables.aliases_by_id(common[:_CONTAINING]) if key in alias.folded]
    for alias in met:
        yield Hit(
            alias.thing_id,
            MatchKind.PREFIX,
            len(key) / max(len(key), len(alias.folded)),
            alias.name,
            alias.rank,
        )


def _fuzzy_windows(tables: Tables, key: str, windows: list[Window]) -> Iterator[Hit]:
    """Yield misspelled names among the words of the query, as on a photo with more text than the name."""
    long = [window for window in windows if len(window.text) > MIN_FUZZY]
    for window in sorted(long, key=lambda window: -len(window.text))[:_FUZZY_WINDOWS]:
        share = len(window.text) / len(key)
        for hit in fuzzy(tables, window.text):
            yield Hit(hit.thing_id, hit.kind, hit.similarity * share, hit.alias, hit.rank)
