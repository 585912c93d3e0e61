"""Pictures as servers take them: brought to a size that they allow, and written once as a `data:` URL.

Conversations repeat all their pictures in every turn, and the runs of one photo share it, so what was written
is kept, up to a number of bytes.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from wheretaken.messages import Picture

if TYPE_CHECKING:
    from collections.abc import Iterable

KEPT_BYTES = 64 * 2**20
MIN_PIXELS, MAX_PIXELS = 40_000, 2_000_000
"""What models are shown where nothing else is said, as in the paper (arXiv 2601.05432)."""


def fitted(picture: Picture, min_pixels: int, max_pixels: int) -> Picture:
    """Return the picture with at least and at most so many pixels, itself where it has them.

    Its proportions stay. The limits are those of the paper, which gives 40,000 and 2,000,000 to Qwen-VL's
    processor; sizes are not rounded to its patches, which the server does itself.
    """
    width, height = size_within(picture.width, picture.height, min_pixels, max_pixels)
    if (width, height) == (picture.width, picture.height):
        return picture
    from PIL import Image  # noqa: PLC0415 - most pictures fit

    resized = picture.open().resize((width, height), Image.Resampling.LANCZOS)
    return Picture.encode(resized, "image/png" if picture.mime == "image/png" else "image/jpeg")


def size_within(width: int, height: int, min_pixels: int, max_pixels: int) -> tuple[int, int]:
    """Return the size in pixels that a picture is brought to; a very long one may stay below `min_pixels`."""
    pixels = width * height
    if pixels > max_pixels:
        factor, rounded = math.sqrt(max_pixels / pixels), math.floor
    elif pixels < min_pixels:
        factor, rounded = math.sqrt(min_pixels / pixels), math.ceil
    else:
        return width, height
    return max(rounded(width * factor), 1), max(rounded(height * factor), 1)


class Pictures:
    """Writes pictures as `data:` URLs, each once; safe to share between runs and threads."""

    def __init__(self, min_pixels: int, max_pixels: int, kept_bytes: int = KEPT_BYTES) -> None:
        """Bring pictures to these limits and keep so many bytes of what was written."""
        self._limits = (min_pixels, max_pixels)
        self._most = kept_bytes
        self._bytes = 0
        self._urls: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    async def urls(self, pictures: Iterable[Picture]) -> dict[str, bytes]:
        """Return the URL of each picture, in ASCII, by its `sha256`; resizing does not hold up other runs."""
        wanted = {picture.sha256: picture for picture in pictures}
        found: dict[str, bytes] = {}
        for key, picture in wanted.items():
            kept = self._kept(key)
            if kept is None:
                size = (picture.width, picture.height)
                small = size_within(*size, *self._limits) == size
                kept = self._written(picture) if small else await asyncio.to_thread(self._written, picture)
            found[key] = kept
        return found

    def _kept(self, key: str) -> bytes | None:
        with self._lock:
            url = self._urls.get(key)
            if url is not None:
                self._urls.move_to_end(key)
            return url

    def _written(self, picture: Picture) -> bytes:
        url = fitted(picture, *self._limits).data_url().encode()
        with self._lock:
            if picture.sha256 not in self._urls:
                self._urls[picture.sha256] = url
                self._bytes += len(url)
            while self._bytes > self._most and len(self._urls) > 1:
                self._bytes -= len(self._urls.popitem(last=False)[1])
        return url
