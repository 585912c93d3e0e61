"""What the server counts, for Prometheus; right also when several workers serve one port.

Workers cannot ask each other, so with several of them (or when one dies) every process writes its numbers to
files in a directory of this run (`prometheus_client`'s multiprocess mode, which is chosen by an environment
variable before the library is imported), and whichever worker is asked adds them up.
"""

from __future__ import annotations

import os
from collections import Counter as Tally
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import (
    MultiProcessCollector,
    mark_process_dead,  # pyright: ignore[reportUnknownVariableType] - has no types
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheretaken.maps.web import Service

DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Names the directory of the processes' files; read by `prometheus_client` when it is imported."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.005, 0.02, 0.1, 0.3, 1, 3, 10, 30)


class Metrics:
    """The numbers of one worker, and how all of them are read."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "wheretaken_tool_seconds",
            "Seconds until a call of a tool was answered; outcome: cached, called, or the error's type",
            ("tool", "outcome"),
            registry=registry,
            buckets=_SECONDS,
        )
        self._replies = Counter("wheretaken_replies", "HTTP replies", ("status",), registry=registry)
        self._sent = Counter(
            "wheretaken_service_requests",
            "Requests to map services: sent, and how many of them failed, by the kind of their fault",
            ("service", "outcome"),
            registry=registry,
        )
        self._calls = Gauge(
            "wheretaken_calls",
            "Calls of tools that are running, or waiting for their turn",
            ("state",),
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._reported: Tally[tuple[str, str]] = Tally()

    def answered(self, tool: str, outcome: str, seconds: float) -> None:
        """Count a call of a tool that exists."""
        self._seconds.labels(tool, outcome).observe(seconds)

    def replied(self, status: int) -> None:
        """Count a reply."""
        self._replies.labels(str(status)).inc()

    def occupied(self, running: int, waiting: int) -> None:
        """Note how many calls run and wait in this worker."""
        self._calls.labels("running").set(running)
        self._calls.labels("waiting").set(waiting)

    def asked(self, services: Iterable[Service]) -> None:
        """Take over what the services counted since the last time."""
        for service in services:
            for outcome, count in service.health().counts.items():
                new = count - self._reported[service.name, outcome]
                if new:
                    self._reported[service.name, outcome] = count
                    self._sent.labels(service.name, outcome).inc(new)

    def exposition(self) -> bytes:
        """Return the numbers of all workers in Prometheus' text format."""
        directory = os.environ.get(DIRECTORY_VARIABLE)
        if not directory:
            return generate_latest(self._registry)
        for pid in _pids(Path(directory)):
            if not _lives(pid):
                mark_process_dead(pid, directory)
        together = CollectorRegistry()
        MultiProcessCollector(together, directory)
        return generate_latest(together)


def _pids(directory: Path) -> set[int]:
    """Return the processes that left gauges, which count only while their process lives."""
    names = (path.stem.rpartition("_")[2] for path in directory.glob("gauge_live*.db"))
    return {int(name) for name in names if name.isdecimal()}


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
