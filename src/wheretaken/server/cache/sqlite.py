"""Keeps the cache in one SQLite file, for all processes of a machine.

The file is in WAL mode: readers never wait, and a process killed at any moment leaves whole transactions.
Entries are read in the event loop, which takes tens of microseconds and less than handing them to a
thread would; everything that writes goes through one thread, as a write may wait for another process or
for the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar, cast

from wheretaken.errors import DataError
from wheretaken.messages import Picture
from wheretaken.server.cache.entries import Entry
from wheretaken.server.cache.keys import CacheKey
from wheretaken.server.cache.stores import Claim, Row, StoreError, Uses

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection, Generator, Mapping, Sequence
    from pathlib import Path

    from wheretaken.server.cache.stores import Digest

_T = TypeVar("_T")
_VERSION = 1
"""`user_version` of the file."""
_BUSY_SECONDS = 5.0
_SWEEP_EVERY = 500
"""Writes between removals of what has expired."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    digest     BLOB PRIMARY KEY,
    tool       TEXT NOT NULL,
    arguments  TEXT NOT NULL,
    provider   TEXT NOT NULL,
    version    TEXT NOT NULL,
    text       TEXT NOT NULL,
    source     TEXT NOT NULL,
    stored_at  REAL NOT NULL,    -- Unix time
    expires_at REAL NOT NULL,    -- Unix time, or infinite
    failed     INTEGER NOT NULL,
    text_bytes INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS entries_expiry ON entries (expires_at);
CREATE TABLE IF NOT EXISTS pictures (
    sha256 TEXT PRIMARY KEY,
    mime   TEXT NOT NULL,
    width  INTEGER NOT NULL,
    height INTEGER NOT NULL,
    data   BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS shown (  -- which entry shows which pictures, in order
    digest BLOB NOT NULL,
    n      INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (digest, n)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS shown_pictures ON shown (sha256);
CREATE TRIGGER IF NOT EXISTS entries_gone AFTER DELETE ON entries BEGIN
    DELETE FROM shown WHERE digest = old.digest;
END;
CREATE TABLE IF NOT EXISTS leases (
    digest BLOB PRIMARY KEY,
    token  TEXT NOT NULL,
    until  REAL NOT NULL            -- Unix time
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uses (
    tool     TEXT NOT NULL,
    provider TEXT NOT NULL,
    hits     INTEGER NOT NULL,
    misses   INTEGER NOT NULL,
    PRIMARY KEY (tool, provider)
) WITHOUT ROWID;
"""
_PICTURE = "SELECT mime, sha256, width, height, data FROM pictures WHERE sha256 = ?"
_GET = """
SELECT tool, arguments, provider, version, text, source, stored_at, expires_at, failed,
    mime, sha256, width, height, data
FROM entries LEFT JOIN shown USING (digest) LEFT JOIN pictures USING (sha256) WHERE digest = ? ORDER BY n
"""
"""One statement, so that an entry is never seen without its pictures while another process removes it."""


_SHOWN = "SELECT sha256 FROM shown WHERE digest = ?"
_UNSHOWN = "DELETE FROM pictures WHERE sha256 = ?1 AND NOT EXISTS (SELECT 1 FROM shown WHERE sha256 = ?1)"


class SqliteStore:
    """A `Store` in a file."""

    def __init__(self, path: Path, *, now: Callable[[], float] = time.time) -> None:
        """Open the file; it is made where missing, with its directory.

        Args:
            path: The file; SQLite keeps two others beside it.
            now: Unix time in seconds.

        Raises:
            DataError: it cannot be opened, is damaged, or was made by another version.
        """
        self.name = f"sqlite:{path}"
        self._path = path
        self._now = now
        self._writes = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tool-cache")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = _connect(path)
            _prepare(self._writer, path)
            self._reader = _connect(path)
        except OSError as error:
            raise DataError(f"{path}: {error.strerror}; name another file for the cache") from error
        except sqlite3.DatabaseError as error:
            raise DataError(
                f"{path}: {error}; name another file for the cache, or delete this one if it was one"
            ) from error

    async def get(self, digest: Digest) -> Entry | None:
        """Return what is kept of a call with its pictures, fresh or not."""
        with self._errors():
            rows = cast("list[tuple[Any, ...]]", self._reader.execute(_GET, (digest,)).fetchall())
        if not rows:
            return None
        tool, arguments, provider, version, text, source, stored_at, expires_at, failed, *_ = rows[0]
        pictures = tuple(_picture(*row[9:]) for row in rows if row[9] is not None)
        key = CacheKey(tool, arguments, provider, version)
        return Entry(key, text, pictures, source, stored_at, expires_at, bool(failed))

    async def picture(self, sha256: str) -> Picture | None:
        """Return a kept picture."""
        with self._errors():
            found = self._reader.execute(_PICTURE, (sha256,))
            row = cast("tuple[Any, ...] | None", found.fetchone())
        return _picture(*row) if row else None

    async def put(self, entry: Entry, token: str = "") -> None:
        """Keep an entry and give back the lease on its digest with this token, in one step."""

        def write(database: sqlite3.Connection) -> None:
            _keep(database, entry)
            database.execute("DELETE FROM leases WHERE digest = ? AND token = ?", (entry.key.digest, token))
            self._writes += 1
            if self._writes % _SWEEP_EVERY == 0:
                database.execute("DELETE FROM entries WHERE expires_at <= ?", (self._now(),))
                _sweep(database)

        await self._write(write)

    async def merge(self, entries: Sequence[Entry]) -> int:
        """Keep those entries of which no newer answer is there; return how many were."""

        def write(database: sqlite3.Connection) -> int:
            kept = 0
            for entry in entries:
                newer = database.execute(
                    "SELECT 1 FROM entries WHERE digest = ? AND NOT failed AND stored_at >= ?",
                    (entry.key.digest, entry.stored_at),
                )
                if newer.fetchone() is None:
                    _keep(database, entry)
                    kept += 1
            return kept

        return await self._write(write)

    async def claim(self, digest: Digest, token: str, seconds: float, newer_than: float) -> Claim:
        """Take the lease on a digest, unless a newer entry is there or somebody has it."""

        def write(database: sqlite3.Connection) -> Claim:
            now = self._now()
            stored = database.execute(
                "SELECT 1 FROM entries WHERE digest = ? AND stored_at > ?", (digest, newer_than)
            )
            if stored.fetchone():
                return Claim.STORED
            # A lease that lasts longer than any is given was written before the clock was set back.
            held = database.execute(
                "SELECT 1 FROM leases WHERE digest = ? AND until BETWEEN ? AND ?",
                (digest, now, now + seconds),
            )
            if held.fetchone():
                return Claim.HELD
            database.execute("REPLACE INTO leases VALUES (?, ?, ?)", (digest, token, now + seconds))
            return Claim.MINE

        return await self._write(write)

    async def renew(self, digest: Digest, token: str, seconds: float) -> None:
        """Keep our lease for so many more seconds."""
        update = "UPDATE leases SET until = ? WHERE digest = ? AND token = ?"
        await self._write(lambda database: database.execute(update, (self._now() + seconds, digest, token)))

    async def release(self, digest: Digest, token: str) -> None:
        """Give back our lease, where it is still ours."""
        delete = "DELETE FROM leases WHERE digest = ? AND token = ?"
        await self._write(lambda database: database.execute(delete, (digest, token)))

    async def count(self, uses: Mapping[tuple[str, str], Uses]) -> None:
        """Add to the uses that are kept by tool and provider."""
        rows = [(*name, use.hits, use.misses) for name, use in uses.items()]
        add = (
            "INSERT INTO uses VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
            " SET hits = hits + excluded.hits, misses = misses + excluded.misses"
        )
        await self._write(lambda database: database.executemany(add, rows))

    async def uses(self) -> dict[tuple[str, str], Uses]:
        """Return the uses by tool and provider."""
        with self._errors():
            rows = self._reader.execute("SELECT tool, provider, hits, misses FROM uses")
            return {(tool, provider): Uses(hits, misses) for tool, provider, hits, misses in rows}

    async def rows(self) -> AsyncGenerator[Row]:
        """Yield what is kept, in no order."""
        with self._errors():
            shown: dict[bytes, list[tuple[str, int]]] = {}
            sizes = self._reader.execute(
                "SELECT digest, sha256, length(data) FROM shown JOIN pictures USING (sha256)"
            )
            for digest, sha256, size in sizes:
                shown.setdefault(digest, []).append((sha256, size))
            found = self._reader.execute(
                "SELECT digest, tool, provider, stored_at, expires_at, failed, text_bytes FROM entries"
            )
            for digest, tool, provider, stored_at, expires_at, failed, size in found:
                pictures = tuple(shown.get(digest, ()))
                yield Row(digest, tool, provider, stored_at, expires_at, bool(failed), size, pictures)

    async def delete(self, digests: Collection[Digest]) -> None:
        """Remove entries, and the pictures that only they show."""
        rows = [(digest,) for digest in digests]

        def write(database: sqlite3.Connection) -> None:
            shown = [picture for row in rows for picture in database.execute(_SHOWN, row)]
            database.executemany("DELETE FROM entries WHERE digest = ?", rows)
            database.executemany(_UNSHOWN, shown)

        await self._write(write)

    async def sweep(self) -> None:
        """Remove pictures that no entry shows any more, and give the space back."""
        await self._write(_sweep)
        await self._in_thread(lambda: self._writer.execute("VACUUM"))

    async def aclose(self) -> None:
        """Close the file."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._writer.close)
        self._thread.shutdown()
        self._reader.close()

    async def _write(self, change: Callable[[sqlite3.Connection], _T]) -> _T:
        """Do something in one transaction."""

        def write() -> _T:
            with self._writer:
                self._writer.execute("BEGIN IMMEDIATE")
                return change(self._writer)

        return await self._in_thread(write)

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        with self._errors():
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    @contextlib.contextmanager
    def _errors(self) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: {error}", service="cache") from error


def _connect(path: Path) -> sqlite3.Connection:
    # One connection is used by one thread at a time, though not by the one that opened it.
    database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    # The last answers may be lost when the power fails, never the file.
    database.execute("PRAGMA synchronous = NORMAL")
    return database


def _prepare(database: sqlite3.Connection, path: Path) -> None:
    """Make the tables of a new file.

    Raises:
        DataError: another version made the file.
    """
    (version,) = cast("tuple[int]", database.execute("PRAGMA user_version").fetchone())
    if version not in {0, _VERSION}:
        raise DataError(
            f"{path} was made by another version of wheretaken (form {version}, this one reads {_VERSION}):"
            " delete it or name another file for the cache"
        )
    if not version:
        database.execute("PRAGMA journal_mode = WAL")
        database.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")


def _keep(database: sqlite3.Connection, entry: Entry) -> None:
    key = entry.key
    # Deleted first, for its pictures to go: replacing a row runs no trigger.
    database.execute("DELETE FROM entries WHERE digest = ?", (key.digest,))
    database.execute(
        "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(key.digest, key.tool, key.arguments, key.provider, key.version),
            *(entry.text, entry.source, entry.stored_at, entry.expires_at, entry.failed, entry.text_bytes),
        ),
    )
    for n, picture in enumerate(entry.pictures):
        database.execute(
            "INSERT OR IGNORE INTO pictures VALUES (?, ?, ?, ?, ?)",
            (picture.sha256, picture.mime, picture.width, picture.height, picture.data),
        )
        database.execute("INSERT INTO shown VALUES (?, ?, ?)", (key.digest, n, picture.sha256))


def _sweep(database: sqlite3.Connection) -> None:
    database.execute("DELETE FROM pictures WHERE sha256 NOT IN (SELECT sha256 FROM shown)")


def _picture(mime: Any, sha256: str, width: int, height: int, data: bytes) -> Picture:
    return Picture(mime=mime, sha256=sha256, width=width, height=height, data=data)
