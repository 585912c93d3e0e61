"""One file from a source to its place: resumed where it broke off, checked, and named only when complete.

The beginning of a file lies beside a note of which file it is of (`checksum`, or the URL where there is
none) and which version the server sent (`ETag`). A beginning of anything else is thrown away. A request for
the rest carries `If-Range`, so that a server whose file has changed sends all of it; the checksum at the end
decides in any case.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

import httpx2
from pydantic import BaseModel, ValidationError

from wheretaken.errors import ServiceError
from wheretaken.evals.downloads.folder import Folder, SavedFile, writing
from wheretaken.evals.downloads.web import IncompleteError, Web, shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wheretaken.evals.downloads.listing import RemoteFile

_BLOCK = 1024 * 1024
_STEP = 1024 * 1024
"""Bytes after which a connection that breaks has got somewhere, and patience begins anew."""


@dataclass
class Meter:
    """Counts bytes over all files of a download."""

    expected: int = 0
    """Bytes that have to arrive in this run; what an earlier one left does not count."""
    arrived: int = 0
    changed: Callable[[Meter], None] | None = None
    """Called after every change."""

    def count(self, *, arrived: int = 0, expected: int = 0) -> None:
        """Add to the counts."""
        self.arrived += arrived
        self.expected += expected
        if self.changed is not None:
            self.changed(self)


class _Sum(Protocol):
    """What `hashlib` makes."""

    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


class _Note(BaseModel):
    """Which file, in which version, a beginning is of."""

    identity: str
    etag: str = ""
    """A strong validator, or nothing: only those may be compared for parts (RFC 9110, 13.1.5)."""


class _Part:
    """The beginning of a file on disk, and the checksum of it so far."""

    def __init__(self, path: Path, file: RemoteFile) -> None:
        self.path = path
        self._file = file
        self._note_path = path.with_suffix(".json")
        self.note = _Note(identity=file.checksum or file.url)
        self.length = 0
        self.furthest = 0
        """The greatest length that was reached in this process."""
        self._hash = _hasher(file)

    def __enter__(self) -> Self:
        with writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Without a buffer, so that what has arrived outlives the process.
            self._data = self.path.open("a+b", buffering=0)
        return self

    def __exit__(self, *_error: object) -> None:
        self._data.close()

    def take_up(self) -> None:
        """Go on where an earlier attempt ended, if it was at this very file."""
        try:
            note = _Note.model_validate_json(self._note_path.read_bytes())
        except (FileNotFoundError, ValidationError):
            note = None
        size = self.path.stat().st_size
        if note is None or note.identity != self.note.identity or size > self._file.size:
            self.restart("")
            return
        self.note = note
        if not self.resumable:
            self.restart("")
            return
        self._data.seek(0)
        while block := self._data.read(_BLOCK):
            self._hash.update(block)
            self.length += len(block)
        self.furthest = self.length

    @property
    def resumable(self) -> bool:
        """Whether it can be told that what comes next belongs to what is there."""
        return bool(self.note.etag or self._file.checksum)

    def restart(self, etag: str) -> None:
        """Throw the beginning away, and note the version that is about to come."""
        with writing(self.path):
            self._data.truncate(0)
            self.note = self.note.model_copy(update={"etag": "" if etag.startswith("W/") else etag})
            self._note_path.write_text(self.note.model_dump_json(), encoding="utf-8")
        self.length = 0
        self._hash = _hasher(self._file)

    def append(self, block: bytes) -> None:
        """Add what has arrived."""
        with writing(self.path):
            view = memoryview(block)
            while view:  # a write without a buffer may take only some of it
                view = view[self._data.write(view) :]
        self._hash.update(block)
        self.length += len(block)
        self.furthest = max(self.furthest, self.length)

    def checksum(self) -> str:
        """Return the checksum of everything so far."""
        return f"{_kind(self._file)}:{self._hash.hexdigest()}"

    def remove(self) -> None:
        """Throw it away for good."""
        self.path.unlink()
        self._note_path.unlink(missing_ok=True)

    def become(self, target: Path) -> None:
        """Give the complete file its name."""
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            self.path.replace(target)
            self._note_path.unlink(missing_ok=True)


async def fetch(web: Web, file: RemoteFile, folder: Folder, meter: Meter) -> SavedFile:
    """Download a file, or the rest of it.

    Raises:
        ServiceError: The file cannot be had, or is not what its source announces; then nothing of it is kept.
        UserError: It cannot be written, or the source wants to know who asks.
    """
    with _Part(folder.part(file.path), file) as part:
        await asyncio.to_thread(part.take_up)
        meter.count(expected=-part.length)
        while part.length < file.size:
            await web.patiently(lambda: _stretch(web, file, part, meter), file.url)
        found = part.checksum()
        if file.checksum not in {"", found}:
            raise _not_announced(part, file, found)
        part.become(folder.path(file.path))
    return SavedFile(path=file.path, size=file.size, checksum=found)


async def _stretch(web: Web, file: RemoteFile, part: _Part, meter: Meter) -> None:
    """Get as much of the rest as comes; a break is no failure where that was further than ever before."""
    if part.length and not part.resumable:
        _begin_again(part, meter, "")
    furthest = part.furthest
    try:
        await _read_on(web, file, part, meter)
    except httpx2.HTTPStatusError as error:
        if error.response.status_code != 416:
            raise
        _begin_again(part, meter, "")
        raise IncompleteError(f"it is shorter there than the announced {file.size} bytes") from None
    except (httpx2.NetworkError, httpx2.TimeoutException):
        if part.furthest - furthest < _STEP:
            raise
    except httpx2.RemoteProtocolError:  # the connection was closed early: what is missing says enough
        pass
    if part.length < file.size and part.furthest - furthest < _STEP:
        raise IncompleteError(f"it ends after {part.length} of {file.size} bytes")


async def _read_on(web: Web, file: RemoteFile, part: _Part, meter: Meter) -> None:
    """Ask for what is missing, or for all of it where the server cannot do otherwise."""
    headers: dict[str, str] = {}
    if part.length:
        headers["Range"] = f"bytes={part.length}-"
        if part.note.etag:
            headers["If-Range"] = part.note.etag
    async with web.stream(file.url, headers) as response:
        partial = response.status_code == 206
        if not (partial and part.length and _begins_at(response) == part.length):
            _begin_again(part, meter, response.headers.get("ETag", ""))
            if partial:
                raise IncompleteError("another part was sent than the one that was asked for")
        async for block in response.aiter_raw():
            part.append(block)
            meter.count(arrived=len(block))
            if part.length > file.size:
                raise _not_announced(part, file, f"more than {file.size} bytes")


def _begin_again(part: _Part, meter: Meter, etag: str) -> None:
    meter.count(expected=part.length)
    part.restart(etag)


def _not_announced(part: _Part, file: RemoteFile, found: str) -> ServiceError:
    part.remove()
    announced = file.checksum or f"{file.size} bytes"
    return ServiceError(
        f"{file.path}: {found} arrived where {shown(file.url)} announces {announced}: it was removed; run "
        "the command again, or choose another source with --from"
    )


def file_checksum(path: Path, file: RemoteFile) -> str:
    """Return the checksum of a file on disk, of the kind that its source gives."""
    summed = _hasher(file)
    with path.open("rb") as data:
        while block := data.read(_BLOCK):
            summed.update(block)
    return f"{_kind(file)}:{summed.hexdigest()}"


def _kind(file: RemoteFile) -> str:
    return file.checksum.partition(":")[0] or "sha256"


def _hasher(file: RemoteFile) -> _Sum:
    kind = _kind(file)
    if kind != "git":
        return hashlib.new(kind, usedforsecurity=False)
    # A git blob id is the SHA-1 of a head with the size and of the contents.
    return hashlib.sha1(f"blob {file.size}\0".encode(), usedforsecurity=False)


def _begins_at(response: httpx2.Response) -> int | None:
    """Return the first byte's position that a partial response announces."""
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(found[1]) if found else None
