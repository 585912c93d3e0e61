"""How long people wait for the pages of `wheretaken web`, in a real browser.

    python bench/web.py [--rounds 5] [--emulated-card]

Needs the built page (`make web`), Playwright and a Chromium. As on every machine without a graphics card, the
browser draws pages by itself and maps (WebGL) with an emulated card, on the same cores as the server; with
`--emulated-card` it draws everything with that, which no machine does of itself. Every line has a baseline in
the same run: the same browser with a page of one sentence, a client that only counts frames of the event
stream, the page when nothing happens, and `json.loads`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import shutil
import socket
import statistics
import sys
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import uvicorn
from PIL import Image
from playwright.sync_api import sync_playwright

from wheretaken.agent.events import Status
from wheretaken.answers import Answer
from wheretaken.evals.model import Result, Truth
from wheretaken.evals.running.manifest import MANIFEST, Entry
from wheretaken.evals.running.runner import RESULTS
from wheretaken.maps import Place
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.scripted import ScriptedModel, call, say
from wheretaken.web.app import create_app
from wheretaken.web.desk import JobDesk
from wheretaken.web.records import recorded
from wheretaken.web.settings import WebSettings
from wheretaken.web.solving import Choices

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from playwright.sync_api import Browser, CDPSession, Page

    from wheretaken.messages import Message, ToolSpec

RUNS, STEPS = 8, 30
PACE_SECONDS = 2.0
FILE_BYTES = 50_000_000
ROWS = 2500
PLACE = Place(id="osm:n1", name="Kioski", kind="kiosk", lat=60.17, lon=24.94, country="Finland", source="OSM")
PLAIN = "<!doctype html><title>plain</title><h1>One sentence.</h1>"
LOOKED = """() => {
    window.seen = {}
    new MutationObserver((changes) => {
        for (const change of changes) for (const node of change.addedNodes) {
            const step = node.dataset?.step
            if (step) requestAnimationFrame(() => { window.seen[step] ??= Date.now() })
        }
    }).observe(document.body, { childList: true, subtree: true })
}"""
FRAMES = """(seconds) => new Promise((resolve) => {
    let [frames, began] = [0, performance.now()]
    const count = (now) => {
        frames++
        if (now - began < seconds * 1000) requestAnimationFrame(count)
        else resolve(frames / ((now - began) / 1000))
    }
    requestAnimationFrame(count)
})"""


SCROLLED = """async (list) => {
    let [frames, top] = [0, 0]
    const began = performance.now()
    for (; performance.now() - began < 3000; frames++) {
        top = (top + 45) % (list.scrollHeight - list.clientHeight)
        list.scrollTop = top
        await new Promise(requestAnimationFrame)
    }
    return frames / ((performance.now() - began) / 1000)
}"""


class Paced(ScriptedModel):
    """Makes a step now and then, as a model does that thinks."""

    async def complete(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        """Return the next turn after a while."""
        await asyncio.sleep(PACE_SECONDS)
        return await super().complete(messages, tools)


def model(seed: int) -> ScriptedModel:
    """A run of thirty steps and the answer: six turns with a thought and four calls each."""
    tools: list[tuple[str, dict[str, Any]]] = [
        ("zoom", {"bbox_2d": [100, 100 + seed, 500, 400], "label": "sign"}),
        ("search_places", {"query": "Kioski", "near_lat": 60.2, "near_lon": 25.0}),
        ("road_map", {"lat": 60.17 + seed / 100, "lon": 24.94, "zoom": 15}),
    ]
    turns = [call(*tools, tools[n % 3], text=f"Thought {n}.") for n in range(STEPS // 5)]
    return Paced(
        [*turns, say('{"lat": 60.17, "lon": 24.94, "city": "Helsinki", "radius_km": 1}')], name="paced"
    )


@contextlib.contextmanager
def site(directory: Path) -> Generator[str]:
    """Serve in a thread of this process, with an evaluation of 2,500 rows."""
    results = evaluation(directory / "table")
    listener = socket.create_server(("127.0.0.1", 0))
    settings = WebSettings(directory=directory)
    made: list[uvicorn.Server] = []

    async def main() -> None:
        desk = JobDesk(Choices({"paced": model}, FewPlaces([PLACE])), directory, settings.limits)
        config = uvicorn.Config(
            create_app(desk, recorded([results]), settings),
            lifespan="on",
            log_config=None,
            timeout_graceful_shutdown=1,
        )
        made.append(uvicorn.Server(config))
        await made[0].serve(sockets=[listener])

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    while httpx2.get(f"{url}/api/world/cities", timeout=60).status_code != 200:
        time.sleep(0.1)
    yield url
    made[0].should_exit = True
    thread.join()
    listener.close()


def evaluation(directory: Path) -> Path:
    """Write a run directory as `eval run` does."""
    directory.mkdir()
    truths = [Truth(lat=n % 120 - 60, lon=n % 300 - 150, city=f"City {n}") for n in range(ROWS)]
    entries = [
        Entry(id=f"{n:04}", image=f"{n:04}.jpg", sha256="", truth=truth) for n, truth in enumerate(truths)
    ]
    answers = [Answer(lat=truth.lat + n / 10_000, lon=truth.lon) for n, truth in enumerate(truths)]
    results = [
        Result(id=entry.id, image=entry.image, truth=entry.truth, status=Status.ANSWERED, answer=answer)
        for entry, answer in zip(entries, answers, strict=True)
    ]
    (directory / MANIFEST).write_text("".join(f"{one.model_dump_json()}\n" for one in entries))
    (directory / RESULTS).write_text("".join(f"{one.model_dump_json()}\n" for one in results))
    return directory


def line(title: str, ours: float, unit: str, target: str, baseline: str, theirs: float) -> None:
    """Print a row with the ratio to the baseline."""
    ratio = f"x {ours / theirs:.2f}" if theirs else ""
    print(f"{title:44} {ours:9.1f} {unit:5} {target:9} {baseline}: {theirs:.1f} {unit} {ratio}", flush=True)


def watch(session: CDPSession, sizes: dict[str, int]) -> None:
    """Note how many bytes each address takes on the wire."""
    addresses: dict[str, str] = {}

    def came(event: dict[str, Any]) -> None:
        addresses[event["requestId"]] = event["response"]["url"]

    def ended(event: dict[str, Any]) -> None:
        sizes[addresses.get(event["requestId"], "?")] = int(event["encodedDataLength"])

    session.on("Network.responseReceived", came)
    session.on("Network.loadingFinished", ended)
    session.send("Network.enable")


def load(browser: Browser, url: str, rounds: int) -> None:
    """Bytes of the first load, and the time until the page can be used."""
    sizes: dict[str, int] = {}
    ready, plain = list[float](), list[float]()
    for _ in range(rounds):
        context = browser.new_context()
        page = context.new_page()
        watch(context.new_cdp_session(page), sizes)
        began = time.perf_counter()
        page.goto(url)
        page.locator("button.link").wait_for()
        ready.append(1000 * (time.perf_counter() - began))
        page.set_input_files(
            "input[type=file]", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo()}
        )
        page.locator(".maplibregl-canvas").wait_for()
        page.wait_for_timeout(500)
        context.close()
        page = browser.new_page()
        began = time.perf_counter()
        page.set_content(PLAIN)
        page.locator("h1").wait_for()
        plain.append(1000 * (time.perf_counter() - began))
        page.close()
    code = {at: size for at, size in sizes.items() if at.endswith((".js", ".mjs", ".css", ".html", "/"))}
    total = sum(size for at, size in code.items() if "worker" not in at) / 1000
    engine = sum(size for at, size in code.items() if "maplibre-gl-" in at and "worker" not in at) / 1000
    line("first load with a map, gzip, no worker", total, "kB", "<= 500", "the map engine alone", engine)
    line(
        "start page can be used",
        statistics.median(ready),
        "ms",
        "<= 1500",
        "page of a sentence",
        statistics.median(plain),
    )


def photo() -> bytes:
    """A picture to locate."""
    buffer = io.BytesIO()
    Image.effect_noise((1024, 768), 60).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


def eight(browser: Browser, url: str, directory: Path) -> None:
    """Eight runs at a time: frames, and how late events are on the screen."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(url)
    page.get_by_label("Runs").fill(str(RUNS))
    page.evaluate(LOOKED)
    page.set_input_files("input[type=file]", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo()})
    page.locator("li[data-step]").first.wait_for()
    page.wait_for_timeout(3000)  # the engine compiles its shaders with the first map
    busy = page.evaluate(FRAMES, 4)
    page.locator(".agree").wait_for(timeout=60_000)  # all runs, not the first alone
    page.wait_for_timeout(3000)
    idle = page.evaluate(FRAMES, 2)
    line("the map while it is dragged", dragged(page), "fps", "", "the page when nothing happens", idle)
    line(f"{RUNS} runs of {STEPS} steps", busy, "fps", ">= 30", "the page when nothing happens", idle)
    seen: dict[str, int] = page.evaluate("window.seen")
    late = sorted(lateness(directory, seen))
    heard = counting(url)
    line(
        "event to screen, median",
        statistics.median(late),
        "ms",
        "<= 100",
        "a client that counts",
        statistics.median(heard),
    )
    line(
        "event to screen, 95 of 100",
        late[int(0.95 * len(late))],
        "ms",
        "",
        "a client that counts",
        heard[int(0.95 * len(heard))],
    )
    page.close()


def dragged(page: Page) -> float:
    """Frames a second while every one of them draws the whole map anew: what the renderer can do."""
    box = page.locator(".maplibregl-canvas").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.evaluate(f"void (window.counted = ({FRAMES})(3))")
    page.mouse.move(x, y)
    page.mouse.down()
    until = time.perf_counter() + 3
    while time.perf_counter() < until:
        x += 4 if int(until * 2 - time.perf_counter() * 2) % 2 else -4
        page.mouse.move(x, y)
    page.mouse.up()
    return page.evaluate("window.counted")


def scrolling(page: Page, url: str) -> None:
    """The table of an evaluation, a row a frame."""
    page.goto(f"{url}/#/evaluation/table")
    page.locator(".line").first.wait_for()
    page.wait_for_timeout(3000)
    idle = page.evaluate(FRAMES, 2)
    frames = page.locator(".scroll").evaluate(SCROLLED)
    line(f"a table of {ROWS} rows is scrolled", frames, "fps", "", "the page when nothing happens", idle)
    page.close()


def lateness(directory: Path, seen: dict[str, int]) -> list[float]:
    """Milliseconds between the events that begin steps and their sight."""
    late: list[float] = []
    for log in (directory / "events").glob("*.jsonl"):
        number = 0
        for text in log.read_text().splitlines():
            event = json.loads(text)
            thought = event["type"] == "message" and event["message"]["role"] == "assistant"
            if thought or event["type"] == "tool_started":
                number += 1
                if (at := seen.get(f"{event['run']}/{number}")) is not None:
                    late.append(at - 1000 * datetime.fromisoformat(event["at"]).timestamp())
    return late


def counting(url: str) -> list[float]:
    """The same for a client that reads the stream and shows nothing."""
    headers = {"Content-Type": "image/jpeg"}
    job = httpx2.post(f"{url}/api/jobs", params={"n": RUNS}, content=photo(), headers=headers).json()
    late: list[float] = []
    ended = 0
    with httpx2.stream("GET", f"{url}/api/stream", params={"job": job["id"]}, timeout=30) as response:
        for text in response.iter_lines():
            if not (text.startswith("data: [") and ('"run_' in text or '"tool_' in text)):
                continue
            now = 1000 * time.time()
            events = [one for one in json.loads(text.removeprefix("data: ")) if "type" in one]
            late += [
                now - 1000 * datetime.fromisoformat(one["at"]).timestamp()
                for one in events
                if one["type"] != "run_ended"
            ]
            ended += sum(one["type"] == "run_ended" for one in events)
            if ended == RUNS:
                break
    return sorted(late)


def opening(page: Page, url: str, directory: Path) -> None:
    """A large file of trajectories, until its list is shown."""
    source = (directory / "trajectories.jsonl").read_text().splitlines()[0]
    name = json.loads(source)["id"]
    large = directory / "large" / "trajectories.jsonl"
    large.parent.mkdir()
    with large.open("w") as file:
        for number in range(FILE_BYTES // len(source) + 1):
            file.write(source.replace(name, f"{name}x{number}") + "\n")
    page.goto(f"{url}/#/file")
    page.get_by_role("button", name="Choose a file").wait_for()
    began = time.perf_counter()
    page.locator("input[type=file]").first.set_input_files(large)
    page.locator("a.line").first.wait_for()
    took = 1000 * (time.perf_counter() - began)
    began = time.perf_counter()
    with large.open() as file:
        for text in file:
            json.loads(text)
    line(
        f"open a file of {large.stat().st_size / 1e6:.0f} MB",
        took,
        "ms",
        "<= 2000",
        "json.loads",
        1000 * (time.perf_counter() - began),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--emulated-card",
        action="store_true",
        help="for the whole page, not only for maps",
    )
    asked = parser.parse_args()
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        print("no Chromium: apt install chromium")
        return 1
    software = ["--enable-unsafe-swiftshader"]  # without a card, WebGL wants to be allowed
    if asked.emulated_card:
        software += ["--use-angle=swiftshader", "--ignore-gpu-blocklist"]
    with tempfile.TemporaryDirectory() as folder, site(Path(folder)) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", *software])
        load(browser, url, asked.rounds)
        time.sleep(STEPS / 5 * PACE_SECONDS + 3)  # the runs of that have ended
        eight(browser, url, Path(folder))
        scrolling(browser.new_page(viewport={"width": 1440, "height": 900}), url)
        opening(browser.new_page(), url, Path(folder))
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
