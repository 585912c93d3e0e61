"""Which libraries are needed, and in which versions; nothing is imported to find out.

Parts of TRL's trainer that are not its public interface are used (see `trainer`), hence the upper bound.
"""

from __future__ import annotations

import importlib.util

from wheretaken.errors import MissingExtraError
from wheretaken.rl import versions

NEEDED = {"trl": ("1.16", "1.17"), "transformers": ("5.17", "6"), "datasets": ("4.7", "6")}
"""From this version on, and below that one."""
FEATURE = "training with TRL"


def check_versions() -> None:
    """Make sure that the libraries are there and fit, without importing them.

    Raises:
        MissingExtraError: one is not installed.
        UserError: one is of another version.
    """
    for name in ("torch", "torchvision", "accelerate", *NEEDED):
        if importlib.util.find_spec(name) is None:
            raise MissingExtraError(FEATURE, "trl", name)
    versions.check_versions(FEATURE, "trl", NEEDED)
