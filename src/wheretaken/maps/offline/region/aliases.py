"""Index the names of things: folded, stripped of generic words, by their later words, and by character pairs.

The fuzzy index is an inverted list of character pairs (bigrams) of `names.skeleton`, so that what OCR
confuses is equal before anything is compared. An edit changes at most two pairs, therefore a name within `k`
edits of a query shares at least `n` of any `2k + n` of the query's pairs: the search reads the shortest lists
only and still misses nothing. Names are numbered by the length of their skeletons, so that names of about the
query's length are one stretch of every list, and lists are cut into blocks, of which only those are read.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from wheretaken.maps.offline import names

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

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


def index(connection: sqlite3.Connection) -> int:
    """Fill the tables of names from `temp.name`, where those of a thing follow each other; return how many.

    Spellings of one thing that fold alike are kept once, with the best rank. What grows with the map is
    sorted by the database, which goes to disk for it.
    """
    connection.execute(
        "CREATE TEMP TABLE spelled(length INTEGER, thing_id INTEGER, folded TEXT, rank INTEGER, name TEXT,"
        " skeleton TEXT)"
    )
    rows = connection.execute(_NAMED)
    connection.executemany("INSERT INTO temp.spelled VALUES (?, ?, ?, ?, ?, ?)", _spelled(rows))
    connection.executescript(_ORDERED)
    connection.executemany("INSERT INTO gram VALUES (?, ?)", _grams(connection))
    folded = "SELECT rowid, folded FROM temp.ordered"
    connection.executemany(
        "INSERT INTO temp.short VALUES (?, ?)",
        ((short, alias_id) for alias_id, key in connection.execute(folded) if (short := stripped(key))),
    )
    connection.executemany(
        "INSERT INTO temp.tail VALUES (?, ?)",
        ((tail, alias_id) for alias_id, key in connection.execute(folded) for tail in _tails(key)),
    )
    connection.executescript(_FINISHED)
    return int(connection.execute("SELECT count(*) FROM aliases").fetchone()[0])


# CROSS JOIN: both in the order of things, so that each page of them is read once.
_NAMED = (
    "SELECT thing_id, name.name, rank, things.name"
    " FROM temp.name CROSS JOIN things ON things.id = thing_id ORDER BY name.rowid"
)
_ORDERED = """
CREATE TEMP TABLE ordered AS SELECT length, thing_id, folded, rank, name, skeleton
  FROM temp.spelled ORDER BY length, thing_id, folded;
DROP TABLE temp.spelled;
CREATE TEMP TABLE short(stripped TEXT, alias_id INTEGER);
CREATE TEMP TABLE tail(folded TEXT, alias_id INTEGER);
INSERT INTO aliases SELECT rowid, thing_id, rank, name FROM temp.ordered;
INSERT INTO alias_length SELECT length, min(rowid) FROM temp.ordered GROUP BY 1;
INSERT INTO alias_folded SELECT folded, rowid FROM temp.ordered ORDER BY 1, 2;
"""
_FINISHED = """
DROP TABLE temp.ordered;
INSERT INTO alias_stripped SELECT stripped, alias_id FROM temp.short ORDER BY 1, 2;
DROP TABLE temp.short;
INSERT OR IGNORE INTO alias_tail SELECT folded, alias_id FROM temp.tail ORDER BY 1, 2;
DROP TABLE temp.tail;
"""


def _spelled(rows: Iterable[tuple[int, str, int, str]]) -> Iterator[tuple[object, ...]]:
    """Yield the rows of `temp.spelled` from those of `_NAMED`; a name is None where it is the thing's."""
    for thing_id, spellings in groupby(rows, itemgetter(0)):
        kept: dict[str, tuple[int, str | None, str]] = {}
        for _, spelled, spelled_rank, own in spellings:
            for name, rank in _with_latin(spelled, spelled_rank):
                folded = names.fold(name)
                if folded and (folded not in kept or rank < kept[folded][0]):
                    kept[folded] = (rank, None if name == own else name, names.skeleton(name, folded))
        for folded, (rank, name, skeleton) in kept.items():
            yield len(skeleton), thing_id, folded, rank, name, skeleton


def _with_latin(name: str, rank: int) -> Iterator[tuple[str, int]]:
    """Yield a name, and for a thing's own one how it sounds in Latin letters where it has others."""
    yield name, rank
    if rank == 0 and (latin := names.romanised(name)):
        yield latin, IN_LATIN


def _tails(folded: str) -> Iterator[str]:
    """Yield a folded name from its second, third... word on."""
    at = folded.find(" ")
    while at >= 0:
        yield folded[at + 1 :]
        at = folded.find(" ", at + 1)


BLOCK = 1 << 16
"""Aliases whose numbers are kept together, with 16 bits each; memory stays bounded."""


def gram_id(pair: str, block: int) -> int:
    """Return the row of `gram` for two characters and a block of aliases: 21, 21 and 16 bits."""
    return (ord(pair[0]) << 21 | ord(pair[1])) << 16 | block


def _grams(connection: sqlite3.Connection) -> Iterator[tuple[int, bytes]]:
    """Yield the rows of `gram`."""
    rows = connection.execute("SELECT rowid, skeleton FROM temp.ordered ORDER BY rowid")
    for block, skeletons in groupby(rows, lambda row: row[0] // BLOCK):
        yield from _packed([(i % BLOCK, text) for i, text in skeletons if len(text) >= MIN_FUZZY], block)


def _packed(skeletons: Sequence[tuple[int, str]], block: int) -> Iterator[tuple[int, bytes]]:
    """Yield the rows of `gram` of a block, whose names are given with their numbers in it."""
    import numpy as np  # noqa: PLC0415 - only an import needs it

    if not skeletons:
        return
    letters = np.frombuffer("".join(text for _, text in skeletons).encode("utf-32-le"), dtype="<u4")
    lengths = [len(text) for _, text in skeletons]
    owners = np.repeat(np.array([number for number, _ in skeletons], dtype=np.int64), lengths)
    letters = letters.astype(np.int64)
    inside = np.ones(len(letters) - 1, dtype=bool)
    inside[np.cumsum(lengths)[:-1] - 1] = False  # the last letter of a name and the first of the next
    # As `gram_id`, with the number where the block will be: sorted, each pair's names are one stretch.
    keys = np.sort(((letters[:-1] << 21 | letters[1:]) << 16 | owners[:-1])[inside])
    keys = keys[np.diff(keys, prepend=-1) > 0]  # a name may have a pair twice
    pairs, within = keys >> 16, (keys & 0xFFFF).astype("<u2")
    starts = np.flatnonzero(np.diff(pairs, prepend=-1)).tolist()
    for start, stop in zip(starts, [*starts[1:], len(keys)], strict=True):
        yield int(pairs[start]) << 16 | block, within[start:stop].tobytes()
