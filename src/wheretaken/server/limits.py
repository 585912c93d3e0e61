"""How much the server takes: of requests, of their size, and of time.

The settings file may set others:

    [server.limits]
    running = 128
    seconds = 60
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from wheretaken.errors import UserError
from wheretaken.settings import section, settings_file

if TYPE_CHECKING:
    from pathlib import Path

_MOST = 2**40
"""Of anything; more is a slip of the hand."""


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

    @classmethod
    def load(cls, file: Path | None = None) -> Limits:
        """Return the limits with those that the settings file sets.

        Raises:
            UserError: its table `server.limits` is not as it should be.
        """
        usual = cls()
        kinds: dict[str, type] = {field.name: type(getattr(usual, field.name)) for field in fields(cls)}
        values = section("server.limits", file)
        for name, value in values.items():
            where = f"{settings_file(file)}: server.limits.{name}"
            if name not in kinds:
                raise UserError(f"{where} is no limit; there are {', '.join(kinds)}")
            if isinstance(value, bool) or not isinstance(value, kinds[name] | int) or not 0 < value < _MOST:
                whole = "whole " if kinds[name] is int else ""
                raise UserError(f"{where} must be a {whole}number above 0")
        return cls(**values)
