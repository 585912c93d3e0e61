"""Archives from strangers: looked through before anything is unpacked, then unpacked file by file.

Refused as a whole: names outside the folder, links and devices, encrypted members, two members of one name,
and archives that grow far beyond their size. A member gets its name when it is complete; what an interrupted
run unpacked is kept.
"""

from __future__ import annotations

import contextlib
import gzip
import stat
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from wheretaken.errors import DataError
from wheretaken.evals.downloads.folder import Folder, SavedFile, writing
from wheretaken.paths import atomic_path

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")
_GROWTH = 100
"""Photos hardly grow and tables grow tenfold; a bomb grows a thousandfold."""
_ALWAYS_ALLOWED = 64 * 1024 * 1024
"""Bytes: small archives of text may grow beyond that."""
_BLOCK = 1024 * 1024


@dataclass(frozen=True)
class _Member:
    """One file in an archive."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]


def is_archive(name: str) -> bool:
    """Return whether a file of this name is unpacked."""
    return name.lower().endswith(_SUFFIXES)


def unpack(name: str, folder: Folder) -> list[SavedFile]:
    """Unpack an archive of a folder beside itself.

    Args:
        name: The archive's path in the folder.
        folder: Nothing is written outside it.

    Returns:
        What was in the archive, whether it was unpacked now or before.

    Raises:
        DataError: The archive is damaged or refused; nothing was unpacked if it is refused.
        UserError: There is no room.
    """
    path = folder.path(name)
    parent = PurePosixPath(name).parent
    try:
        with _opened(path) as members:
            found = [
                _Member(str(parent / _plain(path, member.name)), member.size, member.open)
                for member in _looked_through(path, members)
            ]
            folder.check_names([name, *(member.name for member in found)])
            folder.check_space(
                sum(member.size for member in found if folder.size(member.name) != member.size)
            )
            return [_unpack_member(member, folder) for member in found]
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError) as error:
        raise DataError(f"{path} is damaged ({error}): remove it and run the command again") from None


def _unpack_member(member: _Member, folder: Folder) -> SavedFile:
    target = folder.path(member.name)
    if folder.size(member.name) != member.size:
        with writing(target), atomic_path(target) as temporary, member.open() as source:
            with temporary.open("wb") as copy:
                for block in _blocks(source):
                    copy.write(block)
            temporary.chmod(0o644)
    return SavedFile(path=member.name, size=member.size)


def _blocks(source: IO[bytes]) -> Iterator[bytes]:
    """Read a member; what is wrong with the archive is told apart from what is wrong with the disk."""
    try:
        while block := source.read(_BLOCK):
            yield block
    except gzip.BadGzipFile as error:
        raise tarfile.ReadError(str(error)) from None


def _plain(archive: Path, name: str) -> str:
    """Return a member's name without the `./` that some programs begin it with."""
    plain = name.removeprefix("./")
    if plain.startswith("/") or not plain:
        raise DataError(f"{archive} holds {name!r}, which leads out of its folder: refused")
    return plain


def _looked_through(archive: Path, members: Iterator[_Member]) -> Iterator[_Member]:
    """Pass members on until they are more than the archive can honestly hold."""
    allowed = max(_ALWAYS_ALLOWED, _GROWTH * archive.stat().st_size)
    for member in members:
        allowed -= member.size
        if allowed < 0:
            raise DataError(f"{archive} would grow more than {_GROWTH} times when unpacked: refused")
        yield member


@contextlib.contextmanager
def _opened(path: Path) -> Generator[Iterator[_Member]]:
    if path.name.lower().endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            yield _zip_members(path, archive)
    else:
        with tarfile.open(path) as archive:
            yield _tar_members(path, archive)


def _zip_members(path: Path, archive: zipfile.ZipFile) -> Iterator[_Member]:
    for info in archive.infolist():
        mode = info.external_attr >> 16
        if info.flag_bits & 1:
            raise DataError(f"{path} is encrypted: unpack it yourself")
        if stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
            raise DataError(f"{path} holds a link or device, {info.filename!r}: refused")
        if not info.is_dir():
            yield _Member(info.filename, info.file_size, lambda info=info: archive.open(info))


def _tar_members(path: Path, archive: tarfile.TarFile) -> Iterator[_Member]:
    for info in archive:
        if not (info.isfile() or info.isdir()):
            raise DataError(f"{path} holds a link or device, {info.name!r}: refused")
        if info.isfile():
            yield _Member(info.name, info.size, lambda info=info: _extracted(archive, info))


def _extracted(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(info)
    assert file is not None, "only regular files are passed on"
    return file
