"""How much memory this process and its children take together, sampled while something runs (Linux).

What a process maps from a file is told apart: the system takes it back when memory runs short, and a library
that several processes share is counted in each of them.
"""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_EVERY_S = 0.5


class Taken(NamedTuple):
    """Bytes of all processes at one moment."""

    own: int
    mapped: int

    @property
    def total(self) -> int:
        """Their resident memory."""
        return self.own + self.mapped


class Most:
    """What was taken when the total was the largest that was seen."""

    def __init__(self) -> None:
        self.at_once = Taken(0, 0)

    def look(self) -> None:
        """Take a sample."""
        parts = [_taken(process) for process in _family(os.getpid())]
        now = Taken(sum(part.own for part in parts), sum(part.mapped for part in parts))
        self.at_once = max(self.at_once, now, key=lambda taken: taken.total)

    def __str__(self) -> str:
        at_once, own, mapped = (f"{number / 1e6:,.0f}" for number in (self.at_once.total, *self.at_once))
        return f"{at_once} MB of all processes at once ({own} MB, and {mapped} MB mapped from files)"


@contextlib.contextmanager
def watched() -> Generator[Most]:
    """Take samples as long as the context lasts."""
    most, ended = Most(), threading.Event()

    def run() -> None:
        while not ended.wait(_EVERY_S):
            most.look()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield most
    finally:
        ended.set()
        thread.join()


def _family(process: int) -> Iterator[int]:
    yield process
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in task.read_text("ascii").split():
                yield from _family(int(child))


def _taken(process: int) -> Taken:
    """Return what a process takes; nothing when it ended meanwhile."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{process}/status").read_text("utf-8").splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        if "RssAnon" in fields:
            own, mapped = (int(fields[name].split()[0]) * 1024 for name in ("RssAnon", "RssFile"))
            return Taken(own, mapped)
    return Taken(0, 0)
