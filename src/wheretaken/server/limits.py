"""How much the server takes: of requests, of their size, and of time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The limits of one worker."""

    running: int = 32
    """Calls of tools that run at the same time; answers from the cache do not count."""
    waiting: int = 256
    """Calls that may wait for their turn; a further one is told to come back later."""
    seconds: float = 30.0
    """Until a request is answered, or told that it took too long."""
    degraded_seconds: float = 30.0
    """For how long an answer is kept that stands in for that of a better provider, which was down."""
    connections: int = 4096
    """Connections and requests at the same time; uvicorn answers 503 beyond that."""
    body_bytes: int = 64 * 2**10
    """Size of a request with arguments."""
    text_chars: int = 1_000
    """Length of a text among the arguments; a tool may allow less."""
    picture_bytes: int = 20 * 2**20
    """Size of an uploaded picture's file."""
    picture_pixels: int = 50_000_000
    """Width x height of an uploaded picture."""
    pictures: int = 32
    """Pictures that one call may refer to."""
