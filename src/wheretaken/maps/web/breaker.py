"""A circuit breaker: a service that keeps failing is left alone for a while, and then tried by one call.

```
closed ── failures in a row ──► open ── cooldown over ──► half open: one call is let through
   ▲                              ▲                          │
   └───────── it answers ─────────┼──────────────────────────┤
                                  └──────── it fails ────────┘
```
A call that was under way when the breaker opened is heard as well: what it tells is as good as a trial.
The breaker reads no clock: every method is told the time, in seconds on any clock that only goes forward.
"""

from __future__ import annotations

from enum import StrEnum


class BreakerState(StrEnum):
    """What a breaker does with the next call."""

    CLOSED = "closed"
    """It goes through."""
    OPEN = "open"
    """It is refused."""
    HALF_OPEN = "half-open"
    """One goes through to find out; the others are refused until that is known."""


class Breaker:
    """Counts failures in a row and decides who may call."""

    def __init__(self, failures: int, cooldown: float) -> None:
        """Open after so many failures in a row, for so many seconds."""
        self._limit = failures
        self._cooldown = cooldown
        self._opened_at = 0.0
        self._trial = False
        self.failures = 0
        """Failures in a row so far."""

    def state(self, now: float) -> BreakerState:
        """Return the state at a time."""
        if self.failures < self._limit:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self.retry_after(now) > 0 else BreakerState.HALF_OPEN

    def retry_after(self, now: float) -> float:
        """Return the seconds until a call may go through; 0 if one may now, or if one is just finding out."""
        return max(0.0, self._opened_at + self._cooldown - now) if self.failures >= self._limit else 0.0

    def admit(self, now: float) -> bool:
        """Tell whether a call may go through; whoever is let through says how it went, or gives up."""
        match self.state(now):
            case BreakerState.CLOSED:
                return True
            case BreakerState.HALF_OPEN if not self._trial:
                self._trial = True
                return True
            case _:
                return False

    def succeeded(self) -> None:
        """Note that the service works."""
        self.failures = 0
        self._trial = False

    def failed(self, now: float) -> None:
        """Note a failure of the service."""
        self.failures += 1
        self._opened_at = now
        self._trial = False

    def gave_up(self) -> None:
        """Note that a call ended without telling anything about the service, so that another may try."""
        self._trial = False
