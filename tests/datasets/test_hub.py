"""Hugging Face data sets, through the real library and folders that it can load without the network."""

import sys

import pytest

from wheretaken.errors import DataError, MissingExtraError
from wheretaken.evals.datasets import open_dataset
from wheretaken.evals.datasets.prepare import prepare

pytest.importorskip("datasets")


@pytest.fixture
def hub_folder(make_set, tmp_path):
    """A folder as the hub has them: Parquet parts with pictures, one for each split."""
    folder = tmp_path / "NAME"
    folder.mkdir()
    for split, first in (("train", 0), ("test", 10)):
        table = make_set(3, split, first_seed=first)
        prepare(open_dataset(table), folder / f"{split}-00000-of-00001.parquet", "table")
    for problems in folder.glob("*.problems.jsonl"):
        problems.unlink()
    return folder


def test_rows_of_one_split_are_streamed_with_their_bytes(hub_folder):
    data = open_dataset(f"hf:{hub_folder}:test")
    assert (data.name, data.format) == ("NAME", "Hugging Face data set")
    rows = list(data.rows())
    assert [row.id for row in rows] == ["images/10.jpg", "images/11.jpg", "images/12.jpg"]
    assert [(row.split, row.line, row.truth.lat) for row in rows] == [
        ("test", 1, 20),
        ("test", 2, 21),
        ("test", 3, 22),
    ]
    assert rows[0].read().startswith(b"\xff\xd8")


def test_without_a_split_all_are_read(hub_folder):
    rows = list(open_dataset(f"hf:{hub_folder}").rows())
    assert sorted({row.split for row in rows}) == ["test", "train"]
    assert len(rows) == 6


def test_what_cannot_be_loaded_is_told(hub_folder, tmp_path):
    for name in (f"hf:{hub_folder}:nosuchsplit", f"hf:{tmp_path / 'none'}", "hf:"):
        with pytest.raises(DataError) as caught:
            open_dataset(name)
        assert "\n" not in str(caught.value)
        assert name.rpartition(":")[0] in str(caught.value)


def test_without_the_library_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"wheretaken\[hub\]"):
        open_dataset("hf:OWNER/NAME")
