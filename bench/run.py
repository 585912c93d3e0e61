"""Runs every benchmark one after the other and prints its table: `make bench`.

    python bench/run.py [NAME ...]

Each is a program of its own in this folder and can be run alone, with options. Every table has its ratio to a
named simple baseline that was measured in the same run.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

ALL = (
    *("start", "world_index", "regions", "search_quality", "search_scale", "map_pictures", "scenes"),
    "region_scenes",
    *("scoring", "vote", "early_stop", "ungrounded", "data_prepare", "eval_run"),
    *("map_services", "cache", "server", "rollouts", "web", "agent_engine", "injection"),
    *("rollout_tools", "trl_tools", "rollout_overlap"),
)
ELSEWHERE = {"rollout_overlap": Path(__file__).parents[1] / ".venv-verl" / "bin" / "python"}
"""What needs libraries that exclude those of the others has an environment of its own."""


def main() -> int:
    names = sys.argv[1:] or ALL
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores")
    failed = [name for name in names if _run(name)]
    if failed:
        print(f"failed: {', '.join(failed)}")
    return len(failed)


def _run(name: str) -> int:
    print(f"\n## {name}\n", flush=True)
    script = Path(__file__).with_name(f"{name}.py")
    python = ELSEWHERE.get(name, sys.executable)
    return subprocess.run([python, script], check=False).returncode  # noqa: S603 - our own scripts


if __name__ == "__main__":
    sys.exit(main())
