"""Which writing system a piece of text is in, by the names of `wheretaken.clues.scripts` in small letters."""

from __future__ import annotations

from collections import Counter
from functools import cache

from wheretaken.clues import scripts as table

UNSPACED = frozenset({"thai", "lao", "khmer", "myanmar", "han", "kana"})
"""Scripts that put no spaces between words; those that OCR sees there are noise."""

HOMOGLYPHS = frozenset("ABCEHIKMNOPTXYZУЅІЈ")
"""Capitals that look the same in Latin and in Cyrillic or Greek."""


@cache
def script_of(char: str) -> str:
    """Return the script of a letter, or an empty string for digits, marks of no script and punctuation."""
    script = None if char.isdigit() else table.script_of(char)
    return script.name.lower() if script else ""


def share(text: str, script: str) -> float:
    """Return which part of the letters of `text` is in `script`; 0 when there are no letters."""
    found = [name for char in text if (name := script_of(char))]
    return found.count(script) / len(found) if found else 0.0


def dominant(text: str) -> str:
    """Return the script of most letters, or an empty string."""
    counted = Counter(name for char in text if (name := script_of(char)))
    return counted.most_common(1)[0][0] if counted else ""


def runs(text: str) -> list[str]:
    """Split a line where the script changes: "港区 MINATO CITY" -> ["港区", "MINATO CITY"].

    Digits and punctuation stay with the run they follow; kana and Han count as one.
    """
    parts: list[str] = []
    current = ""
    for char in text:
        script = "han" if script_of(char) == "kana" else script_of(char)
        if script and current and script != current:
            parts.append("")
        current = script or current
        if not parts:
            parts.append("")
        parts[-1] += char
    return [part.strip(" -–—/|·・.,:;") for part in parts if part.strip(" -–—/|·・.,:;")]


def looks_ambiguous(text: str) -> bool:
    """Tell whether a Latin reading in capitals could as well be Cyrillic or Greek ("MOCKBA", "PECTOPAH")."""
    letters = [char for char in text if char.isalpha()]
    return len(letters) >= 4 and all(char in HOMOGLYPHS for char in letters)
