"""Writing systems: which are in a text, and what each says about the country.

Most scripts belong to one country or two. Latin, Cyrillic, Arabic and Devanagari do not: for those the
language decides (`languages`). Han is shared by China, Taiwan, Hong Kong and Japan; the forms of its
characters tell them apart (`han_countries`).
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from functools import cache
from typing import NamedTuple, cast

from wheretaken.clues.model import scaled
from wheretaken.clues.tables import file_bytes, rows, weights


class Script(NamedTuple):
    """A writing system."""

    name: str
    countries: dict[str, float]
    """Where it is written; empty where the language has to decide."""
    places: list[str]
    """Regions that it is the script of, where it is not a whole country's."""


@cache
def _table() -> tuple[list[int], list[tuple[int, Script]]]:
    ranges: list[tuple[int, int, Script]] = []
    for name, blocks, where, places in rows("scripts.tsv", 4):
        script = Script(name, weights(where), [place for place in places.split(",") if place])
        for block in blocks.split(","):
            first, _, last = block.partition("-")
            ranges.append((int(first, 16), int(last, 16), script))
    ranges.sort(key=lambda item: item[0])
    return [first for first, _, _ in ranges], [(last, script) for _, last, script in ranges]


def script_of(ch: str) -> Script | None:
    """Return the script that a character belongs to, or None for digits, punctuation and rare scripts."""
    firsts, blocks = _table()
    at = bisect_right(firsts, ord(ch)) - 1
    if at < 0 or ord(ch) > blocks[at][0]:
        return None
    return blocks[at][1]


def scripts_in(text: str) -> dict[str, tuple[Script, int]]:
    """Return the scripts of a text with their numbers of letters, the commonest first."""
    found = {
        ch: script for ch in set(text) if (ch.isalpha() or ord(ch) > 0x300) and (script := script_of(ch))
    }
    counts = Counter(found[ch].name for ch in text if ch in found)
    by_name = {script.name: script for script in found.values()}
    return {
        name: (by_name[name], count)
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    }


_HAN_PRIOR = {"CN": 0.5, "JP": 0.27, "TW": 0.14, "HK": 0.06, "MO": 0.01, "SG": 0.01, "MY": 0.01}
_HAN_FORMS: dict[str, dict[str, float]] = {
    "simplified": {"CN": 1, "SG": 1, "MY": 1, "JP": 0.05, "TW": 0.05, "HK": 0.05, "MO": 0.05},
    "simplified_or_japanese": {"CN": 1, "SG": 1, "MY": 1, "JP": 1, "TW": 0.05, "HK": 0.05, "MO": 0.05},
    "traditional": {"CN": 0.05, "SG": 0.05, "MY": 0.2, "JP": 0.02, "TW": 1, "HK": 1, "MO": 1},
    "traditional_or_japanese": {"CN": 0.05, "SG": 0.05, "MY": 0.2, "JP": 0.7, "TW": 1, "HK": 1, "MO": 1},
    "japanese": {"CN": 0.02, "SG": 0.02, "MY": 0.02, "JP": 1, "TW": 0.02, "HK": 0.02, "MO": 0.02},
}
"""How likely each country writes a character of the group on a sign, relative to the likeliest. Never zero:
text recognition takes one form for another, and shops choose old or foreign forms for their looks."""
_CANTONESE = "啲嘅喺咗冇嚟嗰佢哋啱攞搵"
_MOST_HITS = 3
"""Characters of one group that are counted: those of one text are not independent."""


@cache
def _forms() -> dict[str, frozenset[str]]:
    content = cast("dict[str, str]", json.loads(file_bytes("han.json")))
    return {name: frozenset(content[name]) for name in _HAN_FORMS}


def han_countries(text: str) -> tuple[dict[str, float], list[str]]:
    """Return where Chinese characters without kana are written, and the forms that tell it.

    Returns:
        Weights summing to 1, and a list like `["simplified (语)", ...]`, empty when only the prior speaks.
    """
    scores = dict(_HAN_PRIOR)
    told: list[str] = []
    for name, characters in _forms().items():
        hits = [ch for ch in dict.fromkeys(text) if ch in characters]
        if hits:
            told.append(f"{name.replace('_', ' ')} ({''.join(hits[:4])})")
        for code in scores:
            scores[code] *= _HAN_FORMS[name][code] ** min(len(hits), _MOST_HITS)
    if any(ch in text for ch in _CANTONESE):
        told.append("Cantonese")
        scores = {code: score * (1 if code in {"HK", "MO"} else 0.1) for code, score in scores.items()}
    return scaled(scores, 1.0), told
