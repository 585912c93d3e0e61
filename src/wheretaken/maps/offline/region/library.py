"""Which regions this machine has: the one that ships with the package, and the user's."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import re
import unicodedata
from importlib import resources
from typing import TYPE_CHECKING

from wheretaken import paths
from wheretaken.errors import DataError, UserError
from wheretaken.maps.offline.region import schema
from wheretaken.maps.offline.region.info import RegionInfo, read_info

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    Progress = Callable[[str, int, int], None]
    """Called with the stage, how much is done and of how much (0: not known)."""

SUFFIX = ".region.sqlite"
BUILTIN_NAME = "Central Helsinki"
_ENDS = "pbf|osm|gz|bz2|parquet|geoparquet|pmtiles"
_BUILTIN_EXTRACT = "data/region/helsinki.osm.pbf"


def builtin(progress: Progress | None = None) -> Path:
    """Return the region file of central Helsinki, importing the extract that ships with us when needed.

    The file lies in the cache directory under a name made of the format and the extract's content, so a new
    version never reads an old file. When two processes come at once, one imports and the other waits.
    """
    extract = resources.files("wheretaken.maps.offline").joinpath(_BUILTIN_EXTRACT)
    digest = hashlib.sha256(extract.read_bytes()).hexdigest()[:8]
    target = paths.cache_dir() / f"helsinki-{schema.VERSION}-{digest}{SUFFIX}"
    if _usable(target):
        return target
    with _locked(target.with_suffix(".lock")):
        if not _usable(target):
            from wheretaken.maps.offline.region.extract import import_extract  # noqa: PLC0415 - loads osmium

            with resources.as_file(extract) as source:
                import_extract(source, target, name=BUILTIN_NAME, progress=progress)
    return target


def regions(progress: Progress | None = None) -> list[RegionInfo]:
    """Return the built-in region, imported when needed, and those in the user's data directory by name.

    Raises:
        DataError: a region file of the user is damaged or was made by another version.
    """
    return [read_info(path) for path in (builtin(progress), *own_files())]


def regions_dir() -> Path:
    """Return the directory of the user's regions (created when missing)."""
    folder = paths.data_dir() / "regions"
    folder.mkdir(exist_ok=True)
    return folder


def own_files() -> list[Path]:
    """Return the user's region files, readable or not, by name."""
    return sorted((paths.data_dir() / "regions").glob(f"[!.]*{SUFFIX}"))


def title_of(path: Path) -> str:
    """Return what a region is called when nobody says: the extract's name, as it is downloaded."""
    stem = re.sub(
        r"(-latest|-\d{6})?(\.osm)?(\.(pbf|osm|gz|bz2|parquet|geoparquet|pmtiles))+$", "", path.name
    )
    return " ".join(re.split(r"[-_\s]+", stem)).strip().title() or path.name


def region_path(title: str) -> Path:
    """Return where the region of this name is, or would be.

    Raises:
        UserError: the name has no letter or digit in it.
    """
    return regions_dir() / f"{slug_of(title)}{SUFFIX}"


def slug_of(title: str) -> str:
    """Return a file name for a title: its letters and digits in any script, the rest as hyphens."""
    folded = unicodedata.normalize("NFKC", title).casefold()
    slug = "-".join(filter(None, re.split(r"[\W_]+", folded)))[:80]
    if not slug:
        raise UserError(f"{title!r} is no name for a region: give one with --name")
    return slug


def _usable(path: Path) -> bool:
    try:
        read_info(path)
    except (DataError, KeyError, ValueError):
        return False
    return True


@contextlib.contextmanager
def _locked(path: Path) -> Generator[None]:
    """Hold a lock between processes; it is freed by the system when its holder dies."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
