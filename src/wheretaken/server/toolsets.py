"""The toolsets that can be served, by name."""

from __future__ import annotations

import importlib
from typing import cast

from wheretaken.errors import UserError
from wheretaken.tools import Tool, Toolset

_TOOLSETS = {
    "worldwide": "wheretaken.tools.worldwide:WORLDWIDE",
    "amap": "wheretaken.tools.amap:AMAP",
    "google": "wheretaken.tools.google:GOOGLE",
}
ALL = "all"


def toolset(name: str) -> Toolset:
    """Return a toolset; `all` has every tool once, as the first of the toolsets that has it defines it.

    Raises:
        UserError: there is none of this name.
    """
    if name == ALL:
        tools: dict[str, Tool] = {}
        for one in _TOOLSETS:
            for tool in toolset(one).tools:
                tools.setdefault(tool.name, tool)
        return Toolset(ALL, tuple(tools.values()))
    if name not in _TOOLSETS:
        raise UserError(f"there is no toolset {name!r}; there are {', '.join((*_TOOLSETS, ALL))}")
    module, _, constant = _TOOLSETS[name].partition(":")
    return cast("Toolset", getattr(importlib.import_module(module), constant))
