"""Which versions of an engine's libraries this package was written for."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING

from wheretaken.errors import MissingExtraError, UserError

if TYPE_CHECKING:
    from collections.abc import Mapping


def check_versions(
    feature: str, extra: str, needed: Mapping[str, tuple[str, str]], others: tuple[str, ...] = ()
) -> None:
    """Make sure that libraries are there and fit, without importing them.

    Args:
        feature: What needs them.
        extra: Which extra of this package brings them.
        needed: Distribution -> the least version, and the one that is too new.
        others: Further distributions of which any version does.

    Raises:
        MissingExtraError: one is not installed.
        UserError: one is of another version.
    """
    versions: dict[str, str] = {}
    for name in (*needed, *others):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            raise MissingExtraError(feature, extra, name) from None
    for name, (least, below) in needed.items():
        found = versions[name]
        if not _numbers(least) <= _numbers(found) < _numbers(below):
            raise UserError(
                f"{feature} needs {name} >= {least} and < {below}, and {found} is installed: "
                f"run  pip install 'wheretaken[{extra}]'  in an environment of its own"
            )


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split("+", maxsplit=1)[0].split(".")
    return tuple(int(part) for part in parts if part.isdecimal())
