"""What the server answers, path by path.

| request | answer |
|---|---|
| `GET /tools` | the tools as chat models are told about them |
| `POST /tools/{name}` | runs one; the body is its arguments, `?picture=SHA256` names the run's pictures |
| `POST /{name}` | the same for the tools of the paper, in the paper's form (`paper`) |
| `POST /media`, `GET /media/{sha256}` | takes in a photo, gives out a picture |
| `/healthz`, `/readyz`, `/metrics`, `/openapi.json` | for those who run it |

The routes are Starlette's: every schema here comes from a tool's own specification, which leaves nothing
for a framework to derive, and a request costs half of what it would cost behind one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from wheretaken.errors import BusyError, ToolError
from wheretaken.server import paper, replies
from wheretaken.server.bodies import read_body
from wheretaken.server.metrics import CONTENT_TYPE
from wheretaken.server.openapi import document
from wheretaken.server.replies import Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from wheretaken.messages import Picture, ToolSpec
    from wheretaken.server.desk import Served, ToolDesk
    from wheretaken.server.metrics import Metrics

_KEPT_FOR_EVER = "private, max-age=31536000, immutable"
"""A picture's address is its hash, so that it never changes; `private`, as a token may guard it."""


class Routes:
    """The handlers of all requests."""

    def __init__(self, desk: ToolDesk, metrics: Metrics, *, guarded: bool) -> None:
        """Answer from this desk; `guarded` is whether a token is needed."""
        self._desk = desk
        self._metrics = metrics
        self._document = document(desk.toolset, desk.limits, guarded=guarded)
        self._tools = {
            "toolset": desk.toolset.name,
            "datum": desk.toolset.datum,
            "tools": [_told(spec) for spec in desk.toolset.specs],
        }

    def all(self) -> list[Route]:
        """Return the routes."""
        papers = [
            Route(f"/{name}", self._paper(name), methods=["POST"])
            for name in paper.TOOLS
            if any(name == tool.name for tool in self._desk.toolset.tools)
        ]
        return [
            Route("/tools/{name}", self.call, methods=["POST"]),
            *papers,
            Route("/media/{sha256}", self.media),
            Route("/media", self.upload, methods=["POST"]),
            Route("/tools", self.tools),
            Route("/healthz", self.healthz),
            Route("/readyz", self.readyz),
            Route("/metrics", self.metrics),
            Route("/openapi.json", self.openapi),
        ]

    async def tools(self, _request: Request) -> Response:
        """List the tools."""
        return replies.json(self._tools)

    async def call(self, request: Request) -> Response:
        """Run a tool."""
        pictures = request.query_params.getlist("picture") if request.scope["query_string"] else []
        if len(pictures) > self._desk.limits.pictures:
            raise Refused(400, "pictures", f"at most {self._desk.limits.pictures} pictures can be named")
        name = request.path_params["name"]
        try:
            self._desk.toolset.find(name)
        except ToolError as error:
            raise Refused(404, "unknown_tool", str(error)) from None
        return replies.json(_answer(await self._desk.call(name, await self._json(request), pictures)))

    def _paper(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        async def run(request: Request) -> Response:
            arguments = paper.arguments(name, await self._json(request))
            try:
                return paper.reply(await self._desk.call(name, arguments))
            except BusyError as error:
                return paper.busy(error)

        return run

    async def upload(self, request: Request) -> Response:
        """Take in a photo."""
        kind = request.headers.get("content-type", "")
        if not kind.startswith(("image/", "application/octet-stream")):
            raise Refused(415, "content_type", "send the file itself, with a Content-Type such as image/jpeg")
        data = await read_body(request, self._desk.limits.picture_bytes, self._desk.limits.seconds)
        picture = await self._desk.upload(data)
        return replies.json(_shown(picture), 201, {"Location": _address(picture)})

    async def media(self, request: Request) -> Response:
        """Give out a picture."""
        sha256 = request.path_params["sha256"]
        headers = {
            "ETag": f'"{sha256}"',
            "Cache-Control": _KEPT_FOR_EVER,
            "X-Content-Type-Options": "nosniff",
        }
        picture = await self._desk.picture(sha256)
        if picture is None:
            raise Refused(404, "picture", "there is no such picture, or not any more; call the tool again")
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(picture.data, media_type=picture.mime, headers=headers)

    async def healthz(self, _request: Request) -> Response:
        """Tell that the event loop runs."""
        return replies.json({"ok": True})

    async def readyz(self, _request: Request) -> Response:
        """Tell which provider works."""
        providers = [status.model_dump(mode="json") for status in self._desk.providers()]
        ready = any(provider["works"] for provider in providers)
        body = {"ready": ready, "providers": providers, "cache": self._desk.cache_trouble or "ok"}
        return replies.json(body, 200 if ready else 503)

    async def metrics(self, _request: Request) -> Response:
        """Give the numbers to Prometheus."""
        # Files of all workers are read and added up, which may take some milliseconds.
        text = await asyncio.to_thread(self._metrics.exposition)
        return Response(text, headers={"Content-Type": CONTENT_TYPE})

    async def openapi(self, _request: Request) -> Response:
        """Describe all of this."""
        return replies.json(self._document)

    async def _json(self, request: Request) -> str:
        if not request.headers.get("content-type", "").startswith(replies.JSON):
            # Also keeps out forms of foreign pages, which a browser would send without asking.
            raise Refused(415, "content_type", f"send JSON, with  Content-Type: {replies.JSON}")
        body = await read_body(request, self._desk.limits.body_bytes, self._desk.limits.seconds)
        try:
            return body.decode()
        except UnicodeDecodeError:
            raise Refused(400, "encoding", "the request is not in UTF-8") from None


def _told(spec: ToolSpec) -> dict[str, Any]:
    """Return a tool as `tools` of a chat request takes it."""
    return {"type": "function", "function": spec.model_dump(mode="json")}


def _answer(served: Served) -> dict[str, Any]:
    cached = served.cached
    return {
        "text": cached.text,
        "images": [_shown(picture) for picture in cached.result.pictures],
        "source": cached.result.source,
        "cached": cached.cached,
        "age": round(cached.age_s, 3),
        "seconds": round(served.seconds, 6),
    }


def _shown(picture: Picture) -> dict[str, Any]:
    return picture.model_dump(mode="json") | {"url": _address(picture)}


def _address(picture: Picture) -> str:
    return f"/media/{picture.sha256}"
