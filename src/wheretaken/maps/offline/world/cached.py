"""Finds the world file in the cache, or has it built, once, however many processes ask at the same time.

The file is written under a temporary name and renamed when it is whole, so a killed build leaves nothing
that a reader could open. Builders of every version queue on one lock file; the second finds the first's work
and uses it. Whoever holds the lock is the only builder, so temporary files found then are a killed build's.
"""

from __future__ import annotations

import contextlib
import fcntl
import sqlite3
from typing import TYPE_CHECKING

from wheretaken import paths
from wheretaken.errors import DataError
from wheretaken.maps.offline.world import apart, schema

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    Progress = Callable[[str, int, int], None]

_NEEDED_MB = 150
_DISK_ERRORS = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}


def path() -> Path:
    """Return where the world file is or will be; nothing is built.

    Raises:
        DataError: the cache directory cannot be made.
    """
    with _disk_explained():
        return paths.cache_dir() / f"world-{schema.VERSION}.sqlite"


def ensure(progress: Progress | None = None) -> Path:
    """Return the path of the world file, building it first when it is missing or damaged.

    Args:
        progress: called with the stage that begins, its number and the number of stages.

    Raises:
        MissingExtraError: the packages that hold the data are not installed.
        DataError: the cache directory cannot be written to, or its disk is full.
    """
    target = path()
    if is_whole(target):
        return target
    with _disk_explained(), _locked(target.with_name("world.lock")):
        if not is_whole(target):
            for left in target.parent.glob(".world-*.tmp"):
                left.unlink(missing_ok=True)
            with paths.atomic_path(target) as temporary:
                apart.write_file(temporary, progress or _silent)
            for old in target.parent.glob("world-*.sqlite"):
                if old != target:
                    old.unlink(missing_ok=True)
    return target


def is_whole(file: Path) -> bool:
    """Tell whether a file is a complete world file of this version, without reading all of it."""
    if not file.is_file():
        return False
    try:
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT value FROM meta WHERE key = 'complete'").fetchone()
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            (size,) = connection.execute("PRAGMA page_size").fetchone()
    except sqlite3.DatabaseError:
        return False
    return row == (str(schema.VERSION),) and pages * size == file.stat().st_size


@contextlib.contextmanager
def _disk_explained() -> Generator[None]:
    """Turn what the file system refuses into one line that says what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in _DISK_ERRORS:  # the low byte is the kind of error
            raise
        reason = str(error)
    else:
        return
    raise DataError(
        f"cannot write the place index ({reason}): set WHERETAKEN_CACHE_DIR to a directory that you may"
        f" write to, with {_NEEDED_MB} MB free"
    )


@contextlib.contextmanager
def _locked(file: Path) -> Generator[None]:
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # released when the file is closed, even by a killed process
        yield


def _silent(_stage: str, _done: int, _total: int) -> None:
    return
