"""The sources of the page: types, and the tests of what needs no browser."""

import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import missing

WEB = Path(__file__).resolve().parents[2] / "web"


@pytest.mark.parametrize("script", ["check", "test"])
def test_the_page_checks_out(script: str) -> None:
    if shutil.which("npm") is None or not (WEB / "node_modules").is_dir():
        missing("no Node.js, or its packages are not installed: run  make web")
    done = subprocess.run(["npm", "run", script], cwd=WEB, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
