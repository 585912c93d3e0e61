"""Our own records: runs with their manifest as the denominator, and trajectories with a data set."""

import hashlib
import json
from pathlib import Path

import pytest
from PIL import Image

from wheretaken.agent import Case, PhotoInfo, record
from wheretaken.agent.events import Status
from wheretaken.answers import Answer
from wheretaken.errors import DataError
from wheretaken.evals.model import Result, Row, Truth
from wheretaken.evals.results import read_results
from wheretaken.evals.results.register import MISSING
from wheretaken.evals.running import Entry
from wheretaken.messages import Picture
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.scripted import ScriptedModel, say
from wheretaken.tools.worldwide import WORLDWIDE

TEXT = '{"lat": 1.5, "lon": 2.5, "city": "A", "country": "B"}'
TRUTH = Truth(lat=1.5, lon=2.6)


class Photos:
    """A data set in memory."""

    name = "my set"
    notes = ()

    def __init__(self, *rows: Row):
        self._rows = rows

    def rows(self):
        return iter(self._rows)


def row(name: str, source: Path | bytes = b"", truth: Truth = TRUTH) -> Row:
    return Row(id=name, image=f"images/{name}.jpg", source=source, truth=truth)


def result(name: str, **values) -> Result:
    answer = Answer(lat=1.5, lon=2.5)
    return Result(id=name, truth=TRUTH, status=Status.ANSWERED, answer=answer).model_copy(update=values)


def lines(path: Path, *models) -> Path:
    path.write_text("".join(model.model_dump_json() + "\n" for model in models), encoding="utf-8")
    return path


def manifest(directory: Path, *names: str) -> Path:
    lines(
        directory / "data.jsonl",
        *(Entry(id=name, image=f"{name}.jpg", sha256=sha(name), truth=TRUTH) for name in names),
    )
    return directory


def sha(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


async def run_photo(out: Path, name: str, text: str = TEXT):
    picture = Picture.encode(Image.new("RGB", (40, 30)))
    case = Case(picture, PhotoInfo(sha256=sha(name), width=40, height=30, path=f"{name}.jpg"))
    return await record(case, ScriptedModel([say(text)]), WORLDWIDE, FewPlaces(), out=out)


def problem(path: Path, **options) -> str:
    with pytest.raises(DataError) as caught:
        list(read_results(path, **options))
    return str(caught.value).replace(str(path), "PATH")


def test_our_results_come_back_as_they_were(tmp_path):
    written = [result("a", seconds=2.5, runs=("r1", "r2"), agree=2), result("b", detail="x")]
    assert list(read_results(lines(tmp_path / "any.jsonl", *written))) == written


def test_the_manifest_of_a_run_is_the_denominator(tmp_path):
    manifest(tmp_path, "a", "b", "c")
    lines(tmp_path / "results.jsonl", result("c"), result("a"))
    results = list(read_results(tmp_path))
    assert [(one.id, one.status) for one in results] == [
        ("c", Status.ANSWERED),
        ("a", Status.ANSWERED),
        ("b", Status.FAILED),
    ]
    assert (results[2].detail, results[2].truth, results[2].image) == (MISSING, TRUTH, "b.jpg")
    # The file of results is not taken for the whole run either.
    assert list(read_results(tmp_path / "results.jsonl")) == results


def test_a_run_that_was_killed_early(tmp_path):
    manifest(tmp_path, "a", "b")
    assert [one.status for one in read_results(tmp_path)] == [Status.FAILED, Status.FAILED]
    lines(tmp_path / "results.jsonl", result("a"))
    with (tmp_path / "results.jsonl").open("a") as file:
        file.write('{"id": "b", "tru')
    assert [one.status for one in read_results(tmp_path)] == [Status.ANSWERED, Status.FAILED]


def test_a_damaged_run_is_named(tmp_path):
    manifest(tmp_path, "a", "b")
    lines(tmp_path / "results.jsonl", result("a"), result("a"))
    assert "results.jsonl has two results for 'a'" in problem(tmp_path)
    lines(tmp_path / "results.jsonl", result("a"), result("z"))
    assert "results.jsonl has a result for 'z', which data.jsonl beside it lacks" in problem(tmp_path)
    (tmp_path / "results.jsonl").write_text(result("a").model_dump_json() + '\n{"id": "b"}\n')
    assert "results.jsonl:2 cannot be used (truth: Field required)" in problem(tmp_path)


async def test_trajectories_get_their_truth_from_the_data_set_by_the_photos_bytes(tmp_path):
    made = await run_photo(tmp_path, "a")
    await run_photo(tmp_path, "b", "I cannot tell.")
    photo = tmp_path / "b.jpg"
    photo.write_bytes(b"b")
    data = Photos(row("A", b"a"), row("B", photo), row("C", b"c"), row("gone", tmp_path / "gone.jpg"))
    for path in (tmp_path, tmp_path / "trajectories.jsonl"):
        results = list(read_results(path, data=data))
        assert [(one.id, one.status) for one in results] == [
            ("A", Status.ANSWERED),
            ("B", Status.REFUSED),
            ("C", Status.FAILED),
            ("gone", Status.FAILED),
        ]
        assert results[0].answer == made.answer
        assert (results[0].truth, results[0].image) == (TRUTH, "images/A.jpg")
        assert (results[0].runs, results[0].model) == ((made.id,), made.model)


async def test_a_picture_in_two_rows_counts_for_both(tmp_path):
    await run_photo(tmp_path, "a")
    data = Photos(row("one", b"a"), row("two", b"a", Truth(lat=50, lon=2.6)))
    results = list(read_results(tmp_path, data=data))
    assert [(one.id, one.status, one.truth.lat) for one in results] == [
        ("one", Status.ANSWERED, 1.5),
        ("two", Status.ANSWERED, 50),
    ]


async def test_the_trajectories_of_a_run_find_the_manifest_beside_them(tmp_path):
    await run_photo(tmp_path, "b")
    await run_photo(tmp_path, "b")
    manifest(tmp_path, "a", "b")
    results = list(read_results(tmp_path / "trajectories.jsonl"))
    assert [(one.id, one.status) for one in results] == [
        ("b", Status.ANSWERED),
        ("b", Status.ANSWERED),
        ("a", Status.FAILED),
    ]


async def test_trajectories_without_truth_say_what_to_add(tmp_path):
    await run_photo(tmp_path, "a")
    expected = "PATH holds trajectories, which do not know the truth: add --data PATH"
    assert problem(tmp_path) == problem(tmp_path / "trajectories.jsonl") == expected
    data = Photos(row("other", b"other"))
    assert problem(tmp_path, data=data) == (
        "PATH has a run about a.jpg, which my set does not have: name the data set that it is about"
    )


def published(tmp_path: Path, *photos: tuple[str, float]) -> Path:
    path = tmp_path / "published.jsonl"
    with path.open("w") as file:
        for index, (image, lat) in enumerate(photos):
            truth = {"lat": lat, "lon": 2.6, "image": image}
            file.write(json.dumps({"index": index, "ground_truth": truth, "solution_str": TEXT}) + "\n")
    return path


def test_with_a_data_set_every_photo_counts(tmp_path):
    path = published(tmp_path, ("images/b.jpg", 1.5), ("elsewhere/a.jpg", 1.5))
    results = list(read_results(path, data=Photos(row("a"), row("b"), row("c"))))
    assert [(one.id, one.status) for one in results] == [
        ("b", Status.ANSWERED),
        ("a", Status.ANSWERED),
        ("c", Status.FAILED),
    ]


def test_a_picture_at_two_places_is_told_apart_by_its_truth(tmp_path):
    path = published(tmp_path, ("images/a.jpg", 50.0), ("images/a.jpg", 1.5))
    two = [
        Row(id="a", image="images/a.jpg", source=b"", truth=TRUTH),
        Row(id="a again", image="images/a.jpg", source=b"", truth=Truth(lat=50, lon=2.6)),
    ]
    results = list(read_results(path, data=Photos(*two)))
    assert [(one.id, one.truth.lat) for one in results] == [("a again", 50), ("a", 1.5)]


def test_a_data_set_about_something_else_is_refused(tmp_path):
    path = published(tmp_path, ("images/a.jpg", 1.5))
    assert problem(path, data=Photos(row("b"))) == (
        "PATH has an answer for 'images/a.jpg', which my set does not have: "
        "name the data set that it is about"
    )
    shifted = Photos(row("a", truth=Truth(lat=1.5, lon=2.605)))
    assert "PATH and my set disagree about where 'images/a.jpg' was taken" in problem(path, data=shifted)
