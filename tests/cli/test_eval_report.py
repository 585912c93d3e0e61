"""`wheretaken eval report` as a user meets it."""

import json
import re
from pathlib import Path

import pytest


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Two files of answers to the same ten photos, as benchmarks publish them."""
    for name, shift in (("near", 0.004), ("far", 0.1)):
        lines = [
            {
                "index": at,
                "data_source": "Set",
                "ground_truth": {
                    "lat": at,
                    "lon": 2 * at,
                    "city": "上海",
                    "country": "中国",
                    "image": f"{at}.jpg",
                },
                "solution_str": json.dumps({"lat": at + shift * at, "lon": 2 * at})
                if at
                else "I cannot tell.",
            }
            for at in range(10)
        ]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        (tmp_path / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return tmp_path


def test_the_report_has_the_numbers_of_eval_score(wheretaken, published):
    scored = wheretaken("eval", "score", "near.jsonl", "far.jsonl", "--json")
    reported = wheretaken("eval", "report", "near.jsonl", "far.jsonl", "--format", "md", "-o", "-")
    assert reported.returncode == 0
    rows = dict(re.findall(r"^\| (near|far) \| (10 \| 0\..*) \|$", reported.stdout, re.MULTILINE))
    for score in json.loads(scored.stdout)["files"]:
        cells = rows[Path(score["file"]).stem].split(" | ")
        low, high = score["ci95"]["score"]
        assert cells[1] == f"{score['score']:.4f} ({low:.3f}–{high:.3f})"
        for cell, (distance, share) in zip(cells[2:], score["acc"].items(), strict=False):
            low, high = score["ci95"][distance]
            assert cell == f"{share:.1%} ({low * 100:.1f}–{high * 100:.1f})".replace("%", " %")
        assert cells[8] == f"{score['median_km']:.1f} km"
        assert cells[9].startswith(f"{score['geoscore']:,.0f} (")
    assert "near" in rows


def test_the_page_is_written_and_is_always_the_same(wheretaken, published):
    first = wheretaken("eval", "report", "near.jsonl", "far.jsonl", PYTHONHASHSEED="1")
    assert (first.returncode, first.stdout) == (0, "")
    assert first.stderr.endswith("written to report.html\n")
    again = wheretaken("eval", "report", "near.jsonl", "far.jsonl", "-o", "b.html", PYTHONHASHSEED="2")
    assert again.returncode == 0
    page = (published / "report.html").read_bytes()
    assert page == (published / "b.html").read_bytes()
    assert "上海".encode() in page


def test_what_is_wrong_is_told_on_the_terminal_too(wheretaken, published):
    text = (published / "near.jsonl").read_text(encoding="utf-8")
    (published / "near.jsonl").write_text(text.replace('\\"lat\\"', '\\"where\\"'), encoding="utf-8")
    found = wheretaken("eval", "report", "near.jsonl")
    assert found.returncode == 0
    assert "error: near: 90.0% of the photos unparsed (9 of 10)\n" in found.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.jsonl"], "missing.jsonl"),
        (["."], "no results in it"),
        (["near.jsonl", "-o", "near.jsonl/report.html"], "near.jsonl/report.html cannot be written"),
    ],
)
def test_what_cannot_be_done_is_one_line(wheretaken, published, arguments, said):
    found = wheretaken("eval", "report", *arguments)
    assert found.returncode == 2
    assert said in found.stderr
    assert found.stderr.count("\n") == 1
    assert found.stdout == ""
