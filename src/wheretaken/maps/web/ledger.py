"""How many requests went to each service, and when: one small file that all processes of a user share.

Quotas are per day and rates per second for a whole application, so neither can be counted by one process.
The rate is a token bucket in the form of the generic cell rate algorithm (ITU-T I.371): instead of a number
of tokens it keeps the time at which the bucket is full again, which needs no refill and survives a restart.

A request is granted in one transaction, which takes about 50 microseconds; that is less than handing it to a
thread would cost, so it runs in the event loop.
"""

from __future__ import annotations

import contextlib
import math
import sqlite3
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, cast

from wheretaken.errors import DataError
from wheretaken.paths import data_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from wheretaken.maps.web.settings import ServiceLimits

_DAY = 86_400
_LOCK_SECONDS = 2.0
_TICK = 1e-4
"""No wait is shorter: it covers the rounding of Unix times, and nobody can sleep for less."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS sent (
    service TEXT PRIMARY KEY,
    full_at REAL NOT NULL,   -- when its bucket is full again, Unix time
    day     INTEGER NOT NULL, -- days since 1970 in the service's own time zone
    count   INTEGER NOT NULL, -- requests on that day
    closed  INTEGER NOT NULL  -- 1: the service says that the day's quota is used up
) WITHOUT ROWID
"""


@dataclass(frozen=True)
class Granted:
    """The request may be sent now, and is counted."""


@dataclass(frozen=True)
class Wait:
    """The request may be sent after so many seconds, if nobody else is faster."""

    seconds: float


@dataclass(frozen=True)
class UsedUp:
    """The day's requests are used up; a new day begins after so many seconds."""

    seconds: float


def take(full_at: float, now: float, limits: ServiceLimits) -> tuple[float, float]:
    """Take a token from a bucket, if it has one.

    Args:
        full_at: When the bucket would be full again.
        now: The time, on the same clock.
        limits: `per_second` and `burst` are the bucket's inflow and size.

    Returns:
        (when it is then full again, 0) if a token was taken, else (`full_at`, seconds until it has one).
    """
    interval = 1 / limits.per_second
    size = interval * limits.burst
    # A bucket is never emptier than empty: a later time was written before the clock was set back.
    full_at = min(max(full_at, now), now + size)
    wait = full_at + interval - size - now
    return (full_at, wait) if wait > _TICK else (full_at + interval, 0.0)


class Ledger:
    """Grants requests within the rate and the daily quota of each service."""

    def __init__(self, path: Path | None = None, *, now: Callable[[], float] = time.time) -> None:
        """Open the file (`services.sqlite` in the data directory by default) at the first request.

        Args:
            path: Another file; it is made where missing.
            now: Unix time in seconds.
        """
        self._path = path
        self._now = now
        self._opened: sqlite3.Connection | None = None

    def grant(self, service: str, limits: ServiceLimits) -> Granted | Wait | UsedUp:
        """Count a request if it may be sent now, in one step for all processes.

        Raises:
            DataError: the file cannot be read or written.
        """
        with self._transaction() as database:
            now, day, full_at, count, closed = self._row(database, service, limits)
            if closed or (limits.daily is not None and count >= limits.daily):
                return UsedUp((day + 1) * _DAY - now - limits.quota_utc_offset * 3600)
            full_at, wait = take(full_at, now, limits)
            if wait:
                return Wait(wait)
            database.execute("REPLACE INTO sent VALUES (?, ?, ?, ?, 0)", (service, full_at, day, count + 1))
        return Granted()

    def close_day(self, service: str, limits: ServiceLimits) -> UsedUp:
        """Grant nothing more today: the service itself says that the quota is used up.

        Raises:
            DataError: the file cannot be read or written.
        """
        with self._transaction() as database:
            now, day, full_at, count, _ = self._row(database, service, limits)
            database.execute("REPLACE INTO sent VALUES (?, ?, ?, ?, 1)", (service, full_at, day, count))
        return UsedUp((day + 1) * _DAY - now - limits.quota_utc_offset * 3600)

    def sent_today(self, service: str, limits: ServiceLimits) -> int:
        """Return how many requests were granted since the service's last midnight.

        Raises:
            DataError: the file cannot be read or written.
        """
        with self._transaction() as database:
            return self._row(database, service, limits)[3]

    def close(self) -> None:
        """Close the file; the next request opens it again."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _row(
        self, database: sqlite3.Connection, service: str, limits: ServiceLimits
    ) -> tuple[float, int, float, int, bool]:
        """Return now, today, and what is written of this service: full_at, today's count, closed."""
        now = self._now()
        today = math.floor((now + limits.quota_utc_offset * 3600) / _DAY)
        found = database.execute("SELECT full_at, day, count, closed FROM sent WHERE service = ?", (service,))
        row = cast("tuple[float, int, int, int] | None", found.fetchone())
        if row is None:
            return now, today, now, 0, False
        full_at, day, count, closed = row
        return (now, today, full_at, count, bool(closed)) if day == today else (now, today, full_at, 0, False)

    @contextlib.contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        try:
            database = self._open()
            with database:
                database.execute("BEGIN IMMEDIATE")
                yield database
        except (sqlite3.OperationalError, OSError) as error:
            raise DataError(
                f"{self._file()}: {error}; check that it and its directory can be written"
            ) from error
        except sqlite3.DatabaseError as error:
            raise DataError(f"{self._file()}: {error}; delete it to count requests anew") from error

    def _file(self) -> Path:
        return self._path or data_dir() / "services.sqlite"

    def _open(self) -> sqlite3.Connection:
        if self._opened is None:
            path = self._file()
            path.parent.mkdir(parents=True, exist_ok=True)
            self._opened = sqlite3.connect(path, timeout=_LOCK_SECONDS, isolation_level=None)
            self._opened.execute("PRAGMA journal_mode = WAL")
            # The last counts may be lost when the power fails, never the file; no request waits for the disk.
            self._opened.execute("PRAGMA synchronous = NORMAL")
            self._opened.execute(_SCHEMA)
        return self._opened
