"""Index the names of things: folded, stripped of generic words, by their later words, and by character pairs.

The fuzzy index is an inverted list of character pairs (bigrams) of `names.skeleton`, so that what OCR
confuses is equal before anything is compared. An edit changes at most two pairs, therefore a name within `k`
edits of a query shares at least `n` of any `2k + n` of the query's pairs: the search reads the shortest lists
only and still misses nothing. Names are numbered by the length of their skeletons, so that names of about the
query's length are one stretch of every list, and lists are cut into blocks, of which only those are read.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from wheretaken.maps.offline import names
from wheretaken.maps.offline.region import packing

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
    """Fill the tables of names from (thing id, name, rank) rows; return the number of aliases.

    Spellings of one thing that fold alike are kept once, with the best rank. What grows with the map is
    sorted by the database, which goes to disk for it.
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
    connection.create_function("stripped", 1, stripped, deterministic=True)
    connection.executescript(_ORDERED)
    connection.executemany("INSERT INTO gram VALUES (?, ?)", _grams(connection))
    connection.executemany(
        "INSERT INTO temp.tail VALUES (?, ?)",
        (
            (folded[at + 1 :], alias_id)
            for alias_id, folded in connection.execute("SELECT rowid, folded FROM temp.ordered")
            for at, letter in enumerate(folded)
            if letter == " "
        ),
    )
    connection.executescript(_FINISHED)
    return int(connection.execute("SELECT count(*) FROM aliases").fetchone()[0])


_ORDERED = """
CREATE TEMP TABLE ordered AS SELECT thing_id, folded, rank, name, skeleton(name) AS skeleton
  FROM temp.spelled WHERE folded <> '' ORDER BY length(skeleton), thing_id, folded;
DROP TABLE temp.spelled;
CREATE TEMP TABLE tail(folded TEXT, alias_id INTEGER);
INSERT INTO aliases SELECT ordered.rowid, thing_id, rank, nullif(ordered.name, things.name)
  FROM temp.ordered CROSS JOIN things ON things.id = thing_id;
INSERT INTO alias_length SELECT length(skeleton), min(rowid) FROM temp.ordered GROUP BY 1;
INSERT INTO alias_folded SELECT folded, rowid FROM temp.ordered ORDER BY 1, 2;
INSERT INTO alias_stripped
  SELECT * FROM (SELECT stripped(folded) AS short, rowid FROM temp.ordered) WHERE short <> '' ORDER BY 1, 2;
"""
_FINISHED = """
DROP TABLE temp.ordered;
INSERT OR IGNORE INTO alias_tail SELECT folded, alias_id FROM temp.tail ORDER BY 1, 2;
DROP TABLE temp.tail;
"""

BLOCK = 1 << 16
"""Aliases whose numbers are kept together, with 16 bits each; memory stays bounded."""


def gram_id(pair: str, block: int) -> int:
    """Return the row of `gram` for two characters and a block of aliases: 21, 21 and 16 bits."""
    return (ord(pair[0]) << 21 | ord(pair[1])) << 16 | block


def _grams(connection: sqlite3.Connection) -> Iterator[tuple[int, bytes]]:
    """Yield the rows of `gram`."""
    lists: dict[str, array[int]] = {}
    block = 0
    for alias_id, skeleton in connection.execute("SELECT rowid, skeleton FROM temp.ordered ORDER BY rowid"):
        if alias_id // BLOCK != block:
            yield from _packed(lists, block)
            lists, block = {}, alias_id // BLOCK
        if len(skeleton) >= MIN_FUZZY:
            within = alias_id % BLOCK
            for pair in pairs(skeleton):
                if pair in lists:
                    lists[pair].append(within)
                else:
                    lists[pair] = array("H", (within,))
    yield from _packed(lists, block)


def _packed(lists: dict[str, array[int]], block: int) -> Iterator[tuple[int, bytes]]:
    return ((gram_id(pair, block), packing.pack16(ids)) for pair, ids in lists.items())


def _with_latin(rows: Iterable[tuple[int, str, int]]) -> Iterator[tuple[int, str, int]]:
    """Yield the names, and for each thing's own one how it sounds in Latin letters where it has others."""
    for thing_id, name, rank in rows:
        yield thing_id, name, rank
        if rank == 0 and (latin := names.romanised(name)):
            yield thing_id, latin, IN_LATIN
