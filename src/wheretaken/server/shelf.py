"""Pictures that are here for a while: photos that a client uploaded, and what no cache may keep.

A photo is uploaded once and then meant by its hash in every call that looks at it; a picture that a tool made
of it, or that a service forbids to cache, waits here until it is fetched. The files are in a directory of the
run that all workers of the machine share. Whatever nobody has used for a while is removed, and the least
recently used ones go when there is no room.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import time
from pathlib import Path
from typing import Literal, cast

from PIL import Image

from wheretaken import photos
from wheretaken.errors import DataError
from wheretaken.messages import EXTENSIONS, Picture
from wheretaken.paths import atomic_path

KEEP_SECONDS = 1800.0
"""After its last use."""
MOST_BYTES = 2 * 2**30
_TIDY_SECONDS = 10.0
"""Between looks at what is there; in between there may be more than `most_bytes`."""
_SHA256 = re.compile("[0-9a-f]{64}")


class Shelf:
    """Keeps pictures by their hash, for all workers of one machine."""

    def __init__(
        self, directory: Path, *, keep_seconds: float = KEEP_SECONDS, most_bytes: int = MOST_BYTES
    ) -> None:
        """Use a directory that nobody else can read; it is made where missing."""
        self._directory = directory
        self._keep_seconds = keep_seconds
        self._most_bytes = most_bytes
        self._tidied = 0.0
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def take_in(self, data: bytes, *, max_pixels: int) -> Picture:
        """Put a picture file from outside on the shelf, upright and without metadata.

        Raises:
            PhotoError: it is no picture that can be used.
            DataError: the directory cannot be written.
        """
        return await asyncio.to_thread(self._take_in, data, max_pixels)

    async def put(self, picture: Picture) -> None:
        """Put a picture on the shelf.

        Raises:
            DataError: the directory cannot be written.
        """
        await asyncio.to_thread(self._put, picture)

    async def get(self, sha256: str) -> Picture | None:
        """Return the picture with this hash (any text will do), or None when it is not here any more."""
        if not _SHA256.fullmatch(sha256):
            return None
        return await asyncio.to_thread(self._get, sha256)

    def _take_in(self, data: bytes, max_pixels: int) -> Picture:
        photo = photos.load(data, max_pixels=max_pixels)
        lossless = photo.format in {"PNG", "GIF", "BMP"}
        picture = Picture.encode(photo.image, "image/png" if lossless else "image/jpeg")
        self._put(picture)
        return picture

    def _put(self, picture: Picture) -> None:
        try:
            self._tidy()
            with atomic_path(self._path(picture.sha256, picture.mime)) as path:
                path.write_bytes(picture.data)
        except OSError as error:
            raise DataError(f"{self._directory}: {error.strerror}; pictures cannot be kept there") from error

    def _get(self, sha256: str) -> Picture | None:
        for mime in EXTENSIONS:
            path = self._path(sha256, mime)
            try:
                data = path.read_bytes()
                os.utime(path)
            except FileNotFoundError:
                continue
            with Image.open(io.BytesIO(data)) as image:
                width, height = image.size
            return Picture.wrap(data, cast('Literal["image/png", "image/jpeg"]', mime), width, height)
        return None

    def _path(self, sha256: str, mime: str) -> Path:
        return self._directory / f"{sha256}.{EXTENSIONS[mime]}"

    def _tidy(self) -> None:
        """Remove what is old, then the least recently used until the rest fits."""
        if time.monotonic() - self._tidied < _TIDY_SECONDS:
            return
        self._tidied = time.monotonic()
        found: list[tuple[float, int, str]] = []
        with os.scandir(self._directory) as entries:
            for entry in entries:
                try:
                    status = entry.stat()
                except FileNotFoundError:  # another worker is tidying too
                    continue
                found.append((status.st_mtime, status.st_size, entry.path))
        room, oldest = self._most_bytes, time.time() - self._keep_seconds
        for used, size, path in sorted(found, reverse=True):
            room -= size
            if used < oldest or room < 0:
                Path(path).unlink(missing_ok=True)
