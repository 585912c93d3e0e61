"""The web application as an ASGI application: the built page, and the API behind the guard."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from wheretaken.errors import UserError, WheretakenError
from wheretaken.server import replies
from wheretaken.server.bodies import read_body
from wheretaken.server.guard import Guard
from wheretaken.server.replies import Refused
from wheretaken.server.tiles import TileRoutes
from wheretaken.web import world
from wheretaken.web.door import COOKIE, Door
from wheretaken.web.routes import Routes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp, Scope

    from wheretaken.maps.offline.tiles.maker import TileMaker
    from wheretaken.web.desk import JobDesk
    from wheretaken.web.records import Recorded
    from wheretaken.web.settings import WebSettings

STATIC = Path(__file__).parent / "static"
"""The built page; made from `web/` by `make web`, part of every wheel."""
_MOST_TOKEN_BYTES = 4096


def create_app(
    desk: JobDesk,
    recorded: Mapping[str, Recorded],
    settings: WebSettings,
    maps: Callable[[], TileMaker] | None = None,
) -> ASGIApp:
    """Make the application, which stops the desk when it ends.

    Args:
        desk: Locates photos.
        recorded: Runs of others that can be looked at.
        settings: Names by which the server may be addressed, the token, and tiles.
        maps: Opens the maps of this machine when the first page shows one; without it, and where the
            settings name tiles, there is the simple world of `world`.

    Raises:
        UserError: the page was not built.
    """
    if not (STATIC / "index.html").is_file():
        raise UserError("the page is not built: run  make web  (it needs Node.js 20), or install a wheel")

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        warm = asyncio.create_task(asyncio.to_thread(lambda: [world.layer(name) for name in world.NAMES]))
        yield
        await desk.aclose()
        await warm

    handlers = {
        WheretakenError: replies.on_failure,
        HTTPException: replies.on_refusal,
        Exception: replies.on_bug,
    }
    tiles = TileRoutes(maps).all() if maps else []
    routes = Routes(desk, recorded, settings, vector=maps is not None)
    api = Starlette(routes=[*routes.all(), *tiles], exception_handlers=handlers)
    app = Starlette(
        routes=[
            Route("/signin", _signin(settings), methods=["POST"]),
            Mount("/api", Guard(api, hosts=None, token=settings.token)),
            Mount("/", _Page(directory=STATIC, html=True)),
        ],
        exception_handlers=handlers,
        middleware=[Middleware(GZipMiddleware, minimum_size=1000, compresslevel=6)],
        lifespan=lifespan,
    )
    return Door(Guard(app, hosts=settings.hosts, token=None), settings.tiles)


class _Page(StaticFiles):
    """The built page; the names of all files but the first change with their content."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        """Add how long a file may be kept."""
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        scope: Scope = args[2]  # type: ignore[assignment]
        kept = "public, max-age=31536000, immutable" if "/assets/" in scope["path"] else "no-cache"
        response.headers["Cache-Control"] = kept
        return response


def _signin(settings: WebSettings):  # noqa: ANN202
    async def signin(request: Request) -> Response:
        """Take the token once and keep it in the browser, where scripts cannot read it."""
        given = await read_body(request, _MOST_TOKEN_BYTES, settings.limits.seconds)
        token = b"" if settings.token is None else settings.token.get_secret_value().encode()
        if not hmac.compare_digest(given.strip(), token):
            raise Refused(401, "token", "this is not the token that the server was started with")
        response = Response(status_code=204)
        response.set_cookie(
            COOKIE, given.strip().decode("latin-1"), httponly=True, samesite="strict", path="/"
        )
        return response

    return signin
