"""Collects the folded names of everything and writes the tables that they are searched in.

Names are added in the order of the things that bear them, most populous first, and each name keeps its
references as the packed bytes that the file holds: a million small lists would take a gigabyte.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from wheretaken.maps.offline import bulk
from wheretaken.maps.offline.names import fold, skeleton_of_key
from wheretaken.maps.offline.world import gather, grams, schema

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

_FUZZY_POPULATION = 300_000
_LONGEST_FUZZY = 40


@dataclass(slots=True)
class Lexicon:
    """Folded names, each with a spelling and its references, and the ones that may be misspelt."""

    refs: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """As `alias.refs` holds them."""
    spellings: dict[str, str] = field(default_factory=dict[str, str])
    fuzzy: set[str] = field(default_factory=set[str])
    """The keys that misspellings are looked for among."""

    def add(self, owner: int, names: dict[str, str]) -> None:
        """Add the names of one thing, key -> spelling, and what is left of them without generic words."""
        self._refer(names, (owner << 1).to_bytes(4, "little"))
        bare = gather.bare_names(names)
        if bare:
            self._refer(bare, (owner << 1 | schema.STRIPPED).to_bytes(4, "little"))

    def _refer(self, names: dict[str, str], ref: bytes) -> None:
        refs, spellings = self.refs, self.spellings
        for key, spelling in names.items():
            known = refs.get(key)
            if known is None:
                refs[key] = ref
                spellings[key] = spelling
            else:
                refs[key] = known + ref

    def allow_errors(self, keys: Iterable[str]) -> None:
        """Let misspellings meet names of ordinary length, but none in kanji: one error is another name."""
        for key in keys:
            if 4 <= len(key) <= _LONGEST_FUZZY and not "\u3040" <= key[0] <= "\u9fff":
                self.fuzzy.add(key)


def collect(
    areas: Iterable[gather.Area], places: Iterable[dict[str, Any]], local_names: dict[int, str]
) -> Lexicon:
    """Return the names of all areas and places.

    Of small places only the names used there may be misspelt: with every alias of every village in reach,
    a word that is no name would always find one.

    Args:
        areas: countries and divisions, as `gather.areas` gives them.
        places: GeoNames settlements, most populous first.
        local_names: by GeoNames id, the names in their own script, of places that have one.
    """
    lexicon = Lexicon()
    for area in areas:
        names = gather.area_names(area)
        lexicon.add(area.id, names)
        lexicon.allow_errors(names)
    for row in places:
        identifier: int = row["geonameid"]
        names = gather.place_names(row)
        lexicon.add(identifier, names)
        if row["population"] >= _FUZZY_POPULATION:
            lexicon.allow_errors(names)
            continue
        lexicon.allow_errors(islice(names, 1))  # the main name comes first
        local = fold(local_names.get(identifier, ""))
        if local in names:
            lexicon.allow_errors([local])
    return lexicon


def write(connection: sqlite3.Connection, lexicon: Lexicon) -> None:
    """Fill `alias`, `fuzzy` and `gram`, and say in `meta` where the names of each length begin."""
    refs, spellings = lexicon.refs, lexicon.spellings
    keys = sorted(refs)
    bulk.insert(connection, "alias", 3, ((key, _stored(key, spellings[key]), refs[key]) for key in keys))
    fuzzy = [key for key in keys if key in lexicon.fuzzy]
    skeletons = _skeletons(fuzzy)
    fuzzy.sort(key=lambda key: len(skeletons[key]))
    ordered = [skeletons[key] for key in fuzzy]
    first: list[int] = []
    for at, skeleton in enumerate(ordered):
        first.extend([at] * (len(skeleton) + 1 - len(first)))
    connection.execute("INSERT INTO meta VALUES ('lengths', ?)", (json.dumps([*first, len(ordered)]),))
    bulk.insert(connection, "fuzzy", 2, enumerate(fuzzy))
    bulk.insert(connection, "gram", 2, grams.postings(ordered))


def _skeletons(keys: list[str]) -> dict[str, str]:
    """Return the skeleton of each key.

    No rule of the skeleton looks across a line break, and one long text is faster than many short ones,
    above all where it is ASCII.
    """
    found: dict[str, str] = {}
    for group in ([key for key in keys if key.isascii()], [key for key in keys if not key.isascii()]):
        found.update(zip(group, skeleton_of_key("\n".join(group)).split("\n"), strict=bool(group)))
    return found


def _stored(key: str, spelling: str) -> str:
    """Return what `alias.spelling` holds; what is tidied here is rarely shown, so it is done to few."""
    code = schema.spelling_code(key, spelling)
    return gather.tidy(code) if len(code) > 1 else code
