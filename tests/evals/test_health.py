"""Each health check fires on what it is for, and stays quiet on answers of models that did look."""

import random
from pathlib import Path

import pytest

from wheretaken.agent.events import Limits, PhotoInfo, Status, StopReason
from wheretaken.agent.trajectory import Trajectory
from wheretaken.answers import Answer
from wheretaken.evals.health import Finding, check
from wheretaken.evals.model import Result, Truth
from wheretaken.evals.results import read_results
from wheretaken.evals.results.register import MISSING
from wheretaken.geo import Datum, LatLon
from wheretaken.messages import Message, Usage

CITIES = [(60.17, 24.94), (48.85, 2.35), (35.68, 139.76), (-33.87, 151.21), (40.71, -74.01), (1.29, 103.85)]


def results(n: int = 60, *, off_deg: float = 0.01) -> list[Result]:
    """Good answers: near their own photo, each a little different."""
    dice = random.Random(1)
    made: list[Result] = []
    for at in range(n):
        lat, lon = CITIES[at % len(CITIES)]
        lat, lon = lat + dice.uniform(-0.2, 0.2), lon + dice.uniform(-0.2, 0.2)
        answer = Answer(lat=lat + dice.uniform(-off_deg, off_deg), lon=lon)
        made.append(Result(id=f"p{at}", truth=Truth(lat=lat, lon=lon), status=Status.ANSWERED, answer=answer))
    return made


def lose(found: list[Result], status: Status, count: int, detail: str = "because") -> list[Result]:
    lost = {"status": status, "answer": None, "detail": detail}
    return [r.model_copy(update=lost) if at < count else r for at, r in enumerate(found)]


def trajectory(system: str, *later: Message, sha256: str = "", path: str = "photo.jpg") -> Trajectory:
    messages = (Message.of("system", system), Message.of("user", "Where was this photo taken?"), *later)
    return Trajectory(
        id="run-1", photo=PhotoInfo(sha256=sha256, width=9, height=9, path=path), model="m", toolset="t",
        limits=Limits(), seed=0, started="2026-01-01T00:00:00.000Z", seconds=1, messages=messages, tools=(),
        usage=Usage(), status=Status.ANSWERED, stop_reason=StopReason.FINISHED, answer=None, detail="",
    )  # fmt: skip


def only(findings: list[Finding]) -> Finding:
    assert len(findings) == 1, findings
    return findings[0]


def test_good_answers_are_healthy():
    assert check(results()) == []


def test_nothing_at_all_is_an_error():
    assert only(check([])).severity == "error"


@pytest.mark.parametrize(
    ("status", "count", "severity"),
    [
        (Status.UNPARSED, 3, None),
        (Status.UNPARSED, 4, "warning"),
        (Status.UNPARSED, 13, "error"),
        (Status.REFUSED, 6, None),
        (Status.REFUSED, 7, "warning"),
        (Status.REFUSED, 31, "error"),
        (Status.FAILED, 0, None),
        (Status.FAILED, 1, "warning"),
        (Status.FAILED, 4, "error"),
    ],
)
def test_lost_answers_are_told_above_a_limit(status, count, severity):
    findings = check(lose(results(60), status, count))
    if severity is None:
        assert findings == []
    else:
        finding = only(findings)
        assert finding.severity == severity
        assert f"({count} of 60)" in finding.title
        assert finding.examples[0] == "p0: because"


def test_photos_without_a_result_are_told_once_and_first():
    found = lose(lose(results(60), Status.REFUSED, 10), Status.FAILED, 2, MISSING)
    first, second = check(found)
    assert (first.severity, first.examples) == ("error", ("p0", "p1"))
    assert "no result" in first.title
    assert second.severity == "warning"


def test_a_photo_with_more_results_than_the_others_weighs_too_much():
    found = results(60)
    assert only(check([*found, found[7]])).examples == ("p7",)
    assert check([*found, found[7]])[0].severity == "error"


def test_as_many_runs_of_every_photo_are_no_fault():
    assert check([*results(60), *results(60)]) == []


def test_zero_zero_is_a_missing_value():
    found = results(60)
    nowhere = found[5].model_copy(update={"answer": Answer(lat=0.0, lon=0.001)})
    finding = only(check([nowhere, *found[:5], *found[6:]]))
    assert "0, 0" in finding.title
    assert finding.examples == ("p5",)


def test_a_few_answers_to_all_photos_are_found():
    paris = Answer(lat=48.8566, lon=2.3522)
    found = [r.model_copy(update={"answer": paris}) if at % 3 else r for at, r in enumerate(results(90))]
    finding = only(check(found))
    assert finding.severity == "error"
    assert "repeated" not in finding.title
    # Photos of Paris itself are not among the wrong ones.
    assert finding.examples == ("48.86, 2.35: 45 photos",)


def test_the_right_answer_to_many_photos_of_one_place_is_fine():
    place = {"truth": Truth(lat=60.17, lon=24.94), "answer": Answer(lat=60.171, lon=24.941)}
    assert check([r.model_copy(update=place) for r in results(60)]) == []


def test_answers_that_belong_to_other_photos_are_found():
    found = results(60)
    given = [r.answer for r in found]
    random.Random(3).shuffle(given)
    findings = check([r.model_copy(update={"answer": a}) for r, a in zip(found, given, strict=True)])
    assert "no nearer" in only(findings).title
    assert only(findings).severity == "error"


def test_poor_answers_that_look_at_the_pictures_are_healthy():
    assert check(results(60, off_deg=8.0)) == []


def test_the_checks_have_no_chance_in_them():
    given = results(60)[::-1]
    found = [r.model_copy(update={"answer": g.answer}) for r, g in zip(results(60), given, strict=True)]
    assert check(found) == check(found)


@pytest.mark.parametrize(
    "prompt", ["33.8688 S, 151.2093 E", "-33.8688,151.2093", "gps=(-33.868812 151.209312)"]
)
def test_the_position_is_found_however_it_is_written(prompt):
    photo = Result(id="x", truth=Truth(lat=-33.86881, lon=151.20931), status=Status.ANSWERED,
                   answer=Answer(lat=1, lon=1), runs=("run-1",))  # fmt: skip
    assert only(check([photo], trajectories=[trajectory(prompt)])).title.startswith("The prompt holds")


@pytest.mark.parametrize("datum", list(Datum))
@pytest.mark.parametrize("decimals", [3, 5])
def test_a_prompt_with_the_position_is_an_error(datum, decimals):
    truth = LatLon(31.23041, 121.47370)
    told = truth.to(datum)
    photo = Result(id="x", truth=Truth(lat=truth.lat, lon=truth.lon), status=Status.ANSWERED,
                   answer=Answer(lat=31.2, lon=121.4), runs=("run-1",))  # fmt: skip
    prompt = f"Context: {{'gps': ({told.lat:.{decimals}f}, {told.lon:.{decimals}f})}}"
    finding = only(check([photo], trajectories=[trajectory(prompt)]))
    assert finding.severity == "error"
    assert "position" in finding.title
    assert check([photo], trajectories=[trajectory("Context: 31.2, 121.5 and 31.2304, 120.1234")]) == []


def test_a_tool_may_name_the_right_place():
    photo = Result(id="x", truth=Truth(lat=31.23041, lon=121.4737), status=Status.ANSWERED,
                   answer=Answer(lat=31.2, lon=121.4), sha256="ab")  # fmt: skip
    found = Message.of("tool", '{"lat": 31.23041, "lon": 121.4737}', tool_call_id="1")
    honest = trajectory("Look.", Message.of("assistant", "I search."), found, sha256="ab")
    assert check([photo], trajectories=[honest]) == []
    # The same text before the model speaks is no finding of a tool.
    assert check([photo], trajectories=[trajectory("Look.", found, sha256="ab")]) != []


def test_a_prompt_with_the_file_name_is_a_warning():
    photo = results(1)[0].model_copy(update={"runs": ("run-1",), "image": "images/paris-louvre.jpg"})
    finding = only(check([photo], trajectories=[trajectory("This is paris-louvre.jpg")]))
    assert (finding.severity, finding.examples) == ("warning", ("p0: paris-louvre.jpg",))
    assert check([photo], trajectories=[trajectory("This is a photo")]) == []


@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("amap_v1_gpt5", ["2 photos have more"]),
        ("amap_v1_o3", ["2 photos have more"]),
        ("amap_v1_qwen3vl235b", ["2 photos have more"]),
        ("geobenchwocn_gpt5", []),
        ("geobenchwocn_o3", ["refused"]),
        ("geobenchwocn_qwen3vl235b", []),
        ("geobenchwocn_test_qwen3vl30b", []),
    ],
)
def test_published_answers_raise_no_false_alarm(shared: Path, name: str, titles: list[str]):
    """MAPBench has two pictures twice, and o3 refused a seventh of GeoBench: both are so."""
    findings = check(list(read_results(shared / "published" / f"{name}.jsonl")))
    assert [f.severity for f in findings] == ["warning"] * len(titles)
    for finding, title in zip(findings, titles, strict=True):
        assert title in finding.title


def test_the_published_metric_itself_loses_answers(shared: Path):
    """Read strictly, a trailing comma makes a fifth of these answers none, and a refusal a place at 0, 0."""
    found = list(read_results(shared / "published" / "geobenchwocn_o3.jsonl", reading="strict"))
    assert [(finding.severity, finding.title) for finding in check(found)] == [
        ("error", "21.4% of the photos unparsed (200 of 934)"),
        ("warning", "1 photo answered with 0, 0"),
    ]
