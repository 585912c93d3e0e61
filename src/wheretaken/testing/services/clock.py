"""An event loop whose time is virtual: where a program would sleep, its clock jumps instead.

Waits, timeouts and deadlines of any length take no time, and happen in the order and at the times in which
they would on a real clock. It is for programs that wait for timers only: real sockets and threads have a time
of their own. What reads the time of day has to be given `loop_time` instead: `Ledger(path, now=loop_time)`.
"""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


class _Jumping(selectors.SelectSelector):
    """Where the real one would wait for a timer, moves the clock to it."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if timeout is not None else None)
        if not ready and timeout is not None:
            self.now += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Runs timers in no time; `time()` begins at 0."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._jumping.now


def loop_time() -> float:
    """Return the time of the running event loop, in seconds."""
    return asyncio.get_running_loop().time()


def run(main: Coroutine[object, object, T]) -> T:
    """Run a coroutine to its end on a loop with virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
