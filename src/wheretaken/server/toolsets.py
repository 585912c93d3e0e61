"""The toolsets that can be served, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken.errors import UserError
from wheretaken.geo import Datum
from wheretaken.tools import Tool, Toolset, amap
from wheretaken.tools.google import GOOGLE
from wheretaken.tools.online import worldwide_on

if TYPE_CHECKING:
    from wheretaken.maps import MapProvider

ALL = "all"


def toolset(name: str, maps: MapProvider) -> Toolset:
    """Return a toolset: `worldwide` with what these maps can do, `amap`, `google`, or `all` of them.

    A model that calls several tools takes the position that one gives to the next, so all tools of a set
    speak one datum. That of `amap` is GCJ-02, as weights that were trained with it do; in `all` its tools
    take and give WGS-84 like the others. There, a tool that several have is there once.

    Raises:
        UserError: there is none of this name.
    """
    known = {one.name: one for one in (worldwide_on(maps), amap.AMAP, GOOGLE)}
    if name == ALL:
        tools: dict[str, Tool] = {}
        for one in (known | {amap.AMAP.name: amap.toolset(Datum.WGS84)}).values():
            for tool in one.tools:
                tools.setdefault(tool.name, tool)
        return Toolset(ALL, tuple(tools.values()))
    if name not in known:
        raise UserError(f"there is no toolset {name!r}; there are {', '.join((*known, ALL))}")
    return known[name]
