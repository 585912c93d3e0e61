"""Who may send when: so many requests open at a time, so many a second and a day, so many calls waiting.

A call takes a slot (concurrency), then its turn in a line in which only the first one waits for the ledger to
grant it (rate, quota). Nothing is taken before it is granted, so a caller that is cancelled while it waits
gives back its slot and has used no token. Calls that could not be served in time are refused when they
arrive: a queue that only grows helps nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from wheretaken.errors import BusyError, QuotaError
from wheretaken.maps.web.ledger import Granted, Ledger, UsedUp, Wait

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from wheretaken.maps.web.settings import ServiceLimits


class Gate:
    """Lets the requests to one service through, in the order in which they came."""

    def __init__(self, service: str, limits: ServiceLimits, ledger: Ledger, account: str) -> None:
        """Keep these limits for the service of this name; the ledger counts its requests on this account."""
        self._service = service
        self._account = account
        self._limits = limits
        self._ledger = ledger
        self._slots = asyncio.Semaphore(limits.concurrency)
        self._line = asyncio.Lock()
        self._held_until = 0.0
        self.inside = 0
        """Calls that wait or have a request open."""

    def hold(self, until: float) -> None:
        """Send nothing before this loop time: the service asked for a pause."""
        self._held_until = max(self._held_until, until)

    def held(self, now: float) -> float:
        """Return the seconds for which nothing is sent."""
        return max(0.0, self._held_until - now)

    def close_day(self) -> float:
        """Send nothing before the service's next midnight, and return the seconds until then."""
        return self._ledger.close_day(self._account, self._limits).seconds

    @contextlib.asynccontextmanager
    async def turn(self, deadline: float, check: Callable[[], None]) -> AsyncGenerator[None]:
        """Wait for leave to send one request, which the block sends.

        Args:
            deadline: Loop time at which waiting has no more use.
            check: Called before anything is waited for and before anything is used up; raises to give up.

        Raises:
            BusyError: the turn would not come in time, or too many wait already.
            QuotaError: the day's requests are used up.
        """
        check()
        waiting = self.inside - self._limits.concurrency
        expected = max(waiting / self._limits.per_second, self.held(asyncio.get_running_loop().time()))
        if waiting >= self._limits.queue or self._too_late(expected, deadline):
            raise self._busy(expected)
        self.inside += 1
        try:
            async with contextlib.AsyncExitStack() as held:
                try:
                    async with asyncio.timeout_at(deadline):
                        await held.enter_async_context(self._slots)
                        async with self._line:
                            await self._granted(deadline, check)
                except TimeoutError:
                    raise self._busy(expected) from None
                yield
        finally:
            self.inside -= 1

    async def _granted(self, deadline: float, check: Callable[[], None]) -> None:
        while True:
            check()
            wait = self.held(asyncio.get_running_loop().time())
            if not wait:
                match self._ledger.grant(self._account, self._limits):
                    case Granted():
                        return
                    case Wait(seconds):
                        wait = seconds
                    case UsedUp(seconds):
                        raise QuotaError(
                            f"{self._service}: the requests of the day are used up",
                            service=self._service,
                            retry_after=seconds,
                        )
            if self._too_late(wait, deadline):
                raise self._busy(wait)
            await asyncio.sleep(wait)

    def _too_late(self, wait: float, deadline: float) -> bool:
        return asyncio.get_running_loop().time() + wait >= deadline

    def _busy(self, wait: float) -> BusyError:
        wait = max(wait, 1 / self._limits.per_second)
        return BusyError(
            f"{self._service}: more calls than can be sent in time; try again in {wait:.3g} s",
            service=self._service,
            retry_after=wait,
        )
