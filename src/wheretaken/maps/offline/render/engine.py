"""The one place that imports mapnik. It ships no types, so what its two callers get is `Any`."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

from wheretaken.errors import MissingExtraError


@cache
def mapnik() -> Any:
    """Return the mapnik module.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import mapnik as module  # noqa: PLC0415 - 0.1 s and 160 MB that only a picture needs
    except ModuleNotFoundError as error:
        raise MissingExtraError("drawing maps", "offline", "mapnik") from error
    return cast("Any", module)
