"""What a user does and sees, in a real browser."""

import base64
import json
import re
import threading
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from wheretaken.agent.events import Status
from wheretaken.answers import Answer
from wheretaken.evals.model import Result, Truth
from wheretaken.evals.running.manifest import MANIFEST, Entry
from wheretaken.evals.running.runner import RESULTS
from wheretaken.testing.scripted import ScriptedModel
from wheretaken.web.settings import WebLimits

from .conftest import Gate, Serve, Visits, photo, script

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

ROOT = Path(__file__).resolve().parents[2]
FILE = {"name": "corner.jpg", "mimeType": "image/jpeg"}

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


def located(page: Page, data: bytes | None = None) -> None:
    """Pick a photo and wait for its answer."""
    page.set_input_files("input[type=file]", {**FILE, "buffer": data or photo()})
    expect(page.locator(".place")).to_be_attached(timeout=60_000)


def selected(page: Page) -> str:
    return page.locator("li.selected").get_attribute("data-step") or ""


def test_a_photo_is_dropped_and_the_reader_finds_it(serve: Serve, visits: Visits) -> None:
    from wheretaken.maps.offline.provider import offline_provider
    from wheretaken.models.reader.reader import Reader

    page = visits.open(serve({"reader": lambda _seed: Reader()}, offline_provider()).url)
    data = base64.b64encode((ROOT / "examples" / "helsinki-corner.jpg").read_bytes()).decode()
    page.locator(".drop").wait_for()
    page.evaluate(DROP, ["helsinki-corner.jpg", data])
    page.wait_for_url("**/#/run/*")
    expect(page.locator(".place")).to_have_text("Helsinki, Finland", timeout=90_000)
    expect(page.locator("ul.evidence")).to_contain_text("FABIANINKATU")
    assert page.locator("g.text").count() >= 6, "what was read is outlined in the photo"
    expect(page.locator(".maplibregl-canvas")).to_be_visible()
    page.goto(page.url.split("#", maxsplit=1)[0])
    expect(page.locator(".card strong")).to_have_text("Helsinki, Finland")


def test_a_photo_can_be_pasted(serve: Serve, visits: Visits) -> None:
    page = visits.open(serve().url)
    page.locator(".drop").wait_for()
    page.evaluate(PASTE, ["pasted.jpg", base64.b64encode(photo()).decode()])
    expect(page.locator(".place")).to_have_text("Helsinki, Finland")


def test_what_is_selected_in_one_pane_is_marked_in_the_others(serve: Serve, visits: Visits) -> None:
    page = visits.open(serve().url)
    located(page)
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
    page.wait_for_timeout(1500)  # the map flies to the answer
    box = page.locator(".map .maplibregl-canvas").bounding_box()
    assert box
    page.locator("li[data-step$='/1'] .head").click()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("li.answer.selected")).to_have_count(1)


def test_a_run_is_replayed_by_keys_scrubber_and_address(serve: Serve, visits: Visits) -> None:
    page = visits.open(serve().url)
    located(page)
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
    link = re.sub(r"step/\d+", "step/4", page.url)
    again = visits.open(link)
    expect(again.locator("li.selected")).to_have_attribute("data-step", re.compile("/4$"))


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


def test_a_file_of_trajectories_is_opened_without_a_server(serve: Serve, visits: Visits) -> None:
    site = serve()
    page = visits.open(site.url)
    located(page)
    other = visits.open(f"{serve(directory=site.directory.parent / 'other').url}/#/file")
    with other.expect_file_chooser() as chooser:
        other.get_by_role("button", name="Choose a folder").click()
    chooser.value.set_files(site.directory)
    other.locator("a.line").click()
    expect(other.locator(".place")).to_have_text("Helsinki, Finland")
    expect(other.locator("li[data-step]")).to_have_count(7)
    shown = other.locator("figure image")
    assert (shown.get_attribute("href") or "").startswith("blob:"), "the picture comes from the folder"


@pytest.mark.parametrize(
    ("entry", "start"),
    [("GeoJSON", '{\n "type": "FeatureCollection"'), ("KML", "<?xml"), ("Page", "<!doctype html>")],
)
def test_a_run_is_exported(serve: Serve, visits: Visits, entry: str, start: str) -> None:
    page = visits.open(serve().url)
    located(page)
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=entry).click()
    text = download.value.path().read_text("utf-8")
    assert text.startswith(start)
    assert "24.94" in text
    if entry == "Page":
        assert "http" not in re.sub(r"data:[^\"]+|http-equiv", "", text), "it asks nobody for anything"
        assert text.count("data:image/") == 3
        assert "OSM" in text


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


def test_an_evaluation_of_2500_rows_is_sorted_filtered_and_compared(
    serve: Serve, visits: Visits, tmp_path: Path
) -> None:
    sets = (evaluation(tmp_path / "mine", 2500), evaluation(tmp_path / "theirs", 2500, shift=0.01))
    page = visits.open(f"{serve(evaluations=sets).url}/#/evaluation/mine")
    rows = page.locator(".line")
    expect(page.get_by_text("2500 rows")).to_be_visible()
    assert rows.count() < 60, "only what can be seen is in the page"
    expect(rows.first).to_contain_text(".jpg")
    page.get_by_role("button", name="Sort by Photo").click()
    expect(rows.first).to_contain_text("0000.jpg")
    page.locator(".scroll").evaluate("one => one.scrollTo(0, one.scrollHeight)")
    expect(rows.last).to_contain_text("2499.jpg")
    page.get_by_role("button", name="No answer").click()
    expect(page.get_by_text("250 rows")).to_be_visible()
    page.get_by_label("Compare with").select_option("theirs")
    page.get_by_role("button", name="better", exact=True).click()
    expect(page.get_by_text("2250 rows")).to_be_visible()
    assert page.url.endswith("?compare=theirs")


def test_a_row_of_an_evaluation_opens_its_recording(serve: Serve, visits: Visits, tmp_path: Path) -> None:
    site = serve()
    page = visits.open(site.url)
    located(page)
    (log,) = (site.directory / "events").glob("*.jsonl")
    made = evaluation(tmp_path / "mine", 1)
    result = Result(
        id="0000",
        truth=Truth(lat=60, lon=25),
        status=Status.ANSWERED,
        answer=Answer(lat=60.1, lon=25),
        runs=(log.stem,),
    )
    (made / RESULTS).write_text(f"{result.model_dump_json()}\n")
    (made / "trajectories.jsonl").write_bytes((site.directory / "trajectories.jsonl").read_bytes())
    other = serve(directory=tmp_path / "other", evaluations=(made,))
    page = visits.open(f"{other.url}/#/evaluation/mine")
    page.locator("a.line").click()
    expect(page.locator(".place")).to_have_text("Helsinki, Finland")
    expect(page.locator("li[data-step]")).to_have_count(7)


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
def test_axe_finds_nothing_serious(serve: Serve, visits: Visits, tmp_path: Path, theme: str) -> None:
    axe = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.is_file():
        from .conftest import missing

        missing("no axe-core: run  npm ci  in web/")
    site = serve(evaluations=(evaluation(tmp_path / "mine", 30),))
    page = visits.open(site.url, color_scheme=theme)
    found: list[str] = []

    def check(where: str) -> None:
        page.evaluate(axe.read_text("utf-8"))
        done = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        found.extend(
            f"{where}: {one['id']}: {node['html'][:160]}"
            for one in done["violations"]
            if one["impact"] in {"serious", "critical"}
            for node in one["nodes"]
        )

    page.locator(".drop").wait_for()
    check("start")
    located(page)
    page.locator(".answer.selected, li.answer .head").first.click()
    check("run")
    page.get_by_role("button", name="Ask again").click()
    check("dialog")
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{site.url}/#/file")
    page.locator("h1").wait_for()
    check("file")
    page.goto(f"{site.url}/#/evaluation/mine")
    page.locator(".line").first.wait_for()
    check("evaluation")
    assert found == []
