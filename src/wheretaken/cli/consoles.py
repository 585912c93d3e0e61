"""Where people are written to: answers go to stdout, everything else to stderr.

On a terminal lines are folded to its width. Into a file or a pipe they are written whole, so that the next
program finds a path, a link or a table row on one line.

Names of places, texts of signs and whatever a model or a service says are from outside: no character of them
steers the terminal.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from typing import TYPE_CHECKING, Any, NoReturn

from rich.console import Console
from rich.segment import Segment
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import ConsoleOptions, RenderableType

_WHOLE_LINES = 100_000
"""Characters; longer than any line that is written."""
_JOINERS = "\u200c\u200d"
"""Without which words of many scripts, and emoji, would look otherwise."""
_C1 = re.compile("[\x7f-\x9f]")


class _Console(Console):
    """A console whose reader may go away, and that writes no control characters but its own."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render, with all text made plain."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(plain(segment.text), segment.style)

    def on_broken_pipe(self) -> NoReturn:
        """Pass the error on, where rich would end the process with an exit code of its own."""
        raise BrokenPipeError


def plain(text: str) -> str:
    """Return text without characters that steer a terminal or turn the direction of writing; lines stay."""
    if text.isprintable():
        return text
    return "".join(_plain(sign) for sign in text)


def _plain(sign: str) -> str:
    if sign.isprintable() or sign == "\n" or sign in _JOINERS:
        return sign
    if sign.isspace() and unicodedata.category(sign) != "Cc":
        return " "
    return " " if sign == "\t" else "" if unicodedata.category(sign) == "Cf" else "?"


def results() -> Console:
    """Return the console for what was asked for."""
    return _opened(stderr=False)


def notices() -> Console:
    """Return the console for progress and complaints."""
    return _opened(stderr=True)


def _opened(*, stderr: bool) -> Console:
    # Names are shown as they are: neither numbers in colours nor `:car:` as a picture.
    console = _Console(stderr=stderr, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = _WHOLE_LINES
    return console


def table(*headers: str) -> Table:
    """Return a table without lines; on a narrow terminal its cells are folded, and nothing is cut off."""
    made = Table(box=None)
    for header in headers:
        made.add_column(header, overflow="fold")
    return made


def numbers(*headers: str) -> Table:
    """Return a table whose first column names what the right-aligned numbers of the others are about."""
    made = table(*headers)
    for column in made.columns[1:]:
        column.justify = "right"
    return made


def note(text: str) -> None:
    """Say something on stderr that a person should know; it is shown as it is."""
    notices().print(f"note: {text}", markup=False)


def write_json(data: Any) -> None:
    """Write one JSON value to stdout on one line, in every script that stdout can take."""
    encoding = (sys.stdout.encoding or "ascii").lower().replace("_", "-")
    # The codes that stand in for what stdout cannot take elsewhere would be no JSON.
    text = json.dumps(data, ensure_ascii=encoding not in {"utf-8", "utf8"})
    # JSON escapes only the first half of the control characters.
    sys.stdout.write(_C1.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")
