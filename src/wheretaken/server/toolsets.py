"""The toolsets that can be served, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken.errors import UserError
from wheretaken.tools import Tool, Toolset
from wheretaken.tools.amap import AMAP
from wheretaken.tools.google import GOOGLE
from wheretaken.tools.online import worldwide_on

if TYPE_CHECKING:
    from wheretaken.maps import MapProvider

ALL = "all"


def toolset(name: str, maps: MapProvider) -> Toolset:
    """Return a toolset: `worldwide` with what these maps can do, `amap`, `google`, or `all` of them.

    In `all`, a tool that several have is there once. Those of `amap` keep their own datum.

    Raises:
        UserError: there is none of this name.
    """
    known = {one.name: one for one in (worldwide_on(maps), AMAP, GOOGLE)}
    if name == ALL:
        tools: dict[str, Tool] = {}
        for one in known.values():
            for tool in one.tools:
                tools.setdefault(tool.name, tool)
        return Toolset(ALL, tuple(tools.values()))
    if name not in known:
        raise UserError(f"there is no toolset {name!r}; there are {', '.join((*known, ALL))}")
    return known[name]
