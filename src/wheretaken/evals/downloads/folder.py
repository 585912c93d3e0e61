"""The folder that a data set is downloaded into: which names are safe, what is half done, what is complete.

```
DIR/
├── images/..., test.jsonl        the data set, under the names that its source gives
├── wheretaken-download.json      written last: where it came from, every file with its size and checksum
└── .wheretaken-download/         only while something is missing
    ├── lock                      held by the process that downloads
    └── <hash of a path>.part     the beginning of a file; .json beside it says of which one
```

Nothing is ever written outside the folder, whatever a listing or an archive says (`Folder.path`), and a file
has its name only when it is complete and its checksum is right.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shutil
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from wheretaken.errors import DataError, UserError
from wheretaken.paths import atomic_path

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

RECORD = "wheretaken-download.json"
_WORK = ".wheretaken-download"
_SPARE = 64 * 1024 * 1024
"""Bytes that are left free on the disk."""


class SavedFile(BaseModel):
    """A file of the data set that is complete."""

    model_config = ConfigDict(frozen=True)

    path: str
    """Relative to the folder, with forward slashes."""
    size: int
    """Bytes."""
    checksum: str = ""
    """As in `listing.RemoteFile`; empty for what was unpacked, which its archive's checksum covers."""


class DownloadRecord(BaseModel):
    """Where the contents of a folder came from: the contents of `wheretaken-download.json`."""

    model_config = ConfigDict(frozen=True)

    schema_version: Literal[1] = 1
    name: str
    title: str
    licence: str
    source: str
    """The hub's name."""
    id: str
    revision: str
    host: str
    finished_at: datetime
    files: tuple[SavedFile, ...]
    unpacked: tuple[SavedFile, ...] = ()

    def complete(self, folder: Folder) -> bool:
        """Return whether every file is there with its size."""
        return all(folder.size(file.path) == file.size for file in (*self.files, *self.unpacked))


class Folder:
    """The folder of one data set."""

    def __init__(self, root: Path) -> None:
        """Work in this folder; it is created when something is written."""
        self.root = root

    def path(self, name: str) -> Path:
        """Return where a file of this name goes.

        Args:
            name: A path with forward slashes, from a listing or an archive: it may say anything.

        Raises:
            DataError: It would not be a file inside this folder, or it is one of our own.
        """
        parts = PurePosixPath(name).parts
        plain = name.isprintable() and "\\" not in name and ":" not in name
        if (
            not plain
            or not parts
            or "/".join(parts) != name
            or name.startswith("/")
            or ".." in parts
            or parts[0] in {_WORK, RECORD}
        ):
            raise DataError(
                f"the source names a file {name!r}, which cannot be put into {self.root}: refused"
            )
        target = self.root.joinpath(*parts)
        # A link inside the folder may lead out of it.
        if not target.resolve().is_relative_to(self.root.resolve()):
            raise DataError(f"{target} leads out of {self.root}: remove the link")
        return target

    def size(self, name: str) -> int | None:
        """Return the size of a complete file in bytes, or None where there is none."""
        path = self.path(name)
        return path.stat().st_size if path.is_file() else None

    def check_names(self, names: Iterable[str]) -> None:
        """See that files of these names can lie side by side.

        Raises:
            DataError: A name is not safe, is there twice, or is a folder to another one.
        """
        seen: set[PurePosixPath] = set()
        for name in names:
            self.path(name)
            if PurePosixPath(name) in seen:
                raise DataError(f"the source names {name!r} twice: refused")
            seen.add(PurePosixPath(name))
        for path in seen:
            if not seen.isdisjoint(path.parents):
                raise DataError(f"the source names a file inside another file, {str(path)!r}: refused")

    def part(self, name: str) -> Path:
        """Return where the beginning of a file is kept while the rest is missing."""
        return self.root / _WORK / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.part"

    def check_space(self, missing: int) -> None:
        """See that this many bytes can be written.

        Raises:
            UserError: They cannot; the message says how many there are.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.root).free
        if missing + _SPARE > free:
            raise UserError(
                f"{self.root}: {missing / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free: make "
                "room, or choose another folder with -o"
            )

    @contextlib.contextmanager
    def locked(self) -> Generator[None]:
        """Keep other processes from downloading into this folder; a killed process holds nothing.

        Raises:
            UserError: Another process does so now, or nothing can be written there.
        """
        work = self.root / _WORK
        with writing(self.root):
            work.mkdir(parents=True, exist_ok=True)
            lock = (work / "lock").open("wb")
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(f"another download into {self.root} is under way") from None
            yield

    def record(self) -> DownloadRecord | None:
        """Return what is known of this folder's contents, or None if nothing was completed.

        Raises:
            DataError: The record is damaged.
        """
        path = self.root / RECORD
        try:
            return DownloadRecord.model_validate_json(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise DataError(
                f"{path} is damaged ({first['msg']}): remove it and run the command again"
            ) from None

    def finish(self, record: DownloadRecord) -> None:
        """Write the record, and remove what was only needed on the way.

        Raises:
            UserError: It cannot be written.
        """
        with writing(self.root), atomic_path(self.root / RECORD) as path:
            path.write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")
            shutil.rmtree(self.root / _WORK)


@contextlib.contextmanager
def writing(path: Path) -> Generator[None]:
    """Turn what the disk refuses into one line.

    Raises:
        UserError: The disk is full, the folder belongs to somebody else, a name is too long, ...
    """
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{path} cannot be written ({error.strerror}): make room, or choose another folder with -o"
        ) from None
