"""`wheretaken eval vote` as a user meets it."""

import json

import pytest


@pytest.fixture
def files(tmp_path):
    """Three runs over eight photos: two are right in turn, and both differ from the third, which never is."""
    names = ("one", "two", "three")
    for k, name in enumerate(names):
        lines = []
        for photo in range(8):
            if (name, photo) == ("two", 7):
                continue
            lat = 48.0 + photo if k < 2 and (photo + k) % 4 else 10.0 + photo
            lines.append(
                {
                    "index": photo,
                    "ground_truth": {"lat": 48.0 + photo, "lon": 2.0, "image": f"{photo}.jpg"},
                    "solution_str": json.dumps({"lat": lat, "lon": 2.0}),
                }
            )
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return [f"{name}.jsonl" for name in names]


def test_the_json_has_what_was_promised(wheretaken, files):
    done = wheretaken("eval", "vote", *files, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    distances = ["500m", "2km", "10km", "25km", "200km", "750km"]
    assert report["n"] == 8
    for part in ("vote", "best_single", "mean_single", "oracle"):
        assert list(report[part]["acc"]) == distances
        assert 0 <= report[part]["score"] <= 1
    assert report["best_single"]["file"] == "one.jsonl"
    assert report["best_single"]["acc"]["500m"] == pytest.approx(6 / 8)
    assert report["oracle"]["acc"]["500m"] == 1
    assert sum(group["n"] for group in report["agreement"]) == 8
    for group in report["agreement"]:
        assert {"share", "agree", "of", "acc_25km"} <= group.keys()
        assert (group["share"], group["of"]) == (pytest.approx(group["agree"] / 3), 3)
    assert "two.jsonl lacks 1 of 8 photos" in done.stderr


def test_the_table_names_the_rows_and_says_how_far_to_trust_them(wheretaken, files):
    done = wheretaken("eval", "vote", *files, "--weights", "crossfit")
    assert done.returncode == 0, done.stderr
    for words in ("8 photos, 3 files", "best single: one.jsonl", "oracle", "2 of 3", "half 2", "three"):
        assert words in done.stdout
    assert "of the places lie within the stated radius" in done.stdout


def test_answers_and_weights_are_kept_and_can_be_used_again(wheretaken, files, tmp_path):
    first = wheretaken("eval", "vote", *files, "--weights", "crossfit", "-o", "voted.jsonl", "--json")
    assert first.returncode == 0, first.stderr
    results = [json.loads(line) for line in (tmp_path / "voted.jsonl").read_text().splitlines()]
    assert len(results) == 8
    assert all(result["agree"] >= 1 and result["answer"]["radius_km"] > 0 for result in results)

    score = wheretaken("eval", "score", "voted.jsonl", "--json")
    assert score.returncode == 0, score.stderr
    assert json.loads(score.stdout)["files"][0]["acc"] == pytest.approx(
        json.loads(first.stdout)["vote"]["acc"]
    )

    again = wheretaken("eval", "vote", *files, "--weights", "voted.weights.json", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["weighting"] == json.loads(first.stdout)["weighting"]
    assert "was fitted on these very photos" in again.stderr


def test_without_weights_none_are_written(wheretaken, files, tmp_path):
    assert wheretaken("eval", "vote", *files, "-o", "voted.jsonl").returncode == 0
    assert not list(tmp_path.glob("*.weights.json"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["one.jsonl", "two.jsonl", "-o", "two.jsonl"], "two.jsonl is one of the files that vote"),
        (["one.jsonl", "missing.jsonl"], "missing.jsonl cannot be read"),
        (["one.jsonl", "two.jsonl", "--weights", "best"], "no weights at best"),
        (["one.jsonl", "one.jsonl"], "one.jsonl is named twice"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(wheretaken, files, arguments, message):
    done = wheretaken("eval", "vote", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
