"""Who may run now, who waits, and who is told to come back later: a queue that does not grow."""

from __future__ import annotations

import asyncio
import contextlib
import math
from typing import TYPE_CHECKING

from wheretaken.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

_WEIGHT = 0.1
"""Of the last call in the running mean of how long calls take."""
_FIRST_GUESS = 0.5


class Admission:
    """Lets some calls run and some wait, in the order in which they came; refuses the rest."""

    def __init__(
        self,
        running: int,
        waiting: int,
        changed: Callable[[int, int], None] = lambda _running, _waiting: None,
    ) -> None:
        """Allow so many of each; `changed` is told how many there are whenever that changes."""
        self._slots = asyncio.Semaphore(running)
        self._most_running = running
        self._most_waiting = waiting
        self._changed = changed
        self._usual_seconds = _FIRST_GUESS
        self.running = 0
        self.waiting = 0

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Wait for a turn and have it for the length of the block.

        Raises:
            BusyError: too many wait already; `retry_after` is when about half of them will be through.
        """
        if self._slots.locked() and self.waiting >= self._most_waiting:
            wait = float(math.ceil(self._usual_seconds * self.waiting / self._most_running / 2)) or 1.0
            raise BusyError(f"too many calls are waiting; try again in {wait:.0f} s", retry_after=wait)
        self._count(waiting=1)
        try:
            await self._slots.acquire()
        except BaseException:
            self._count(waiting=-1)
            raise
        self._count(waiting=-1, running=1)
        began = asyncio.get_running_loop().time()
        try:
            yield
        finally:
            self._count(running=-1)
            self._slots.release()
            took = asyncio.get_running_loop().time() - began
            self._usual_seconds += _WEIGHT * (took - self._usual_seconds)

    def _count(self, *, running: int = 0, waiting: int = 0) -> None:
        self.running += running
        self.waiting += waiting
        self._changed(self.running, self.waiting)
