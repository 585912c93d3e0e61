"""One worker: everything that it is made of, from the settings.

Importing this module imports `prometheus_client`, which looks at once whether there are several workers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken.maps.offline.provider import offline_provider
from wheretaken.maps.web import WebSettings
from wheretaken.server.app import create_app
from wheretaken.server.cache import Policy, ToolCache, opened
from wheretaken.server.desk import ToolDesk
from wheretaken.server.metrics import Metrics
from wheretaken.server.mounting import mcp_over_http
from wheretaken.server.providers import connect, terms
from wheretaken.server.shelf import Shelf
from wheretaken.server.tiles import TileRoutes, installed_maps
from wheretaken.server.toolsets import toolset
from wheretaken.tools.amap import AMAP
from wheretaken.tools.config import configured
from wheretaken.tools.google import GOOGLE

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp

    from wheretaken.server.settings import ServerSettings


def application(settings: ServerSettings, state: Path) -> ASGIApp:
    """Make the application of one worker; `state` is the directory of this run.

    Raises:
        UserError: the settings do not work.
    """
    metrics = Metrics()
    desk = make_desk(settings, state, metrics)
    return create_app(
        desk,
        metrics,
        hosts=settings.hosts,
        token=settings.token,
        mounted=[mcp_over_http(desk)],
        beside=TileRoutes(installed_maps).all(),
    )


def make_desk(settings: ServerSettings, state: Path, metrics: Metrics) -> ToolDesk:
    """Make what answers the calls.

    Raises:
        UserError: the settings do not work.
    """
    maps = connect(WebSettings.load(), [offline_provider()])
    tools = toolset(settings.toolset, maps)
    if settings.tools_config:
        tools = configured(tools, settings.tools_config)
    policy = Policy.load(terms(maps))
    # Positions in published answers are in the datum of the service, which these two sets speak.
    published = settings.toolset in {AMAP.name, GOOGLE.name}
    cache = ToolCache(opened(settings.cache), policy=policy, use_published=published)
    return ToolDesk(tools, maps, cache, policy, Shelf(state / "pictures"), metrics, settings.limits)
