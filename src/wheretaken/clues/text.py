"""How text is compared: one folding for the shipped tables and for what was read in a photo."""

from __future__ import annotations

import re
import unicodedata

_APOSTROPHES = re.compile(r"['’ʼ`´]")
_MARKED_SCRIPTS_BEGIN = 0x530
"""Below lie Latin, Greek and Cyrillic, whose marks are accents; from Armenian on, marks can be vowels."""


def _kept(ch: str) -> bool:
    return ch.isalnum() or ch in "+&" or unicodedata.category(ch)[0] == "M"


def fold(text: str) -> str:
    """Return `text` without case, width, Latin accents or punctuation, words separated by one space.

    Marks are dropped from Latin, Greek and Cyrillic letters only: in Indic scripts they are vowels, and a
    kana with a voicing mark is another letter.
    """
    kept: list[str] = []
    for ch in unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold()):
        if unicodedata.combining(ch) and kept and ord(kept[-1]) < _MARKED_SCRIPTS_BEGIN:
            continue
        kept.append(ch)
    plain = _APOSTROPHES.sub("", unicodedata.normalize("NFC", "".join(kept)))
    return " ".join("".join(ch if _kept(ch) else " " for ch in plain).split())


def words(text: str) -> list[str]:
    """Return the words of `text` in composed form, with their accents and case, in order."""
    composed = unicodedata.normalize("NFC", text)
    joined = (
        ch if ch.isalpha() or ch in "-'’" or unicodedata.category(ch)[0] == "M" else " " for ch in composed
    )
    return [word for raw in "".join(joined).split() if (word := raw.strip("-'’"))]
