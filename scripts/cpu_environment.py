"""What the scripts that make environments for processors share: creating, installing, and torchvision.

The torchvision of the package index is built for CUDA. It is made importable, in every child process as well,
by a file that Python reads when it starts.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

AT_START = """\
import importlib.machinery, sys


class _Before:
    def find_spec(self, name, path=None, target=None):
        if name == "torchvision":
            sys.meta_path.remove(self)
            from wheretaken_torchvision import prepare

            prepare()
        return None


sys.meta_path.insert(0, _Before())
"""


def create(directory: Path) -> None:
    if not (directory / "bin" / "python").exists():
        run(sys.executable, "-m", "venv", str(directory))


def install(directory: Path, *what: str) -> None:
    # What is imported is compiled then: compiling all of it takes two minutes.
    run(str(directory / "bin" / "python"), "-m", "pip", "--quiet", "install", "--no-compile", *what)


def uninstall(directory: Path, *what: str) -> None:
    run(str(directory / "bin" / "python"), "-m", "pip", "--quiet", "uninstall", "--yes", *what)


def packages(directory: Path) -> Path:
    return Path(sysconfig.get_path("purelib", vars={"base": str(directory), "platbase": str(directory)}))


def at_start(directory: Path) -> None:
    """Have torchvision prepared in every process of this environment that imports it."""
    toy_model = Path(__file__).parents[1] / "src" / "wheretaken" / "testing" / "toy_model"
    source = (toy_model / "torchvision_on_cpu.py").read_text("utf-8")
    (packages(directory) / "wheretaken_torchvision.py").write_text(source, "utf-8")
    (packages(directory) / "wheretaken_at_start.py").write_text(AT_START, "utf-8")
    (packages(directory) / "wheretaken_at_start.pth").write_text("import wheretaken_at_start\n", "utf-8")


def run(*command: str) -> None:
    subprocess.run(command, check=True)
