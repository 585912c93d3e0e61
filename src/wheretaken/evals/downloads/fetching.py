"""A whole data set: ask what there is, fetch what is missing, unpack, and write down where it came from."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from wheretaken.errors import UserError, raise_first
from wheretaken.evals.downloads.archives import is_archive, unpack
from wheretaken.evals.downloads.folder import DownloadRecord, Folder, SavedFile
from wheretaken.evals.downloads.listing import RemoteFile, list_files
from wheretaken.evals.downloads.transfer import Meter, fetch, file_checksum
from wheretaken.evals.downloads.web import Settings, Web, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import httpx2

    from wheretaken.evals.downloads.catalogue import CatalogueEntry, HubName, Source
    from wheretaken.evals.downloads.listing import Listing

_AT_ONCE = 8
"""Files; photos are small, so that most of the time goes into asking for them."""


async def download(
    wanted: CatalogueEntry,
    root: Path,
    *,
    hub: HubName | None = None,
    settings: Settings | None = None,
    meter: Meter | None = None,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> DownloadRecord:
    """Download a data set into a folder, or what is missing of it.

    Where everything is there already, sizes are looked at and nothing is asked of the network.

    Args:
        wanted: The data set.
        root: The folder; it is created.
        hub: Where from; without it, the data set's first source, or the one that it came from before.
        settings: Hosts, token and patience; without them, what the environment says.
        meter: Told about every byte.
        transport: Stands in for the network in tests.

    Returns:
        The record, which is also `wheretaken-download.json` in the folder.

    Raises:
        ServiceError: The source cannot be reached, or failed; the command can be repeated and goes on.
        UserError: The source does not offer it, access is denied, the disk is full, ...
    """
    source = wanted.source(hub)
    folder = Folder(root)
    record = folder.record()
    if record is not None:
        if record.name != wanted.name:
            raise UserError(f"{root} holds {record.name}: choose another folder with -o")
        if hub in {None, record.source} and record.complete(folder):
            return record
    settings = settings or Settings.from_environment(os.environ)
    with folder.locked():
        async with Web(settings, transport=transport) as web:
            listing = await list_files(web, source)
            folder.check_names(file.path for file in listing.files)
            before = {file.path: file for file in record.files} if record else {}
            there, missing = await asyncio.to_thread(_sorted, listing, folder, before)
            folder.check_space(sum(file.size for file in missing))
            fetched = await _fetch_all(web, missing, folder, meter or Meter())
        files = sorted([*there, *fetched], key=lambda file: file.path)
        unpacked = await asyncio.to_thread(_unpack_all, files, folder)
        host = shown(settings.hosts[source.hub]).rstrip("/")
        record = _record(wanted, source, listing.revision, host, files, unpacked)
        folder.finish(record)
    return record


def _sorted(
    listing: Listing, folder: Folder, before: Mapping[str, SavedFile]
) -> tuple[list[SavedFile], list[RemoteFile]]:
    """Tell the files that are there from those that are missing, or are others than the source's."""
    there: list[SavedFile] = []
    missing: list[RemoteFile] = []
    for file in listing.files:
        saved = before.get(file.path)
        if folder.size(file.path) == file.size:
            if saved is None or file.checksum not in {"", saved.checksum}:
                # Complete, but not yet written down when an earlier run ended; or from another source.
                found = file_checksum(folder.path(file.path), file)
                saved = SavedFile(path=file.path, size=file.size, checksum=found)
            if file.checksum in {"", saved.checksum}:
                there.append(saved)
                continue
        missing.append(file)
    return there, missing


async def _fetch_all(
    web: Web, missing: Sequence[RemoteFile], folder: Folder, meter: Meter
) -> list[SavedFile]:
    """Fetch some files at a time; the first failure ends all, and what has arrived is kept."""
    meter.count(expected=sum(file.size for file in missing))
    fetched: list[SavedFile] = []
    queue = iter(missing)

    async def work() -> None:
        for file in queue:  # shared, so that every file is taken once
            saved = await fetch(web, file, folder, meter)
            fetched.append(saved)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(work())
    except BaseExceptionGroup as failures:
        raise_first(failures)
    return fetched


def _unpack_all(files: Sequence[SavedFile], folder: Folder) -> list[SavedFile]:
    return [member for file in files if is_archive(file.path) for member in unpack(file.path, folder)]


def _record(
    wanted: CatalogueEntry,
    source: Source,
    revision: str,
    host: str,
    files: Sequence[SavedFile],
    unpacked: Sequence[SavedFile],
) -> DownloadRecord:
    return DownloadRecord(
        name=wanted.name,
        title=wanted.title,
        licence=wanted.licence,
        source=source.hub,
        id=source.id,
        revision=revision,
        host=host,
        finished_at=datetime.now(UTC).replace(microsecond=0),
        files=tuple(files),
        unpacked=tuple(unpacked),
    )
