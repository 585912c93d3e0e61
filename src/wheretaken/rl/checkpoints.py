"""Where a training keeps its checkpoints, and which of them are whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from wheretaken.rl.settings import TrainSettings

CHECKPOINTS = "checkpoints"
"""The directory of them, in the training's output."""
_NAMES = {"trl": ("checkpoint-", "trainer_state.json"), "verl": ("global_step_", "actor")}
"""How they are called, and what a whole one has in it."""


def checkpoints(settings: TrainSettings) -> dict[int, Path]:
    """Return the checkpoints of a training by their steps; one that a kill left unfinished is none."""
    prefix, whole = _NAMES[settings.engine]
    return {
        int(number): directory
        for directory in sorted((settings.output / CHECKPOINTS).glob(f"{prefix}*"))
        if (number := directory.name.removeprefix(prefix)).isdecimal() and (directory / whole).exists()
    }
