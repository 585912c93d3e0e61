"""The tools over MCP, the protocol in which assistants and agent frameworks are given tools.

One call is one call of the desk: the same tools, cache and limits as over HTTP. A result is its text and its
pictures; a failure is a result marked as an error, with the sentence that the model can act on. Pictures
are also resources, `wheretaken://media/{sha256}`. What is no business of the model is in a result's `_meta`:

| key | what it says |
|---|---|
| `wheretaken/source` | who the data are from |
| `wheretaken/cached` | whether the answer was kept from an earlier call |
| `wheretaken/pictures` | SHA-256 of each picture |

Tools that look at pictures count them from 0, the photo. Over HTTP each request stands by itself, so that any
worker can answer it: the call's own `_meta` lists the pictures of its run under `wheretaken/pictures`. On
stdio there is one client, whose pictures are remembered.

Source of the protocol: modelcontextprotocol.io, revisions up to 2026-07-28, as the package `mcp` speaks it.
"""

from __future__ import annotations

import base64
import contextlib
import json
from typing import TYPE_CHECKING, Any, cast

import mcp.types as mt
from mcp import MCPError
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from wheretaken import __version__
from wheretaken.errors import ToolError, WheretakenError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from mcp.server.context import ServerRequestContext
    from starlette.types import ASGIApp

    from wheretaken.messages import Picture
    from wheretaken.server.desk import ToolDesk

_MEDIA = "wheretaken://media/"
_PICTURES = "wheretaken/pictures"


class McpTools:
    """Answers the requests of MCP clients at a desk."""

    def __init__(self, desk: ToolDesk, seen: list[str] | None = None) -> None:
        """Serve this desk.

        Args:
            desk: Answers the calls.
            seen: SHA-256 of the pictures of the only client, to which those that tools show are added; None
                where requests of many clients come in.
        """
        self._desk = desk
        self._seen = seen

    def server(self) -> Server[Any]:
        """Return the protocol's server, which is not bound to a connection yet."""
        return Server(
            "wheretaken",
            version=__version__,
            instructions="Tools that find out where a photo was taken. "
            f"Positions are {self._desk.toolset.datum} degrees.",
            on_list_tools=self.list_tools,
            on_call_tool=self.call_tool,
            on_list_resources=self.list_resources,
            on_list_resource_templates=self.list_templates,
            on_read_resource=self.read_resource,
        )

    async def list_tools(
        self, _context: ServerRequestContext[Any], _params: mt.PaginatedRequestParams | None
    ) -> mt.ListToolsResult:
        """List the tools, exactly as any other model is told about them."""
        hints = mt.ToolAnnotations(read_only_hint=True, open_world_hint=True)
        return mt.ListToolsResult(
            tools=[
                mt.Tool(
                    name=spec.name,
                    description=spec.description,
                    input_schema=spec.parameters,
                    annotations=hints,
                )
                for spec in self._desk.toolset.specs
            ]
        )

    async def call_tool(
        self, context: ServerRequestContext[Any], params: mt.CallToolRequestParams
    ) -> mt.CallToolResult:
        """Run a tool."""
        try:
            known = self._pictures(context)
            arguments = json.dumps(params.arguments or {}, ensure_ascii=False)
            served = await self._desk.call(params.name, arguments, known)
        except WheretakenError as error:
            return mt.CallToolResult(content=[mt.TextContent(text=str(error))], is_error=True)
        result = served.cached.result
        told: dict[str, Any] = {"wheretaken/cached": served.cached.cached}
        if result.source:
            told["wheretaken/source"] = result.source
        if result.pictures:
            told[_PICTURES] = [picture.sha256 for picture in result.pictures]
        if self._seen is not None:
            self._seen.extend(picture.sha256 for picture in result.pictures)
        content: list[mt.ContentBlock] = [mt.TextContent(text=served.cached.text)]
        content += map(_image, result.pictures)
        return mt.CallToolResult(content=content, _meta=told)

    async def list_resources(
        self, _context: ServerRequestContext[Any], _params: mt.PaginatedRequestParams | None
    ) -> mt.ListResourcesResult:
        """List the pictures that are remembered."""
        named = [
            mt.Resource(uri=_MEDIA + sha256, name=f"picture {number}")
            for number, sha256 in enumerate(self._seen or [])
        ]
        return mt.ListResourcesResult(resources=named)

    async def list_templates(
        self, _context: ServerRequestContext[Any], _params: mt.PaginatedRequestParams | None
    ) -> mt.ListResourceTemplatesResult:
        """Tell how pictures are named."""
        template = mt.ResourceTemplate(
            uri_template=_MEDIA + "{sha256}", name="picture", description="A picture that a tool returned."
        )
        return mt.ListResourceTemplatesResult(resource_templates=[template])

    async def read_resource(
        self, _context: ServerRequestContext[Any], params: mt.ReadResourceRequestParams
    ) -> mt.ReadResourceResult:
        """Give out a picture.

        Raises:
            MCPError: there is none of this name.
        """
        sha256 = params.uri.removeprefix(_MEDIA)
        picture = None if sha256 == params.uri else await self._desk.picture(sha256)
        if picture is None:
            raise MCPError(
                mt.INVALID_PARAMS, "there is no such picture, or not any more; call the tool again"
            )
        blob = mt.BlobResourceContents(uri=params.uri, mime_type=picture.mime, blob=_base64(picture))
        return mt.ReadResourceResult(contents=[blob])

    def _pictures(self, context: ServerRequestContext[Any]) -> Sequence[str]:
        """Return the pictures of the run that a call belongs to.

        Raises:
            ToolError: they are not listed as they should be.
        """
        if self._seen is not None:
            return tuple(self._seen)
        named: Any = cast("dict[str, Any]", context.meta or {}).get(_PICTURES, [])
        most = self._desk.limits.pictures
        if not isinstance(named, list) or len(cast("list[Any]", named)) > most:
            raise ToolError(f"_meta {_PICTURES} must be a list of at most {most} pictures' SHA-256")
        return [str(sha256) for sha256 in cast("list[Any]", named)]


@contextlib.asynccontextmanager
async def over_http(desk: ToolDesk) -> AsyncGenerator[ASGIApp]:
    """Serve streamable HTTP for the length of the block: every request by itself, answered in JSON."""
    manager = StreamableHTTPSessionManager(
        McpTools(desk).server(),
        json_response=True,
        stateless=True,
        max_request_body_size=desk.limits.body_bytes,
    )
    async with manager.run():
        yield manager.handle_request


async def over_stdio(desk: ToolDesk, pictures: Sequence[Picture] = ()) -> None:
    """Serve the client at stdin and stdout until it closes them; these pictures are known from the start."""
    server = McpTools(desk, [picture.sha256 for picture in pictures]).server()
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


def _image(picture: Picture) -> mt.ImageContent:
    return mt.ImageContent(data=_base64(picture), mime_type=picture.mime)


def _base64(picture: Picture) -> str:
    return base64.b64encode(picture.data).decode()
