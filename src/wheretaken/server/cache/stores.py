"""What a place that keeps answers beyond a process must do; `sqlite` and `redis` are two.

A store keeps entries by the digest of their key, pictures by their own hash and once, and leases: who has
one for a digest is the only one to ask the service, until it gives the lease back or stops renewing it.
All that can go wrong with a store is a `StoreError`; the cache then goes on without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from wheretaken.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection, Mapping, Sequence

    from wheretaken.messages import Picture
    from wheretaken.server.cache.entries import Entry

Digest = bytes
HANDED_SECONDS = 1.0
"""For which an answer that nobody may keep is there for those who wait for it in other processes."""


class StoreError(ServiceError):
    """A store cannot be reached, read or written."""


class Claim(StrEnum):
    """What became of the wish to be the one who asks the service."""

    MINE = "mine"
    """The lease is ours: ask."""
    HELD = "held"
    """Somebody else asks: wait."""
    STORED = "stored"
    """The answer is there."""


@dataclass(frozen=True, slots=True)
class Row:
    """What lists of entries tell of each."""

    digest: Digest
    tool: str
    provider: str
    stored_at: float
    expires_at: float
    failed: bool
    text_bytes: int
    pictures: tuple[tuple[str, int], ...] = ()
    """SHA-256 and bytes of each."""


@dataclass(frozen=True, slots=True)
class Uses:
    """How often answers of a tool were asked for."""

    hits: int = 0
    """Given from the cache, or by another caller's call."""
    misses: int = 0
    """Given by asking the service."""

    def __add__(self, other: Uses) -> Uses:
        return Uses(self.hits + other.hits, self.misses + other.misses)


class Store(Protocol):
    """Keeps entries for several processes. Every method may raise `StoreError`."""

    name: str
    """What it is and where, without secrets."""

    async def get(self, digest: Digest) -> Entry | None:
        """Return what is kept of a call with its pictures, fresh or not."""
        ...

    async def picture(self, sha256: str) -> Picture | None:
        """Return a kept picture."""
        ...

    async def put(self, entry: Entry, token: str = "") -> None:
        """Keep an entry and give back the lease on its digest with this token, in one step.

        It is there for `HANDED_SECONDS` even if it has expired.
        """
        ...

    async def merge(self, entries: Sequence[Entry]) -> int:
        """Keep those entries of which no newer answer is there; return how many were."""
        ...

    async def claim(self, digest: Digest, token: str, seconds: float, newer_than: float) -> Claim:
        """Take the lease on a digest, unless an entry stored after that Unix time is there or it is taken."""
        ...

    async def renew(self, digest: Digest, token: str, seconds: float) -> None:
        """Keep our lease for so many more seconds."""
        ...

    async def release(self, digest: Digest, token: str) -> None:
        """Give back our lease, where it is still ours."""
        ...

    async def count(self, uses: Mapping[tuple[str, str], Uses]) -> None:
        """Add to the uses that are kept by tool and provider."""
        ...

    async def uses(self) -> dict[tuple[str, str], Uses]:
        """Return the uses by tool and provider."""
        ...

    def rows(self) -> AsyncGenerator[Row]:
        """Yield what is kept, in no order."""
        ...

    async def delete(self, digests: Collection[Digest]) -> None:
        """Remove entries."""
        ...

    async def sweep(self) -> None:
        """Remove pictures that no entry shows any more, and give the space back."""
        ...

    async def aclose(self) -> None:
        """Close connections and files."""
        ...
