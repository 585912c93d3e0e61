"""MCP beside the routes, loaded when its first request comes.

The package `mcp` takes as long to import as all the rest of a worker, and more memory than an idle one should
need, while most clients never speak MCP.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from typing import TYPE_CHECKING, Any

from wheretaken.server.app import Mounted

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.types import ASGIApp, Receive, Scope, Send

    from wheretaken.server.desk import ToolDesk

PATH = "/mcp"


def mcp_over_http(desk: ToolDesk) -> Mounted:
    """Return MCP's streamable HTTP for this desk, as the server mounts it."""
    app = _OnFirstUse(desk)
    return Mounted(PATH, app, app.running)


class _OnFirstUse:
    """An ASGI application that becomes another one when it is asked for the first time."""

    def __init__(self, desk: ToolDesk) -> None:
        self._desk = desk
        self._wanted = asyncio.Event()
        self._app: asyncio.Future[ASGIApp] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._app is not None, "requests come while it is running"
        self._wanted.set()
        app = await asyncio.shield(self._app)
        await app(scope, receive, send)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Serve for the length of the block."""
        app = self._app = asyncio.get_running_loop().create_future()
        # What it opens is closed by the same task, which can be that of no request.
        keeper = asyncio.create_task(self._keep(app))
        keeper.add_done_callback(lambda _: app.cancel())  # nobody waits for what will not come
        try:
            yield
        finally:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper

    async def _keep(self, opened: asyncio.Future[ASGIApp]) -> None:
        await self._wanted.wait()
        # In a thread, as others want to be served meanwhile.
        protocol: Any = await asyncio.to_thread(importlib.import_module, "wheretaken.server.mcp")
        async with protocol.over_http(self._desk) as app:
            opened.set_result(app)
            await asyncio.Event().wait()
