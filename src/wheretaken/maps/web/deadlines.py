"""Until when an answer is of use: set once around a whole task, kept by every call inside it.

Times are those of the running event loop, the one clock of this package; a test can therefore run on a loop
whose time is virtual.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

_deadline: ContextVar[float] = ContextVar("wheretaken_deadline")


@contextlib.contextmanager
def within(seconds: float) -> Generator[None]:
    """Give every service call in the block, and in tasks started there, at most this time in all.

    Inside another such block the earlier deadline holds.
    """
    token = _deadline.set(deadline(seconds))
    try:
        yield
    finally:
        _deadline.reset(token)


def deadline(seconds: float) -> float:
    """Return the loop time in so many seconds, or the deadline of the task if that is earlier."""
    latest = asyncio.get_running_loop().time() + seconds
    return min(latest, _deadline.get(latest))
