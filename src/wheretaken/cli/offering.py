"""Which maps and tools a run has: the offline maps, and the services that the settings switch on."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from wheretaken.cli.offline import offline_maps
from wheretaken.errors import MissingExtraError, UserError
from wheretaken.maps import MapProvider
from wheretaken.sampling.parallel import DIRECT
from wheretaken.tools.worldwide import WORLDWIDE

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from wheretaken.tools import Toolset

NAMES = (WORLDWIDE.name, "amap", "google", DIRECT.name)


def offered(
    name: str,
    tools_config: Path | None = None,
    *,
    console: Console | None = None,
    maps: MapProvider | None = None,
) -> tuple[MapProvider, Toolset]:
    """Return the maps and the tools of a toolset.

    Args:
        name: One of `NAMES`; `direct` has no tools.
        tools_config: A verl tool-config file whose descriptions the model is told instead.
        console: Where a first build of the offline maps is shown.
        maps: Used instead of the offline maps.

    Raises:
        UserError: There is no such toolset, or the settings or the file are wrong.
        MissingExtraError: It needs libraries that are not installed.
    """
    if name not in NAMES:
        raise UserError(f"no toolset named {name!r}; there are: {', '.join(NAMES)}")
    if name == DIRECT.name:
        if tools_config is not None:
            raise UserError(f"the toolset {name} has no tools to describe: leave out --tools-config")
        return maps or MapProvider(), DIRECT  # which nobody asks
    local = maps or offline_maps(console)
    provider = _with_services(local, needed=name != WORLDWIDE.name)
    from wheretaken.server.toolsets import toolset  # noqa: PLC0415 - needed for tools alone

    tools = toolset(name, provider)
    if tools_config is not None:
        from wheretaken.tools.config import configured  # noqa: PLC0415 - needs the extra

        tools = configured(tools, tools_config)
    return provider, tools


def _with_services(local: MapProvider, *, needed: bool) -> MapProvider:
    """Put the services of the settings before the offline maps; without any, those alone."""
    if importlib.util.find_spec("pydantic_settings") is None or importlib.util.find_spec("httpx2") is None:
        if needed:
            raise MissingExtraError("asking map services", "services", "pydantic_settings and httpx2")
        return local
    from wheretaken.maps.web import WebSettings  # noqa: PLC0415 - needs the extra
    from wheretaken.server.providers import connect  # noqa: PLC0415 - as above

    router = connect(WebSettings.load(), [local])
    return router if needed or len(router.providers) > 1 else local
