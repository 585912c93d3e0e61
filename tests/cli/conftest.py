"""The command line as a user meets it: the real entry point in a process and a directory of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def wheretaken(tmp_path: Path) -> Run:
    """Runs `wheretaken ARGUMENTS...` in the test's directory; more environment as keywords."""

    def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "wheretaken", *map(str, arguments)],
            cwd=tmp_path,
            env=os.environ | environment,
            capture_output=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )

    return run


@pytest.fixture
def sign(tmp_path: Path) -> Path:
    """A picture that says HELSINKI."""
    picture = Image.new("RGB", (640, 360), (235, 240, 245))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((60, 110, 580, 250), fill=(20, 60, 160))
    draw.text((100, 140), "HELSINKI", fill="white", font=ImageFont.load_default(80))
    path = tmp_path / "sign.jpg"
    picture.save(path, quality=92)
    return path
