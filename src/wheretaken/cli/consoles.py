"""Where people are written to: answers go to stdout, everything else to stderr.

On a terminal lines are folded to its width. Into a file or a pipe they are written whole, so that the next
program finds a path, a link or a table row on one line.
"""

from __future__ import annotations

import json
import sys
from typing import Any, NoReturn

from rich.console import Console
from rich.table import Table

_WHOLE_LINES = 100_000
"""Characters; longer than any line that is written."""


class _Console(Console):
    """A console whose reader may go away: the command line decides what that means."""

    def on_broken_pipe(self) -> NoReturn:
        """Pass the error on, where rich would end the process with an exit code of its own."""
        raise BrokenPipeError


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
    sys.stdout.write(json.dumps(data, ensure_ascii=encoding not in {"utf-8", "utf8"}) + "\n")
