"""The toolset `google`: the tools, in name and arguments, with which the paper's weights look outside China.

Its released tools ask Serper for web pages and places, and Google for the map. Here they ask a `MapProvider`
like all tools, so any provider or a router may be behind them. Positions are WGS-84, which outside mainland
China is what the released tools gave.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from wheretaken.geo import LatLon
from wheretaken.tools.base import Tool, ToolContext, ToolResult, Toolset
from wheretaken.tools.paper import ZOOM, fields, image_zoom_in_tool, listed, shown
from wheretaken.tools.worldwide import Latitude, Longitude  # noqa: TC001 - read at run time, for the schema

if TYPE_CHECKING:
    from collections.abc import Iterable

Query = Annotated[str, Field(min_length=1, max_length=300)]


async def google_search(context: ToolContext, query: Query) -> ToolResult:
    """Search the web, in the language of what you look for. Keep queries concise.

    Args:
        query: The keywords to search for.
    """
    pages = await context.maps.web_search(query)
    entries = [fields(title=page.title, snippet=page.snippet, date=page.date) for page in pages]
    return listed("organic", entries, _sources(page.source for page in pages))


async def google_map_search(context: ToolContext, query: Query) -> ToolResult:
    """Search for a place and get its precise latitude and longitude.

    Args:
        query: The place to search for.
    """
    places = await context.maps.search(query)
    entries = [
        {
            **fields(title=place.name, address=place.address),
            "latitude": round(place.lat, 6),
            "longitude": round(place.lon, 6),
            **fields(
                types=place.more.get("types", place.kind), description=place.more.get("description", "")
            ),
        }
        for place in places
    ]
    return listed("places", entries, _sources(place.source for place in places))


async def google_static_map(context: ToolContext, latitude: Latitude, longitude: Longitude) -> ToolResult:
    """Get a map of the small area around a position outside China, to check a place.

    Args:
        latitude: Latitude of the position in degrees, positive in the north, for example 40.714728.
        longitude: Longitude of the position in degrees, positive in the east, for example -73.998672.
    """
    centre = LatLon(latitude, longitude)
    picture = await context.maps.road_map(centre, zoom=ZOOM, markers=[centre])
    return shown(context, picture, latitude, longitude)


def _sources(sources: Iterable[str]) -> str:
    return "; ".join(sorted(set(sources) - {""}))


GOOGLE = Toolset(
    "google",
    tuple(Tool(f) for f in (image_zoom_in_tool, google_search, google_map_search, google_static_map)),
)
