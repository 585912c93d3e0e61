"""From a query to scored hits: which names it may mean, tier by tier, and which place a person would mean.

A tier is only asked when the better ones found nothing, so a plain name costs one look-up:
the whole query; the query without generic words; a name with its state or country ("Springfield, IL");
names inside the query; names that begin with it; misspelt names.
"""

from __future__ import annotations

import json
import math
from array import array
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from wheretaken.maps.base import MatchKind
from wheretaken.maps.offline.names import (
    BUILDING_WORDS,
    LINK_WORDS,
    SETTLEMENT_WORDS,
    STATION_WORDS,
    STREET_WORDS,
    fold,
    is_unspaced,
    skeleton,
    skeleton_of_key,
    strip_generic,
    tokens,
)
from wheretaken.maps.offline.world import grams
from wheretaken.maps.offline.world.schema import AREA_BASE, STRIPPED, spelling_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

_NO_NAMES = LINK_WORDS | BUILDING_WORDS | STREET_WORDS | SETTLEMENT_WORDS | STATION_WORDS
_MOST_WORDS = 12
_MOST_RUN = 30
_LONGEST_NAME_IN_RUN = 12
_MOST_PREFIXES = 1000
_MOST_CANDIDATES = 300
_LOOKALIKE_COST = 0.25
"""Edits that a difference explained by OCR look-alikes counts for."""
_CHUNK = 500

_Span: TypeAlias = tuple[int, int, int]
"""The word that characters were taken from (-1: whole words were), start and end."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One place or area that the query may name."""

    id: int
    kind: MatchKind
    key: str
    spelling: str
    similarity: float
    within: frozenset[str] = frozenset()
    """Area codes the place must be in, for a query that named its state or country; empty for any."""


@dataclass(frozen=True, slots=True)
class _Name:
    key: str
    spelling: str
    refs: Sequence[int]


def find(connection: sqlite3.Connection, query: str) -> list[Hit]:
    """Return every hit of the best tiers that have any, in no particular order."""
    key = fold(query)
    if not key:
        return []
    hits = [*_whole(connection, key), *_in_context(connection, query)]
    if hits:
        return hits
    hits = [*_inside(connection, key), *_prefixed(connection, key)]
    if any(hit.kind is MatchKind.PREFIX or hit.similarity >= _GOOD_COVERAGE for hit in hits):
        return hits
    hits.extend(_misspelt(connection, query))
    if not hits:
        words = [word for word in tokens(query) if len(word) > 4 and word not in _NO_NAMES]
        hits.extend(hit for word in words[:_MOST_WORDS] for hit in _misspelt(connection, word))
    return hits


_GOOD_COVERAGE = 0.6


def _names(connection: sqlite3.Connection, keys: Iterable[str]) -> Iterator[_Name]:
    wanted = list(dict.fromkeys(keys))
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        marks = ", ".join("?" * len(part))
        query = f"SELECT key, spelling, refs FROM alias WHERE key IN ({marks})"  # noqa: S608 - only marks go in
        for key, spelling, refs in connection.execute(query, part):
            yield _Name(key, spelling_of(key, spelling), _unpacked(refs))


def _unpacked(refs: bytes) -> array[int]:
    numbers = array("I")
    numbers.frombytes(refs)
    return numbers


def _whole(connection: sqlite3.Connection, key: str) -> Iterator[Hit]:
    bare = strip_generic(key)
    # What is left may be no name at all: "Hi Dương" without its "street" is "Hi".
    keys = (key, bare) if bare and _may_be_name(tokens(bare)) else (key,)
    for name in _names(connection, keys):
        for ref in name.refs:
            exact = name.key == key and not ref & STRIPPED
            kind = MatchKind.EXACT if exact else MatchKind.STRIPPED
            yield Hit(ref >> 1, kind, name.key, name.spelling, 1.0)


def _in_context(connection: sqlite3.Connection, query: str) -> Iterator[Hit]:
    """Yield places whose name is one end of the query and whose state or country is the other."""
    words = tokens(query)
    if not 2 <= len(words) <= _MOST_WORDS:
        return
    joined = {(i, j): " ".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1)}
    names = {name.key: name for name in _names(connection, joined.values())}
    end = len(words)
    for cut in range(1, end):
        for place, context in ((joined[0, cut], joined[cut, end]), (joined[cut, end], joined[0, cut])):
            name = names.get(place)
            if name is None:
                continue
            codes = _area_codes(connection, context, names.get(context))
            if codes:
                yield from (
                    Hit(
                        ref >> 1,
                        MatchKind.PARTIAL,
                        place,
                        name.spelling,
                        len(place) / len(joined[0, end]),
                        codes,
                    )
                    for ref in name.refs
                    if ref >> 1 < AREA_BASE
                )


def _area_codes(connection: sqlite3.Connection, context: str, name: _Name | None) -> frozenset[str]:
    found: set[str] = set()
    if name:
        ids = [ref >> 1 for ref in name.refs if ref >> 1 >= AREA_BASE]
        for identifier in ids:
            found.update(
                code for (code,) in connection.execute("SELECT code FROM area WHERE id = ?", (identifier,))
            )
    if len(context) in (2, 3) and context.isascii():
        # "Springfield, IL": the abbreviations that addresses use in these three countries.
        codes = [f"{country}-{context.upper()}" for country in ("US", "CA", "AU")]
        query = "SELECT code FROM area WHERE code IN (?, ?, ?)"
        found.update(code for (code,) in connection.execute(query, codes))
    return frozenset(found)


def _inside(connection: sqlite3.Connection, key: str) -> Iterator[Hit]:
    """Yield the names that some of the query's words, or a part of an unspaced run, are as a whole.

    A place inside an area that is named beside it comes once more, with that area as a condition
    (東京都港区).
    """
    spans: dict[str, list[_Span]] = {}
    for text, span in _parts(tokens(key)[:_MOST_WORDS]):
        spans.setdefault(text, []).append(span)
    taken: list[_Span] = []
    met: list[_Name] = []
    for name in sorted(_names(connection, spans), key=lambda name: -len(name.key)):
        free = [span for span in spans[name.key] if not any(_covers(other, span) for other in taken)]
        if free and any(not ref & STRIPPED for ref in name.refs):
            taken.extend(free)
            met.append(name)
    areas = {name.key: _area_codes(connection, name.key, name) for name in met}
    for name in met:
        share = min(1.0, len(name.key) / len(key))
        hits = [
            Hit(ref >> 1, MatchKind.PARTIAL, name.key, name.spelling, share)
            for ref in name.refs
            if not ref & STRIPPED
        ]
        yield from hits
        beside = frozenset[str]().union(*(codes for other, codes in areas.items() if other != name.key))
        if beside and not areas[name.key]:
            yield from (replace(hit, within=beside) for hit in hits)


def _parts(words: list[str]) -> Iterator[tuple[str, _Span]]:
    """Yield what may be a name in a query: runs of words, and runs of characters in one unspaced word."""
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            if _may_be_name(words[start:end]):
                yield " ".join(words[start:end]), (-1, start, end)
    for at, word in enumerate(words):
        if is_unspaced(word):
            yield from ((word[start:end], (at, start, end)) for start, end in _run_parts(word[:_MOST_RUN]))


def _may_be_name(words: list[str]) -> bool:
    if all(word in _NO_NAMES or word.isdigit() for word in words):
        return False
    if len(words) > 1:
        return True
    return len(words[0]) > 2 or (is_unspaced(words[0]) and len(words[0]) > 1)


def _run_parts(run: str) -> Iterator[tuple[int, int]]:
    for start in range(len(run)):
        for end in range(start + 2, min(len(run), start + _LONGEST_NAME_IN_RUN) + 1):
            part = run[start:end]
            # Two kana or two Thai letters are part of any word; two kanji or Hangul are a name.
            if end - start > 2 or "\u3400" <= part[0] <= "\ud7af":
                yield start, end


def _covers(outer: _Span, inner: _Span) -> bool:
    return outer[0] == inner[0] and outer[1] <= inner[1] and inner[2] <= outer[2]


def _prefixed(connection: sqlite3.Connection, key: str) -> Iterator[Hit]:
    if len(key) < 3 and key.isascii():
        return
    query = "SELECT key, spelling, refs FROM alias WHERE key > ? AND key < ? LIMIT ?"
    for found, spelling, refs in connection.execute(query, (key, key + "\U0010ffff", _MOST_PREFIXES)):
        for ref in _unpacked(refs[:8]):  # the two most populous bearers
            if not ref & STRIPPED:
                similarity = len(key) / len(found)
                yield Hit(ref >> 1, MatchKind.PREFIX, found, spelling_of(found, spelling), similarity)


def _misspelt(connection: sqlite3.Connection, query: str) -> Iterator[Hit]:
    from rapidfuzz.distance import OSA  # noqa: PLC0415 - exact look-ups need no distance

    key, rough = fold(query), skeleton(query)
    edits = grams.max_edits(len(key))
    if not edits or len(rough) < 3:
        return
    found: dict[str, float] = {}
    for other in _similar(connection, rough, edits):
        distance = float(OSA.distance(key, other, score_cutoff=edits))
        by_shape = OSA.distance(rough, skeleton_of_key(other), score_cutoff=edits) + _LOOKALIKE_COST
        if min(distance, by_shape) <= edits + _LOOKALIKE_COST and other != key:
            found[other] = 1 - min(distance, by_shape) / max(len(key), len(other))
    for name in _names(connection, found):
        for ref in name.refs:
            if not ref & STRIPPED:
                yield Hit(ref >> 1, MatchKind.FUZZY, name.key, name.spelling, max(0.0, found[name.key]))


def _similar(connection: sqlite3.Connection, rough: str, edits: int) -> list[str]:
    (text,) = connection.execute("SELECT value FROM meta WHERE key = 'lengths'").fetchone()
    lengths: list[int] = json.loads(text)
    last = len(lengths) - 1
    first, end = lengths[min(max(0, len(rough) - edits), last)], lengths[min(len(rough) + edits + 1, last)]
    codes = grams.codes_of(rough)
    marks = ", ".join("?" * len(codes))
    rows = connection.execute(f"SELECT postings FROM gram WHERE code IN ({marks})", codes)  # noqa: S608 - marks
    lists = [packed for (packed,) in rows]
    ids = grams.candidates(lists, len(codes) - 3 * edits, first, end, _MOST_CANDIDATES)
    marks = ", ".join("?" * len(ids))
    return [key for (key,) in connection.execute(f"SELECT key FROM fuzzy WHERE id IN ({marks})", ids)]  # noqa: S608 - marks


_TIER = {
    MatchKind.EXACT: 0.0,
    MatchKind.STRIPPED: -1.0,
    MatchKind.PARTIAL: -3.0,
    MatchKind.PREFIX: -3.0,
    MatchKind.FUZZY: -3.0,
}
_KIND = {"country": 0.5, "admin1": -1.5}


def score(hit: Hit, *, kind: str, population: int, own_name: bool, distance_km: float | None) -> float:
    """Return how likely a person means this place: higher is likelier, one point is ten times the people.

    Args:
        hit: how the query met the name.
        kind: the place's kind; a division ranks below the town of the same name, which signs mean.
        population: of the place; unknown (0) counts as a hamlet.
        own_name: the name that was met is the place's main one, not one of its other names.
        distance_km: from where the asker is looking, if known: worth up to 4 points close by.
    """
    value = _TIER[hit.kind] + math.log10(max(population, 100)) + _KIND.get(kind, 0.0) + 0.8 * own_name
    if hit.kind is MatchKind.FUZZY:
        value -= 10 * (1 - hit.similarity)
    elif hit.kind is not MatchKind.EXACT:
        value += 3 * hit.similarity
    if hit.within:
        value += 3
    if distance_km is not None:
        value += 4 / (1 + distance_km / 30) - 0.5 * math.log10(1 + distance_km / 100)
    return value
