"""The layer before every store: what this process used last, up to a number of bytes.

An entry stays here for some minutes only, then the store is asked again: another process may have a newer
one, or somebody may have cleared the cache. A picture that several entries show is held once.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wheretaken.messages import Picture
    from wheretaken.server.cache.entries import Entry
    from wheretaken.server.cache.keys import CacheKey

DEFAULT_BYTES = 64 * 2**20
RECHECK_SECONDS = 300.0


@dataclass
class _Held:
    entry: Entry
    recheck_at: float


@dataclass
class _Shown:
    picture: Picture
    uses: int = 0


class Memory:
    """The entries used last; the least recently used one goes first when there are too many bytes."""

    def __init__(self, limit_bytes: int = DEFAULT_BYTES) -> None:
        """Hold so many bytes of texts, parsed data and pictures, about."""
        self._limit = limit_bytes
        self._entries: OrderedDict[CacheKey, _Held] = OrderedDict()
        self._pictures: dict[str, _Shown] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: CacheKey, now: float) -> Entry | None:
        """Return what is held of a call, unless it is time to ask the store again."""
        held = self._entries.get(key)
        if held is None or now >= held.recheck_at:
            return None
        self._entries.move_to_end(key)
        return held.entry

    def last(self, key: CacheKey) -> Entry | None:
        """Return what is held of a call, however long ago the store was asked."""
        held = self._entries.get(key)
        return held.entry if held else None

    def picture(self, sha256: str) -> Picture | None:
        """Return a picture of an entry that is held."""
        shown = self._pictures.get(sha256)
        return shown.picture if shown else None

    def put(self, entry: Entry, now: float) -> Entry:
        """Hold an entry, and return it with the pictures that are held already in place of its own."""
        self.drop(entry.key)
        shared = tuple(self._share(picture) for picture in entry.pictures)
        kept = replace(entry, pictures=shared) if shared else entry
        self._entries[entry.key] = _Held(kept, now + RECHECK_SECONDS)
        self.bytes += kept.memory_bytes
        while self.bytes > self._limit and self._entries:
            self.drop(next(iter(self._entries)))
        return kept

    def drop(self, key: CacheKey) -> None:
        """Let an entry go, and its pictures with the last entry that shows them."""
        held = self._entries.pop(key, None)
        if held is None:
            return
        self.bytes -= held.entry.memory_bytes
        for picture in held.entry.pictures:
            shown = self._pictures[picture.sha256]
            shown.uses -= 1
            if not shown.uses:
                del self._pictures[picture.sha256]
                self.bytes -= len(picture.data)

    def _share(self, picture: Picture) -> Picture:
        shown = self._pictures.get(picture.sha256)
        if shown is None:
            shown = self._pictures[picture.sha256] = _Shown(picture)
            self.bytes += len(picture.data)
        shown.uses += 1
        return shown.picture
