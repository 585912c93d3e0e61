"""Reads JSON as models write it.

Beyond the standard it takes single, curly and full-width quotes, quotes that are missing on one side or both
(a bare value ends at the comma, the bracket or the line end), quotes within strings, trailing and missing
commas, Chinese punctuation, and `//`, `#` and `/* */` comments. It is meant for what strict JSON has rejected
and gives what could be read up to the place where it cannot follow.

Every token is matched once, by a pattern that cannot go back into what it has read: the time is proportional
to the text read.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple, cast

_MAX_DEPTH = 32
_SURE_DECIMALS = 2
"""A number at the very end may have lost digits; with so many decimals that is 1 km at most."""
_BLANK = re.compile(r"(?:[\s,，、;；]++|//[^\n]*+|\#[^\n]*+|/\*(?:[^*]|\*(?!/)){0,200}+\*/)*+")
_KEY = re.compile(
    r"""(?: "(?P<double>[^"\n{}]{0,100}+)" | '(?P<single>[^'\n{}]{0,100}+)'
          | ["'“”‘’＂`]?+
            (?P<half>[^\s"'“”‘’＂`:：=,，{}\[\]][^"'“”‘’＂`:：=,，{}\[\]\n]{0,100}+)
            ["'“”‘’＂`]?+ )
        \s{0,20}+[:：=]""",
    re.VERBOSE,
)
_NUMBER = re.compile(
    r"""([+-]?\d++(?:\.\d++)?+(?:[eE][+-]?\d++)?+)(?=\s{0,20}(?:[,，;；}\]"'\n]|//|\#|/\*|\Z))"""
)
_BARE = re.compile(r"(?:[^,，\n{}\[\]/#]|/(?![/*]))++")
_CLOSED = r"""(?=\s{0,20}(?:[,，;；:：}\]\n]|\Z|["“]\w))"""
"""What follows a quote that closes a string; any other quote belongs to the string."""
_NEXT_KEY = r"""\s{0,20}["“][^"“”\n]{1,40}["”]\s{0,5}[:：]"""
"""What follows the comma after a string whose closing quote is missing."""


def _string(opening: str, closing: str) -> str:
    return rf"""
        [{opening}] ( (?: [^{closing}\\,，]++ | \\. | [,，](?!{_NEXT_KEY}) | [{closing}](?!{_CLOSED}) )*+ )
        ([{closing}]?)"""


_STRINGS = {
    '"': re.compile(_string('"', '"'), re.DOTALL | re.VERBOSE),
    "'": re.compile(_string("'", "'"), re.DOTALL | re.VERBOSE),
    **dict.fromkeys("“”＂", re.compile(_string("“”＂", '“”＂"'), re.DOTALL | re.VERBOSE)),
    **dict.fromkeys("‘’", re.compile(_string("‘’", "‘’'"), re.DOTALL | re.VERBOSE)),
}


class Loose(NamedTuple):
    """An object that was read as far as it could be followed."""

    content: dict[str, object]
    end: int
    """Behind the closing brace; else where it broke off: at the end of the text if that was cut."""
    whole: bool
    """Whether it has its closing brace."""


class _BrokenOff(Exception):  # noqa: N818 - how reading ends, no error
    """The text cannot be followed any further."""


def read(text: str, start: int) -> Loose:
    """Read the object whose opening brace is at `start`.

    A value that is cut off is left out, so that half a name or number is never taken for the whole.
    """
    content: dict[str, object] = {}
    reader = _Reader(text, start + 1)
    try:
        reader.members(content, 1)
    except _BrokenOff:
        return Loose(content, reader.at, whole=False)
    return Loose(content, reader.at, whole=True)


class _Reader:
    """Fills containers from the text; they are hung into their parent before they are filled."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self.at = at
        """Where it is in the text."""

    def members(self, into: dict[str, object], depth: int) -> None:
        """Read the members of an object, and its closing brace."""
        while not self._closes("}"):
            match = self._take(_KEY)
            key = match["double"] or match["single"] or (match["half"] or "").rstrip()
            into[_unescaped(key)] = value = self._value(depth)
            self._fill(value, depth)

    def _items(self, into: list[object], depth: int) -> None:
        while not self._closes("]"):
            value = self._value(depth)
            into.append(value)
            self._fill(value, depth)

    def _fill(self, value: object, depth: int) -> None:
        if isinstance(value, dict):
            self.members(cast("dict[str, object]", value), depth + 1)
        elif isinstance(value, list):
            self._items(cast("list[object]", value), depth + 1)

    def _value(self, depth: int) -> object:
        """Return the value at the current place; a container is still empty."""
        self._take(_BLANK)
        mark = self._text[self.at : self.at + 1]
        if mark in {"{", "["}:
            if depth == _MAX_DEPTH:
                raise _BrokenOff
            self.at += 1
            return {} if mark == "{" else []
        if mark in _STRINGS:
            return self._quoted(mark)
        if match := _NUMBER.match(self._text, self.at):
            self.at = match.end()
            decimals = len(match[1].partition(".")[2])
            if self._at_end() and decimals < _SURE_DECIMALS:
                raise _BrokenOff
            return float(match[1])
        bare = self._take(_BARE)[0]
        if self._at_end():
            raise _BrokenOff
        return _word(bare)

    def _quoted(self, mark: str) -> str:
        match = self._take(_STRINGS[mark])
        if not match[2] and self._text[self.at : self.at + 1] not in {",", "，"}:
            self.at = len(self._text)
            raise _BrokenOff
        return _unescaped(match[1])

    def _closes(self, mark: str) -> bool:
        self._take(_BLANK)
        if not self._text.startswith(mark, self.at):
            return False
        self.at += 1
        return True

    def _at_end(self) -> bool:
        return self.at >= len(self._text)

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self._text, self.at)
        if match is None:
            raise _BrokenOff
        self.at = match.end()
        return match


def _unescaped(text: str) -> str:
    """Return what a quoted text stands for; as it is where it is not escaped as JSON has it."""
    if "\\" not in text:
        return text
    try:
        return cast("str", json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text


def _word(text: str) -> str | None:
    """Return a bare word, without the quote that may stand on one side; None for a word for nothing."""
    word = text.strip().rstrip("\"'”’＂")
    return None if word.lower() in {"null", "none"} else word
