"""Arguments of tool calls as models write them, made into the JSON object that they were meant to be.

Models quote an object a second time, leave out a bracket, or write Python's quotes. What can be understood is
understood; what cannot stays as it is, so that the tool's complaint goes back to the model.
"""

from __future__ import annotations

import json
import re
from typing import Any, cast

_QUOTED_TWICE = 2
_NAME = re.compile(r"\w+")


def mended(text: str) -> str:
    """Return JSON text of an object: as it was written where it is one, else repaired where possible."""
    if not text.strip():
        return "{}"
    value, inner = _loaded(text), text
    for _ in range(_QUOTED_TWICE):
        if isinstance(value, str):
            value, inner = _loaded(value), value
    if isinstance(value, dict):
        return inner
    if value is not None:
        return text
    return _repaired(inner) or text


def is_object(text: str) -> bool:
    """Tell whether a text is a JSON object: servers that read old calls again take nothing else."""
    return isinstance(_loaded(text), dict)


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _repaired(text: str) -> str:
    """Repair broken JSON; empty when what comes out is no object with plain names."""
    import json_repair  # noqa: PLC0415 - most arguments are as they should be

    try:
        value: Any = json_repair.loads(text)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(value, dict) or not value:
        return ""
    named = cast("dict[str, Any]", value)
    if not all(_NAME.fullmatch(name) for name in named):
        return ""
    return json.dumps(named, ensure_ascii=False)
