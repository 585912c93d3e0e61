"""The checkpoints of verl, whose weights lie in as many pieces as processes trained."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from wheretaken.errors import UserError
from wheretaken.rl.verl.libraries import check_versions

if TYPE_CHECKING:
    from pathlib import Path

ADAPTERS = "lora_adapter"
"""Where merged adapters lie in the merged weights, which are without them."""
_LAST_WORDS = 500


def described(actor: Path) -> Path:
    """Return where the configuration and the processor of a checkpoint are; Megatron has its own place."""
    inner = actor / "model" / "huggingface"
    return inner if inner.is_dir() else actor / "huggingface"


def merge(actor: Path, target: Path, *, strategy: str, tied: bool) -> None:
    """Put the pieces together with verl's own merger, in half precision.

    Args:
        actor: Of the checkpoint.
        target: A directory, which is made.
        strategy: `fsdp` or `megatron`.
        tied: Whether the model reads and writes with the same embeddings.

    Raises:
        UserError: a piece is missing or damaged.
        MissingExtraError: verl is not installed.
    """
    saved = described(actor)
    if any(saved.glob("*.safetensors")):  # Megatron's are whole already
        shutil.copytree(saved, target, dirs_exist_ok=True)
        return
    check_versions()
    if strategy == "fsdp":
        _check_pieces(actor)
    command = [
        *(sys.executable, "-m", "verl.model_merger", "merge", "--backend", strategy),
        *("--local_dir", str(actor), "--target_dir", str(target)),
        *(["--use_cpu_initialization"] if strategy == "megatron" else []),
        *(["--tie-word-embedding"] if strategy == "megatron" and tied else []),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - verl's own module
    if done.returncode:
        said = " ".join(done.stderr.split())[-_LAST_WORDS:]
        raise UserError(f"verl cannot merge {actor}: {said}")


def _check_pieces(actor: Path) -> None:
    """Make sure that no piece is missing, as on a node that had a file system of its own.

    Raises:
        UserError: one is.
    """
    try:
        count = int(json.loads((actor / "fsdp_config.json").read_text("utf-8"))["world_size"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{actor} has no fsdp_config.json that can be read: choose another --step") from None
    for rank in range(count):
        name = f"model_world_size_{count}_rank_{rank}.pt"
        if not (actor / name).is_file():
            raise UserError(
                f"{actor} has no {name}, which one of its {count} processes wrote: bring all pieces together"
            )
