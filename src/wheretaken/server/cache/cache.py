"""The cache of tool calls: one upstream call for any number of identical requests, here and elsewhere.

```
get_or_call -> memory -> flight (one a key and process) -> store -> lease (one a key everywhere) -> service
```
A request that memory cannot answer joins the flight of its key, or starts one. A flight is a task of its
own: no caller owns it, so a caller that is cancelled takes nothing away from the others, and the deadline of
one caller is not that of all. The flight looks into the store, takes the lease on the key, calls the service,
keeps the answer and gives the lease back. While another process has the lease, it waits for that one's
answer; when that process dies, its lease runs out and the next flight takes it.

An answer that its service lets nobody keep goes the same way: the store has it for a moment, expired from
the start. A flight takes whatever came after it had begun; whoever asks later finds nothing fresh.

Who catches what: failures that others should learn of (`ToolError`, `ServiceError`) are kept for seconds
and raised anew for every caller; anything else that a call raises goes to those who wait for it. A store
that fails is left alone for a while, and the cache does what it can without it.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
import uuid
from collections import defaultdict
from contextvars import Context
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self, TypeVar

from wheretaken.errors import BusyError, DeadlineError, ServiceError, ToolError
from wheretaken.server.cache.entries import Cached, Entry
from wheretaken.server.cache.memory import DEFAULT_BYTES, Memory
from wheretaken.server.cache.policy import Policy
from wheretaken.server.cache.stores import HANDED_SECONDS, Claim, StoreError, Uses

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from wheretaken.messages import Picture
    from wheretaken.server.cache.keys import CacheKey
    from wheretaken.server.cache.stores import Store
    from wheretaken.tools import ToolResult

    Call = Callable[[], Awaitable[ToolResult]]

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

LEASE_SECONDS = 5.0
"""A process that died in a call is replaced after this time at the latest."""
_PAUSE_SECONDS = 2.0
"""For which a store that failed is left alone."""
_FIRST_WAIT, _LONGEST_WAIT = 0.005, 0.1
"""Seconds between looks into the store while another process calls."""
_COUNT_EVERY = 10.0
"""Seconds between writing the number of uses to the store."""
_OF_THE_MOMENT = (BusyError, DeadlineError)
"""Failures that say nothing about the next call: they are told to those who wait, and not kept."""


@dataclass
class Tally:
    """What the cache did since it was made, for metrics."""

    memory: int = 0
    """Requests answered from memory."""
    stored: int = 0
    """Answered from the store, also when another process had just put it there."""
    joined: int = 0
    """Answered by a call that another request of this process had started."""
    called: int = 0
    """Calls of services."""
    failed: int = 0
    """Calls that failed, of those."""
    store_errors: int = 0


@dataclass(frozen=True)
class _Landed:
    """How a flight ended."""

    entry: Entry
    called: bool
    """Whether it called the service."""


@dataclass
class _Health:
    reason: str = ""
    """Why the store is left alone; empty while it works."""
    next_try: float = field(default=-1.0)
    """In the time of the event loop."""


class ToolCache:
    """Answers calls of tools from memory and a store, and calls services as rarely as it can."""

    def __init__(
        self,
        store: Store | None = None,
        *,
        policy: Policy | None = None,
        memory_bytes: int = DEFAULT_BYTES,
        use_published: bool = True,
        lease_seconds: float = LEASE_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Cache in memory and in a store, which is closed with the cache.

        Args:
            store: What several processes share; without it, only memory is used.
            policy: For how long answers are kept.
            memory_bytes: How much memory answers may take, about.
            use_published: Whether answers that were published for a warm start, and put into the store, stand
                in for any provider's. AMap's positions among them are GCJ-02: not for tools in another datum.
            lease_seconds: After which a process that does not renew its lease is taken for dead.
            now: Unix time in seconds.
        """
        self.tally = Tally()
        self._store = store
        self._policy = policy or Policy()
        self._memory = Memory(memory_bytes)
        self._use_published = use_published
        self._lease_seconds = lease_seconds
        self._now = now
        self._flights: dict[CacheKey, asyncio.Task[_Landed]] = {}
        self._health = _Health()
        self._uses: defaultdict[tuple[str, str], Uses] = defaultdict(Uses)
        self._counting: asyncio.Task[None] | None = None
        self._forgetting: set[asyncio.Task[None]] = set()

    async def get_or_call(self, key: CacheKey, call: Call) -> Cached:
        """Return the answer to a call, by calling only if no fresh answer is there and nobody else is at it.

        Args:
            key: What the call is. It must say all that the answer depends on.
            call: Asks the service; it outlives its caller when that one is cancelled.

        Raises:
            ToolError: the call failed, now or seconds ago, in a way that the model can mend.
            ServiceError: the service failed, now or seconds ago.
        """
        seconds = self._policy.seconds(key.tool, key.provider)
        if seconds is None:
            result = await call()
            return Cached(result, cached=False, age_s=0.0, text=result.text)
        if (entry := self._remembered(key, seconds)) is not None:
            self.tally.memory += 1
            self._used(key, hit=True)
            return entry.answer(self._now(), cached=True)
        flight, mine = self._flights.get(key), False
        if flight is None:
            flight, mine = self._start(key, call, seconds), True
        landed = await asyncio.shield(flight)
        self._used(key, hit=not (mine and landed.called))
        if not landed.called:
            self.tally.stored += 1
        elif not mine:
            self.tally.joined += 1
        return landed.entry.answer(self._now(), cached=not (mine and landed.called))

    async def picture(self, sha256: str) -> Picture | None:
        """Return a picture of some answer by its hash, or None when it is not (or no longer) kept."""
        found = self._memory.picture(sha256)
        if found is None:
            found = await self._ask(lambda store: store.picture(sha256), None)
        return found

    @property
    def trouble(self) -> str:
        """Why the store is not used at the moment; empty when all is well."""
        return self._health.reason

    @property
    def store_name(self) -> str:
        """What is kept beyond this process, and where."""
        return self._store.name if self._store else "memory"

    async def aclose(self) -> None:
        """Stop calls that are under way, write the number of uses, close the store."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
        await asyncio.gather(*self._forgetting)  # others may be about to take what is held out to them
        if self._counting:
            self._counting.cancel()
        await self._count()
        if self._store:
            await self._store.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _remembered(self, key: CacheKey, seconds: float) -> Entry | None:
        entry = self._memory.get(key, self._now())
        return entry if entry and self._fresh(entry, seconds) else None

    def _fresh(self, entry: Entry, seconds: float) -> bool:
        return entry.fresh(self._now(), self._policy.failure_seconds if entry.failed else seconds)

    def _start(self, key: CacheKey, call: Call, seconds: float) -> asyncio.Task[_Landed]:
        # An empty context: neither the deadline nor anything else of this caller belongs to the flight.
        flight = asyncio.get_running_loop().create_task(self._fly(key, call, seconds), context=Context())
        self._flights[key] = flight
        flight.add_done_callback(lambda done: self._land(key, done))
        return flight

    def _land(self, key: CacheKey, flight: asyncio.Task[_Landed]) -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # whoever still waits gets it; nobody may be left to

    async def _fly(self, key: CacheKey, call: Call, seconds: float) -> _Landed:
        """Find the answer in the store, or be the one who asks for it."""
        if self._store is None:
            return _Landed(await self._call(key, call, seconds), called=True)
        token, wait, began = uuid.uuid4().hex, _FIRST_WAIT, self._now()
        while True:
            found = await self._find(key, seconds)
            if found and self._fresh(found, seconds):
                return _Landed(self._memory.put(found, self._now()), called=False)
            if found and found.stored_at >= began:
                return _Landed(found, called=False)
            claim = await self._claim(key, token, found.stored_at if found else 0.0)
            if claim is Claim.MINE:
                return _Landed(await self._call_leased(key, call, seconds, token), called=True)
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, hides nothing
            wait = min(wait * 1.5, _LONGEST_WAIT) if claim is Claim.HELD else _FIRST_WAIT

    async def _claim(self, key: CacheKey, token: str, newer_than: float) -> Claim:
        """Ask for the lease, unless something newer is there than was found; without a store all have it."""
        lease = self._lease_seconds
        return await self._ask(lambda store: store.claim(key.digest, token, lease, newer_than), Claim.MINE)

    async def _find(self, key: CacheKey, seconds: float) -> Entry | None:
        """Return what the store has, fresh or not, or memory while the store is in trouble."""
        entry = await self._ask(lambda store: store.get(key.digest), self._memory.last(key))
        other = key.published if self._use_published else None
        if other is None or (entry and self._fresh(entry, seconds)):
            return entry
        published = await self._ask(lambda store: store.get(other.digest), None)
        return replace(published, key=key) if published and self._fresh(published, seconds) else entry

    async def _call_leased(self, key: CacheKey, call: Call, seconds: float, token: str) -> Entry:
        """Call, keep the answer, and have the lease for as long as that takes."""
        renewing = asyncio.create_task(self._renew(key.digest, token))
        kept = False
        try:
            entry = await self._call(key, call, seconds)
            lasts = entry.expires_at > self._now()
            if lasts or not entry.failed:
                await self._ask(lambda store: store.put(entry, token), None)
                kept = True
                if not lasts:
                    self._forgetting.add(task := asyncio.create_task(self._forget(key.digest)))
                    task.add_done_callback(self._forgetting.discard)
            return entry
        finally:
            renewing.cancel()
            if not kept:
                await self._ask(lambda store: store.release(key.digest, token), None)

    async def _forget(self, digest: bytes) -> None:
        """Remove what was held out to others, when they had time to take it."""
        await asyncio.sleep(HANDED_SECONDS)
        await self._ask(lambda store: store.delete([digest]), None)

    async def _renew(self, digest: bytes, token: str) -> None:
        while True:
            await asyncio.sleep(self._lease_seconds / 3)
            await self._ask(lambda store: store.renew(digest, token, self._lease_seconds), None)

    async def _call(self, key: CacheKey, call: Call, seconds: float) -> Entry:
        """Ask the service, and hold its answer or failure in memory as long as it may be used."""
        self.tally.called += 1
        try:
            result = await call()
        except (ToolError, ServiceError) as error:
            self.tally.failed += 1
            now = self._now()
            keep = 0.0 if isinstance(error, _OF_THE_MOMENT) else self._policy.failure_seconds
            entry = Entry.of_failure(key, error, now=now, seconds=keep)
        else:
            now = self._now()
            allowed = seconds if result.keep_seconds is None else min(seconds, result.keep_seconds)
            entry = Entry.of(key, result, now=now, seconds=allowed)
        return self._memory.put(entry, now) if entry.expires_at > now else entry

    async def _ask(self, operation: Callable[[Store], Awaitable[_T]], otherwise: _T) -> _T:
        """Do something with the store, or give `otherwise` while there is none or it does not work."""
        loop_time = asyncio.get_running_loop().time()
        if self._store is None or loop_time < self._health.next_try:
            return otherwise
        if self._health.reason:  # one request tries whether it works again, the others do not wait for that
            self._health.next_try = loop_time + _PAUSE_SECONDS
        try:
            result = await operation(self._store)
        except StoreError as error:
            self.tally.store_errors += 1
            if not self._health.reason:
                _log.warning("%s; going on without it", error)
            self._health = _Health(str(error), asyncio.get_running_loop().time() + _PAUSE_SECONDS)
            return otherwise
        if self._health.reason:
            _log.warning("%s works again", self._store.name)
            self._health = _Health()
        return result

    def _used(self, key: CacheKey, *, hit: bool) -> None:
        self._uses[key.tool, key.provider] += Uses(int(hit), int(not hit))
        if self._store and self._counting is None:
            self._counting = asyncio.create_task(self._count_later())

    async def _count_later(self) -> None:
        await asyncio.sleep(_COUNT_EVERY)
        self._counting = None
        await self._count()

    async def _count(self) -> None:
        uses, self._uses = self._uses, defaultdict(Uses)
        if uses:
            await self._ask(lambda store: store.count(uses), None)
