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

    Spellings of one thing that fold alike are kept once, with the best rank. What grows with the map is
    sorted by the database, which goes to disk for it; only the lists of numbers, some 50 bytes a name, are
    held here.
    """
    connection.execute(
        "CREATE TEMP TABLE spelled(thing_id INTEGER, folded TEXT, rank INTEGER, name TEXT,"
        " PRIMARY KEY(thing_id, folded)) WITHOUT ROWID"
    )
    connection.executemany(
        "INSERT INTO temp.spelled VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
        " SET rank = excluded.rank, name = excluded.name WHERE excluded.rank < rank",
        ((thing_id, names.fold(name), rank, name) for thing_id, name, rank in _with_latin(rows)),
    )
    connection.create_function("skeleton", 1, names.skeleton, deterministic=True)
    connection.execute(
        "CREATE TEMP TABLE ordered AS SELECT thing_id, folded, rank, name, skeleton(name) AS skeleton"
        " FROM temp.spelled WHERE folded <> '' ORDER BY length(skeleton), thing_id, folded"
    )
    lists: dict[str, array[int]] = {}
    connection.executemany("INSERT INTO alias VALUES (?, ?, ?, ?, ?, ?, ?)", _aliases(connection, lists))
    connection.executemany(
        "INSERT INTO tail VALUES (?, ?)",
        (
            (" ".join(words[start:]), alias_id)
            for alias_id, folded in connection.execute("SELECT id, folded FROM alias ORDER BY id")
            for words in (folded.split(),)
            for start in range(1, len(words))
        ),
    )
    connection.execute("INSERT INTO alias_length SELECT length(skeleton), min(id) FROM alias GROUP BY 1")
    connection.executemany(
        "INSERT INTO gram VALUES (?, ?)", ((pair, _little_endian(ids)) for pair, ids in lists.items())
    )
    connection.executescript("DROP TABLE temp.spelled; DROP TABLE temp.ordered")
    return int(connection.execute("SELECT count(*) FROM alias").fetchone()[0])


def _aliases(
    connection: sqlite3.Connection, lists: dict[str, array[int]]
) -> Iterator[tuple[int, str, str, int, str, int, str]]:
    """Yield the rows of `alias`, and add the number of each to the lists of its pairs."""
    ordered = connection.execute("SELECT * FROM temp.ordered ORDER BY rowid")
    for alias_id, (thing_id, folded, rank, name, skeleton) in enumerate(ordered, start=1):
        if len(skeleton) >= MIN_FUZZY:
            for pair in pairs(skeleton):
                lists.setdefault(pair, array("I")).append(alias_id)
        yield alias_id, folded, stripped(folded), thing_id, name, rank, skeleton


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
