"""Takes calls of tools, whoever brings them (HTTP or MCP): checks them, asks the cache, runs what it must.

```
call ─► arguments checked and completed ─► cache ─► admission ─► tool ─► maps
```
The desk knows no HTTP: it raises `ToolError` for what the caller can mend and `ServiceError` for the rest.
Whatever it does ends within `Limits.seconds`.

Tools that look at pictures are given them by hash, in the order in which the model saw them: the photo first.
Such a picture is one that the server made or that was uploaded (`shelf`).
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from wheretaken.errors import DeadlineError, ToolError, WheretakenError
from wheretaken.maps.router import answering
from wheretaken.maps.web.deadlines import within
from wheretaken.server.admission import Admission
from wheretaken.server.cache import CacheKey
from wheretaken.server.limits import Limits
from wheretaken.tools import ToolContext

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from wheretaken.maps.router import Answered, ProviderStatus, Router
    from wheretaken.messages import Picture
    from wheretaken.server.cache import Cached, Policy, ToolCache
    from wheretaken.server.metrics import Metrics
    from wheretaken.server.shelf import Shelf
    from wheretaken.tools import Tool, ToolResult, Toolset

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Control characters other than tab and line breaks, which count as spaces."""


@dataclass(frozen=True)
class Served:
    """The answer to a call, and how long it took."""

    cached: Cached
    seconds: float


class ToolDesk:
    """Answers calls of the tools of one set."""

    def __init__(
        self,
        toolset: Toolset,
        maps: Router,
        cache: ToolCache,
        policy: Policy,
        shelf: Shelf,
        metrics: Metrics,
        limits: Limits | None = None,
    ) -> None:
        """Serve these tools on these maps; `aclose` closes maps and cache.

        The policy is that of the cache.
        """
        self.toolset = toolset
        self.maps = maps
        self.limits = limits or Limits()
        self._cache = cache
        self._policy = policy
        self._shelf = shelf
        self._metrics = metrics
        self._admission = Admission(self.limits.running, self.limits.waiting, metrics.occupied)

    async def call(self, name: str, arguments: str, pictures: Sequence[str] = ()) -> Served:
        """Answer a call.

        Args:
            name: Of the tool.
            arguments: JSON text, as a model writes it.
            pictures: SHA-256 of the pictures of the run that this call belongs to, the photo first.

        Raises:
            ToolError: there is no such tool or picture, or the tool cannot serve these arguments.
            ServiceError: a service failed, no time is left, or too many calls wait.
            UserError: something on this machine is not as the tool needs it.
        """
        tool = self.toolset.find(name)
        began = time.perf_counter()
        try:
            async with _at_most(self.limits.seconds):
                cached = await self._answer(tool, arguments, pictures)
        except WheretakenError as error:
            self._metrics.answered(name, type(error).__name__, time.perf_counter() - began)
            raise
        seconds = time.perf_counter() - began
        self._metrics.answered(name, "cached" if cached.cached else "called", seconds)
        return Served(cached, seconds)

    async def picture(self, sha256: str) -> Picture | None:
        """Return a picture that an answer showed or that was uploaded, while it is here."""
        return await self._cache.picture(sha256) or await self._shelf.get(sha256)

    async def upload(self, data: bytes) -> Picture:
        """Take in a picture file.

        Raises:
            PhotoError: it is no picture that can be used.
        """
        return await self._shelf.take_in(data, max_pixels=self.limits.picture_pixels)

    def providers(self) -> list[ProviderStatus]:
        """Return how the map providers are doing."""
        return self.maps.status()

    @property
    def cache_trouble(self) -> str:
        """Why the cache does not keep answers at the moment; empty when it does."""
        return self._cache.trouble

    async def aclose(self) -> None:
        """Stop what runs, and close cache and maps."""
        await self._cache.aclose()
        await self.maps.aclose()

    async def _answer(self, tool: Tool, arguments: str, pictures: Sequence[str]) -> Cached:
        complete = tool.complete(arguments)
        self._check_texts(complete)
        # The same numbers are another place in another datum.
        version = f"{self.maps.version};{self.toolset.datum}"
        key = CacheKey.of(tool.own_name, complete, self.maps.name, version)
        shared = self._policy.seconds(tool.own_name, self.maps.name) is not None
        # What others may be given too must not depend on the pictures of this run, nor fail for want of one.
        seen = () if shared else pictures
        until = asyncio.get_running_loop().time() + self.limits.seconds
        cached = await self._cache.get_or_call(key, partial(self._run, tool, key.arguments, seen, until))
        for picture in cached.result.pictures:
            if await self._cache.picture(picture.sha256) is None:
                await self._shelf.put(picture)
        return _numbered(cached, len(pictures))

    async def _run(self, tool: Tool, arguments: str, pictures: Sequence[str], until: float) -> ToolResult:
        """Run a tool when it is its turn.

        It may have waited for a worker that died, and others for the answer: what is asked of services ends
        with the time of the call that it began with, `until`, and not when that caller goes away.
        """
        seconds = until - asyncio.get_running_loop().time()
        if seconds <= 0:
            raise DeadlineError("no time is left to ask; try again")
        async with _at_most(seconds), self._admission.turn():
            try:
                with within(seconds), answering() as answered:
                    context = ToolContext(self.maps, [await self._known(sha256) for sha256 in pictures])
                    result = await tool.call(context, arguments)
                return replace(result, keep_seconds=self._keep_seconds(tool.own_name, answered))
            finally:
                self._metrics.asked(self.maps.services)

    def _keep_seconds(self, tool: str, answered: Answered) -> float | None:
        """Return what the strictest of those who answered allows; little where a better one was down."""
        asked = (self._policy.seconds(tool, provider) for provider in answered.providers)
        allowed = [seconds for seconds in asked if seconds is not None]
        if answered.degraded:
            allowed.append(self.limits.degraded_seconds)
        return min(allowed, default=None)

    async def _known(self, sha256: str) -> Picture:
        picture = await self.picture(sha256)
        if picture is None:
            raise ToolError(f"the server has no picture {sha256[:80]!r} (any more); upload it to /media")
        return picture

    def _check_texts(self, arguments: Mapping[str, Any]) -> None:
        for name, value in arguments.items():
            if not isinstance(value, str):
                continue
            if len(value) > self.limits.text_chars:
                raise ToolError(
                    f"{name} has {len(value):,} characters, at most {self.limits.text_chars:,} are taken; "
                    "give a name or a short phrase"
                )
            if _CONTROL.search(value):
                raise ToolError(f"{name} holds control characters; give plain text")


def _numbered(cached: Cached, number: int) -> Cached:
    """Say which number the picture has in this caller's run."""
    result = cached.result.numbered(number)
    return cached if result is cached.result else replace(cached, result=result, text=result.text)


@contextlib.asynccontextmanager
async def _at_most(seconds: float) -> AsyncGenerator[None]:
    """Give the block so much time.

    Raises:
        DeadlineError: it took longer.
    """
    timer = asyncio.timeout(seconds)
    try:
        async with timer:
            yield
    except TimeoutError:
        if not timer.expired():
            raise
        raise DeadlineError(f"no answer within {seconds:.3g} s; try again, or ask for less") from None
