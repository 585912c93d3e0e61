"""The map providers that the settings switch on, behind one router."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

from wheretaken.maps.router import Router
from wheretaken.maps.web import Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wheretaken.maps import MapProvider
    from wheretaken.maps.web import WebSettings
    from wheretaken.maps.web.settings import ServiceSettings

_PROVIDERS = {
    "amap": "wheretaken.maps.amap:AmapProvider",
    "google": "wheretaken.maps.google:Google",
    "serper": "wheretaken.maps.serper:Serper",
    "searxng": "wheretaken.maps.searxng:Searxng",
    "nominatim": "wheretaken.maps.osm:Nominatim",
    "photon": "wheretaken.maps.osm:Photon",
    "overpass": "wheretaken.maps.osm:Overpass",
    "tiles": "wheretaken.maps.tiles:RoadTiles",
    "imagery": "wheretaken.maps.tiles:ImageryTiles",
}
"""Section of the settings, and the class that it is for; a module is imported when its section is in use."""


def connect(settings: WebSettings, more: Sequence[MapProvider] = ()) -> Router:
    """Return a router over the providers that can be asked, and these further ones; nothing is opened yet."""
    connection = Connection(settings)
    ready = [
        _made(place, connection)
        for section, place in _PROVIDERS.items()
        if cast("ServiceSettings", getattr(settings, section)).ready
    ]
    return Router([*ready, *more], settings.router)


def terms(maps: Router) -> dict[str, Callable[[str], float | None]]:
    """Return for how long answers may be kept, by provider, as the cache's policy takes it.

    The router itself sets no limit: the desk asks for that of the provider that answered.
    """
    return {maps.name: _no_limit, **{one.name: one.keep_days for one in maps.providers}}


def _no_limit(_operation: str) -> float | None:
    return None


def _made(place: str, connection: Connection) -> MapProvider:
    module, _, name = place.partition(":")
    make: Callable[[Connection], MapProvider] = getattr(importlib.import_module(module), name).connected
    return make(connection)
