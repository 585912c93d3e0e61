"""Reading an extract in a process of its own: the same region, and every ending told as in one process."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from wheretaken.errors import DataError
from wheretaken.maps.offline import region as package
from wheretaken.maps.offline.region import apart, import_extract
from wheretaken.maps.offline.region.apart import ReadApart
from wheretaken.maps.offline.region.read import Source

HELSINKI = Path(package.__file__).parents[1] / "data" / "region" / "helsinki.osm.pbf"


def content(path: Path) -> Iterator[str]:
    with closing(sqlite3.connect(path)) as connection:
        yield from connection.iterdump()


def is_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_region_is_the_same_however_it_was_read(tmp_path):
    one, two = ReadApart(HELSINKI), Source(HELSINKI)
    first = import_extract(one, tmp_path / "one.sqlite", name="Helsinki")
    second = import_extract(two, tmp_path / "two.sqlite", name="Helsinki")
    assert list(content(first.path)) == list(content(second.path))
    assert (one.bounds, one.date, one.incomplete) == (two.bounds, two.date, two.incomplete)


def test_only_large_extracts_on_several_cores_are_read_apart(tmp_path, monkeypatch):
    large = tmp_path / "large.osm.pbf"
    large.touch()
    os.truncate(large, 20_000_000)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert isinstance(apart.source(HELSINKI), Source)
    assert isinstance(apart.source(large), ReadApart)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert isinstance(apart.source(large), Source)


def test_what_cannot_be_read_is_the_same_error(tmp_path):
    cut = tmp_path / "cut.osm.pbf"
    cut.write_bytes(HELSINKI.read_bytes()[:300_000])
    told = []
    for source in (ReadApart(cut), Source(cut)):
        with pytest.raises(DataError) as caught:
            import_extract(source, tmp_path / "out" / "r.sqlite", name="cut")
        told.append(str(caught.value))
    assert told[0] == told[1]
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("ended", "error", "complaint"),
    [
        (signal.SIGKILL, DataError, r"was ended \(signal 9\)"),
        (signal.SIGBUS, OSError, "No space left on device"),
    ],
)
def test_a_reader_that_is_killed_is_told_and_leaves_nothing(ended, error, complaint, tmp_path):
    source = ReadApart(HELSINKI)
    features = source.features()
    next(features)
    os.kill(source._child, signal.SIGSTOP)  # before it has said everything
    os.kill(source._child, ended)
    os.kill(source._child, signal.SIGCONT)
    with pytest.raises(error, match=complaint):
        list(features)


def test_a_reader_that_nobody_listens_to_ends(tmp_path):
    source = ReadApart(HELSINKI)
    features = source.features()
    next(features)
    assert not is_gone(source._child)
    features.close()
    assert is_gone(source._child)
