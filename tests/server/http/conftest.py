"""The server in this process, over tools and maps of the test's making, and as a real process."""

import asyncio
import io
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from PIL import Image
from pydantic import Field, SecretStr

from wheretaken.errors import WheretakenError
from wheretaken.maps import MapProvider, Place
from wheretaken.maps.router import Router
from wheretaken.server.app import Mounted, create_app
from wheretaken.server.cache import Policy, ToolCache
from wheretaken.server.desk import ToolDesk
from wheretaken.server.limits import Limits
from wheretaken.server.metrics import Metrics
from wheretaken.server.providers import terms
from wheretaken.server.shelf import Shelf
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.served import Served
from wheretaken.tools import Tool, ToolContext, ToolResult, Toolset
from wheretaken.tools.amap import AMAP
from wheretaken.tools.worldwide import WORLDWIDE

PLACES = (
    Place(id="osm:n1", name="Kiosk", kind="kiosk", lat=60.17, lon=24.94, source="nobody"),
    Place(
        id="amap:B01",
        name="小卖部",
        kind="kiosk",
        lat=39.9093,
        lon=116.3974,
        country_code="CN",
        source="nobody",
    ),
)


class Kiosks(FewPlaces):
    """A provider of these places."""

    id_sources = ("osm", "amap")

    def __init__(self, failure: WheretakenError | None = None) -> None:
        super().__init__(PLACES, failure=failure)


class Trials:
    """A tool whose calls end as the test says."""

    def __init__(self) -> None:
        self.end: Callable[[str], Awaitable[ToolResult]] = self.echo
        self.calls = 0

    async def echo(self, text: str) -> ToolResult:
        return ToolResult({"text": text})

    async def trial(self, context: ToolContext, text: Annotated[str, Field(max_length=5000)]) -> ToolResult:
        """Try something.

        Args:
            text: Anything.
        """
        self.calls += 1
        return await self.end(text)

    def fails(self, error: WheretakenError) -> None:
        async def fail(_text: str) -> ToolResult:
            raise error

        self.end = fail


class Bench:
    """A server in this process, and a client of it."""

    def __init__(
        self,
        directory: Path,
        providers: Sequence[MapProvider],
        *,
        limits: Limits | None = None,
        token: str | None = None,
        hosts: frozenset[str] | None = frozenset({"server"}),
        mounted: Sequence[Mounted] = (),
    ) -> None:
        self.trials = Trials()
        tools = {tool.name: tool for tool in (*AMAP.tools, *WORLDWIDE.tools, Tool(self.trials.trial))}
        router = Router(providers)
        policy = Policy(terms(router))
        self.cache = ToolCache(policy=policy)
        metrics = Metrics()
        toolset = Toolset("tests", tuple(tools.values()))
        shelf = Shelf(directory / "pictures")
        self.desk = ToolDesk(toolset, router, self.cache, policy, shelf, metrics, limits)
        secret = None if token is None else SecretStr(token)
        self.app = create_app(self.desk, metrics, hosts=hosts, token=secret, mounted=mounted)
        transport = httpx2.ASGITransport(self.app, raise_app_exceptions=False)
        self.client = httpx2.AsyncClient(transport=transport, base_url="http://server")

    async def call(self, tool: str, /, **arguments: Any) -> httpx2.Response:
        return await self.client.post(f"/tools/{tool}", json=arguments)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncGenerator[Callable[..., Bench]]:
    """Makes servers: over these providers (by default a few places), with these options."""
    made: list[Bench] = []

    def make(*providers: MapProvider, **options: Any) -> Bench:
        made.append(Bench(tmp_path, providers or (Kiosks(),), **options))
        return made[-1]

    yield make
    for one in made:
        await one.client.aclose()
        await one.desk.aclose()


@pytest.fixture
def photo() -> bytes:
    """A JPEG file of 640 x 360 pixels."""
    buffer = io.BytesIO()
    Image.effect_noise((640, 360), 60).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Starts servers with these options and environment; stops them in the end."""
    started: list[Served] = []

    def start(*options: str, **environment: str) -> Served:
        started.append(Served(tmp_path, *options, **environment))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.stop()


async def until(condition: Callable[[], bool], pause: float = 0.005) -> None:
    """Wait for something that is about to happen, in a process or task that knows nothing of this."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - as said above
            await asyncio.sleep(pause)
