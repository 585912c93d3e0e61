"""What is asked of a fake service, what it answers, and what becomes of the answer on the way.

`answer` says what the real service would; a mishap then changes the delivery. `transport` and `server` only
carry out deliveries, so that every mishap works in process and over a real connection.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from wheretaken.testing.services.mishaps import Mishap


@dataclass(frozen=True)
class Asked:
    """A request that reached the fake."""

    method: str
    host: str
    path: str
    """Without the query, percent-encoded as it came."""
    params: Mapping[str, str]
    """The query; of a repeated name the last value."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    at: float
    """Seconds on the clock of whoever delivers: the event loop's in process, else the monotonic one."""

    @classmethod
    def of(
        cls, method: str, host: str, target: str, headers: Mapping[str, str], body: bytes, at: float
    ) -> Asked:
        """Take a request apart; `target` is its path and query."""
        parts = urlsplit(target)
        params = dict(parse_qsl(parts.query, keep_blank_values=True))
        lower = {name.lower(): value for name, value in headers.items()}
        return cls(method, host, parts.path, params, lower, body, at)

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What the service answers."""

    body: bytes
    content_type: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def json(cls, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
        """Answer with JSON."""
        return cls(json.dumps(value).encode(), "application/json", status, headers or {})


@dataclass(frozen=True)
class Delivery:
    """How a reply arrives."""

    reply: Reply
    delay: float = 0.0
    """Seconds before its first byte."""
    after_half: Literal["goes on", "closes", "hangs"] = "goes on"
    """What happens when half of the body has been sent."""
    reset: bool = False
    """The connection is reset instead."""


class FakeService:
    """A service that answers as it is told, has mishaps on demand, and remembers what it was asked."""

    def __init__(self, answer: Callable[[Asked], Reply], mishaps: Iterable[Mishap | None] = ()) -> None:
        """Answer with this function.

        Args:
            answer: Says what the real service would answer.
            mishaps: What happens to one reply after the other; None for nothing. May be endless.
        """
        self._answer = answer
        self._mishaps = iter(mishaps)
        self._next: deque[Mishap | None] = deque()
        self._lock = threading.Lock()
        self.asked: list[Asked] = []
        """Every request, in the order in which they came."""
        self.open = 0
        """Requests that are being answered."""
        self.most_open = 0
        """Most requests that were being answered at the same time."""
        self.sent_bytes = 0
        """Bytes of replies that were taken from it, in process."""

    @property
    def counts(self) -> Counter[str]:
        """How often each path was asked."""
        return Counter(asked.path for asked in self.asked)

    def fail(self, *mishaps: Mishap | None) -> None:
        """Let these happen to the next replies, before any others."""
        self._next.extend(mishaps)

    def begin(self, asked: Asked) -> Delivery:
        """Take a request; whoever delivers calls `end` when it is over. Safe in any thread."""
        with self._lock:
            self.asked.append(asked)
            self.open += 1
            self.most_open = max(self.most_open, self.open)
            mishap = next(itertools.chain(_taken(self._next), self._mishaps), None)
        delivery = Delivery(self._answer(asked))
        return mishap(delivery) if mishap else delivery

    def end(self) -> None:
        """Note that a reply was delivered, or was given up."""
        with self._lock:
            self.open -= 1


def _taken(queue: deque[Mishap | None]) -> Iterable[Mishap | None]:
    while queue:
        yield queue.popleft()
