"""Runs that were made before: opened from files, in tables of evaluations, and exported."""

import json
import re
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import Page, expect

from wheretaken.agent.events import Status
from wheretaken.answers import Answer
from wheretaken.evals.model import Result, Truth
from wheretaken.evals.running.runner import RESULTS

from .conftest import Done, Serve, Visits, evaluation, saved

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]


def grounded(page: Page) -> None:
    """A recording says what its answer rests on, and what of its evidence holds, as a live run does."""
    expect(page.get_by_text("Rests on: a place found")).to_be_visible()
    expect(page.locator(".evidence .holds")).to_have_count(1)


def test_a_file_of_trajectories_is_opened_without_a_server(done: Done, serve: Serve, visits: Visits) -> None:
    other = visits.open(f"{serve().url}/#/file")
    with other.expect_file_chooser() as chooser:
        other.get_by_role("button", name="Choose a folder").click()
    chooser.value.set_files(done.site.directory)
    other.locator("a.line").click()
    expect(other.locator(".place")).to_have_text("Helsinki, Finland")
    expect(other.locator("li[data-step]")).to_have_count(7)
    grounded(other)
    shown = other.locator("figure image")
    assert (shown.get_attribute("href") or "").startswith("blob:"), "the picture comes from the folder"


def test_a_run_is_exported(done: Done, visits: Visits) -> None:
    page = visits.open(done.run)
    expect(page.locator(".place")).to_be_attached()
    features = json.loads(saved(page, "GeoJSON"))["features"]
    kinds = {one["properties"]["kind"]: one["geometry"] for one in features}
    assert kinds["answer"] == {"type": "Point", "coordinates": [24.94, 60.17]}
    assert kinds["radius"]["type"] == kinds["area"]["type"] == "Polygon"
    places = ET.fromstring(saved(page, "KML")).iter("{http://www.opengis.net/kml/2.2}Placemark")
    assert len(list(places)) == len(features)
    text = saved(page, "Page")
    assert "http" not in re.sub(r"data:[^\"]+|http-equiv", "", text), "it asks nobody for anything"
    assert text.count("data:image/") == 4, "the photo, the closest map, and the pictures of two steps"
    assert "OSM" in text
    assert "a lookup confirms it" in text


def test_the_evidence_sheet_is_printed_as_it_should_look(done: Done, visits: Visits) -> None:
    page = visits.open(done.run)
    # The dialog of a browser without a screen never closes.
    page.context.add_init_script("window.print = () => { window.printed = true }")
    expect(page.locator(".place")).to_be_attached()
    page.locator("summary", has_text="Export").click()
    with page.expect_popup() as popup:
        page.get_by_role("button", name="Evidence sheet").click()
    sheet = popup.value
    # The page's policy forbids the scripts with which Playwright would wait for this.
    deadline = time.monotonic() + 20
    while not sheet.evaluate("window.printed") and time.monotonic() < deadline:
        sheet.wait_for_timeout(50)
    assert sheet.evaluate("window.printed")
    laid = "getComputedStyle(document.querySelector('dl')).display"
    assert sheet.evaluate(laid) == "grid", "it has its rules"
    assert sheet.evaluate("[...document.images].every((one) => one.naturalWidth > 0)")
    expect(sheet.locator("figure")).to_have_count(2)
    expect(sheet.locator("dl")).to_contain_text(done.job["info"]["sha256"])
    assert sheet.pdf().startswith(b"%PDF-")


SCROLL = """async (list) => {
    // The list jumps by some rows a frame: what is then on the screen must never be blank.
    list.scrollIntoView({ block: 'end' })
    const blank = []
    for (let top = 0; top < list.scrollHeight - list.clientHeight; top += 2400) {
        list.scrollTop = top
        await new Promise((next) => requestAnimationFrame(() => setTimeout(next)))
        const box = list.getBoundingClientRect()
        for (const share of [0.05, 0.5, 0.95]) {
            const hit = document.elementFromPoint(box.left + box.width / 3, box.top + box.height * share)
            if (!hit?.closest('.line')) blank.push(top)
        }
    }
    return blank
}"""


def test_an_evaluation_of_2500_rows_is_sorted_filtered_and_compared(done: Done, visits: Visits) -> None:
    page = visits.open(done.evaluation)
    rows = page.locator(".line")
    expect(page.get_by_text("2500 rows")).to_be_visible()
    assert rows.count() < 60, "only what can be seen is in the page"
    expect(rows.first).to_contain_text(".jpg")
    page.get_by_role("button", name="Sort by Photo").click()
    expect(rows.first).to_contain_text("0000.jpg")
    assert page.locator(".scroll").evaluate(SCROLL) == []
    page.locator(".scroll").evaluate("one => one.scrollTo(0, one.scrollHeight)")
    expect(rows.last).to_contain_text("2499.jpg")
    page.get_by_role("button", name="No answer").click()
    expect(page.get_by_text("250 rows")).to_be_visible()
    page.get_by_label("Compare with").select_option("theirs")
    page.get_by_role("button", name="better", exact=True).click()
    expect(page.get_by_text("2250 rows")).to_be_visible()
    assert page.url.endswith("?compare=theirs")


def test_a_row_of_an_evaluation_opens_its_recording(
    done: Done, serve: Serve, visits: Visits, tmp_path: Path
) -> None:
    made = evaluation(tmp_path / "mine", 1)
    result = Result(
        id="0000",
        truth=Truth(lat=60, lon=25),
        status=Status.ANSWERED,
        answer=Answer(lat=60.1, lon=25),
        runs=tuple(done.job["runs"]),
    )
    (made / RESULTS).write_text(f"{result.model_dump_json()}\n")
    (made / "trajectories.jsonl").write_bytes((done.site.directory / "trajectories.jsonl").read_bytes())
    other = serve(directory=tmp_path / "other", evaluations=(made,))
    page = visits.open(f"{other.url}/#/evaluation/mine")
    page.locator("a.line").click()
    expect(page.locator(".place")).to_have_text("Helsinki, Finland")
    expect(page.locator("li[data-step]")).to_have_count(7)
    grounded(page)


def test_answers_that_rest_on_nothing_are_found(
    done: Done, serve: Serve, visits: Visits, tmp_path: Path
) -> None:
    made = evaluation(tmp_path / "mine", 2)
    (run,) = done.job["runs"]
    results = [
        Result(
            id=f"{n:04}",
            truth=Truth(lat=n, lon=n),
            status=Status.ANSWERED,
            answer=Answer(lat=60.17, lon=24.94 + n),
            runs=(run,),
        )
        for n in range(2)
    ]
    (made / RESULTS).write_text("".join(f"{one.model_dump_json()}\n" for one in results))
    for name in ("trajectories.jsonl", "solutions.jsonl"):
        (made / name).write_bytes((done.site.directory / name).read_bytes())
    page = visits.open(f"{serve(evaluations=(made,)).url}/#/evaluation/mine")
    expect(page.get_by_text("a place found")).to_have_count(1)
    page.get_by_role("button", name="Ungrounded").click()
    expect(page.locator(".line")).to_have_count(1)
    expect(page.locator(".line .name")).to_have_text("0001")
