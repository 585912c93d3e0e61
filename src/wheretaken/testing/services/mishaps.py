"""What can go wrong between a service and its caller, on demand or at random but repeatably."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from wheretaken.testing.services.fake import Delivery, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Mishap = Callable[[Delivery], Delivery]


def slow(seconds: float) -> Mishap:
    """The reply comes so much later."""
    return lambda delivery: replace(delivery, delay=delivery.delay + seconds)


def hang() -> Mishap:
    """No byte ever comes."""
    return slow(math.inf)


def status(code: int, retry_after: float | str | None = None) -> Mishap:
    """The reply is an HTTP error, if wanted with `Retry-After` in seconds or as a date."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return lambda delivery: replace(delivery, reply=Reply(b"", "text/plain", code, headers))


def half_body() -> Mishap:
    """The connection closes in the middle of the body."""
    return lambda delivery: replace(delivery, after_half="closes")


def stalled_body() -> Mishap:
    """Nothing more comes after half of the body, but the connection stays open."""
    return lambda delivery: replace(delivery, after_half="hangs")


def garbage() -> Mishap:
    """The body is noise of the same length, under the right content type."""
    return lambda delivery: replace(delivery, reply=replace(delivery.reply, body=_noise(delivery.reply)))


def wrong_type() -> Mishap:
    """A web page comes instead, with status 200, as from a captive portal."""
    page = Reply(b"<!doctype html><title>Welcome</title>", "text/html; charset=utf-8")
    return lambda delivery: replace(delivery, reply=page)


def reset() -> Mishap:
    """The connection is reset before the first byte."""
    return lambda delivery: replace(delivery, reset=True)


EVERY: dict[str, Mishap] = {
    "latency": slow(0.5),
    "429": status(429),
    "429 with Retry-After": status(429, 1),
    "500": status(500),
    "503 with Retry-After": status(503, 1),
    "half a body": half_body(),
    "stalled body": stalled_body(),
    "garbage": garbage(),
    "wrong content type": wrong_type(),
    "hang": hang(),
    "reset": reset(),
}
"""One of each, by name."""


def at_random(
    rate: float, seed: int, among: Sequence[Mishap] = tuple(EVERY.values())
) -> Iterator[Mishap | None]:
    """Yield, without end, a mishap for this share of the replies, the same ones for the same seed."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    while True:
        yield dice.choice(among) if dice.random() < rate else None


def _noise(reply: Reply) -> bytes:
    return random.Random(len(reply.body)).randbytes(max(len(reply.body), 16))  # noqa: S311 - as above
