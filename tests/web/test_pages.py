"""What a user does and sees, in a real browser."""

import base64
import io
import json
import re
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from wheretaken.testing.scripted import ScriptedModel
from wheretaken.web.settings import WebLimits

from .conftest import FILE, Done, Gate, Serve, Typing, Visits, located, photo, saved, script, selected

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

ROOT = Path(__file__).resolve().parents[2]
DROP = """([name, data]) => {
    const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0))
    const dropped = new DataTransfer()
    dropped.items.add(new File([bytes], name, { type: 'image/jpeg' }))
    document.querySelector('.drop').dispatchEvent(
        new DragEvent('drop', { dataTransfer: dropped, bubbles: true, cancelable: true }))
}"""
PASTE = DROP.replace("document.querySelector('.drop')", "window").replace(
    "new DragEvent('drop', { dataTransfer: dropped,", "new ClipboardEvent('paste', { clipboardData: dropped,"
)

WHITE = """(canvas) => {
    // The most white pixels in a row down the middle.
    const { data } = canvas.getContext('2d').getImageData(canvas.width / 2, 0, 1, canvas.height)
    let [most, now] = [0, 0]
    for (let at = 0; at < data.length; at += 4) {
        now = data[at] + data[at + 1] + data[at + 2] + data[at + 3] === 1020 ? now + 1 : 0
        most = Math.max(most, now)
    }
    return most
}"""


def middle(page: Page) -> tuple[float, float]:
    """Of the map, in pixels of the page."""
    box = page.locator(".map .maplibregl-canvas").bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@contextmanager
def tile_server() -> Generator[tuple[str, list[str]]]:
    """A server that has a grey tile for every address; yields its URL and what it was asked for."""
    asked: list[str] = []
    buffer = io.BytesIO()
    Image.new("RGB", (256, 256), "grey").save(buffer, "PNG")

    class Tiles(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            # The pages are told to embed nothing that does not allow it.
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()
            self.wfile.write(buffer.getvalue())

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Tiles) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def until(page: Page, reached: Callable[[], bool]) -> None:
    """Wait for what no locator can see."""
    deadline = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)


def test_a_photo_is_dropped_and_the_reader_finds_it(serve: Serve, visits: Visits) -> None:
    from wheretaken.maps.offline.provider import offline_provider
    from wheretaken.models.reader.reader import Reader
    from wheretaken.server.tiles import installed_maps

    page = visits.open(serve({"reader": lambda _seed: Reader()}, offline_provider(), installed_maps).url)
    tiles: list[str] = []
    page.on("response", lambda reply: tiles.append(reply.url) if reply.status == 200 else None)
    data = base64.b64encode((ROOT / "examples" / "helsinki-corner.jpg").read_bytes()).decode()
    page.locator(".drop").wait_for()
    page.evaluate(DROP, ["helsinki-corner.jpg", data])
    page.wait_for_url("**/#/run/*")
    expect(page.locator(".place")).to_have_text("Helsinki, Finland", timeout=90_000)
    expect(page.locator("ul.evidence")).to_contain_text("FABIANINKATU")
    assert page.locator("g.text").count() >= 6, "what was read is outlined in the photo"
    expect(page.locator(".maplibregl-canvas")).to_be_visible()
    until(page, lambda: any(re.search(r"/api/tiles/1[4-6]/\d+/\d+\.mvt", url) for url in tiles))
    page.goto(page.url.split("#", maxsplit=1)[0])
    expect(page.locator(".card strong")).to_have_text("Helsinki, Finland")


def test_a_photo_can_be_pasted(serve: Serve, visits: Visits) -> None:
    page = visits.open(serve().url)
    page.locator(".drop").wait_for()
    page.evaluate(PASTE, ["pasted.jpg", base64.b64encode(photo()).decode()])
    expect(page.locator(".place")).to_have_text("Helsinki, Finland")


def test_what_is_selected_in_one_pane_is_marked_in_the_others(done: Done, visits: Visits) -> None:
    page = visits.open(done.run, reduced_motion="reduce")
    page.click("g.zoom")
    assert selected(page).endswith("/2")
    assert page.url.endswith("/step/2")
    page.click(".evidence button")
    assert selected(page).endswith("/4"), "evidence leads to the call that showed it"
    page.locator("li[data-step$='/2'] .head").click()
    expect(page.locator("g.zoom.marked")).to_have_count(1)
    page.click(".place")
    assert selected(page).endswith("/7")
    page.locator("li[data-step$='/3'] .head").click()
    page.click(".place")
    page.mouse.move(*middle(page))
    expect(page.locator("li.answer.marked")).to_have_count(1)
    expect(page.locator(".map .label")).to_contain_text("Helsinki")
    page.locator("li[data-step$='/1'] .head").click()
    page.mouse.click(*middle(page))
    expect(page.locator("li.answer.selected")).to_have_count(1)


def test_a_run_is_replayed_by_keys_scrubber_and_address(done: Done, visits: Visits) -> None:
    page = visits.open(done.run)
    steps = page.locator("li[data-step]")
    expect(steps).to_have_count(7)
    page.locator("body").press("Home")
    expect(steps).to_have_count(0)
    page.locator("body").press("ArrowRight")
    page.locator("body").press("ArrowRight")
    expect(steps).to_have_count(2)
    assert selected(page).endswith("/2")
    page.locator(".replay input").fill("5")
    expect(steps).to_have_count(5)
    page.locator(".replay select").select_option("20")
    page.get_by_label("Play").click()
    expect(steps).to_have_count(7)
    page.goto("about:blank")
    page.goto(f"{done.run}/step/4")
    expect(page.locator("li.selected")).to_have_attribute("data-step", re.compile("/4$"))


def test_a_lost_connection_loses_and_repeats_nothing(serve: Serve, visits: Visits) -> None:
    gate = threading.Event()
    site = serve({"gate": lambda _seed: Gate(script(), gate, before=1)})
    page = visits.open(site.url)
    page.set_input_files("input[type=file]", {**FILE, "buffer": photo()})
    steps = page.locator("li[data-step]")
    expect(steps).to_have_count(2)
    site.cut()
    expect(page.get_by_text("Connection lost")).to_be_visible()
    gate.set()
    expect(page.locator(".place")).to_be_attached()
    expect(steps).to_have_count(7)
    expect(page.get_by_text("Connection lost")).to_have_count(0)


def test_two_users_wait_for_each_other_and_both_are_served(serve: Serve, visits: Visits) -> None:
    gate = threading.Event()
    site = serve({"gate": lambda _seed: Gate(script(), gate, before=0)}, limits=WebLimits(jobs=1))
    first, second = visits.open(site.url), visits.open(site.url)
    first.set_input_files("input[type=file]", {**FILE, "buffer": photo("red")})
    expect(first.locator("#answer")).to_have_text("Looking…")
    second.set_input_files("input[type=file]", {**FILE, "buffer": photo("blue")})
    expect(second.locator("#answer")).to_contain_text("number 1")
    gate.set()
    for page in (first, second):
        expect(page.locator(".place")).to_have_text("Helsinki, Finland")
    assert first.url != second.url


def test_several_runs_have_a_colour_each_and_one_decision(serve: Serve, visits: Visits) -> None:
    page = visits.open(serve().url)
    page.get_by_label("Runs").fill("3")
    located(page)
    expect(page.get_by_role("tab", name="Run ")).to_have_count(3)
    expect(page.locator(".agree")).to_have_text("3 of 3 runs agree within 25 km")
    assert {f"run-{n}" for n in range(3)} <= {
        name
        for names in page.locator("g.zoom").evaluate_all("all => all.map(one => one.className.baseVal)")
        for name in names.split()
    }
    expect(page.locator(".legend")).to_contain_text("answer of all runs")
    page.click(".place")
    page.mouse.move(*middle(page))
    expect(page.locator(".map .label")).to_have_text(re.compile("^answer of all runs: .*Helsinki"))
    until(page, lambda: page.locator(".overlay").evaluate(WHITE) >= 6)
    page.get_by_role("tab", name="Run 2").click()
    assert re.search(r"-1$", page.url)


def test_a_run_is_stopped_and_asked_again_with_a_hint(serve: Serve, visits: Visits) -> None:
    gate, made = threading.Event(), list[ScriptedModel]()

    def model(_seed: int) -> ScriptedModel:
        made.append(Gate(script(), gate, before=1))
        return made[-1]

    page = visits.open(serve({"gate": model}).url)
    page.set_input_files("input[type=file]", {**FILE, "buffer": photo()})
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#answer")).to_have_text("no answer")
    gate.set()
    page.get_by_role("button", name="Ask again").click()
    page.get_by_role("dialog").get_by_label("Hint").fill("it is in Finland")
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".place")).to_have_text("Helsinki, Finland")
    assert "it is in Finland" in made[-1].asked[0][1].text
    expect(page.get_by_text("“it is in Finland”")).to_be_visible()


def test_a_person_corrects_the_place_by_keyboard(serve: Serve, visits: Visits) -> None:
    site = serve()
    page = visits.open(site.url)
    located(page)
    page.get_by_role("button", name="Correct the place").click()
    pin = page.locator(".maplibregl-marker")
    pin.wait_for()
    for _ in range(5):
        pin.press("Shift+ArrowRight")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".corrected")).to_contain_text("from the answer")
    (job,) = (json.loads(path.read_text()) for path in (site.directory / "jobs").glob("*.json"))
    assert job["correction"]["lon"] > 24.94


def test_a_photo_is_deleted_with_all_that_was_made_of_it(serve: Serve, visits: Visits) -> None:
    site = serve()
    page = visits.open(site.url)
    located(page)
    page.get_by_role("link", name="New photo").click()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".card")).to_have_count(0)
    left = [path for path in site.directory.rglob("*") if path.is_file() and path.stat().st_size]
    assert left == []


def test_a_token_is_asked_for_once(serve: Serve, visits: Visits) -> None:
    from pydantic import SecretStr

    site = serve(token=SecretStr("let-me-in"))
    page = visits.open(site.url)
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not the token")
    page.get_by_label("Token").fill("let-me-in")
    page.get_by_role("button", name="Sign in").click()
    located(page)
    page.reload()
    expect(page.locator(".place")).to_be_attached()
    assert "let-me-in" not in page.evaluate("document.cookie + JSON.stringify(localStorage)")


def test_the_page_speaks_chinese_and_remembers_it(serve: Serve, visits: Visits) -> None:
    site = serve()
    page = visits.open(site.url, locale="zh-CN")
    expect(page.locator("h1")).to_have_text("这张照片拍摄于何处？")
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    page.get_by_role("button", name="English").click()
    page.reload()
    expect(page.locator("h1")).to_have_text("Where was it taken?")


def test_a_turn_is_seen_while_it_is_written(serve: Serve, visits: Visits) -> None:
    gate = threading.Event()
    page = visits.open(serve({"typing": lambda _seed: Typing(script(), gate, before=1)}).url)
    page.set_input_files("input[type=file]", {**FILE, "buffer": photo()})
    expect(page.locator(".draft .text")).to_have_text("A sign, it says <KIOSKI>")
    expect(page.locator(".draft .call")).to_have_text("search_places")
    gate.set()
    expect(page.locator(".place")).to_be_attached()
    expect(page.locator(".draft")).to_have_count(0)


def test_several_photos_wait_in_view(serve: Serve, visits: Visits) -> None:
    gate = threading.Event()
    site = serve({"gate": lambda _seed: Gate(script(), gate, before=0)}, limits=WebLimits(jobs=1))
    page = visits.open(site.url)
    files = [{**FILE, "name": f"{one}.jpg", "buffer": photo(one)} for one in ("red", "green", "blue")]
    page.set_input_files("input[type=file]", files)
    expect(page.locator(".card")).to_have_count(3)
    expect(page.locator(".card strong").first).to_have_text("waiting, number 2")
    gate.set()
    expect(page.locator(".card", has_text="Helsinki, Finland")).to_have_count(3)


def test_a_person_drags_the_pin_and_exports_where_it_is(serve: Serve, visits: Visits) -> None:
    page = visits.open(serve().url, reduced_motion="reduce")
    located(page)
    page.get_by_role("button", name="Correct the place").click()
    box = page.locator(".maplibregl-marker").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y, steps=4)
    page.mouse.up()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".corrected")).to_contain_text("from the answer")
    page.reload()
    expect(page.locator(".corrected")).to_contain_text("from the answer")
    (found,) = (
        one["geometry"]["coordinates"]
        for one in json.loads(saved(page, "GeoJSON"))["features"]
        if one["properties"]["kind"] == "correction"
    )
    assert found[0] > 24.94


def test_tiles_of_others_are_shown_where_the_settings_name_them(serve: Serve, visits: Visits) -> None:
    with tile_server() as (url, asked):
        page = visits.open(serve(tiles=f"{url}/{{z}}/{{x}}/{{y}}.png", tiles_attribution="© Somebody").url)
        located(page)
        expect(page.get_by_text("© Somebody")).to_be_visible()
        until(page, lambda: bool(asked))
    assert re.fullmatch(r"/\d+/\d+/\d+\.png", asked[0])


def test_on_a_narrow_screen_one_pane_is_seen_at_a_time(done: Done, visits: Visits) -> None:
    page = visits.open(done.run, viewport={"width": 390, "height": 800})
    for name, pane in (("Photo", "figure"), ("Map", ".maplibregl-map"), ("Steps", "ol")):
        page.get_by_role("tab", name=name, exact=True).click()
        expect(page.locator(f".panes {pane}").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    expect(page.locator(".panes figure")).to_be_hidden()


def test_on_a_narrow_screen_what_has_a_place_leads_to_the_map(done: Done, visits: Visits) -> None:
    page = visits.open(done.run, viewport={"width": 390, "height": 800}, reduced_motion="reduce")
    shown = page.get_by_role("tab", selected=True)
    x, y = middle(page)
    for choose in (".evidence button", ".place"):
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 120, y + 150, steps=3)
        page.mouse.up()
        page.get_by_role("tab", name="Photo", exact=True).click()
        page.click(choose)
        expect(shown).to_have_text("Map")
        page.mouse.move(x, y - 1)
        page.mouse.move(x, y)
        expect(page.locator(".map .label")).to_contain_text("Helsinki")
    page.get_by_role("tab", name="Steps", exact=True).click()
    page.locator("li[data-step$='/4'] .head").click()
    expect(shown).to_have_text("Steps")
    page.get_by_role("button", name="Show on the map").click()
    expect(shown).to_have_text("Map")
    page.get_by_role("tab", name="Photo", exact=True).click()
    expect(page.locator("figure")).to_be_visible()


def test_everything_is_reached_by_keyboard(serve: Serve, visits: Visits) -> None:
    page = visits.open(serve().url)
    page.locator(".drop").wait_for()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
    chooser.value.set_files({**FILE, "buffer": photo()})
    expect(page.locator(".place")).to_be_attached()
    box = page.locator("g.zoom")
    box.focus()
    page.keyboard.press("Enter")
    expect(page.locator("li.selected")).to_have_count(1)
    page.locator("li.selected .head").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("li.selected")).to_have_attribute("data-step", re.compile("/3$"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(done: Done, visits: Visits, theme: str) -> None:
    axe = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.is_file():
        from .conftest import missing

        missing("no axe-core: run  npm ci  in web/")
    # A theme changes colours and nothing else.
    rules = "runOnly: ['color-contrast']" if theme == "dark" else ""
    page = visits.open(done.site.url, color_scheme=theme)
    found: list[str] = []

    def check(where: str) -> None:
        page.evaluate(axe.read_text("utf-8"))
        said = page.evaluate(f"axe.run(document, {{ resultTypes: ['violations'], {rules} }})")
        found.extend(
            f"{where}: {one['id']}: {node['html'][:160]}"
            for one in said["violations"]
            if one["impact"] in {"serious", "critical"}
            for node in one["nodes"]
        )

    page.locator(".drop").wait_for()
    check("start")
    page.goto(done.run)
    expect(page.locator(".place")).to_be_attached()
    page.locator(".answer.selected, li.answer .head").first.click()
    check("run")
    page.get_by_role("button", name="Ask again").click()
    check("dialog")
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{done.site.url}/#/file")
    page.locator("h1").wait_for()
    check("file")
    page.goto(done.evaluation)
    page.locator(".line").first.wait_for()
    check("evaluation")
    assert found == []
