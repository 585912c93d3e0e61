"""Published lines and verl's dumps: what is read, and what is said about lines that cannot be."""

import gzip
import json
from pathlib import Path

import pytest

from wheretaken.errors import DataError
from wheretaken.evals.results import read_results

PARIS = {"lat": 48.8584, "lon": 2.2945, "city": "Paris", "country": "France"}
ANSWER = '{"lat": 48.86, "lon": 2.29, "city": "Paris", "country": "France"}'
TRAILING_COMMA = '{"lat": 48.86, "lon": 2.29, "city": "Paris", "country": "France",}'


def published(index, text=ANSWER, **truth):
    truth = PARIS | {"image": f"images/{index}.jpg", "split": "test"} | truth
    return {"index": index, "data_source": "Set", "ground_truth": truth, "solution_str": text}


def dumped(output=ANSWER, gts=PARIS, prompt="Where was this taken?"):
    return {"input": prompt, "output": output, "gts": gts, "score": 0.5, "step": 10, "uid": "u_0_0"}


def write(path: Path, *lines, encoding="utf-8") -> Path:
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    path.write_bytes(text.encode(encoding))
    return path


def problem(path: Path, **options) -> str:
    with pytest.raises(DataError) as caught:
        list(read_results(path, **options))
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(str(path), "FILE")


def test_published_lines(tmp_path):
    path = write(
        tmp_path / "a.jsonl",
        published(7),
        published(8, "I cannot determine the location."),
        published(9, "a lovely beach"),
        published(10, None),
        published(11, "") | {"error": "429 Too Many Requests"},
    )
    results = list(read_results(path))
    assert [result.status for result in results] == ["answered", "refused", "unparsed", "failed", "failed"]
    first = results[0]
    assert (first.id, first.image, first.index) == ("images/7.jpg", "images/7.jpg", "7")
    assert (first.data_source, first.split) == ("Set", "test")
    assert first.truth.model_dump() == PARIS
    assert first.answer is not None
    assert (first.answer.lat, first.answer.lon) == (48.86, 2.29)
    assert results[4].detail == "429 Too Many Requests"
    assert all(result.answer is None and result.detail for result in results[1:])


def test_an_empty_text_is_an_unreadable_answer_and_no_failed_call(tmp_path):
    (result,) = read_results(write(tmp_path / "a.jsonl", published(0, "")))
    assert result.status == "unparsed"


def test_strict_reading_is_the_published_metric(tmp_path):
    path = write(tmp_path / "a.jsonl", published(0), published(1, TRAILING_COMMA))
    assert [result.status for result in read_results(path, reading="strict")] == ["answered", "unparsed"]
    assert [result.status for result in read_results(path)] == ["answered", "answered"]


def test_without_an_image_the_index_names_the_photo(tmp_path):
    path = write(tmp_path / "a.jsonl", published(3, image=None, city=None), published(4, image=""))
    results = list(read_results(path))
    assert [result.id for result in results] == ["3", "4"]
    assert results[0].truth.city == ""


def test_several_lines_of_one_photo_are_several_results(tmp_path):
    path = write(tmp_path / "a.jsonl", published(3), published(3, "nothing"))
    assert [(result.id, result.status) for result in read_results(path)] == [
        ("images/3.jpg", "answered"),
        ("images/3.jpg", "unparsed"),
    ]


@pytest.mark.parametrize("gts", [PARIS, json.dumps(PARIS)], ids=["object", "string"])
def test_a_dump_of_rollouts(tmp_path, gts):
    path = write(
        tmp_path / "10.jsonl",
        dumped(gts=gts),
        dumped("no idea", gts),
        dumped(gts=PARIS | {"lat": 10.0}),
        dumped(None, gts),
    )
    one, two, elsewhere, failed = read_results(path)
    assert one.id == two.id == failed.id != elsewhere.id
    assert (one.status, failed.status) == ("answered", "failed")
    assert one.truth.model_dump() == PARIS


def test_a_dump_that_names_the_photo_goes_by_it(tmp_path):
    path = write(tmp_path / "10.jsonl", dumped(gts=PARIS | {"image": "images/7.jpg"}))
    assert next(read_results(path)).id == "images/7.jpg"


def test_what_a_tool_returned_is_not_the_answer_of_a_dump(tmp_path):
    tool = "<tool_response>\n" + ANSWER.replace("48.86", "10.0") + "\n</tool_response>"
    path = write(tmp_path / "1.jsonl", dumped(f"{tool}assistant\n{ANSWER}"), dumped(f"I look. {tool}"))
    answered, unfinished = read_results(path)
    assert answered.answer is not None
    assert answered.answer.lat == 48.86
    assert unfinished.status == "unparsed"


def test_gzip_byte_order_mark_and_blank_lines(tmp_path):
    lines = "\ufeff" + json.dumps(published(1, city="青岛"), ensure_ascii=False) + "\r\n\n"
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(lines.encode()))
    (result,) = read_results(path)
    assert result.truth.city == "青岛"


def test_a_line_that_is_no_json_is_named(tmp_path):
    path = write(tmp_path / "a.jsonl", published(0), "", '{"index": 1, "ground_tr')
    found = problem(path)
    assert found.startswith("FILE:3 is no JSON (EOF")
    assert "copy the file again" in found


def test_a_line_that_is_no_object_is_named(tmp_path):
    assert problem(write(tmp_path / "a.jsonl", "[1, 2]")).startswith("FILE:1 cannot be used")
    assert "FILE:2 cannot be used" in problem(write(tmp_path / "a.jsonl", published(0), "17"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_utf16_is_named_with_the_remedy(tmp_path, encoding):
    found = problem(write(tmp_path / "a.jsonl", published(0), encoding=encoding))
    assert found == "FILE:1 is not UTF-8: convert the file: iconv -f UTF-16 -t UTF-8 FILE"


def test_a_line_in_another_encoding_is_named(tmp_path):
    path = write(tmp_path / "a.jsonl", published(0))
    with path.open("ab") as file:
        file.write(json.dumps(published(1, city="Orléans"), ensure_ascii=False).encode("latin-1") + b"\n")
    assert problem(path).startswith("FILE:2 is not UTF-8: convert the file")


@pytest.mark.parametrize(
    ("truth", "field"),
    [
        ({"lat": 91}, "ground_truth.lat"),
        ({"lon": -181}, "ground_truth.lon"),
        ({"lat": float("nan")}, "ground_truth.lat"),
        ({"lat": None}, "ground_truth.lat"),
        ({"lon": "east"}, "ground_truth.lon"),
        ({"image": 7}, "ground_truth.image"),
    ],
)
def test_truth_that_is_none_is_named(tmp_path, truth, field):
    found = problem(write(tmp_path / "a.jsonl", published(0), published(1, **truth)))
    assert found.startswith(f"FILE:2 cannot be used ({field}: ")
    assert found.endswith("every line needs ground_truth with lat and lon in WGS-84 degrees")


def test_lines_without_truth_are_named(tmp_path):
    line = {"index": 3, "solution_str": ANSWER}
    assert problem(write(tmp_path / "a.jsonl", line)).startswith("FILE:1 cannot be used (ground_truth: ")
    found = problem(write(tmp_path / "a.jsonl", dumped(), dumped(gts=None)))
    assert found.startswith("FILE:2 cannot be used (gts: ")
    assert "FILE:2 cannot be used (gts: " in problem(
        write(tmp_path / "a.jsonl", dumped(), dumped(gts="48.8, 2.3"))
    )


def test_lines_that_name_no_photo_are_named(tmp_path):
    line = published(0, image=None) | {"index": None}
    assert problem(write(tmp_path / "a.jsonl", line)) == (
        "FILE:1 names no photo: it needs ground_truth.image, or index"
    )


def test_files_of_another_kind_are_named(tmp_path):
    assert "FILE:1 is of no known format: " in problem(write(tmp_path / "a.jsonl", {"question": 1}))
    assert problem(write(tmp_path / "b.jsonl")) == "FILE is empty: copy it again from its source"
    (tmp_path / "c.parquet").write_bytes(b"PAR1\x15\x04\x15\x10\n")
    assert problem(tmp_path / "c.parquet").startswith("FILE:1 is no JSON")


def test_files_that_cannot_be_opened_are_named(tmp_path):
    assert problem(tmp_path / "a.jsonl") == "FILE cannot be read (No such file or directory): check the path"
    assert problem(tmp_path) == "FILE has no results in it: name a directory of runs, or a file"
    broken = tmp_path / "b.jsonl.gz"
    broken.write_bytes(gzip.compress(json.dumps(published(0)).encode() * 50)[:-20])
    assert problem(broken) == "FILE is damaged or cut off (gzip): copy it again from its source"


def test_lines_are_read_as_they_are_asked_for(tmp_path):
    path = write(tmp_path / "a.jsonl", *map(published, range(3)), "no json")
    stream = read_results(path)
    assert [next(stream).index for _ in range(3)] == ["0", "1", "2"]
    with pytest.raises(DataError, match=":4 is no JSON"):
        next(stream)
