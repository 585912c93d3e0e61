"""The tools of a training: in this process, or those of a running `wheretaken serve`.

Both are the same tools to a model: what it is told, how its arguments are read and every text that it gets
back come from the same definitions in this package. Of a server only the work is wanted: it is asked by our
own names with complete arguments, so that it needs no description file. What works on the pictures of a
rollout (a zoom) runs here in both cases, and no picture leaves for a server.

A toolbox is for one event loop at a time and is closed in it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, Json, ValidationError

from wheretaken.agent.calls import Done, called
from wheretaken.arguments import mended
from wheretaken.errors import BusyError, MissingExtraError, ServiceError, ToolError, UserError
from wheretaken.maps import MapProvider
from wheretaken.messages import Picture
from wheretaken.tools import Tool, ToolResult, Toolset

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    import httpx2

    from wheretaken.geo import Datum
    from wheretaken.maps.offline.provider import OfflineProvider
    from wheretaken.messages import ToolSpec
    from wheretaken.rl.settings import ToolSettings

HERE = frozenset({"zoom", "image_zoom_in_tool"})
"""Tools that work on the rollout's own pictures, by the names of their functions."""
_CHECK_SECONDS = 10.0
_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
"""Between two tries where the server is away or full; doubled each time."""


class Toolbox(ABC):
    """The tools of one process, shared by its rollouts."""

    def __init__(self, toolset: Toolset) -> None:
        """Offer these tools."""
        self.toolset = toolset

    @property
    def name(self) -> str:
        """Of the toolset."""
        return self.toolset.name

    @property
    def datum(self) -> Datum:
        """In which the tools take and give positions, and a model that uses them answers."""
        return self.toolset.datum

    @property
    def specs(self) -> Sequence[ToolSpec]:
        """What a model is told."""
        return self.toolset.specs

    @abstractmethod
    async def check(self) -> None:
        """Make sure that the tools can be used, before anything expensive begins.

        Raises:
            UserError: they cannot; the message says what to do.
        """

    @abstractmethod
    async def run(self, name: str, arguments: str, seen: Sequence[Picture]) -> Done:
        """Run a call.

        Args:
            name: As the model wrote it.
            arguments: JSON text, as the model wrote it.
            seen: The rollout's pictures, the photo first.

        Raises:
            ServiceError: a service failed.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Close what is open."""


class LocalToolbox(Toolbox):
    """Tools in this process."""

    def __init__(
        self, toolset: Toolset, maps: MapProvider, prepare: Callable[[], None] = lambda: None
    ) -> None:
        """Offer these tools on these maps, which are closed with the toolbox; `prepare` makes them ready."""
        super().__init__(toolset)
        self._maps = maps
        self._prepare = prepare

    async def check(self) -> None:
        """Build what the maps build on their first use: no rollout should have to wait for it."""
        await asyncio.to_thread(self._prepare)

    async def run(self, name: str, arguments: str, seen: Sequence[Picture]) -> Done:
        """Run a call as the agent loop does."""
        return await called(self.toolset, self._maps, name, arguments, seen)

    async def aclose(self) -> None:
        """Close the maps."""
        await self._maps.aclose()


class ServedToolbox(Toolbox):
    """Tools of a running server."""

    def __init__(self, toolset: Toolset, settings: ToolSettings) -> None:
        """Offer these tools, which the server of the settings has; nothing is asked yet.

        Raises:
            MissingExtraError: httpx2 is not installed.
        """
        super().__init__(toolset)
        self._url = settings.server
        self._settings = settings
        self._client: httpx2.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        try:
            import httpx2  # noqa: PLC0415 - optional
        except ImportError:
            raise MissingExtraError("a tool server", "train", "httpx2") from None
        self._http = httpx2

    async def check(self) -> None:
        """Ask the server for its tools, and compare them with ours.

        Raises:
            UserError: it cannot be reached, wants a token, or has other tools.
        """
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                reply = await self._opened().get("/tools")
        except (TimeoutError, self._http.RequestError) as error:
            said = str(error) or type(error).__name__
            raise UserError(
                f"no tool server answers at {self._url} ({said}): start one with  wheretaken serve "
                f"--toolset {self.name}  and check tools.server"
            ) from None
        if reply.status_code == 401:
            raise UserError(f"{self._url} asks for a token: set {self._settings.token_env} to the server's")
        told = _object(reply.content)
        if reply.status_code != 200 or "tools" not in told:
            why = told.get("error", f"status {reply.status_code}")
            raise UserError(f"{self._url} is no tool server of wheretaken: {why}")
        self._compare(told)

    def _compare(self, told: dict[str, Any]) -> None:
        there = {str(entry.get("function", {}).get("name", "")) for entry in told["tools"]}
        needed = {tool.own_name for tool in self.toolset.tools if tool.own_name not in HERE}
        if missing := sorted(needed - there):
            raise UserError(
                f"the tool server at {self._url} has no {', '.join(missing)}: start it with  "
                f"wheretaken serve --toolset {self.name}  and without --tools-config"
            )
        if told.get("datum") != self.datum:
            raise UserError(
                f"the tool server at {self._url} speaks {told.get('datum')}, the toolset {self.name} "
                f"{self.datum}: start it with --toolset {self.name}"
            )

    async def run(self, name: str, arguments: str, seen: Sequence[Picture]) -> Done:
        """Run a call: check it here, and let the server work."""
        began = time.monotonic()
        try:
            tool = self.toolset.find(name)
            if tool.own_name in HERE:
                return await called(self.toolset, MapProvider(), name, arguments, seen)
            result = await self._ask(tool, tool.complete(mended(arguments)))
        except ToolError as problem:
            return Done.refused(str(problem), time.monotonic() - began)
        return Done(result, "", time.monotonic() - began)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.aclose()

    async def _ask(self, tool: Tool, arguments: dict[str, Any]) -> ToolResult:
        """Ask the server, again while it is away or full, until whoever waits gives up.

        Raises:
            ToolError: the model can mend the call.
            ServiceError: a service failed.
        """
        pause = _PAUSE_S
        while True:
            try:
                reply = await self._opened().post(f"/tools/{tool.own_name}", json=arguments)
                return await self._result(reply)
            except self._http.RequestError:
                wait = pause
            except BusyError as error:
                wait = error.retry_after or pause
            await asyncio.sleep(min(wait, _LONGEST_PAUSE_S))
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    async def _result(self, reply: httpx2.Response) -> ToolResult:
        told = _object(reply.content)
        status = reply.status_code
        if status == 200:
            answer = _Answer.of(reply.content)
            pictures = tuple([await self._picture(shown) for shown in answer.images])
            return ToolResult(answer.text, pictures, answer.source)
        error = str(told.get("error") or f"the tool server answered with status {status}")
        if status == 422 and told.get("kind") == "bad_call":
            raise ToolError(error)
        if status == 429:
            raise BusyError(error, retry_after=told.get("retry_after"))
        raise ServiceError(error, service=str(told.get("service", "")))

    async def _picture(self, picture: Picture) -> Picture:
        reply = await self._opened().get(f"/media/{picture.sha256}")
        if reply.status_code != 200 or hashlib.sha256(reply.content).hexdigest() != picture.sha256:
            raise ServiceError("the tool server did not give out the picture that it told of")
        return picture.model_copy(update={"data": reply.content})

    def _opened(self) -> httpx2.AsyncClient:
        """Return the one client of this process."""
        loop = asyncio.get_running_loop()
        if self._client is None:
            token = self._settings.token()
            headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
            # Every call has a deadline of its own, which covers all its requests; many rollouts share this.
            self._client = self._http.AsyncClient(
                base_url=self._url,
                headers=headers,
                timeout=None,
                trust_env=False,
                limits=self._http.Limits(max_connections=256, max_keepalive_connections=64),
            )
            self._loop = loop
        assert self._loop is loop, "a toolbox is closed in the event loop that used it before another uses it"
        return self._client


class _Answer(BaseModel):
    """What the server says of a call that went well."""

    text: Json[dict[str, Any]]
    images: tuple[Picture, ...] = ()
    source: str = ""

    @classmethod
    def of(cls, content: bytes) -> _Answer:
        try:
            return cls.model_validate_json(content)
        except ValidationError:
            raise ServiceError("the tool server gave an answer that is none of wheretaken") from None


class _AnyMaps(MapProvider):
    """Stands for the maps of a server, of which it is not known here what they can do."""

    def can(self, operation: str) -> bool:
        del operation
        return True


def open_toolbox(settings: ToolSettings) -> Toolbox:
    """Return the tools of these settings; nothing is asked before `check` or the first call.

    Raises:
        UserError: there is no such toolset, or the tool-config file is wrong.
        MissingExtraError: it needs libraries that are not installed.
    """
    from wheretaken.api import offered  # noqa: PLC0415 - as slow to load as the tools are

    if settings.toolset == "island":
        return _island(settings)
    if not settings.server:
        made: list[OfflineProvider] = []
        maps, tools = offered(settings.toolset, settings.config, offline=lambda: _offline(made))
        return LocalToolbox(tools, maps, *(provider.prepare for provider in made))
    from wheretaken.server.toolsets import toolset  # noqa: PLC0415 - as above

    if settings.toolset == "direct":
        raise UserError("tools.toolset is direct, which has no tools: leave tools.server empty")
    if settings.config is None:
        return ServedToolbox(toolset(settings.toolset, MapProvider()), settings)
    from wheretaken.tools.config import configured  # noqa: PLC0415 - needs the extra

    return ServedToolbox(configured(toolset(settings.toolset, _AnyMaps()), settings.config), settings)


def _island(settings: ToolSettings) -> Toolbox:
    """Return the tools of the island, which are in this process.

    Raises:
        UserError: a server is named, or the tool-config file is wrong.
    """
    from wheretaken.testing.island.world import ISLAND, IslandMaps  # noqa: PLC0415 - for few trainings

    if settings.server:
        raise UserError("tools.toolset is island, which no server has: leave tools.server empty")
    tools = ISLAND
    if settings.config is not None:
        from wheretaken.tools.config import configured  # noqa: PLC0415 - needs the extra

        tools = configured(ISLAND, settings.config)
    return LocalToolbox(tools, IslandMaps())


@contextmanager
def closing(toolbox: Toolbox) -> Generator[Toolbox]:
    """Close a toolbox in the end, of which nothing was wanted but what a model is told of it.

    For code that runs in no event loop of its own, but may be called where one runs.
    """
    try:
        yield toolbox
    finally:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, toolbox.aclose()).result()


def _offline(made: list[OfflineProvider]) -> OfflineProvider:
    from wheretaken.maps.offline.provider import offline_provider  # noqa: PLC0415 - loads map libraries

    made.append(offline_provider())
    return made[-1]


def _object(content: bytes) -> dict[str, Any]:
    try:
        value: Any = json.loads(content)
    except ValueError:
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
