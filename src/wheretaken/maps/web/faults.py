"""What a service answered, and what is wrong with it.

An adapter reads errors as its service writes them (`Response -> Fault | None`); what it does not recognise is
judged by the HTTP status here. The kind of a fault alone decides what happens next:

| kind | retried | counts against the service | the caller gets |
|---|---|---|---|
| `TEMPORARY` | yes | yes | `ServiceError` |
| `SLOW` | yes | yes | `DeadlineError` |
| `LATE` | no | no | `DeadlineError` |
| `BUSY` | yes | no | `BusyError` |
| `QUOTA` | no, and no other call either until the next day | no | `QuotaError` |
| `ACCESS` | no | yes | `AccessError` |
| `REFUSED` | no | no | `ServiceError` |
| `ARGUMENT` | no | no | `ToolError`, which a model reads |
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from wheretaken.errors import (
    AccessError,
    BusyError,
    DeadlineError,
    QuotaError,
    ServiceError,
    ToolError,
    WheretakenError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


class FaultKind(StrEnum):
    """Whose fault it is, and so what to do about it."""

    TEMPORARY = "temporary"
    """The service or the way to it failed: no connection, a reply cut short or not understood, 5xx."""
    SLOW = "slow"
    """No whole answer in the time for one request."""
    LATE = "late"
    """No whole answer, but its caller had left the service next to no time."""
    BUSY = "busy"
    """Too many requests a second."""
    QUOTA = "quota"
    """The day's requests are used up."""
    ACCESS = "access"
    """The key is wrong, or lacks a permission."""
    REFUSED = "refused"
    """A reply that another try would not change, and that the service is not to blame for."""
    ARGUMENT = "argument"
    """An argument that whoever asked can mend: an unknown id, a query that is too long."""


RETRIED = frozenset({FaultKind.TEMPORARY, FaultKind.SLOW, FaultKind.BUSY})
"""What another request may mend."""
BLAMED = frozenset({FaultKind.TEMPORARY, FaultKind.SLOW, FaultKind.ACCESS})
"""What counts as a failure of the service."""
NEUTRAL = frozenset({FaultKind.LATE, FaultKind.BUSY, FaultKind.QUOTA})
"""What says neither that the service works nor that it fails."""
_DAY = 86_400.0
_ERRORS: dict[FaultKind, type[ServiceError]] = {
    FaultKind.SLOW: DeadlineError,
    FaultKind.LATE: DeadlineError,
    FaultKind.BUSY: BusyError,
    FaultKind.QUOTA: QuotaError,
    FaultKind.ACCESS: AccessError,
}


@dataclass(frozen=True)
class Fault:
    """What is wrong with a reply."""

    kind: FaultKind
    message: str
    """What the service says, in a few words and without its name."""
    retry_after: float | None = None
    """Seconds after which the service wants to be asked again, where it says so."""

    def error(self, service: str) -> WheretakenError:
        """Return what the caller is told."""
        message = f"{service}: {self.message}"
        if self.kind is FaultKind.ARGUMENT:
            return ToolError(message)
        return _ERRORS.get(self.kind, ServiceError)(message, service=service, retry_after=self.retry_after)


@dataclass(frozen=True)
class Response:
    """A whole reply, as an adapter gets to see it."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    content: bytes
    """Decompressed; without secrets, unless it is a picture."""

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case; empty where there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @cached_property
    def json(self) -> Any:
        """The reply as JSON; None if it is not JSON."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return None


def status_fault(response: Response) -> Fault | None:
    """Judge a reply by its HTTP status."""
    status = response.status
    message, wait = f"HTTP {status}", retry_after(response.headers)
    if status < 400:
        return None if 200 <= status < 300 else Fault(FaultKind.REFUSED, message)
    if status == 429:
        return Fault(FaultKind.BUSY, message, wait)
    if status >= 500 or status == 408:
        return Fault(FaultKind.TEMPORARY, message, wait)
    if status in {401, 403}:
        return Fault(FaultKind.ACCESS, f"{message}, the key is refused or lacks this permission")
    return Fault(FaultKind.REFUSED, message)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that `Retry-After` asks for, in either of its forms (RFC 9110, 10.2.3).

    More than a day is taken for a day: a mistake there must not silence a service for good.
    """
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return min(float(value), _DAY)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return min(max(0.0, (moment - datetime.now(UTC)).total_seconds()), _DAY)
