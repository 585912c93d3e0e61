"""Runs the server: one process, or several that share a port and are replaced when they die.

One worker is one event loop. Workers share nothing in memory: answers are shared through the cache's store,
photos and numbers through a directory of this run, which is removed in the end. The parent process of several
workers takes no requests; it replaces a worker that died or no longer reacts (uvicorn's supervisor).
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import socket
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from wheretaken.errors import MissingExtraError, UserError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from wheretaken.server.settings import Address, ServerSettings

_METRICS = "PROMETHEUS_MULTIPROC_DIR"
_BACKLOG = 2048
_KEEP_ALIVE_SECONDS = 75
_NO_SIGN_SECONDS = 30
"""A worker that gives no sign of life for so long is replaced; on a busy machine, starting takes a while."""


def serve(settings: ServerSettings, *, started: Callable[[str], None]) -> None:
    """Serve until the process is told to stop (SIGTERM, SIGINT); open requests are answered first.

    Args:
        settings: What, where, to whom.
        started: Called with the base URL when connections are taken.

    Raises:
        UserError: the settings do not work: the port is in use, a key is missing, a token is needed, ...
        MissingExtraError: the extra `server` is not installed.
    """
    settings.check()
    check_installed()
    with tempfile.TemporaryDirectory(prefix="wheretaken-server-") as state, bound(settings) as listener:
        metrics = Path(state, "metrics")
        metrics.mkdir()
        os.environ[_METRICS] = str(metrics)  # read when the library is imported, here and in all workers
        import uvicorn  # noqa: PLC0415 - optional

        from wheretaken.server import worker  # noqa: PLC0415 - imports that library

        config = uvicorn.Config(
            partial(worker.application, settings, Path(state)),  # pyright: ignore[reportArgumentType] - a factory
            factory=True,
            workers=settings.workers,
            lifespan="on",
            access_log=False,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=settings.limits.connections,
            backlog=_BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=round(settings.limits.seconds) + 1,
            timeout_worker_healthcheck=_NO_SIGN_SECONDS,
        )
        started(url_of(listener))
        # uvicorn raises the signal anew when it is done, which would keep the directory from being removed.
        signal.signal(signal.SIGTERM, stop_quietly)
        if settings.workers == 1:
            uvicorn.Server(config).run(sockets=[listener])
            return
        from uvicorn.supervisors import Multiprocess  # noqa: PLC0415 - only for several workers

        # A worker that cannot start would be started again and again: what can be wrong is found out here.
        asyncio.run(worker.make_desk(settings, Path(state), worker.Metrics()).aclose())
        Multiprocess(config, sockets=[listener]).run()


def stop_quietly(_signal: int, _frame: FrameType | None) -> None:
    """Do nothing, where the default would end the process at once."""


def bound(settings: Address) -> socket.socket:
    """Return the socket that all workers listen on."""
    try:
        found = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, _, _, _, address = found[0]
        listener = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise UserError(
            f"cannot serve on {settings.host}, port {settings.port}: {error.strerror}; choose others "
            "with --host and --port"
        ) from error
    listener.set_inheritable(True)
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the base URL of what listens there."""
    address, port = listener.getsockname()[:2]
    return f"http://{f'[{address}]' if ':' in address else address}:{port}"


def check_installed() -> None:
    """Refuse to start where something is missing.

    Raises:
        MissingExtraError: the extra `server` is not installed.
    """
    for name in ("mcp", "orjson", "prometheus_client", "starlette", "uvicorn", "yaml"):
        if importlib.util.find_spec(name) is None:
            raise MissingExtraError("the tool server", "server", name)
