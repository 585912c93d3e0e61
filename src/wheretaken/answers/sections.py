"""Which part of a text is the answer: not what was thought, and not what was said to or by a tool."""

from __future__ import annotations

import re

from wheretaken.answers.quoting import unquoted

_TAG = re.compile(r"<(/?)(think|tool_call|tool_response)(?:ing)?>", re.IGNORECASE)
_ANSWER = re.compile(r"<answer>(.*?)(?:</answer>|\Z)", re.DOTALL | re.IGNORECASE)


def spoken(text: str) -> str:
    """Return a text without its `<think>`, `<tool_call>` and `<tool_response>` sections.

    A closing tag whose opening one is missing (it may stand in the prompt, or have been cut off) closes a
    section that began where the one before ended. Thoughts that are never closed stay: nothing stands after
    them. So does a call that is never closed, because models forget to close it before they answer; its
    object is known for a call by its shape. A text that is nothing but thoughts is returned as it is. Tags
    that an object only quotes are no tags.
    """
    tags = list(_TAG.finditer(unquoted(text))) if _TAG.search(text) else []
    if not tags:
        return text
    said: list[str] = []
    thoughts_from = 0
    opening, start = "", 0
    for tag in tags:
        name, closes = tag[2].lower(), bool(tag[1])
        if not (closes and name != "think") and opening != "tool_response":
            said.append(text[start : tag.start()])
        if name == "think":
            if closes:
                del said[thoughts_from:]
            thoughts_from = len(said)
        opening, start = "" if closes else name, tag.end()
    if opening != "tool_response":
        said.append(text[start:])
    only_thoughts = all(tag[2].lower() == "think" for tag in tags) and not "".join(said).strip()
    return text if only_thoughts else "\n".join(said)


def last_answer(text: str) -> str | None:
    """Return what stands in the last `<answer>` tags that hold anything; None without such tags."""
    if not _ANSWER.search(text):
        return None
    bodies = [text[found.start(1) : found.end(1)] for found in _ANSWER.finditer(unquoted(text))]
    return next((body for body in reversed(bodies) if body.strip()), None)
