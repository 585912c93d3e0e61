"""The web application in a thread of this process, and a real Chromium that looks at it."""

import asyncio
import contextlib
import io
import json
import os
import shutil
import socket
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, Request, expect, sync_playwright

from wheretaken.agent.events import Status
from wheretaken.answers import Answer
from wheretaken.evals.model import Result, Truth
from wheretaken.evals.running.manifest import MANIFEST, Entry
from wheretaken.evals.running.runner import RESULTS
from wheretaken.maps import MapProvider, Place
from wheretaken.maps.offline.tiles.maker import TileMaker
from wheretaken.messages import Message
from wheretaken.models.base import ChatModel, Piece
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.scripted import ScriptedModel, call, say
from wheretaken.web.app import STATIC, create_app
from wheretaken.web.desk import JobDesk
from wheretaken.web.records import recorded
from wheretaken.web.settings import WebSettings
from wheretaken.web.solving import Choices

expect.set_options(timeout=20_000)  # a machine may be busy; nothing here waits longer than it has to
FILE = {"name": "corner.jpg", "mimeType": "image/jpeg"}
REQUIRE_ALL = os.environ.get("WHERETAKEN_REQUIRE_ALL") == "1"

KIOSK = Place(
    id="osm:n1",
    name="Kioski",
    kind="kiosk",
    lat=60.17,
    lon=24.94,
    city="Helsinki",
    country="Finland",
    source="OSM",
)
ANSWER = "It is the kiosk.\n" + json.dumps(
    {
        "lat": 60.17,
        "lon": 24.94,
        "city": "Helsinki",
        "country": "Finland",
        "radius_km": 0.4,
        "confidence": 0.9,
        "evidence": [
            {"reads": "KIOSKI", "place": "Kioski, Helsinki", "lat": 60.17, "lon": 24.94, "call": "CALL"}
        ],
        "candidates": [
            {"lat": 60.17, "lon": 24.94, "city": "Helsinki", "weight": 0.9},
            {"lat": 59.33, "lon": 18.07, "city": "Stockholm", "weight": 0.1},
        ],
    }
)


def missing(reason: str) -> None:
    """Skip where a part of the machine is missing; where all must be there, fail."""
    (pytest.fail if REQUIRE_ALL else pytest.skip)(reason)


def photo(colour: str = "white", *, exif: bool = False) -> bytes:
    """A JPEG; with `exif` it says that it was taken in Paris."""
    buffer = io.BytesIO()
    data = Image.Exif()
    if exif:
        data.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 24.0), 3: "E", 4: (2.0, 21.0, 8.0)})
    Image.new("RGB", (640, 480), colour).save(buffer, "JPEG", exif=data)
    return buffer.getvalue()


class Gate(ScriptedModel):
    """A scripted model that waits before its turns until it is let through."""

    def __init__(self, script: Sequence[Message | Exception], gate: threading.Event, before: int) -> None:
        super().__init__(script, name="gate")
        self._gate = gate
        self._before = before

    async def complete(self, messages: Any, tools: Any) -> Message:
        if len(self.asked) >= self._before:
            await asyncio.to_thread(self._gate.wait, 60)
        return await super().complete(messages, tools)


class Typing(Gate):
    """A scripted model that tells what it writes, and stops within its turn until it is let through."""

    async def stream(self, messages: Any, tools: Any) -> AsyncGenerator[Piece | Message]:
        if len(self.asked) == self._before:
            for piece in ("A sign", ", it ", "says <KIOSKI>"):
                yield Piece("text", piece)
            yield Piece("call", "search_places")
        yield await self.complete(messages, tools)


def script() -> list[Message | Exception]:
    """A run of eight steps: it looks closer, searches, looks at the map, and answers."""
    return [
        call(
            ("zoom", {"bbox_2d": [100, 100, 500, 400], "label": "KIOSKI"}),
            text="A sign. “KIOSKI” [200, 200, 400, 300]",
            tokens=7,
        ),
        call(("search_places", {"query": "Kioski", "near_lat": 60.2, "near_lon": 25.0}), text="I search."),
        call(("road_map", {"lat": 60.17, "lon": 24.94, "zoom": 15}), text="I look at the map."),
        say(ANSWER.replace("CALL", "call-0-1")),
    ]


class Site:
    """A running application."""

    def __init__(self, server: uvicorn.Server, port: int, directory: Path) -> None:
        self._server = server
        self.url = f"http://127.0.0.1:{port}"
        self.directory = directory
        self.loop: asyncio.AbstractEventLoop

    def cut(self) -> None:
        """Break all connections, as a network does that goes away."""

        def abort() -> None:
            for connection in list(self._server.server_state.connections):
                connection.transport.abort()  # type: ignore[union-attr]

        self.loop.call_soon_threadsafe(abort)


Serve = Callable[..., Site]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start applications that end with the test."""
    if not (STATIC / "index.html").is_file():
        missing("the page is not built: run  make web")
    with contextlib.ExitStack() as stack:

        def start(
            models: dict[str, Callable[[int], ChatModel]] | None = None,
            maps: MapProvider | None = None,
            vector: Callable[[], TileMaker] | None = None,
            **settings: Any,
        ) -> Site:
            settings = {"directory": tmp_path / "web", **settings}
            made = models or {"scripted": lambda _seed: ScriptedModel(script())}
            return stack.enter_context(
                running(WebSettings(**settings), Choices(made, maps or FewPlaces([KIOSK])), vector)
            )

        yield start


@contextlib.contextmanager
def running(
    settings: WebSettings, choices: Choices, tiles: Callable[[], TileMaker] | None = None
) -> Generator[Site]:
    """Serve in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    ready = threading.Event()
    assert settings.directory
    site: Site
    server: uvicorn.Server

    async def main() -> None:
        nonlocal site, server
        desk = JobDesk(choices, settings.directory or Path(), settings.limits)
        app = create_app(desk, recorded(settings.evaluations), settings, tiles)
        config = uvicorn.Config(app, lifespan="on", log_config=None, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        site = Site(server, listener.getsockname()[1], desk.directory)
        site.loop = asyncio.get_running_loop()
        ready.set()
        await server.serve(sockets=[listener])

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    try:
        assert ready.wait(10)
        yield site
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


def evaluation(directory: Path, rows: int, shift: float = 0.0) -> Path:
    """Write a run directory as `eval run` does."""
    directory.mkdir()
    truths = [Truth(lat=n % 120 - 60, lon=n % 300 - 150, city=f"City {n}") for n in range(rows)]
    entries = [
        Entry(id=f"{n:04}", image=f"{n:04}.jpg", sha256="", truth=truth) for n, truth in enumerate(truths)
    ]
    results = [
        Result(
            id=entry.id,
            image=entry.image,
            truth=entry.truth,
            status=Status.UNPARSED if n % 10 == 0 else Status.ANSWERED,
            answer=None
            if n % 10 == 0
            else Answer(lat=entry.truth.lat + shift + n / 10_000, lon=entry.truth.lon),
        )
        for n, entry in enumerate(entries)
    ]
    (directory / MANIFEST).write_text("".join(f"{one.model_dump_json()}\n" for one in entries))
    (directory / RESULTS).write_text("".join(f"{one.model_dump_json()}\n" for one in results))
    return directory


@dataclass(frozen=True)
class Done:
    """A site with one located photo and two evaluations, which tests look at and leave as they are."""

    site: Site
    job: dict[str, Any]

    @property
    def run(self) -> str:
        return f"{self.site.url}/#/run/{self.job['runs'][0]}"

    @property
    def evaluation(self) -> str:
        return f"{self.site.url}/#/evaluation/mine"


@pytest.fixture(scope="session")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    """What tests share that only look."""
    if not (STATIC / "index.html").is_file():
        missing("the page is not built: run  make web")
    folder = tmp_path_factory.mktemp("done")
    evaluations = evaluation(folder / "mine", 2500), evaluation(folder / "theirs", 2500, shift=0.01)
    settings = WebSettings(directory=folder / "web", evaluations=evaluations)
    choices = Choices({"scripted": lambda _seed: ScriptedModel(script())}, FewPlaces([KIOSK]))
    with running(settings, choices) as site:
        job = submit(site).json()
        yield Done(site, finished(site, job["id"]))


def submit(site: Site, data: bytes | None = None, **query: Any) -> httpx2.Response:
    """Have a photo located."""
    headers = {"Content-Type": "image/jpeg"}
    return httpx2.post(f"{site.url}/api/jobs", params=query, content=data or photo(), headers=headers)


def finished(site: Site, job: str) -> dict[str, Any]:
    """Wait for a job's end."""
    for _ in range(400):
        told = httpx2.get(f"{site.url}/api/jobs/{job}").json()
        if told["state"] not in {"queued", "running"}:
            return told
        time.sleep(0.05)
    pytest.fail("the job does not end")


# Not for the session: as long as it is open, Playwright's event loop runs in this thread, and no other test
# that comes next here could have its own.
@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        missing("no Chromium: on Debian and Ubuntu run  apt install chromium")
    quiet = [f"--disable-{part}" for part in ("quic", "sync", "background-networking", "component-update")]
    software = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
    browser = playwright.chromium.launch(
        executable_path=program, args=["--no-sandbox", "--no-first-run", *quiet, *software]
    )
    yield browser
    browser.close()


class Visits:
    """Opens pages as users that know nothing of each other, and keeps what went wrong in them."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._stack = contextlib.ExitStack()
        self.foreign: list[str] = []
        self.errors: list[str] = []

    def open(self, url: str, **options: Any) -> Page:
        context = self._browser.new_context(**{"viewport": {"width": 1200, "height": 760}, **options})
        self._stack.callback(context.close)
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.on("request", self._asked)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on(
            "console", lambda said: self.errors.append(said.text) if "Content Security" in said.text else None
        )
        page.goto(url)
        return page

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:http://127.0.0.1:")):
            self.foreign.append(request.url)

    def close(self) -> None:
        self._stack.close()


@pytest.fixture
def visits(chromium: Browser) -> Iterator[Visits]:
    """No page of any test asks a foreign host, breaks, or meets the content policy."""
    opened = Visits(chromium)
    yield opened
    opened.close()
    assert opened.foreign == []
    assert opened.errors == []


def located(page: Page, data: bytes | None = None) -> None:
    """Pick a photo and wait for its answer."""
    page.set_input_files("input[type=file]", {**FILE, "buffer": data or photo()})
    expect(page.locator(".place")).to_be_attached(timeout=60_000)


def saved(page: Page, entry: str) -> str:
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=entry).click()
    return download.value.path().read_text("utf-8")


def selected(page: Page) -> str:
    return page.locator("li.selected").get_attribute("data-step") or ""
