"""Adding a user's extract to the regions of this machine: checked first, whole or not at all, one at a time.

What can be known before is told before: a file that is no extract, one that is too large for this disk,
another import of the same region that is under way. The file in place is replaced when the new one is
complete; whoever has the old one open goes on reading it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from wheretaken.errors import DataError, UserError
from wheretaken.maps.offline.region import apart, basemap, library, read
from wheretaken.maps.offline.region.extract import import_extract
from wheretaken.maps.offline.region.overture import OverturePlaces

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from wheretaken.maps.offline.region.extract import Features
    from wheretaken.maps.offline.region.info import RegionInfo

    Progress = Callable[[str, int, int], None]
    """Called with the stage, how much is done and of how much (0: not known)."""

_PACKED = {".osm": 0.08, ".osm.gz": 0.7, ".osm.bz2": 1.0}
"""About how large the same map is as .osm.pbf, by the end of the name."""
NODES_PER_BYTE = 0.13
"""Of .osm.pbf: an extract has seven to ten bytes a node with all that belongs to it."""
NODES_PER_SECOND = 40_000
REGION_RATIO = 5.0
"""The region file and its temporary tables beside the .osm.pbf, at most."""
_LOCATIONS_RATIO = 2.5
"""The node positions on disk beside the .osm.pbf: 16 bytes a node."""
MOST_HOURS = 4.0
"""An import that takes longer wants to be asked for."""
_HEAD = 4096


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an import will take, about."""

    pbf_bytes: float
    """What the map is, or would be, as .osm.pbf."""

    @property
    def disk_bytes(self) -> float:
        """Room in the data directory while it is imported."""
        return self.pbf_bytes * (REGION_RATIO + _LOCATIONS_RATIO)

    @property
    def hours(self) -> float:
        """On a machine like ours."""
        return self.pbf_bytes * NODES_PER_BYTE / NODES_PER_SECOND / 3600

    def __str__(self) -> str:
        return f"about {_spoken_hours(self.hours)} and {_spoken_bytes(self.disk_bytes)} of disk"


def add(
    path: Path,
    *,
    name: str = "",
    overture: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> RegionInfo:
    """Import an extract as one of the user's regions, in place of one of the same name.

    Args:
        path: An OpenStreetMap extract, or Overture places in GeoParquet.
        name: What people call the region; by default, the file's name without its endings.
        overture: Whether `path` holds Overture places.
        force: Import even what takes many hours.
        progress: Told how far it has come.

    Raises:
        DataError: The file cannot be read, is damaged, or is no extract.
        UserError: It is too large for this machine, the disk is full, or it is being imported already.
        MissingExtraError: osmium, shapely or pyarrow is not installed.
    """
    _check_file(path)
    if not overture:
        _check_head(path)
    _check_size(path, force=force)
    source: Features = OverturePlaces(path) if overture else apart.source(path)
    title = name.strip() or library.title_of(path)
    target = library.region_path(title)
    with _alone(target, title), _room(target.parent):
        return import_extract(source, target, name=title, progress=progress)


def remove(title: str) -> list[Path]:
    """Delete the user's region or basemap of this name, as `maps list` shows it, and return what was deleted.

    Raises:
        UserError: there is none, or it is the built-in one.
    """
    if title.casefold() == library.BUILTIN_NAME.casefold():
        raise UserError(f"{library.BUILTIN_NAME} is built in and cannot be removed")
    slug = library.slug_of(title)
    here = [path for path in (library.region_path(title), basemap.basemap_path(slug)) if path.exists()]
    if not here:
        there = [path.name.removesuffix(library.SUFFIX) for path in library.own_files()] + [
            one.name for one in basemap.basemaps()
        ]
        known = f"there are: {', '.join(there)}" if there else "none was added"
        raise UserError(f"there is no region {title!r}; {known}")
    for path in here:
        path.unlink()
    return here


def estimate(path: Path) -> Estimate:
    """Return what the import of an extract will take, from its size."""
    name, size = path.name.lower(), path.stat().st_size
    ratio = next((ratio for end, ratio in _PACKED.items() if name.endswith(end)), 1.0)
    return Estimate(size * ratio)


def _check_file(path: Path) -> None:
    if not path.exists():
        raise DataError(f"there is no file {path}")
    if not path.is_file():
        raise DataError(f"{path} is not a file: give the extract itself")
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty: download it again")
    if not os.access(path, os.R_OK):
        raise DataError(f"{path} cannot be read: you lack the permission")


def _check_head(path: Path) -> None:
    """See that the file begins as its name says, as the library's own words for it say little to people."""
    name = path.name.lower()
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        raise DataError(f"{path} is a web page, not an extract: look at what it says, and download it again")
    fits = {
        ".pbf": b"OSMHeader" in head[:64],
        ".osm": head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"),
        ".gz": head.startswith(b"\x1f\x8b"),
        ".bz2": head.startswith(b"BZh"),
    }
    end = next((end for end in fits if name.endswith(end)), None)
    if end and not fits[end]:
        raise DataError(f"{path} does not begin like a {end} file of OpenStreetMap: download it again")


def _check_size(path: Path, *, force: bool) -> None:
    wanted = estimate(path)
    folder = library.regions_dir()
    free = shutil.disk_usage(folder).free
    size = _spoken_bytes(path.stat().st_size)
    smaller = "take an extract of the country or the city that you need"
    if wanted.disk_bytes > free:
        raise UserError(
            f"{path} ({size}) takes {wanted} to import, and {folder} has {_spoken_bytes(free)} free:"
            f" make room, set WHERETAKEN_DATA_DIR to a larger disk, or {smaller}"
        )
    if wanted.hours > MOST_HOURS and not force:
        raise UserError(f"{path} ({size}) takes {wanted} to import: {smaller}, or add --force")


@contextlib.contextmanager
def _alone(target: Path, title: str) -> Generator[None]:
    """Keep a second import of the same region out, and clear up after one that was killed.

    The system frees the lock of a process that dies, so that there are no stale ones.
    """
    path = target.with_name(f".{target.name}.lock")
    with _lock(path, title) as handle:
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        for left in target.parent.glob(f".{target.name}.*.tmp*"):
            left.unlink(missing_ok=True)
        read.clear_positions()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _lock(path: Path, title: str) -> TextIO:
    """Return the lock file, locked.

    Raises:
        UserError: Another process has it.
    """
    while True:
        handle = path.open("a+", encoding="ascii")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with handle:
                handle.seek(0)
                holder = handle.read().strip()
            raise UserError(
                f"{title} is being imported already, by process {holder}: wait for it, or stop it"
            ) from None
        # Whoever had it may have deleted the file between our opening and locking it: then it locks nothing.
        if path.exists() and path.stat().st_ino == os.fstat(handle.fileno()).st_ino:
            return handle
        handle.close()


@contextlib.contextmanager
def _room(folder: Path) -> Generator[None]:
    """Turn a full disk, whoever met it, into one line."""
    full = f"{folder} is full: make room, or set WHERETAKEN_DATA_DIR to a larger disk; nothing was changed"
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE}:
            raise UserError(full) from error
        raise
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}:
            raise UserError(full) from error
        raise


def _spoken_bytes(number: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number / 1e3:.3g} kB"


def _spoken_hours(hours: float) -> str:
    if hours >= 48:
        return f"{hours / 24:.0f} days"
    return f"{hours:.0f} hours" if hours >= 2 else f"{max(hours * 60, 1):.0f} minutes"
