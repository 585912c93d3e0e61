"""`wheretaken data info` and `data prepare`, as a user runs them."""

import io
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image


def jpeg(seed: int) -> bytes:
    blocks = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x010E] = "Kodakanary"
    buffer = io.BytesIO()
    Image.fromarray(blocks).resize((64, 48)).save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


@pytest.fixture
def mapbench(tmp_path: Path) -> Path:
    """Three photos, one that is missing, one that is no picture, and a copy."""
    folder = tmp_path / "mapbench"
    (folder / "images").mkdir(parents=True)
    lines = []
    for number in range(6):
        name = f"images/{number}.jpg"
        lines.append(
            {"image": name, "latitude": 36 + number, "longitude": 120.4, "city": "青岛", "country": "中国"}
        )
        if number != 3:
            (folder / name).write_bytes(jpeg(0 if number == 5 else number) if number != 4 else b"<html>")
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    (folder / "test.jsonl").write_text(text, encoding="utf-8")
    return folder


def test_info_for_people(wheretaken, mapbench):
    done = wheretaken("data", "info", mapbench)
    assert done.returncode == 0, done.stderr
    out = done.stdout
    assert "read as MAPBench, JSONL" in out
    assert "4 found, 1 missing, 1 broken" in out
    assert "中国 6" in out
    assert "36.0000 to 41.0000" in out
    assert "missing: line 4, images/3.jpg" in out
    assert "broken: line 5, images/4.jpg" in out
    assert "duplicate: line 6, images/5.jpg: the same file as images/0.jpg" in out
    assert "leaks" not in out
    assert done.stderr == ""


def test_info_for_programs(wheretaken, mapbench):
    done = wheretaken(
        "data", "info", mapbench / "test.jsonl", "--against", mapbench, "--json", "--datum", "GCJ-02"
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["format"], found["photos"], found["found"]) == ("MAPBench, JSONL", 6, 4)
    assert (found["missing"], found["broken"], found["duplicates"], found["leaks"]) == (1, 1, 1, 4)
    assert found["box"]["east"] != 120.4  # converted
    assert "--datum is for" in done.stderr  # so the places of photos that cannot be read are 500 m apart
    assert sorted({problem["kind"] for problem in found["problems"]}) == [
        "broken",
        "duplicate",
        "leak",
        "missing",
    ]


def test_columns_by_option(wheretaken, tmp_path, mapbench):
    table = tmp_path / "t.csv"
    table.write_text("pic,north,east\n0.jpg,1,2\n")
    done = wheretaken("data", "info", table, "--images", mapbench / "images")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "--column image=NAME" in done.stderr
    assert "there are: pic, north, east" in done.stderr
    mapping = [part for pair in ("image=pic", "lat=north", "lon=east") for part in ("--column", pair)]
    done = wheretaken("data", "info", table, "--images", mapbench / "images", *mapping)
    assert done.returncode == 0, done.stderr
    assert "1 found" in done.stdout
    done = wheretaken("data", "info", table, "--column", "picture")
    assert done.returncode == 2
    assert "give FIELD=NAME" in done.stderr


@pytest.mark.parametrize("purpose", ["table", "verl", "trl"])
def test_prepare(wheretaken, mapbench, tmp_path, purpose):
    done = wheretaken("data", "prepare", mapbench, "-o", "out/set.parquet", "--for", purpose)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "out/set.parquet\n"
    assert "4 of 6 photos written; left out: 1 missing, 1 broken" in done.stderr
    assert "1 duplicates (kept)" in done.stderr
    assert "listed in out/set.problems.jsonl" in done.stderr
    table = pq.read_table(tmp_path / "out/set.parquet")
    assert table.num_rows == 4
    images = "image" if purpose == "table" else "images"
    assert b"Kodakanary" not in repr(table.column(images).to_pylist()).encode()
    listed = (tmp_path / "out/set.problems.jsonl").read_text().splitlines()
    assert [json.loads(line)["kind"] for line in listed] == ["missing", "broken", "duplicate"]


def test_what_is_in_the_other_set_is_left_out(wheretaken, mapbench, tmp_path):
    few = mapbench / "few.jsonl"
    few.write_text("\n".join((mapbench / "test.jsonl").read_text().splitlines()[:2]))
    test = mapbench / "test.jsonl"
    done = wheretaken("data", "prepare", test, "-o", "out.parquet", "--against", few, "--limit", "3")
    assert done.returncode == 0, done.stderr
    assert "1 of 3 photos written; left out: 2 leaks" in done.stderr
    done = wheretaken("data", "prepare", few, "-o", "none.parquet", "--against", test)
    assert done.returncode == 2
    assert "none of the 2 photos" in done.stderr
    assert not (tmp_path / "none.parquet").exists()


def test_a_prepared_set_is_a_set(wheretaken, mapbench):
    assert wheretaken("data", "prepare", mapbench, "-o", "out.parquet").returncode == 0
    done = wheretaken("data", "info", "out.parquet", "--json")
    assert (json.loads(done.stdout)["found"], json.loads(done.stdout)["format"]) == (4, "Parquet")
    done = wheretaken("data", "prepare", "out.parquet", "-o", "out.parquet")
    assert done.returncode == 2
    assert "is the data set itself" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("data", "info", "nowhere"), "nowhere does not exist: check the path"),
        (("data", "prepare", "x.csv", "-o", "out.csv"), "give -o a name such as out.parquet"),
        (("data", "info", "x.csv", "--datum", "mars"), "--datum is 'mars'"),
        (("data", "info", "x.csv", "--images", "none"), "--images none is no directory"),
        (("data", "info", "x.csv"), "x.csv:3 has 100 for lat, outside [-90, 90]"),
        (("data", "prepare", "x.csv", "-o", "a.parquet"), "x.csv:3 has 100 for lat, outside [-90, 90]"),
    ],
)
def test_what_a_person_can_mend_is_one_line(wheretaken, tmp_path, arguments, says):
    (tmp_path / "x.csv").write_text("image,lat,lon\na.jpg,1,2\nb.jpg,100,2\n")
    done = wheretaken(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("wheretaken: ")
    assert "Traceback" not in done.stderr
