"""What models are writing right now, for those who watch: it is in no log, and gone when the turn is whole.

A watcher is sent what was added since it last looked, so that a slow one gets longer pieces and not more of
them. Pieces come by the token; watchers are woken at most once in a while.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from wheretaken.agent import Delta, Event

_EVERY_SECONDS = 0.05
_MOST_CHARS = 50_000
"""Of one turn; what a model writes beyond is seen when the turn is whole."""


@dataclass
class Seen:
    """What a watcher has of a run's drafts."""

    number: int = -1
    """Of the last one."""
    pieces: int = 0
    """How many of its pieces."""


@dataclass
class Draft:
    """The turn that one run's model is writing."""

    number: int
    """Of the event that the whole turn will be."""
    turn: int
    pieces: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """What was added, each with what it belongs to."""
    chars: int = 0

    def since(self, run: str, seen: Seen) -> dict[str, Any] | None:
        """Return what a watcher lacks as browsers are told it, and note that it has it; None for nothing."""
        anew = seen.number != self.number
        added = self.pieces[0 if anew else seen.pieces :]
        if not added:
            return None
        seen.number, seen.pieces = self.number, len(self.pieces)
        joined = [
            {"kind": kind, "text": "".join(text for _, text in group)}
            for kind, group in groupby(added, key=lambda piece: piece[0])
        ]
        told = {"type": "delta", "run": run, "number": self.number, "turn": self.turn}
        return told | {"anew": anew, "pieces": joined}


class Drafts:
    """The drafts of all runs that are being made."""

    def __init__(self, tell: Callable[[], None]) -> None:
        """Call `tell` when watchers should look."""
        self._tell = tell
        self._drafts: dict[str, Draft] = {}
        self._waiting: asyncio.TimerHandle | None = None

    def add(self, delta: Delta) -> None:
        """Take in a piece."""
        draft = self._drafts.get(delta.run)
        if draft is None or draft.number != delta.number:
            draft = self._drafts[delta.run] = Draft(delta.number, delta.turn)
        draft.chars += len(delta.text)
        if draft.chars <= _MOST_CHARS:
            draft.pieces.append((delta.kind, delta.text))
        if self._waiting is None:
            self._waiting = asyncio.get_running_loop().call_later(_EVERY_SECONDS, self._wake)

    def _wake(self) -> None:
        self._waiting = None
        self._tell()

    def heard(self, event: Event) -> None:
        """Forget the draft that has become this event, or that this event overtook."""
        draft = self._drafts.get(event.run)
        if draft and event.number >= draft.number:
            del self._drafts[event.run]

    def forget(self, run: str) -> None:
        """Forget a run that has ended."""
        self._drafts.pop(run, None)

    def get(self, run: str) -> Draft | None:
        """Return what a run's model is writing, if it is."""
        return self._drafts.get(run)
