"""`parse`: what a careful person would read in a model's text."""

from __future__ import annotations

import re

from wheretaken.answers.fields import writable
from wheretaken.answers.model import Answer, NoAnswer, Repair
from wheretaken.answers.objects import read_objects
from wheretaken.answers.prose import read_pair
from wheretaken.answers.sections import last_answer, spoken

_REACH = 100_000
"""Characters from the end in which an answer is looked for: no model writes as much after it."""
_REFUSAL_REACH = 600
"""Characters from the end in which a refusal must stand: doubts early in a long text are only reasoning."""
_REFUSAL = re.compile(
    r"""\b(?: cannot | can['’]?t | can\s+not | could(?:\s+not|n['’]?t) | unable | not\s+able | impossible
         | not\s+possible | won['’]?t | will\s+not | not\s+enough
         | don['’]?t\s+(?:have\s+enough|know) | insufficient | sorry )\b
      | 无法 | 無法 | 不能 | 抱歉 | 对不起""",
    re.IGNORECASE | re.VERBOSE,
)


def parse(text: str) -> Answer | NoAnswer:
    """Read the last answer in a model's text.

    What stands in `<answer>` tags is the answer; only when nothing can be read there is the rest looked at.
    Of several objects the last whole one that holds a position wins; without any, one that breaks off, and
    then running text. An object that says that it has no position (`"lat": null`, or 0, 0 in no known place)
    is a refusal and is not overruled by a guess before it.

    A position is usable when it is finite and in range. Latitude and longitude are exchanged only when that
    way alone they are a position. Everything that had to be put right is named in `Answer.repairs`.

    Takes time in proportion to the text, and looks at its last 100,000 characters.
    """
    tail = text[-_REACH:]
    parts = [tail]
    if "<" in tail:
        said = spoken(tail)
        answer = last_answer(said)
        parts = [said] if answer is None else [answer, said]
    for part in parts:
        found = _read(part)
        if found is not None:
            return found
    detail = "there are no coordinates in the text" if text.strip() else "the text is empty"
    return NoAnswer(reason="unparsed", detail=detail)


def _read(text: str) -> Answer | NoAnswer | None:
    result, rest = read_objects(text)
    if result is not None:
        return result
    pair = read_pair(rest)
    if pair is not None:
        repairs = tuple(repair for repair in Repair if repair is Repair.PROSE or repair in pair.repairs)
        return Answer(lat=pair.lat, lon=pair.lon, raw=writable(rest[pair.start : pair.end]), repairs=repairs)
    if _REFUSAL.search(text, max(0, len(text) - _REFUSAL_REACH)):
        return NoAnswer(reason="refused", detail="the text says that it cannot or will not name a place")
    return None
