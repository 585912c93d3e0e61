"""verl and what it stands on, in the versions that this part was written for."""

from __future__ import annotations

import importlib
from typing import Any

from wheretaken.errors import MissingExtraError
from wheretaken.rl import versions

FEATURE, EXTRA = "training with verl", "verl"
NEEDED = {
    "verl": ("0.9.1", "0.9.2"),
    "transformers": ("5.5.3", "5.11"),
    "ray": ("2.41", "3"),
    "TransferQueue": ("0.1.10", "0.2"),
    "tensordict": ("0.8", "0.11"),
}
"""From this version on, and below that one."""


def check_versions() -> None:
    """Make sure that the libraries are there and fit, without importing them.

    Raises:
        MissingExtraError: one is not installed.
        UserError: one is of another version.
    """
    versions.check_versions(FEATURE, EXTRA, NEEDED, ("torch", "torchvision", "hydra-core", "qwen-vl-utils"))


def imported(name: str) -> Any:
    """Return a module of verl's, or of what it stands on.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingExtraError(FEATURE, EXTRA, error.name or name) from error
