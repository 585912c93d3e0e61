"""Markup that a text only quotes: what stands in the strings of an object is data, whatever it looks like.

An answer's evidence repeats what signs, maps and web pages say, and these may say `</tool_response>`.
"""

from __future__ import annotations

import json
import re

from wheretaken.answers import fields as names
from wheretaken.answers import lenient

_DECODER = json.JSONDecoder()
_OPENING = re.compile(r'\{(?=\s*+["“\'])')
_TRIES = 50
"""How often strict JSON may fail in one text before nothing more is looked for."""


def unquoted(text: str) -> str:
    """Return the text, as long as it was, with blanks for the angle brackets within objects.

    Objects are those that are strict JSON, and those in loose JSON that hold a position. What encloses an
    object, such as the tags of a call or of an answer, stays.
    """
    parts: list[str] = []
    seen, tries = 0, _TRIES
    opening = _OPENING.search(text)
    while opening and tries:
        end = _end(text, opening.start())
        tries -= end is None
        if end is not None:
            parts += text[seen : opening.start()], text[opening.start() : end].replace("<", " ")
            seen = end
        opening = _OPENING.search(text, opening.end() if end is None else end)
    return "".join([*parts, text[seen:]]) if parts else text


def _end(text: str, start: int) -> int | None:
    """Return where the object ends whose brace is at `start`; None when it is none."""
    try:
        return _DECODER.raw_decode(text, start)[1]
    except (ValueError, RecursionError):
        loose = lenient.read(text, start)
    is_answer = loose.whole and {"lat", "lon"} <= names.named(loose.content).keys()
    return loose.end if is_answer else None
