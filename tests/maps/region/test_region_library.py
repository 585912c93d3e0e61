import os
import subprocess
import sys
from pathlib import Path

import pytest

from wheretaken import paths
from wheretaken.errors import DataError
from wheretaken.maps.offline.region import builtin, library, regions

BUILD = """
from wheretaken.maps.offline.region import builtin
imported = []
path = builtin(progress=lambda stage, _done, _total: imported.append(stage))
print(path.name, "imported" if imported else "found")
"""


def test_two_processes_import_the_built_in_region_once(tmp_path: Path):
    environment = {**os.environ, "WHERETAKEN_CACHE_DIR": str(tmp_path)}
    workers = [
        subprocess.Popen([sys.executable, "-c", BUILD], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [worker.communicate(timeout=120)[0].split() for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    assert sorted(how for _, how in said) == ["found", "imported"]
    assert [path.name for path in tmp_path.glob("*.sqlite")] == [said[0][0]]
    assert said[0][0] == said[1][0]


def test_a_damaged_cache_is_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WHERETAKEN_CACHE_DIR", str(tmp_path))
    path = builtin()
    whole = path.stat().st_size
    path.write_bytes(b"damaged")
    assert builtin() == path
    assert path.stat().st_size == whole


def test_the_users_regions_come_after_the_built_in_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, helsinki_path: Path
):
    monkeypatch.setenv("WHERETAKEN_DATA_DIR", str(tmp_path))
    assert [info.path for info in regions()] == [helsinki_path]
    own = paths.data_dir() / "regions" / f"mine{library.SUFFIX}"
    own.parent.mkdir()
    own.write_bytes(helsinki_path.read_bytes())
    (own.parent / "notes.txt").write_text("not a region")
    assert [info.path for info in regions()] == [helsinki_path, own]
    own.write_bytes(b"damaged")
    with pytest.raises(DataError, match="mine"):
        regions()
