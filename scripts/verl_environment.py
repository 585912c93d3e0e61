"""Makes an environment with verl for processors, for `make unit`: 2.3 GB, and about three minutes.

    python scripts/verl_environment.py DIRECTORY

verl and TRL ask for different versions of transformers, so verl's tests run in an environment of their own.
verl itself is installed without its dependencies: they ask for a torch with CUDA, and for more than its
trainer needs. What it does need is pinned here, as it was tested.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cpu_environment import at_start, create, install

ROOT = Path(__file__).parents[1]
TORCH, TORCHVISION = "torch==2.13.0", "torchvision==0.28.0"
VERL = "verl==0.9.1"
NEEDED = (
    "transformers==5.9.0",
    "ray[default]==2.60.0",
    "TransferQueue==0.1.11",
    "tensordict==0.10.0",
    "hydra-core==1.3.8",
    "accelerate",
    "cachetools",
    "codetiming",
    "datasets",
    "dill",
    "fastapi",
    "msgspec",
    "packaging",
    "pandas",
    "peft",
    "pyarrow>=21",
    "pybind11",
    "pylatexenc",
    "pyzmq",
    "qwen-vl-utils",
    "tensorboard",
    "torchdata",
    "wandb",
)
OURS = "offline,evals,services,models,server"
TESTS = ("pytest>=8.4", "pytest-asyncio>=1.4", "pytest-socket>=0.7", "hypothesis>=6.140")


def main(directory: Path) -> None:
    if sys.version_info >= (3, 13):
        print("verl has no release for this Python: its tests are left out")
        return
    create(directory)
    install(directory, TORCH)
    install(directory, "--no-deps", VERL)
    install(directory, TORCHVISION, *NEEDED, *TESTS)
    install(directory, "--editable", f"{ROOT}[{OURS}]")
    at_start(directory)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
