"""`wheretaken cache`: what the commands do."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from wheretaken.cli import consoles
from wheretaken.cli.choices import CacheFormat
from wheretaken.cli.main import OK
from wheretaken.errors import UserError
from wheretaken.paths import atomic_path
from wheretaken.server.cache import transfer, upkeep
from wheretaken.server.cache.entries import compact
from wheretaken.server.cache.opening import opened

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Sequence
    from pathlib import Path
    from typing import TextIO

    from wheretaken.server.cache.entries import Entry
    from wheretaken.server.cache.stores import Store
    from wheretaken.server.cache.upkeep import Stats

_T = TypeVar("_T")
_AGES: dict[str, float] = {"h": 3600, "d": 86_400, "w": 7 * 86_400}
_SIZES: dict[str, float] = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_BATCH = 200


@dataclass(frozen=True, slots=True)
class PruneOptions:
    """What to remove, as the options say."""

    older_than: str
    max_size: str
    provider: str
    tool: str


def stats(cache: str, *, as_json: bool) -> int:
    """Print what a cache holds."""
    now = time.time()
    found = _with(cache, lambda store: upkeep.stats(store, now))
    if as_json:
        consoles.write_json(asdict(found))
    else:
        _show(found, now)
    return OK


def export(output: Path, cache: str, form: CacheFormat) -> int:
    """Write answers to a file."""
    with _written(output) as file:
        written, left = _with(cache, lambda store: _export(store, file, form))
    said = f"{written:,} answers written"
    if left:
        said += f"; {left:,} left out, as this form holds only texts that answer a query: see --format jsonl"
    consoles.notices().print(said)
    return OK


def import_(files: Sequence[Path], cache: str) -> int:
    """Put answers from files into a cache."""

    async def work(store: Store) -> None:
        for file in files:
            put, there = await transfer.add(store, transfer.read(file), time.time())
            _tell(str(file), put, there)

    _with(cache, work, existing=False)
    return OK


def merge(sources: Sequence[str], cache: str) -> int:
    """Put answers of other caches into one."""

    async def work(store: Store) -> None:
        for name in sources:
            other = _open(name, existing=True)
            try:
                if other.name == store.name:
                    raise UserError(f"{name} is the cache itself: name another one")
                put = there = 0
                async for batch in _batches(other):
                    more, seen = await transfer.add(store, batch, time.time())
                    put, there = put + more, there + seen
                _tell(other.name, put, there)
            finally:
                await other.aclose()

    _with(cache, work, existing=False)
    return OK


def prune(cache: str, options: PruneOptions) -> int:
    """Remove some answers."""
    age = _amount(options.older_than, _AGES, "--older-than", "30d or 12h")
    size = _amount(options.max_size.removesuffix("B"), _SIZES, "--max-size", "500MB or 2GB")
    done = _with(
        cache,
        lambda store: upkeep.prune(
            store,
            time.time(),
            older_than=age,
            max_bytes=None if size is None else int(size),
            provider=options.provider,
            tool=options.tool,
        ),
    )
    consoles.results().print(
        f"{done.removed:,} answers removed, {done.left:,} left ({_megabytes(done.left_bytes)})"
    )
    return OK


def clear(cache: str, *, yes: bool) -> int:
    """Remove all answers."""

    async def work(store: Store) -> None:
        if not yes:
            if not sys.stdin.isatty():
                raise UserError(f"this removes all answers in {store.name}: add --yes")
            typer.confirm(f"Remove all answers in {store.name}?", abort=True)
        removed = await upkeep.clear(store)
        consoles.results().print(f"{removed:,} answers removed from {store.name}", markup=False)

    _with(cache, work)
    return OK


def _open(cache: str, *, existing: bool) -> Store:
    store = opened(cache, existing=existing)
    if store is None:
        raise UserError("a cache in memory ends with its process: name sqlite:PATH or redis://HOST:PORT")
    return store


def _with(cache: str, work: Callable[[Store], Coroutine[Any, Any, _T]], *, existing: bool = True) -> _T:
    """Open a cache, do something with it, close it."""

    async def run() -> _T:
        store = _open(cache, existing=existing)
        try:
            return await work(store)
        finally:
            await store.aclose()

    return asyncio.run(run())


@contextlib.contextmanager
def _written(output: Path) -> Generator[TextIO]:
    """Open a file that appears when it is whole, or stdout for `-`."""
    if str(output) == "-":
        yield sys.stdout
        return
    with atomic_path(output) as path, path.open("w", encoding="utf-8") as file:
        yield file


async def _export(store: Store, file: TextIO, form: CacheFormat) -> tuple[int, int]:
    """Write answers; return how many were written, and how many the form cannot hold."""
    if form is CacheFormat.JSONL:
        written = 0
        async for entry in transfer.kept(store, time.time()):
            file.write(transfer.line(entry) + "\n")
            written += 1
        return written, 0
    flat: dict[str, str] = {}
    grouped: dict[str, dict[str, str]] = {}
    left = 0
    async for entry in transfer.kept(store, time.time()):
        told = transfer.published(entry)
        if told is None:
            left += 1
            continue
        tool, query, text = told
        flat[f"{tool}:{query}"] = grouped.setdefault(tool, {})[query] = text
    file.write(compact(flat if form is CacheFormat.FLAT else grouped) + "\n")
    return len(flat), left


async def _batches(store: Store) -> AsyncGenerator[list[Entry]]:
    """Yield the answers of a store, some at a time."""
    batch: list[Entry] = []
    async for entry in transfer.kept(store, time.time()):
        batch.append(entry)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    yield batch


def _amount(text: str, units: dict[str, float], option: str, example: str) -> float | None:
    """Read `30d` or `500M`; None for nothing."""
    if not text:
        return None
    parts = re.fullmatch(r"(\d+(?:\.\d+)?) ?([a-zA-Z]?)", text)
    if not parts or parts[2] not in units:
        raise UserError(f"{option} {text}: write it as {example}")
    return float(parts[1]) * units[parts[2]]


def _tell(name: str, put: int, there: int) -> None:
    stayed = f", {there - put:,} have expired or are older than what is there" if there > put else ""
    consoles.results().print(f"{name}: {put:,} answers taken{stayed}", markup=False)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def _show(found: Stats, now: float) -> None:
    console = consoles.results()
    console.print(found.name, markup=False)
    asked = found.hits + found.misses
    console.print(
        f"{found.entries:,} answers, {found.pictures:,} pictures, {_megabytes(found.bytes)};"
        f" asked {asked:,} times" + (f", {found.hits / asked:.0%} answered from here" if asked else "")
    )
    if not found.tools:
        return
    table = consoles.table(
        "tool", "provider", "answers", "expired", "text", "hits", "misses", "oldest", "newest"
    )
    for tool in found.tools:
        ages = (_age(now - at) if at is not None else "" for at in (tool.oldest, tool.newest))
        counts = (f"{tool.entries:,}", f"{tool.expired:,}", _megabytes(tool.bytes), f"{tool.hits:,}")
        table.add_row(tool.tool, tool.provider, *counts, f"{tool.misses:,}", *ages)
    console.print(table, markup=False)


def _age(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
