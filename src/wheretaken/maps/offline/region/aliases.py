"""Index the names of things: folded, stripped of generic words, by their later words, and by character pairs.

The fuzzy index is an inverted list of character pairs (bigrams) of `names.skeleton`, so that what OCR
confuses is equal before anything is compared. An edit changes at most two pairs, therefore a name within `k`
edits of a query shares at least `n` of any `2k + n` of the query's pairs: the search reads the shortest lists
only and still misses nothing. Names are numbered by the length of their skeletons, so that names of about the
query's length are one stretch of every list.
"""

from __future__ import annotations

import sys
from array import array
from typing import TYPE_CHECKING

from wheretaken.maps.offline import names

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

MIN_FUZZY = 4
"""Shortest name or query, in characters, that may have typing errors: shorter ones resemble everything."""

GENERIC = names.SETTLEMENT_WORDS | names.STATION_WORDS | names.BUILDING_WORDS | names.STREET_WORDS
"""Words that a query may add to a name in a street map, or leave out."""


IN_LATIN = 4
"""The rank of a name that was only transliterated: no map and no sign has it so."""


def stripped(folded: str) -> str:
    """Return the folded name without generic words at its ends, "" when that changes nothing."""
    rest = names.strip_generic(folded, GENERIC)
    return "" if rest == folded else rest


def pairs(skeleton: str) -> set[str]:
    """Return the character pairs of a skeleton."""
    return {skeleton[i : i + 2] for i in range(len(skeleton) - 1)}


def index(connection: sqlite3.Connection, rows: Iterable[tuple[int, str, int]]) -> int:
    """Fill `alias`, `tail` and `gram` from (thing id, name, rank) rows; return the number of aliases.

    Spellings of one thing that fold alike are kept once, with the best rank.
    """
    best: dict[tuple[int, str], tuple[int, str]] = {}
    for thing_id, name, rank in _with_latin(rows):
        key = (thing_id, names.fold(name))
        if key[1] and (key not in best or rank < best[key][0]):
            best[key] = (rank, name)
    aliases: list[tuple[int, str, str, int, str, int, str]] = []
    tails: list[tuple[str, int]] = []
    lists: dict[str, array[int]] = {}
    starts: dict[int, int] = {}
    spelled = [(names.skeleton(name), *key, rank, name) for key, (rank, name) in best.items()]
    spelled.sort(key=lambda row: len(row[0]))
    for alias_id, (skeleton, thing_id, folded, rank, name) in enumerate(spelled, start=1):
        starts.setdefault(len(skeleton), alias_id)
        aliases.append((alias_id, folded, stripped(folded), thing_id, name, rank, skeleton))
        words = folded.split()
        tails += [(" ".join(words[start:]), alias_id) for start in range(1, len(words))]
        if len(skeleton) >= MIN_FUZZY:
            for pair in pairs(skeleton):
                lists.setdefault(pair, array("I")).append(alias_id)
    connection.executemany("INSERT INTO alias VALUES (?, ?, ?, ?, ?, ?, ?)", aliases)
    connection.executemany("INSERT INTO alias_length VALUES (?, ?)", starts.items())
    connection.executemany("INSERT INTO tail VALUES (?, ?)", tails)
    connection.executemany(
        "INSERT INTO gram VALUES (?, ?)", ((pair, _little_endian(ids)) for pair, ids in lists.items())
    )
    return len(aliases)


def _with_latin(rows: Iterable[tuple[int, str, int]]) -> Iterator[tuple[int, str, int]]:
    """Yield the names, and for each thing's own one how it sounds in Latin letters where it has others."""
    for thing_id, name, rank in rows:
        yield thing_id, name, rank
        if rank == 0 and (latin := names.romanised(name)):
            yield thing_id, latin, IN_LATIN


def unpack(ids: bytes) -> array[int]:
    """Return the alias numbers of one `gram` row."""
    numbers = array("I")
    numbers.frombytes(ids)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _little_endian(ids: array[int]) -> bytes:
    if sys.byteorder == "big":
        ids.byteswap()
    return ids.tobytes()
