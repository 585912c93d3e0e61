"""`wheretaken eval score`, `split` and `compare` as a user meets them, against the published numbers."""

import json

import pytest

ACC = ("500m", "2km", "10km", "25km", "200km", "750km")
ANSWER = '{{"lat": {}, "lon": 2.3, "city": "Paris", "country": "France"}}'


@pytest.fixture(scope="session")
def published(shared):
    """Published files, and the numbers that they must give."""
    return shared / "published"


@pytest.fixture(scope="session")
def expected(published):
    return json.loads((published / "expected.json").read_text(encoding="utf-8"))


@pytest.fixture
def answers(tmp_path):
    """Writes a file of answers to photos at 48.86, 2.3; None is a call that failed."""

    def write(name, *lats, first=0):
        path = tmp_path / name
        with path.open("w", encoding="utf-8") as file:
            for index, lat in enumerate(lats, first):
                text = ANSWER.format(lat) if isinstance(lat, float) else lat
                truth = {"lat": 48.86, "lon": 2.3, "image": f"images/{index}.jpg"}
                file.write(json.dumps({"index": index, "ground_truth": truth, "solution_str": text}) + "\n")
        return path

    return write


def output(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def percent(shares, digits):
    return [round(100 * shares[name], digits) for name in ACC]


def test_a_set_that_has_pictures_twice_is_the_denominator(wheretaken, published, tmp_path):
    """MAPBench's table as the published lines tell it: two of its pictures stand in two rows each."""
    lines = (published / "amap_v1_gpt5.jsonl").read_text(encoding="utf-8").splitlines()
    truths = [json.loads(line)["ground_truth"] for line in lines]
    assert len({truth["image"] for truth in truths}) == len(truths) - 2
    (tmp_path / "images").mkdir()
    for truth in truths:
        (tmp_path / truth["image"]).write_bytes(b"not looked at")
    table = tmp_path / "test.jsonl"
    table.write_text("\n".join(json.dumps(truth) for truth in truths), encoding="utf-8")
    some = tmp_path / "some.jsonl"
    some.write_text("\n".join(lines[:2000]), encoding="utf-8")
    whole, part = output(
        wheretaken("eval", "score", published / "amap_v1_gpt5.jsonl", some, "--data", table, "--json")
    )["files"]
    assert (whole["n"], whole["answered"], whole["failed"]) == (2500, 2500, 0)
    assert (part["n"], part["answered"], part["failed"]) == (2500, 2000, 500)


def test_strict_reading_reproduces_every_published_row(wheretaken, published, expected):
    rows = {name: row for name, row in expected["strict"].items() if name != "_what"}
    paths = [published / name for name in rows]
    found = output(wheretaken("eval", "score", *paths, "--reading", "strict", "--json"))
    assert [score["file"] for score in found["files"]] == list(map(str, paths))
    for score, row in zip(found["files"], rows.values(), strict=True):
        assert {"n": score["n"], "score": round(score["score"], 4), "unparsed": score["unparsed"]} == {
            "n": row["n"],
            "score": row["score"],
            "unparsed": row["unparsed"],
        }
        assert [round(score["acc"][name], 4) for name in ACC] == row["acc"]
        assert (score["refused"], score["failed"]) == (0, 0)


def test_tolerant_reading_gets_what_a_careful_reader_gets(wheretaken, published, expected):
    rows = {name: row for name, row in expected["tolerant"].items() if name != "_what"}
    found = output(wheretaken("eval", "score", *(published / name for name in rows), "--json"))
    for score, row in zip(found["files"], rows.values(), strict=True):
        assert score["answered"] >= row.get("read", row.get("read_at_least"))
        assert score["refused"] == pytest.approx(row.get("refused", 0), abs=5)
        for name in ("500m", "10km", "750km"):
            if f"acc_{name}" in row:
                assert round(score["acc"][name], 4) == row[f"acc_{name}"]


def test_the_published_split(wheretaken, published, expected):
    models = ("gpt5", "o3", "qwen3vl235b")
    paths = [published / f"amap_v1_{model}.jsonl" for model in models]
    found = output(wheretaken("eval", "split", *paths, "--reading", "strict", "--json"))
    assert {key: found[key] for key in ("at", "agree", "n", "lacking")} == {
        "at": "10km",
        "agree": 2,
        "n": 2500,
        "lacking": [],
    }
    for tier in found["tiers"]:
        row = expected["split"][tier["tier"]]
        assert tier["n"] == row["n"]
        for score, model in zip(tier["files"], models, strict=True):
            assert percent(score["acc"], 2) == row[model]


def test_the_json_of_score_has_the_documented_shape(wheretaken, answers):
    path = answers("a.jsonl", 48.86, 48.87, "no idea", None)
    (score,) = output(wheretaken("eval", "score", path, "--json"))["files"]
    assert list(score) == [
        *("file", "n", "answered", "refused", "unparsed", "failed"),
        *("score", "acc", "ci95", "median_km", "geoscore"),
    ]
    assert tuple(score["acc"]) == ACC
    assert score["acc"]["2km"] == 0.5
    assert set(score["ci95"]) == {*ACC, "score", "geoscore"}
    assert score["median_km"] is None
    assert (score["n"], score["answered"], score["failed"]) == (4, 2, 1)


def test_other_distances(wheretaken, answers):
    path = answers("a.jsonl", 48.86, 50.0, 70.0)
    done = wheretaken("eval", "score", path, "--json", "--thresholds", "2500,1,25,200,750")
    (score,) = output(done)["files"]
    assert list(score["acc"]) == ["1km", "25km", "200km", "750km", "2500km"]
    assert score["acc"]["200km"] == pytest.approx(2 / 3)
    assert score["score"] == pytest.approx((1 + 0.2) / 3)


@pytest.mark.parametrize("wrong", ["1,,2", "near", "0", "-5", "1e3"])
def test_distances_that_are_none(wheretaken, answers, wrong):
    done = wheretaken("eval", "score", answers("a.jsonl", 48.86), "--thresholds", wrong)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is no distance: write 500m, 10km, or a number of kilometres" in done.stderr


def test_the_tables_of_score_for_people(wheretaken, answers):
    files = answers("a.jsonl", 48.86, 48.87, "a beach", None), answers("[b].jsonl", 49.0)
    done = wheretaken("eval", "score", *files)
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[0][:6] == ["file", "n", "answered", "refused", "unparsed", "failed"]
    assert rows[1][:6] == ["a", "4", "2", "0", "1", "1"]
    assert rows[2][:3] == ["[b]", "1", "1"]
    assert rows[6] == ["a", "25.0", "±44.9", *["50.0", "±35.0"] * 5]
    notes = done.stderr.splitlines()
    assert notes == [
        f"note: {files[0]}: 25.0% of the texts could not be read as an answer",
        f"note: {files[0]}: 1 of 4 failed; they count as wrong",
    ]


def test_several_runs_of_a_photo_are_pointed_out(wheretaken, answers):
    path = answers("a.jsonl", 48.86, 48.87)
    path.write_text(path.read_text() * 3)
    done = wheretaken("eval", "score", path, "--json")
    assert output(done)["files"][0]["n"] == 6
    expected = f"note: {path}: 6 runs of 2 photos; the intervals take each run for a photo\n"
    assert done.stderr == expected


def test_with_a_data_set_photos_without_a_line_count(wheretaken, answers, tmp_path):
    table = tmp_path / "set.jsonl"
    rows = [{"image": f"images/{i}.jpg", "latitude": 48.86, "longitude": 2.3} for i in range(4)]
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = answers("a.jsonl", 48.86, 48.86)
    (score,) = output(wheretaken("eval", "score", path, "--data", table, "--json"))["files"]
    assert (score["n"], score["answered"], score["failed"], score["acc"]["500m"]) == (4, 2, 2, 0.5)


def test_files_that_cannot_be_read_are_one_line_and_no_output(wheretaken, answers, tmp_path):
    good, bad = answers("good.jsonl", 48.86), tmp_path / "bad.jsonl"
    bad.write_text('{"index": 0, "ground_truth": {"lat": 99, "lon": 0}, "solution_str": ""}\n')
    done = wheretaken("eval", "score", good, bad, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert f"{bad}:1 cannot be used (ground_truth.lat: " in done.stderr


def test_split_for_people(wheretaken, answers):
    files = answers("a.jsonl", 48.86, 48.0, 48.86), answers("b.jsonl", 48.86, 48.86)
    done = wheretaken("eval", "split", *files, "--at", "500m")
    assert "easy: 1 of 3 photos, at least 2 of 2 files within 500m" in done.stdout
    assert "hard: 2 of 3 photos, fewer than 2 of 2 files within 500m" in done.stdout
    assert done.stderr == f"note: {files[1]} lacks 1 of 3 photos; they count as failed\n"
    done = wheretaken("eval", "split", *files, "--agree", "3")
    assert (done.returncode, done.stdout) == (2, "")
    assert "3 of 2 files cannot agree" in done.stderr


def test_compare_for_people_and_as_json(wheretaken, answers):
    a = answers("a.jsonl", *[49.0] * 10, "no", first=1)
    b = answers("b.jsonl", *[48.86] * 10)
    done = wheretaken("eval", "compare", a, b)
    assert "9 photos in both" in done.stdout
    row = next(line for line in done.stdout.splitlines() if "Acc@500m" in line)
    assert " ".join(row.split()) == "Acc@500m % 0.00 100.00 +100.00 +100.00 … +100.00 100.0% 0.0002"
    assert done.stderr.splitlines() == [
        f"note: left out, as only {a} has them: 2 (images/10.jpg, images/11.jpg)",
        f"note: left out, as only {b} has them: 1 (images/0.jpg)",
    ]
    found = output(wheretaken("eval", "compare", a, b, "--json", "--seed", "5"))
    assert {key: found[key] for key in ("a", "b", "n", "resamples", "seed")} == {
        "a": str(a),
        "b": str(b),
        "n": 9,
        "resamples": 10_000,
        "seed": 5,
    }
    assert set(found["differences"]) == {*ACC, "score", "geoscore"}
    assert set(found["differences"]["10km"]) == {"a", "b", "difference", "ci95", "b_better", "p"}
    assert found["most_different"][0].keys() == {"id", "a_km", "b_km"}
    assert (found["only_in_a"], found["only_in_b"]) == (
        ["images/10.jpg", "images/11.jpg"],
        ["images/0.jpg"],
    )


def test_compare_tells_real_models_apart(wheretaken, published):
    files = (published / f"geobenchwocn_{model}.jsonl" for model in ("qwen3vl235b", "gpt5"))
    found = output(wheretaken("eval", "compare", *files, "--json"))["differences"]
    for name, row in found.items():
        assert row["ci95"][0] <= row["difference"] <= row["ci95"][1], name
    assert found["500m"]["difference"] == pytest.approx(0.3833 - 0.1938, abs=1e-4)
    assert found["500m"]["ci95"][0] > 0.15
    assert found["750km"]["difference"] == pytest.approx(0.9390 - 0.9154, abs=1e-4)
