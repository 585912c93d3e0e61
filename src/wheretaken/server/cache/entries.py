"""What is kept of a call: an answer or a failure, when it was given, and until when it may be used.

An entry is immutable, knows its own key, and holds its data as the JSON text that models read. Failures
are entries too, so that many callers of a failing service learn of it from one call; they last for
seconds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from wheretaken import errors
from wheretaken.errors import ServiceError, ToolError
from wheretaken.tools import ToolResult

if TYPE_CHECKING:
    from wheretaken.messages import Picture
    from wheretaken.server.cache.keys import CacheKey

_TOLD = {
    kind.__name__: kind
    for kind in (
        errors.ToolError,
        errors.ServiceError,
        errors.DeadlineError,
        errors.BusyError,
        errors.UnavailableError,
        errors.QuotaError,
        errors.AccessError,
    )
}
"""Failures that are passed on to other callers, by the name under which they are kept."""
_OVERHEAD = 1_000
"""Bytes that an entry takes in memory beside its texts, about."""


@dataclass(frozen=True)
class Cached:
    """The answer to a call."""

    result: ToolResult
    """Shared with other callers: not to be changed in place."""
    cached: bool
    """Whether it cost this caller no call: it was kept, or another caller's call gave it."""
    age_s: float
    """Seconds since the service gave it."""
    text: str
    """`result.text`, without the work of making it."""


@dataclass(frozen=True)
class Entry:
    """One answer or failure of a tool."""

    key: CacheKey
    text: str
    """JSON: the result's data, or a failure's `kind`, `message`, `service`, `retry_after`."""
    pictures: tuple[Picture, ...] = ()
    source: str = ""
    """Who the data are from, as their licence wants it said."""
    stored_at: float = 0.0
    """Unix time at which the service answered; as exact as files have it, for copies to be as old."""
    expires_at: float = 0.0
    """Unix time after which it must not be used."""
    failed: bool = False

    @classmethod
    def of(cls, key: CacheKey, result: ToolResult, *, now: float, seconds: float) -> Entry:
        """Keep a result for so many seconds."""
        at, until = round(now, 6), round(now + seconds, 6)
        return cls(key, compact(result.data), result.pictures, result.source, at, until)

    @classmethod
    def of_failure(
        cls, key: CacheKey, error: ToolError | ServiceError, *, now: float, seconds: float
    ) -> Entry:
        """Keep a failure for so many seconds."""
        kind = next(base.__name__ for base in type(error).__mro__ if base.__name__ in _TOLD)
        told: dict[str, Any] = {"kind": kind, "message": str(error)}
        if isinstance(error, ServiceError):
            told |= {"service": error.service, "retry_after": error.retry_after}
        at, until = round(now, 6), round(now + seconds, 6)
        return cls(key, json.dumps(told), stored_at=at, expires_at=until, failed=True)

    @cached_property
    def result(self) -> ToolResult:
        """The result, made once.

        Raises:
            ToolError: it is a failure that the model can mend.
            ServiceError: it is a failure of a service.
        """
        if self.failed:
            raise self._failure()
        return ToolResult(json.loads(self.text), self.pictures, self.source)

    @property
    def text_bytes(self) -> int:
        """Size without pictures, as stores count it."""
        return len(self.text.encode()) + len(self.key.arguments.encode()) + len(self.source.encode())

    @property
    def memory_bytes(self) -> int:
        """Size without pictures in memory, about: the text and the data parsed from it."""
        return _OVERHEAD + 4 * len(self.text)

    def fresh(self, now: float, seconds: float) -> bool:
        """Whether it may be used now, where answers may be used for so many seconds."""
        return now < min(self.expires_at, self.stored_at + seconds)

    def answer(self, now: float, *, cached: bool) -> Cached:
        """Give it to a caller.

        Raises:
            ToolError: it is a failure that the model can mend.
            ServiceError: it is a failure of a service.
        """
        return Cached(self.result, cached, max(now - self.stored_at, 0.0), self.text)

    def _failure(self) -> ToolError | ServiceError:
        told = json.loads(self.text)
        kind = _TOLD[told["kind"]]
        if issubclass(kind, ServiceError):
            return kind(told["message"], service=told["service"], retry_after=told["retry_after"])
        return kind(told["message"])


def compact(data: Any) -> str:
    """Write JSON in the scripts it is in, or in ASCII where it holds half a surrogate pair.

    Services cut texts at a number of UTF-16 units, which leaves such halves.
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(data, separators=(",", ":"))
    return text
