"""One service on the network: the only place from which map services are asked.

An adapter says what to ask and reads the answer; everything between is here. For one call:

```
path, parameters ─► [ gate: slot, rate, quota ─► breaker ─► request ─► judge the reply ] ─► JSON or picture
                    └────────── again after a while, where that helps and time is left ──┘
```
Retries happen here and nowhere above or below. Time is that of the event loop.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import stamina

from wheretaken.errors import ToolError, UnavailableError
from wheretaken.maps.web.breaker import Breaker, BreakerState
from wheretaken.maps.web.deadlines import deadline
from wheretaken.maps.web.faults import BLAMED, NEUTRAL, RETRIED, Fault, FaultKind, Response, status_fault
from wheretaken.maps.web.gate import Gate
from wheretaken.maps.web.ledger import Ledger
from wheretaken.maps.web.pictures import picture_fault
from wheretaken.maps.web.settings import ServiceLimits
from wheretaken.maps.web.wire import Ask, Wire
from wheretaken.origins import check_path

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import httpx2
    from pydantic import SecretStr

    from wheretaken.maps.web.wire import Params

# Retries are logged for those who configured logging; Python's handler of last resort would print them.
logging.getLogger("stamina").addHandler(logging.NullHandler())

_FAIR_SECONDS = 1.0
"""A service that was given less is not blamed for not answering."""


@dataclass(frozen=True)
class Health:
    """How a service is doing, for those who choose between several."""

    state: BreakerState
    """Whether it is asked at the moment."""
    retry_after: float
    """Seconds until it is asked again; 0 where it may be asked now."""
    inside: int
    """Calls that wait or have a request open."""
    counts: Mapping[str, int]
    """Since the start: requests `sent`, and how many of them failed, by the kind of their fault."""


class _Failed(Exception):  # noqa: N818 - a value on its way through the retries; no caller sees it
    def __init__(self, service: str, fault: Fault) -> None:
        super().__init__(f"{service}: {fault.message}")
        self.fault = fault


class Service:
    """A service that is asked within its limits. Use it as `async with`, or call `aclose` in the end.

    It belongs to one event loop; another loop, or process, has its own, and they share the ledger.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        limits: ServiceLimits | None = None,
        *,
        query: Mapping[str, SecretStr | str] | None = None,
        headers: Mapping[str, SecretStr | str] | None = None,
        secrets: Sequence[SecretStr] = (),
        fault: Callable[[Response], Fault | None] | None = None,
        hosts: Collection[str] = (),
        ledger: Ledger | None = None,
        account: str = "",
        transport: httpx2.AsyncBaseTransport | None = None,
        proxy: SecretStr | None = None,
    ) -> None:
        """Describe the service; nothing is opened before the first call.

        Args:
            name: What errors, counts and the ledger call it.
            base_url: What paths are put behind; only its origin is asked.
            limits: How much is asked of it.
            query: Parameters of every request, such as the key.
            headers: Headers of every request, such as the key or a User-Agent.
            secrets: Further texts that must not appear in an error or a log; those above are known already.
            fault: Reads errors as this service writes them; what it does not know is judged by HTTP status.
            hosts: Further hosts to which the service may redirect, by https.
            ledger: Counts requests; by default the user's own file.
            account: Its name in the ledger, if not `name`: services of one account share its rate and quota.
            transport: Sends the requests, instead of the network; it is closed with the service.
            proxy: URL of a proxy, instead of the platform's own setting.

        Raises:
            ValueError: the base URL is not one that may be asked.
        """
        self.name = name
        self.limits = limits or ServiceLimits()
        self._wire = Wire(
            base_url,
            query=query or {},
            headers=headers or {},
            secrets=secrets,
            hosts=hosts,
            transport=transport,
            proxy=proxy,
            connections=self.limits.concurrency,
        )
        self._fault = fault
        self._ledger = ledger or Ledger()
        self._owns_ledger = ledger is None
        self._gate = Gate(name, self.limits, self._ledger, account or name)
        self._breaker = Breaker(self.limits.failures, self.limits.cooldown)
        self._counts: Counter[str] = Counter()
        self._last_fault = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"Service({self.name!r})"

    async def aclose(self) -> None:
        """Close connections and files."""
        await self._wire.aclose()
        if self._owns_ledger:
            self._ledger.close()

    def health(self) -> Health:
        """Return how the service is doing; to be called in the event loop."""
        now = _now()
        wait = max(self._breaker.retry_after(now), self._gate.held(now))
        return Health(self._breaker.state(now), wait, self._gate.inside, dict(self._counts))

    async def json(
        self,
        path: str,
        *,
        params: Params | None = None,
        method: Literal["GET", "POST"] = "GET",
        body: Mapping[str, Any] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Ask for JSON.

        Args:
            path: Behind the base URL, beginning with a slash, or empty.
            params: Query parameters; a sequence repeats its name.
            method: HTTP method; only a GET follows redirects.
            body: An object to be sent as JSON, or bytes whose content type is in `headers`.
            headers: Further headers.

        Returns:
            The parsed JSON.

        Raises:
            ToolError: something in the request is wrong that whoever asked can mend.
            ServiceError: no usable answer within the limits and the deadline; its subclass says why.
        """
        most = self.limits.max_text_bytes
        ask = Ask(path, "application/json", most, params or {}, headers or {}, method, body)
        return (await self._call(ask, _json_fault)).json

    async def picture(
        self, path: str, *, params: Params | None = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """Ask for a picture with GET; arguments and errors are those of `json`.

        Returns:
            An encoded PNG, JPEG, WebP or GIF, not yet decoded.
        """
        ask = Ask(path, "image/*", self.limits.max_picture_bytes, params or {}, headers or {})
        return (await self._call(ask, picture_fault)).content

    async def _call(self, ask: Ask, check: Callable[[Response], Fault | None]) -> Response:
        if not check_path(ask.path):
            raise ToolError(f"{self.name}: {ask.path[:80]!r} is not a path; check the id or name in it")
        until = deadline(self.limits.deadline)
        if until <= _now():
            raise Fault(FaultKind.LATE, "no time is left to ask").error(self.name)
        pause = 0.0

        def again(error: Exception) -> bool | float:
            return isinstance(error, _Failed) and _again(error.fault, pause, until)

        attempts = stamina.retry_context(
            on=again,
            attempts=self.limits.attempts,
            timeout=None,  # the deadline is kept by `again`, on the loop's clock
            wait_initial=self.limits.backoff,
            wait_max=self.limits.backoff_max,
            wait_jitter=self.limits.backoff,
        )
        try:
            async for attempt in attempts:
                pause = attempt.next_wait + self.limits.backoff
                with attempt:
                    return await self._attempt(ask, check, until)
        except _Failed as failed:
            fault = failed.fault
        else:
            raise AssertionError("the retries end with a reply or an exception")
        raise fault.error(self.name)

    async def _attempt(self, ask: Ask, check: Callable[[Response], Fault | None], until: float) -> Response:
        """Send one request when it is its turn.

        Raises:
            _Failed: it led to nothing.
            ServiceError: it was not sent: limits, quota or breaker forbid it.
        """
        async with self._gate.turn(until, self._check_open):
            if not self._breaker.admit(_now()):
                raise self._unavailable()
            try:
                outcome = await self._exchange(ask, check, until)
            except BaseException:
                # The caller went away, which says nothing about the service.
                self._breaker.gave_up()
                raise
            self._learn(outcome)
        if isinstance(outcome, Fault):
            raise _Failed(self.name, outcome)
        return outcome

    async def _exchange(
        self, ask: Ask, check: Callable[[Response], Fault | None], until: float
    ) -> Response | Fault:
        """Send one request and judge the reply."""
        seconds = min(self.limits.attempt, until - _now())
        self._counts["sent"] += 1
        try:
            async with asyncio.timeout(seconds):
                reply = await self._wire.send(ask)
        except TimeoutError:
            fair = seconds >= min(_FAIR_SECONDS, self.limits.attempt)
            return Fault(FaultKind.SLOW if fair else FaultKind.LATE, f"no answer within {seconds:.3g} s")
        if isinstance(reply, Fault):
            return reply
        fault = (self._fault(reply) if self._fault else None) or status_fault(reply) or check(reply)
        if fault is None:
            return reply
        if fault.kind is FaultKind.QUOTA:
            fault = dataclasses.replace(fault, retry_after=self._gate.close_day())
        return dataclasses.replace(fault, message=self._wire.scrub.text(fault.message))

    def _learn(self, outcome: Response | Fault) -> None:
        """Let breaker, gate and counts know how a request went."""
        fault = outcome if isinstance(outcome, Fault) else None
        if fault and fault.kind in BLAMED:
            self._breaker.failed(_now())
        elif fault and fault.kind in NEUTRAL:
            self._breaker.gave_up()
        else:
            self._breaker.succeeded()
        if fault:
            self._last_fault = fault.message
            self._counts[fault.kind.value] += 1
            if fault.retry_after is not None and fault.kind in RETRIED:
                self._gate.hold(_now() + fault.retry_after)

    def _check_open(self) -> None:
        if self._breaker.state(_now()) is BreakerState.OPEN:
            raise self._unavailable()

    def _unavailable(self) -> UnavailableError:
        wait = self._breaker.retry_after(_now())
        failures = self._breaker.failures
        return UnavailableError(
            f"{self.name}: left alone after {failures} failures in a row ({self._last_fault}); "
            f"next try in {wait:.0f} s",
            service=self.name,
            retry_after=wait,
        )


def _again(fault: Fault, pause: float, until: float) -> bool | float:
    """Tell whether another attempt helps and can begin in time; or, if so, after how many seconds it may."""
    wait = fault.retry_after or pause
    if fault.kind not in RETRIED or _now() + wait >= until:
        return False
    return fault.retry_after or True


def _json_fault(response: Response) -> Fault | None:
    if response.json is not None:
        return None
    said = response.media_type or "something"
    return Fault(FaultKind.TEMPORARY, f"answered {said} that cannot be read as JSON")


def _now() -> float:
    return asyncio.get_running_loop().time()
