"""Vector tiles over HTTP, for browsers: routes that any of our servers can mount.

| request | answer |
|---|---|
| `GET /tiles/{z}/{x}/{y}.mvt` | a tile; 204 where nothing is, 404 outside the grid |
| `GET /tiles.json` | the TileJSON |
| `GET /tiles/style.json?language=en` | a MapLibre style |
| `GET /tiles/fonts/{stack}/{range}.pbf` | the letters that it needs |

Everything that a style names is on the same host. Tiles of one version of the maps never change: the ETag is
made of that version, so that a browser asks again without a new tile being made.
"""

from __future__ import annotations

import asyncio
import gzip
from functools import lru_cache
from typing import TYPE_CHECKING

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import Route

from wheretaken.errors import MissingExtraError, WheretakenError
from wheretaken.maps.offline.render.languages import checked
from wheretaken.maps.offline.tiles import glyphs
from wheretaken.maps.offline.tiles.style import style
from wheretaken.server import replies
from wheretaken.server.guard import Guard
from wheretaken.server.running import bound
from wheretaken.server.settings import LOOPBACK, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from wheretaken.maps.offline.tiles.maker import TileMaker

MVT = "application/vnd.mapbox-vector-tile"
_PBF = "application/x-protobuf"
_JSON = "application/json"
_KEPT = "private, max-age=3600"
"""`private`, as a token may guard it; after an hour the ETag is asked for, in case a region was added."""
_IN_MEMORY = 512
"""Tiles that are kept, gzipped: some 10 MB."""


class TileRoutes:
    """The handlers.

    Args:
        maker: opens the maps when the first tile is asked for.
        path: where the routes are below the server's root, such as "" or "/maps".
    """

    def __init__(self, maker: Callable[[], TileMaker], path: str = "") -> None:
        self._open = maker
        self._path = path
        self._maker: TileMaker | None = None
        self._lock = asyncio.Lock()
        self._made = lru_cache(maxsize=_IN_MEMORY)(self._make)

    def all(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(f"{self._path}/tiles/{{z:int}}/{{x:int}}/{{y:int}}.mvt", self.tile),
            Route(f"{self._path}/tiles.json", self.tilejson),
            Route(f"{self._path}/tiles/style.json", self.style),
            Route(f"{self._path}/tiles/fonts/{{stack}}/{{start:int}}-{{end:int}}.pbf", self.letters),
        ]

    async def tile(self, request: Request) -> Response:
        """Return a tile."""
        maker = await self._ready()
        z, x, y = (request.path_params[name] for name in "zxy")
        tag = f'"{maker.version}-{z}-{x}-{y}"'
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"ETag": tag, "Cache-Control": _KEPT})
        data = await asyncio.to_thread(self._made, z, x, y)
        if data is None:
            return Response("no such tile", 404, media_type="text/plain")
        return _compressed(request, data, MVT, tag)

    async def tilejson(self, request: Request) -> Response:
        """Describe the tiles."""
        maker = await self._ready()
        about = maker.describe(f"{self._base(request)}/tiles/{{z}}/{{x}}/{{y}}.mvt")
        return Response(orjson.dumps(about), media_type=_JSON, headers={"Cache-Control": "no-cache"})

    async def style(self, request: Request) -> Response:
        """Return a style with labels in `?language=`."""
        base = self._base(request)
        language = checked(request.query_params.get("language", ""))
        letters = f"{base}/tiles/fonts/{{fontstack}}/{{range}}.pbf"
        found = style(f"{base}/tiles.json", letters, language=language)
        return Response(orjson.dumps(found), media_type=_JSON, headers={"Cache-Control": "no-cache"})

    async def letters(self, request: Request) -> Response:
        """Return a range of letters; every stack is drawn in the one font that there is."""
        start, end = request.path_params["start"], request.path_params["end"]
        data = await asyncio.to_thread(glyphs.glyphs, start) if end == start + glyphs.RANGE - 1 else None
        if data is None:
            return Response("no such letters", 404, media_type="text/plain")
        return _compressed(request, gzip.compress(data, 5, mtime=0), _PBF, f'"glyphs-1-{start}"')

    async def _ready(self) -> TileMaker:
        async with self._lock:
            if self._maker is None:
                self._maker = await asyncio.to_thread(self._open)
            return self._maker

    def _make(self, z: int, x: int, y: int) -> bytes | None:
        """Return a tile gzipped, b"" when it is empty, None when the grid has none."""
        assert self._maker is not None, "tiles are made when the maps are open"
        data = self._maker.tile(z, x, y)
        return gzip.compress(data, 5, mtime=0) if data else data

    def _base(self, request: Request) -> str:
        url = request.base_url
        # The path at which another application has mounted these routes is in the scope only.
        return f"{url.scheme}://{url.netloc}{request.scope.get('root_path', '').rstrip('/')}{self._path}"


def _compressed(request: Request, data: bytes, kind: str, tag: str) -> Response:
    """Answer with gzipped data, unpacked for a client that does not take it."""
    headers = {"ETag": tag, "Cache-Control": _KEPT, "Vary": "Accept-Encoding"}
    if not data:
        return Response(status_code=204, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(data, media_type=kind, headers=headers | {"Content-Encoding": "gzip"})
    return Response(gzip.decompress(data), media_type=kind, headers=headers)


def application(maker: Callable[[], TileMaker], *, origins: Sequence[str] = ()) -> ASGIApp:
    """Make a server of tiles alone, for this machine.

    Args:
        maker: opens the maps.
        origins: of web pages that may read the tiles; a page of the same server always may.
    """
    cross = Middleware(CORSMiddleware, allow_origins=list(origins), allow_methods=["GET"])
    app = Starlette(
        routes=TileRoutes(maker).all(),
        middleware=[cross] if origins else [],
        exception_handlers={
            WheretakenError: replies.on_failure,
            HTTPException: replies.on_refusal,
            Exception: replies.on_bug,
        },
    )
    return Guard(app, hosts=LOOPBACK, token=None)


def run(*, port: int, origins: Sequence[str], started: Callable[[str], None]) -> None:
    """Serve tiles on 127.0.0.1 until the process is told to stop.

    Args:
        port: 0 for any free one.
        origins: as for `application`.
        started: called with the base URL when connections are taken.

    Raises:
        UserError: the port is in use.
        MissingExtraError: the extra `server` is not installed.
    """
    import uvicorn  # noqa: PLC0415 - only a server needs it

    with bound(ServerSettings(port=port)) as listener:
        app = application(installed_maps, origins=origins)
        config = uvicorn.Config(
            app, access_log=False, log_config=None, proxy_headers=False, server_header=False
        )
        started(f"http://127.0.0.1:{listener.getsockname()[1]}")
        uvicorn.Server(config).run(sockets=[listener])


def installed_maps() -> TileMaker:
    """Open the world and the regions of this machine.

    Raises:
        MissingExtraError: the extra `offline` is not installed.
    """
    try:
        from wheretaken.maps.offline import region, world  # noqa: PLC0415 - loaded with the first tile
        from wheretaken.maps.offline.tiles.maker import TileMaker  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingExtraError("vector tiles", "offline", error.name or "") from error
    return TileMaker(world.ensure(), [info.path for info in region.regions()])
