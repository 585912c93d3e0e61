"""Prepared sets: what is in them, and above all what is not."""

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from wheretaken import photos
from wheretaken.agent import prompts
from wheretaken.errors import DataError, UserError
from wheretaken.evals.datasets import arrow, open_dataset
from wheretaken.evals.datasets.prepare import prepare

CANARIES = ("Ushuaia", "Argentina", "-54.80198", "54.80198", "-68.30383", "68.30383", "Kodakanary")


@pytest.fixture
def told(tmp_path: Path, photo) -> Path:
    """A set in which folder, file name, id, extra columns and all metadata tell the place."""
    folder = tmp_path / "Ushuaia -54.80198 -68.30383"
    folder.mkdir()
    (folder / "Ushuaia.jpg").write_bytes(photo(3, lat=-54.80198, lon=-68.30383))
    with Image.open(io.BytesIO(photo(4, lat=-54.80198, lon=-68.30383))) as picture:
        picture.save(folder / "Ushuaia.png", exif=picture.getexif())
    rows = [
        {"id": f"Ushuaia {name}", "image": f"Ushuaia.{name}", "lat": -54.80198, "lon": -68.30383,
         "split": "train", "city": "Ushuaia", "country": "Argentina", "address": "Ushuaia, Argentina",
         "url": "-54.80198"}
        for name in ("jpg", "png")
    ]  # fmt: skip
    (folder / "told.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder / "told.jsonl"


def rows_of(path: Path) -> list[dict]:
    return pq.read_table(path).to_pylist()


def betrayed(value: object) -> list[str]:
    """The canaries in a value, bytes included."""
    if isinstance(value, bytes):
        return [canary for canary in CANARIES if canary.encode() in value]
    if isinstance(value, dict):
        return [canary for item in value.values() for canary in betrayed(item)]
    if isinstance(value, list):
        return [canary for item in value for canary in betrayed(item)]
    return [canary for canary in CANARIES if canary in str(value)]


def test_verl_gets_its_columns_and_truth_is_for_the_reward_only(told, tmp_path):
    out = tmp_path / "verl.parquet"
    done = prepare(open_dataset(told), out, "verl")
    assert (done.written, done.read, dict(done.problems)) == (2, 2, {})
    first, second = rows_of(out)
    assert list(first) == ["data_source", "agent_name", "prompt", "images", "reward_model", "extra_info"]
    truth = {"lat": -54.80198, "lon": -68.30383, "city": "Ushuaia", "country": "Argentina"}
    assert first["reward_model"] == {"style": "rule", "ground_truth": truth}
    assert first["prompt"] == [
        {"role": "system", "content": prompts.SYSTEM},
        {"role": "user", "content": f"<image>{prompts.QUESTION}"},
    ]
    assert (
        sum(message["content"].count("<image>") for message in first["prompt"]) == len(first["images"]) == 1
    )
    assert set(first["extra_info"]) == {"index", "split", "sha256", "need_tools_kwargs"}
    assert [row["extra_info"]["index"] for row in (first, second)] == [0, 1]
    assert first["extra_info"]["need_tools_kwargs"] is False
    for row in (first, second):
        given = {name: value for name, value in row.items() if name != "reward_model"}
        assert betrayed(given) == []
        assert betrayed(row["reward_model"]) != []  # the canaries would be found
        for image in row["images"]:
            assert set(image) == {"bytes"}
            with Image.open(io.BytesIO(image["bytes"])) as picture:
                assert not picture.getexif()
                assert not {"exif", "xmp", "comment", "icc_profile"} & set(picture.info)


def test_trl_gets_pictures_and_truth_in_columns_of_its_own(told, tmp_path):
    out = tmp_path / "trl.parquet"
    prepare(open_dataset(told), out, "trl")
    (first, _) = rows_of(out)
    assert list(first) == ["prompt", "images", "lat", "lon", "city", "country", "sha256"]
    assert betrayed([first["prompt"], first["images"], first["sha256"]]) == []
    assert (first["lat"], first["city"]) == (-54.80198, "Ushuaia")
    datasets = pytest.importorskip("datasets")
    loaded = datasets.Dataset.from_parquet(str(out), cache_dir=str(tmp_path / "cache"))
    picture = loaded[0]["images"][0]
    assert (picture.size, picture.mode) == ((64, 48), "RGB")
    assert [message["role"] for message in loaded[0]["prompt"]] == ["system", "user"]


def test_a_table_can_be_opened_again(told, tmp_path):
    out = tmp_path / "table.parquet"
    prepare(open_dataset(told), out, "table")
    (first, second) = rows_of(out)
    assert list(first) == ["image", "lat", "lon", "city", "country", "id", "split", "sha256"]
    assert betrayed([first["image"], second["image"]]) == []
    assert first["sha256"] == hashlib.sha256(first["image"]["bytes"]).hexdigest()
    before, after = list(open_dataset(told).rows()), list(open_dataset(out).rows())
    for old, new in zip(before, after, strict=True):
        assert (new.id, new.truth, new.split) == (old.id, old.truth, old.split)
        assert photos.load(new.read()).content_hash == photos.load(old.read()).content_hash


def test_pixels_of_upright_jpegs_are_those_of_the_file(make_set, tmp_path):
    table = make_set(3)
    prepare(open_dataset(table), tmp_path / "out.parquet", "table")
    for number, row in enumerate(rows_of(tmp_path / "out.parquet")):
        bare = io.BytesIO(row["image"]["bytes"])
        with Image.open(table.parent / f"images/{number}.jpg") as old, Image.open(bare) as new:
            assert np.array_equal(np.asarray(new), np.asarray(old))


def test_what_is_left_out_is_listed(make_set, tmp_path):
    more = [
        {"image": "none.jpg", "lat": 1, "lon": 2},
        {"image": "text.jpg", "lat": 1, "lon": 2},
        {"image": "copy.jpg", "lat": 1, "lon": 2},
    ]
    table = make_set(2, more=more)
    (table.parent / "text.jpg").write_text("hello")
    (table.parent / "copy.jpg").write_bytes((table.parent / "images/0.jpg").read_bytes())
    done = prepare(open_dataset(table), tmp_path / "out.parquet", "table")
    assert (done.written, done.read) == (3, 5)
    assert done.problems == {"missing": 1, "broken": 1, "duplicate": 1}
    lines = (tmp_path / "out.problems.jsonl").read_text(encoding="utf-8").splitlines()
    listed = [json.loads(line) for line in lines]
    assert [(item["kind"], item["id"], item["line"]) for item in listed] == [
        ("missing", "none.jpg", 3),
        ("broken", "text.jpg", 4),
        ("duplicate", "copy.jpg", 5),
    ]
    assert [row["id"] for row in rows_of(tmp_path / "out.parquet")] == [
        "images/0.jpg",
        "images/1.jpg",
        "copy.jpg",
    ]


def test_leaks_are_left_out(make_set, tmp_path):
    train, test = make_set(5, "train"), make_set(2, "test", first_seed=3)
    done = prepare(open_dataset(train), tmp_path / "out.parquet", "verl", against=[open_dataset(test)])
    assert (done.written, done.problems) == (3, {"leak": 2})
    assert [row["extra_info"]["index"] for row in rows_of(tmp_path / "out.parquet")] == [0, 1, 2]


def test_limit_takes_the_first(make_set, tmp_path):
    done = prepare(open_dataset(make_set(5)), tmp_path / "out.parquet", "table", limit=2)
    assert (done.written, done.read) == (2, 2)


def test_an_output_appears_whole_or_not_at_all(make_set, tmp_path):
    table = make_set(3, more=[{"image": "x.jpg", "lat": 95, "lon": 0}])
    out = tmp_path / "out" / "out.parquet"
    out.parent.mkdir()
    out.write_bytes(b"old")
    with pytest.raises(DataError, match="outside"):
        prepare(open_dataset(table), out, "table")
    assert [path.name for path in out.parent.iterdir()] == ["out.parquet"]
    assert out.read_bytes() == b"old"


def test_a_set_without_a_single_usable_photo_is_an_error(make_set, tmp_path):
    table = make_set(0, more=[{"image": "none.jpg", "lat": 1, "lon": 2}])
    with pytest.raises(DataError, match=r"none of the 1 photos .* \(1 missing\).*--images DIR"):
        prepare(open_dataset(table), tmp_path / "out.parquet", "table")
    assert not (tmp_path / "out.parquet").exists()


def test_a_place_that_cannot_be_written_to_is_named(make_set, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        prepare(open_dataset(make_set(1)), tmp_path / "file" / "out.parquet", "table")


def test_row_groups_are_bounded(make_set, tmp_path, monkeypatch):
    monkeypatch.setattr(arrow, "GROUP_BYTES", 5_000)
    table = make_set(20)
    prepare(open_dataset(table), tmp_path / "out.parquet", "table")
    metadata = pq.ParquetFile(tmp_path / "out.parquet").metadata
    biggest = max(path.stat().st_size for path in (table.parent / "images").iterdir())
    for group in range(metadata.num_row_groups):
        column = metadata.row_group(group).column(0)
        assert column.path_in_schema == "image.bytes"
        assert column.total_uncompressed_size < 5_000 + biggest
        assert column.compression == "UNCOMPRESSED"
    assert metadata.num_row_groups > 2
