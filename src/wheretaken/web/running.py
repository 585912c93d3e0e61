"""Runs the web application in one process, until it is told to stop."""

from __future__ import annotations

import asyncio
import importlib.util
import signal
from typing import TYPE_CHECKING

from wheretaken.errors import MissingExtraError
from wheretaken.paths import data_dir
from wheretaken.server.running import bound, stop_quietly, url_of
from wheretaken.web.records import recorded

if TYPE_CHECKING:
    from collections.abc import Callable

    from wheretaken.web.settings import WebSettings
    from wheretaken.web.solving import Choices

_GRACE_SECONDS = 1
"""Open event streams would never end by themselves."""


def serve(settings: WebSettings, choices: Choices, *, started: Callable[[str], None]) -> None:
    """Serve until the process is told to stop (SIGTERM, SIGINT); runs that are being made are cancelled.

    Args:
        settings: What, where, to whom.
        choices: Models and maps.
        started: Called with the base URL when connections are taken.

    Raises:
        UserError: the settings do not work: the port is in use, a token is needed, ...
        MissingExtraError: the extra `web` is not installed.
    """
    settings.check()
    for name in ("orjson", "starlette", "uvicorn"):
        if importlib.util.find_spec(name) is None:
            raise MissingExtraError("the web application", "web", name)
    import uvicorn  # noqa: PLC0415 - optional

    from wheretaken.server.tiles import installed_maps  # noqa: PLC0415 - as above
    from wheretaken.web.app import create_app  # noqa: PLC0415 - as above
    from wheretaken.web.desk import JobDesk  # noqa: PLC0415 - as above

    directories = recorded(settings.evaluations)
    directory = settings.directory or data_dir() / "web"

    async def serving() -> None:
        app = create_app(JobDesk(choices, directory, settings.limits), directories, settings, installed_maps)
        config = uvicorn.Config(
            app,
            lifespan="on",
            access_log=False,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        started(url_of(listener))
        await uvicorn.Server(config).serve(sockets=[listener])

    with bound(settings) as listener:
        signal.signal(signal.SIGTERM, stop_quietly)
        asyncio.run(serving())
