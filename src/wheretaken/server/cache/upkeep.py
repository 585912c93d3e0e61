"""Counts what a cache holds, and removes what is too old, too much or not wanted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheretaken.server.cache.stores import Uses

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheretaken.server.cache.stores import Row, Store


@dataclass(frozen=True)
class ToolStats:
    """What is kept of one tool's answers by one provider."""

    tool: str
    provider: str
    entries: int
    """Answers; failures are not counted."""
    expired: int
    """Of these, no longer given to anybody."""
    bytes: int
    """Of their texts."""
    oldest: float | None
    newest: float | None
    """Unix times; None without entries."""
    hits: int
    misses: int


@dataclass(frozen=True)
class Stats:
    """What a cache holds."""

    name: str
    entries: int
    bytes: int
    """Of texts and pictures."""
    pictures: int
    picture_bytes: int
    hits: int
    misses: int
    tools: tuple[ToolStats, ...]


@dataclass(frozen=True)
class Pruned:
    """What was removed, and what is left."""

    removed: int
    left: int
    left_bytes: int


async def stats(store: Store, now: float) -> Stats:
    """Count entries, pictures, bytes and uses, the latter since the cache was made.

    Raises:
        StoreError: the store cannot be read.
    """
    rows = [row async for row in store.rows() if not row.failed]
    uses = await store.uses()
    groups: dict[tuple[str, str], list[Row]] = {name: [] for name in uses}
    for row in rows:
        groups.setdefault((row.tool, row.provider), []).append(row)
    tools = tuple(
        _of_tool(*name, group, uses.get(name, Uses()), now) for name, group in sorted(groups.items())
    )
    pictures = {sha256: size for row in rows for sha256, size in row.pictures}
    total = sum(uses.values(), Uses())
    return Stats(
        name=store.name,
        entries=len(rows),
        bytes=_bytes(rows),
        pictures=len(pictures),
        picture_bytes=sum(pictures.values()),
        hits=total.hits,
        misses=total.misses,
        tools=tools,
    )


async def prune(
    store: Store,
    now: float,
    *,
    older_than: float | None = None,
    max_bytes: int | None = None,
    provider: str = "",
    tool: str = "",
) -> Pruned:
    """Remove what has expired, and what the limits do not allow.

    Args:
        store: where to remove.
        now: Unix time.
        older_than: also answers that are older than so many seconds.
        max_bytes: also the oldest answers, until texts and pictures take no more than this.
        provider: only answers of this provider; without a limit, all of them.
        tool: only answers of this tool; as for `provider`.

    Raises:
        StoreError: the store cannot be read or written.
    """
    rows = [row async for row in store.rows()]
    chosen = [row for row in rows if provider in {"", row.provider} and tool in {"", row.tool}]
    every = bool(provider or tool) and older_than is None and max_bytes is None
    oldest = now - older_than if older_than is not None else float("-inf")
    gone = {row.digest for row in chosen if every or row.expires_at <= now or row.stored_at < oldest}
    if max_bytes is not None:
        left = [row for row in rows if row.digest not in gone]
        gone |= _over(left, [row for row in chosen if row.digest not in gone], max_bytes)
    await _remove(store, gone)
    left = [row for row in rows if row.digest not in gone]
    return Pruned(len(gone), len(left), _bytes(left))


async def clear(store: Store) -> int:
    """Remove everything but the counted uses; return how many entries that were.

    Raises:
        StoreError: the store cannot be read or written.
    """
    digests = {row.digest async for row in store.rows()}
    await _remove(store, digests)
    return len(digests)


async def _remove(store: Store, digests: set[bytes]) -> None:
    if digests:
        await store.delete(digests)
    await store.sweep()


def _over(rows: list[Row], removable: list[Row], max_bytes: int) -> set[bytes]:
    """Choose the oldest rows that have to go for the rest to take no more than so many bytes."""
    size = _bytes(rows)
    shown = Counter(sha256 for row in rows for sha256, _ in row.pictures)
    gone = set[bytes]()
    for row in sorted(removable, key=lambda row: row.stored_at):
        if size <= max_bytes:
            break
        gone.add(row.digest)
        size -= row.text_bytes
        for sha256, length in row.pictures:
            shown[sha256] -= 1
            size -= 0 if shown[sha256] else length
    return gone


def _bytes(rows: Iterable[Row]) -> int:
    """Bytes of texts, and of pictures once each."""
    texts, pictures = 0, dict[str, int]()
    for row in rows:
        texts += row.text_bytes
        pictures.update(row.pictures)
    return texts + sum(pictures.values())


def _of_tool(tool: str, provider: str, rows: list[Row], uses: Uses, now: float) -> ToolStats:
    times = [row.stored_at for row in rows]
    return ToolStats(
        tool=tool,
        provider=provider,
        entries=len(rows),
        expired=sum(row.expires_at <= now for row in rows),
        bytes=sum(row.text_bytes for row in rows),
        oldest=min(times, default=None),
        newest=max(times, default=None),
        hits=uses.hits,
        misses=uses.misses,
    )
