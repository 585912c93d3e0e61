"""The report: its numbers, its page, and that nothing from outside becomes mark-up."""

import base64
import hashlib
import io
import math
import re
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from wheretaken.agent.events import Limits, PhotoInfo, Status, StopReason, ToolEnded, ToolStarted
from wheretaken.agent.trajectory import Trajectory, append
from wheretaken.answers import Answer
from wheretaken.errors import DataError, MissingExtraError
from wheretaken.evals.distances import score_results
from wheretaken.evals.model import Result, Truth
from wheretaken.evals.report import build, calibration, gather, to_html, to_markdown
from wheretaken.evals.report.model import Cell, Report, Table
from wheretaken.evals.report.worldmap import View
from wheretaken.evals.running.manifest import Entry
from wheretaken.messages import Message, Picture, Usage

EVIL = "</td></table>\"'><script>alert(1)</script><img src=x onerror=alert(2)>|`*_[x](javascript:y)\n\u202e"
VOID = {"meta", "img", "br", "hr", "input", "link"}


class Page(HTMLParser):
    """Reads a page strictly: every element is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.raw: dict[str, list[str]] = {"style": [], "script": []}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), "an attribute comes twice"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in self.raw:
            self.raw[self.open[-1]].append(data)
        else:
            self.texts.append(data)

    def attributes(self, name: str) -> list[str]:
        return [value or "" for _, found in self.elements for key, value in found.items() if key == name]


def result(at: int, km: float | None, **more) -> Result:
    """A photo on the equator whose answer is so far east of it."""
    truth = Truth(lat=0.0, lon=at * 0.1, city=f"C{at % 3}", country=f"L{at % 2}")
    if km is None:
        return Result(id=f"p{at}", truth=truth, status=Status.REFUSED, detail="no idea", **more)
    stated = {name: more.pop(name) for name in ("radius_km", "confidence") if name in more}
    answer = Answer(lat=0.0, lon=truth.lon + km / 111.3195, **stated)
    return Result(id=f"p{at}", truth=truth, status=Status.ANSWERED, answer=answer, **more)


def write(path: Path, results: list[Result]) -> Path:
    path.write_text("".join(one.model_dump_json() + "\n" for one in results), encoding="utf-8")
    return path


def made(*paths: Path) -> Report:
    return build(gather(paths))


def table(report: Report, caption: str) -> Table:
    return next(t for section in report.sections for t in section.tables if caption in t.caption)


def row(found: Table, *names: str) -> dict[str, Cell]:
    """The row whose first cells are these, by column."""
    cells = next(cells for cells in found.rows if [c.text for c in cells[: len(names)]] == list(names))
    return {column.title: cell for column, cell in zip(found.columns, cells, strict=True)}


def run_directory(path: Path, results: list[Result], picture: bytes, **more) -> Path:
    """A directory as `eval run` leaves it, each photo seen once and a tool used twice."""
    path.mkdir()
    shown = Picture.wrap(picture, "image/jpeg", 320, 240)
    (path / "media").mkdir()
    (path / shown.reference).write_bytes(picture)
    for at, one in enumerate(results):
        started = {"run": f"r{at}", "number": 1, "at": "", "elapsed": 0.0, "turn": 1, "call_id": "c"}
        tools = (
            ToolStarted(**started, tool=more.get("tool", "look"), arguments="{}"),
            ToolEnded(**started, tool=more.get("tool", "look"), seconds=0.5, error="bad" if at == 0 else ""),
        )
        messages = (
            Message.of("system", more.get("prompt", "Look closely.")),
            Message.of("user", "Where?", shown),
            Message.of("assistant", "Here."),
        )
        stop = StopReason.TURNS if at == 0 else StopReason.FINISHED
        append(path, Trajectory(
            id=f"r{at}", photo=PhotoInfo(sha256=f"{at:064x}", width=320, height=240), model="m", toolset="t",
            limits=Limits(), seed=0, started="", seconds=2, messages=messages, tools=tools, usage=Usage(),
            status=one.status, stop_reason=stop, answer=one.answer, detail="",
        ))  # fmt: skip
    write(
        path / "results.jsonl",
        [one.model_copy(update={"runs": (f"r{at}",)}) for at, one in enumerate(results)],
    )
    rows = [Entry(id=one.id, image=one.image, sha256="", truth=one.truth) for one in results]
    (path / "data.jsonl").write_text("".join(entry.model_dump_json() + "\n" for entry in rows))
    return path


@pytest.fixture
def picture() -> bytes:
    """A JPEG that tells where it was taken."""
    image = Image.effect_noise((320, 240), 80).convert("RGB")
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    exif[0x010E] = "SECRET PLACE"
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def test_the_headline_is_the_score(tmp_path):
    results = [result(at, km) for at, km in enumerate([0.1, 1, 5, 20, 100, 500, 3000, None])]
    report = made(write(tmp_path / "a.jsonl", results))
    score = score_results(results)
    found = row(table(report, "Scores"), "a")
    assert found["photos"].value == score.n == 8
    assert found["score"].value == score.score
    assert {d: found[f"Acc@{d}"].value for d in score.acc} == score.acc
    assert found["Acc@25km"].text == "50.0 %"
    low, high = score.ci95["25km"]
    assert found["Acc@25km"].note == f"{low * 100:.1f}–{high * 100:.1f}"
    assert found["median"].value == score.median_km
    became = row(table(report, "What became"), "a")
    assert [became[s].value for s in ("answered", "refused", "unparsed", "failed")] == [7, 1, 0, 0]


def test_places_and_the_rest_add_up(tmp_path):
    results = [result(at, 1.0 if at < 50 else None) for at in range(60)]
    crowd = [one.model_copy(update={"truth": one.truth.model_copy(update={"country": f"L{at}"})})
             for at, one in enumerate(results)]  # fmt: skip
    found = table(made(write(tmp_path / "a.jsonl", crowd)), "By country")
    assert found.rows[-1][0].text == "40 others"
    assert sum(cells[1].value or 0 for cells in found.rows) == 60


def test_one_country_is_told_by_city(tmp_path):
    alone = [one.model_copy(update={"truth": one.truth.model_copy(update={"country": "X"})})
             for one in (result(at, 1.0) for at in range(6))]  # fmt: skip
    found = table(made(write(tmp_path / "a.jsonl", alone)), "By city")
    assert {cells[0].text: cells[1].value for cells in found.rows} == {"C0": 2, "C1": 2, "C2": 2}


def test_runs_are_compared_on_the_photos_they_share(tmp_path):
    a = write(tmp_path / "a.jsonl", [result(at, 1.0) for at in range(30)])
    b = write(tmp_path / "b.jsonl", [result(at, 1.0 if at < 20 else 100.0) for at in range(5, 40)])
    report = made(a, b)
    found = table(report, "b against a")
    assert found.note.startswith("25 photos in both; left out: 5 only in a, 10 only in b.")
    assert row(found, "Acc@2km")["difference"].value == pytest.approx(-10 / 25)
    easy = table(report, "Easy")
    assert easy.caption == "Easy: 15 of 40 photos"
    assert row(easy, "b")["Acc@10km"].value == 1.0


def test_runs_over_different_sets_are_shown_and_not_compared(tmp_path):
    a = write(tmp_path / "a.jsonl", [result(at, 1.0) for at in range(3)])
    b = write(tmp_path / "b.jsonl", [result(at, 1.0) for at in range(10, 13)])
    report = made(a, b)
    section = next(section for section in report.sections if section.id == "comparison")
    assert section.tables == []
    assert "no photo in common" in section.texts[-1]
    assert len(table(report, "Scores").rows) == 2


def test_agreement_of_a_photos_runs(tmp_path):
    results = [result(at, 1.0 if at % 2 else 99.0, agree=4 if at % 2 else 1, runs=("a", "b", "c", "d"))
               for at in range(10)]  # fmt: skip
    found = table(made(write(tmp_path / "a.jsonl", results)), "agreement")
    assert row(found, "a", "4 of 4")["Acc@25km"].value == 1.0
    assert row(found, "a", "1 of 4")["Acc@25km"].value == 0.0


def test_calibration_by_hand(tmp_path):
    stated = [(0.4, 0.95, 0.1), (0.4, 0.95, 3), (10, 0.75, 3), (10, 0.75, 30), (10, 0.75, 9), (700, 0.1, 699)]
    results = [
        result(at, km, radius_km=radius, confidence=sure) for at, (radius, sure, km) in enumerate(stated)
    ]
    run = gather([write(tmp_path / "a.jsonl", results)])[0]
    radii = calibration.radius_bands(run)
    assert [(band.name, band.n, band.right) for band in radii] == [
        ("< 1 km", 2, 1), ("5–25 km", 3, 2), ("≥ 500 km", 1, 1),
    ]  # fmt: skip
    sures = calibration.confidence_bands(run)
    assert [(band.name, band.n, band.right) for band in sures] == [
        ("10–20 %", 1, 0), ("70–80 %", 3, 2), ("90–100 %", 2, 2),
    ]  # fmt: skip
    expected = (1 * 0.1 + 3 * abs(0.75 - 2 / 3) + 2 * 0.05) / 6
    assert calibration.calibration_error(sures) == pytest.approx(expected)
    report = build([run])
    assert row(table(report, "what it is worth"), "a", "all")["ECE"].value == pytest.approx(expected)
    assert row(table(report, "stated radius"), "a", "all")["truth inside"].value == pytest.approx(4 / 6)


def test_costs_per_photo(tmp_path):
    spent = [Usage(prompt_tokens=100, completion_tokens=at, cost=0.5) for at in range(1, 102)]
    results = [result(at, 1.0, seconds=float(at), usage=usage) for at, usage in enumerate(spent, 1)]
    found = table(made(write(tmp_path / "a.jsonl", results)), "Tokens")
    assert row(found, "a", "prompt tokens")["total"].text == "10,100"
    seconds = row(found, "a", "seconds")
    assert [seconds[name].value for name in ("mean", "median", "95 % below", "total")] == [51, 51, 96, 5151]
    assert row(found, "a", "US dollars")["total"].text == "$50.5000"


def test_trajectories_tell_stop_reasons_and_tools(tmp_path, picture):
    directory = run_directory(tmp_path / "run", [result(at, 1.0) for at in range(4)], picture)
    report = made(directory)
    stops = row(table(report, "Why runs stopped"), "run")
    assert (stops["trajectories"].value, stops["turns"].value, stops["finished"].value) == (4, 1, 3)
    tools = row(table(report, "Tools"), "run", "look")
    assert (tools["calls"].value, tools["errors"].value, tools["mean time"].text) == (4, 1, "0.500 s")


def test_the_worst_come_first_with_a_clean_picture(tmp_path, picture):
    results = [result(at, float(at)) for at in range(40)] + [result(40, None)]
    report = made(run_directory(tmp_path / "run", results, picture))
    worst = next(section for section in report.sections if section.id == "worst").tables[0]
    assert [cells[0].text for cells in worst.rows] == [f"p{at}" for at in range(39, 15, -1)]
    url = worst.rows[0][0].picture
    small = Image.open(io.BytesIO(base64.b64decode(url.removeprefix("data:image/jpeg;base64,"))))
    assert small.size == worst.rows[0][0].size == (224, 168)
    assert not small.getexif()
    assert b"SECRET" not in base64.b64decode(url.partition(",")[2])
    page = to_html(report)
    assert len(Page(page).attributes("src")) == 24
    assert len(page) < 1_000_000
    assert "data:image" not in to_markdown(report)


def test_the_results_of_a_run_stand_for_the_run(tmp_path, picture):
    directory = run_directory(tmp_path / "run", [result(at, 1.0) for at in range(3)], picture)
    assert to_html(made(directory / "results.jsonl")) == to_html(made(directory))


def test_a_picture_that_is_gone_does_not_cost_the_report(tmp_path, picture):
    directory = run_directory(tmp_path / "run", [result(at, 1.0) for at in range(3)], picture)
    next((directory / "media").iterdir()).write_bytes(b"no picture")
    assert "src" not in {key for _, found in Page(to_html(made(directory))).elements for key in found}


def test_photos_that_a_run_did_not_come_to_stand_at_the_top(tmp_path, picture):
    directory = run_directory(tmp_path / "run", [result(at, 1.0) for at in range(4)], picture)
    lines = (directory / "results.jsonl").read_text().splitlines(keepends=True)
    (directory / "results.jsonl").write_text("".join(lines[:3]))
    page = to_html(made(directory))
    assert page.index("1 photo of the data set has no result") < page.index("Scores")
    assert '<li class="error">' in page


@pytest.fixture
def evil(tmp_path, picture) -> Report:
    """Runs in which every text is an attack."""
    place = {"city": EVIL, "country": EVIL}
    results = [
        Result(id=f"{EVIL}{at}", truth=Truth(lat=1, lon=at, **place), status=Status.ANSWERED, image=EVIL,
               answer=Answer(lat=2, lon=at, raw=EVIL, radius_km=1, confidence=0.5, **place), detail=EVIL,
               data_source=EVIL, split=EVIL, model=EVIL, agree=1, runs=("r0", EVIL))
        for at in range(4)
    ]  # fmt: skip
    failed = Result(id=f"{EVIL}x", truth=Truth(lat=1, lon=1), status=Status.FAILED, detail=EVIL)
    bare = EVIL.replace("/", "").replace("\n", "")
    plain = write(tmp_path / f"{bare[:80]}.jsonl", [*results, failed, failed])
    directory = run_directory(
        tmp_path / f"{bare[:60]} run", [*results, failed], picture, tool=EVIL, prompt=EVIL
    )
    report = made(plain, directory)
    assert {finding.title.split(" ")[-1] for _, finding in report.findings}, (
        "attacks in findings are tested too"
    )
    return report


def test_nothing_from_outside_becomes_markup(evil):
    page = Page(to_html(evil))
    counts = Counter(tag for tag, _ in page.elements)
    assert (counts["script"], counts["style"]) == (1, 1)
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert tag != "img" or (attributes["src"] or "").startswith("data:image/jpeg;base64,")
        assert (attributes.get("href") or "#").startswith(("#", "https://www.openstreetmap.org/?mlat="))
    # The attack is there to be read, as text.
    assert sum(text.count("<script>alert(1)</script>") for text in page.texts) > 20


def test_nothing_from_outside_becomes_markdown(evil):
    text = to_markdown(evil)
    assert not re.search(r"(?<!\\)[<>]", text)
    assert not re.search(
        r"(?<!\\)\]\((?!https://www\.openstreetmap\.org/\?mlat=[-\d.]+&mlon=[-\d.]+#map)", text
    )
    widths = [[len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()]
              for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)]  # fmt: skip
    assert len(widths) > 5
    assert all(len(set(block)) == 1 for block in widths)


def test_the_page_is_one_file_that_asks_for_nothing(evil):
    page = to_html(evil)
    parsed = Page(page)
    assert not {"link", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in parsed.elements}
    assert "@import" not in page
    assert "url(" not in parsed.raw["style"][0]
    policy = next(a["content"] for t, a in parsed.elements if t == "meta" and "http-equiv" in a) or ""
    assert policy.startswith("default-src 'none'; img-src data:;")
    for kind in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256("".join(parsed.raw[kind]).encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    ids = parsed.attributes("id")
    assert len(ids) == len(set(ids))
    assert set(parsed.attributes("aria-labelledby")) <= set(ids)
    assert {href[1:] for href in parsed.attributes("href") if href.startswith("#")} <= set(ids)


def test_the_same_files_give_the_same_bytes(tmp_path, picture):
    directory = run_directory(tmp_path / "run", [result(at, 40.0 * at) for at in range(30)], picture)
    assert to_html(made(directory)) == to_html(made(directory))
    assert to_markdown(made(directory)) == to_markdown(made(directory))


def test_files_of_one_name_are_told_apart(tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
    paths = [write(tmp_path / folder / "a.jsonl", [result(0, 1.0)]) for folder in ("x", "y")]
    assert [run.name for run in gather(paths)] == ["x/a", "y/a"]
    assert [run.name for run in gather([paths[0], paths[0]])] == ["a", "a (2)"]


def test_without_an_answer_there_is_still_a_report(tmp_path):
    report = made(write(tmp_path / "a.jsonl", [result(at, None) for at in range(3)]))
    Page(to_html(report))
    assert row(table(report, "Scores"), "a")["median"].text == "–"
    assert report.findings[0][1].severity == "error"


def test_a_broken_file_is_named(tmp_path):
    path = write(tmp_path / "a.jsonl", [result(0, 1.0)])
    path.write_text(path.read_text() + "{broken\n")
    with pytest.raises(DataError, match=r"a\.jsonl:2 "):
        gather([path])


def test_a_missing_library_is_named(tmp_path, monkeypatch):
    report = made(write(tmp_path / "a.jsonl", [result(0, 1.0)]))
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match=r"wheretaken\[evals\]"):
        to_html(report)
    assert "Acc@500m" in to_markdown(report)


positions = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@given(st.lists(positions, min_size=1, max_size=30))
def test_every_photo_is_on_the_map(places):
    """Of fewer than a hundred photos none is a stray one."""
    view = View([Truth(lat=lat, lon=lon) for lat, lon in places])
    units = view.units(np.array([(lon, lat) for lat, lon in places]))
    assert math.isfinite(view.height)
    assert 0 < view.height <= 350
    assert (units >= -1e-6).all()
    assert (units[:, 0] <= 560 + 1e-6).all()
    assert (units[:, 1] <= view.height + 1e-6).all()


def test_three_real_runs_make_a_small_page(shared: Path):
    names = [shared / "published" / f"amap_v1_{model}.jsonl" for model in ("gpt5", "o3", "qwen3vl235b")]
    page = to_html(made(*names))
    Page(page)
    assert len(page.encode()) < 1_000_000
