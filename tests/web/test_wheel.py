"""What is installed has the page inside, and serves it without the sources."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx2
import pytest

from wheretaken.web.app import STATIC

from .conftest import missing

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that holds what the wheel installs, and nothing else."""
    if not (STATIC / "index.html").is_file():
        missing("the page is not built: run  make web")
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_a_wheel_serves_the_page_that_is_inside_of_it(installed: Path, tmp_path: Path) -> None:
    env = os.environ | {"PYTHONPATH": str(installed), "WHERETAKEN_DATA_DIR": str(tmp_path)}
    where = subprocess.run(
        [sys.executable, "-c", "import wheretaken; print(wheretaken.__file__)"],
        env=env, cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert Path(where.stdout.strip()).is_relative_to(installed)
    command = [sys.executable, "-m", "wheretaken", "web", "--port", "0"]
    with subprocess.Popen(command, env=env, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as serving:
        try:
            assert serving.stderr
            found = re.search(r"http://127\.0\.0\.1:\d+", serving.stderr.readline())
            assert found
            page = httpx2.get(f"{found[0]}/", timeout=60).text
            assets = re.findall(r'(?:src|href)="(/[^"]+)"', page)
            assert len(assets) >= 4
            for asset in assets:
                assert httpx2.get(f"{found[0]}{asset}", timeout=60).status_code == 200, asset
        finally:
            serving.terminate()
    assert serving.returncode == 0
