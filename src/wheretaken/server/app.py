"""The server as an ASGI application: routes behind the guard, and what is mounted beside them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount, Route

from wheretaken.errors import WheretakenError
from wheretaken.server import replies
from wheretaken.server.guard import Guard
from wheretaken.server.routes import Routes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection, Sequence

    from pydantic import SecretStr
    from starlette.types import ASGIApp

    from wheretaken.server.desk import ToolDesk
    from wheretaken.server.metrics import Metrics


@dataclass(frozen=True)
class Mounted:
    """Another ASGI application that serves the same desk, such as MCP."""

    path: str
    """Where it is: `/mcp`."""
    app: ASGIApp
    running: Callable[[], contextlib.AbstractAsyncContextManager[None]] = contextlib.nullcontext
    """Entered while the server runs: an application that is mounted gets no lifespan of its own."""


def create_app(
    desk: ToolDesk,
    metrics: Metrics,
    *,
    hosts: Collection[str] | None = None,
    token: SecretStr | None = None,
    mounted: Sequence[Mounted] = (),
    beside: Sequence[Route] = (),
) -> ASGIApp:
    """Make the application, which closes the desk when it ends.

    Args:
        desk: Answers the calls.
        metrics: Counts them.
        hosts: Names by which the server may be addressed; None for any.
        token: What every request must carry; None for nothing.
        mounted: Further applications, behind the same guard.
        beside: Further routes.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(desk.aclose)
            for one in mounted:
                await stack.enter_async_context(one.running())
            yield

    routes = Routes(desk, metrics, guarded=token is not None)
    # With a route of its own, the path works without a slash at its end, too, and without a redirection.
    others = [kind(one.path, one.app) for one in mounted for kind in (Route, Mount)]
    app = Starlette(
        routes=[*routes.all(), *beside, *others],
        exception_handlers={
            WheretakenError: replies.on_failure,
            HTTPException: replies.on_refusal,
            Exception: replies.on_bug,
        },
        lifespan=lifespan,
    )
    return Guard(app, metrics.replied, hosts=hosts, token=token)
