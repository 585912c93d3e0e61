"""Chain brands: a name over a shop -> the countries where the chain has shops.

The table comes from the name-suggestion-index (BSD-3-Clause), without chains that are everywhere, without
names that are also a town's or made of ordinary words only (see `scripts/build_clue_data.py`). A brand counts
when it is the whole line; inside a longer line only a name of several words, or one that begins it in a
script without spaces.
"""

from __future__ import annotations

import lzma
from functools import cache
from typing import NamedTuple

from wheretaken.clues.countries import country_name, country_prior
from wheretaken.clues.model import Clue
from wheretaken.clues.tables import file_bytes, pairs
from wheretaken.clues.text import fold

_SOURCE = "name-suggestion-index"
_MASS = 0.9
"""What is left is for namesakes and for shops that the index does not know of."""
_LONGEST = 6
"""Words of the longest names that are looked for inside a line."""
_LONG_NAME = 9
"""Characters from which a name of several words is distinctive inside a longer line."""
_WIDE_SCRIPTS_BEGIN = 0x2E80
_WIDE_PREFIX = 4
"""Characters from which a brand at the beginning of a line without spaces is taken as one."""


class _Brand(NamedTuple):
    countries: list[str]
    regions: list[str]
    """ISO 3166-2 codes."""


@cache
def _brands() -> dict[str, _Brand]:
    found: dict[str, _Brand] = {}
    for line in lzma.decompress(file_bytes("brands.tsv.xz")).decode("utf-8").splitlines():
        if not line.startswith("#"):
            name, countries, regions = line.split("\t")
            found[name] = _Brand(countries.split(","), regions.split(",") if regions else [])
    return found


def _spans(parts: list[str], *, any_name: bool) -> list[tuple[str, float]]:
    """Return the brand names in a folded line with how sure each is, longest first, none inside another."""
    found: list[tuple[str, float]] = []
    start = 0
    while start < len(parts):
        for end in range(min(len(parts), start + _LONGEST), start, -1):
            name = " ".join(parts[start:end])
            distinctive = any_name or (end - start > 1 and len(name) >= _LONG_NAME)
            if distinctive and name in _brands():
                found.append((name, 0.7 if end - start > 1 else 0.5))
                start = end - 1
                break
        start += 1
    return found


def _wide_prefix(name: str) -> str:
    if not name or ord(name[0]) < _WIDE_SCRIPTS_BEGIN:
        return ""
    lengths = range(len(name) - 1, _WIDE_PREFIX - 1, -1)
    return next((name[:length] for length in lengths if name[:length] in _brands()), "")


def read(text: str, *, explicit: bool = False) -> list[Clue]:
    """Return the brands in a text; `explicit` (the caller says it is one) also finds single words in it."""
    found: list[Clue] = []
    for line in text.splitlines():
        name = fold(line)
        if name in _brands():
            hits = [(name, 0.85 if len(name) > 5 else 0.65)]
        elif prefix := _wide_prefix(name):
            hits = [(prefix, 0.75)]
        else:
            hits = _spans(name.split(), any_name=explicit)
        found += [_clue(hit, line.strip(), confidence) for hit, confidence in hits]
    return found


def _clue(name: str, line: str, confidence: float) -> Clue:
    brand = _brands()[name]
    where = country_prior(brand.countries, _MASS)
    shown = ", ".join(country_name(code) for code in list(where)[:5])
    more = f" and {len(where) - 5} more countries" if len(where) > 5 else ""
    names = pairs("regions.tsv")
    regional = {region[:2] for region in brand.regions} == set(brand.countries)
    return Clue(
        kind="brand",
        text=line,
        reading=f'the chain "{name}" has branches in {shown}{more}',
        countries=where,
        places=[names[region] for region in brand.regions if region in names] if regional else [],
        confidence=confidence,
        source=_SOURCE,
    )
