"""What the toolset `worldwide` gains from maps that can do more than the offline ones.

A model is offered a tool only if something can answer it: `worldwide_on` looks at what the provider can do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from wheretaken.errors import ToolError
from wheretaken.geo import LatLon
from wheretaken.messages import Picture
from wheretaken.tools.base import Tool, ToolContext, ToolResult, Toolset
from wheretaken.tools.worldwide import (
    WORLDWIDE,
    Latitude,
    Longitude,
    Markers,
    Zoom,
    shown,
)

if TYPE_CHECKING:
    from wheretaken.maps import MapProvider


async def satellite_map(
    context: ToolContext, lat: Latitude, lon: Longitude, zoom: Zoom = 17, markers: Markers | None = None
) -> ToolResult:
    """Show a satellite picture of a position, north up, with numbered markers.

    Args:
        lat: Latitude of the centre.
        lon: Longitude of the centre.
        zoom: Web map zoom: 14 shows a district, 17 buildings, 19 cars.
        markers: Positions as [lat, lon] pairs; they are numbered from 1 in this order.
    """
    pins = [LatLon(*pair) for pair in markers or []]
    return shown(context, await context.maps.satellite(LatLon(lat, lon), zoom=zoom, markers=pins))


async def street_view(
    context: ToolContext,
    lat: Latitude,
    lon: Longitude,
    heading: Annotated[float, Field(ge=0, le=360)] | None = None,
    field_of_view: Annotated[float, Field(ge=10, le=120)] = 90,
) -> ToolResult:
    """Show what a position looks like from the street, for comparing it with the photo.

    Args:
        lat: Latitude of the position.
        lon: Longitude of the position.
        heading: Where to look, degrees clockwise from north; left out, from the street to the position.
        field_of_view: Degrees that the picture is wide; fewer show more detail.
    """
    view = await context.maps.street_view(
        LatLon(lat, lon), heading_deg=heading, field_of_view_deg=field_of_view
    )
    if view is None:
        raise ToolError("there is no picture from the street within 50 m; try a position on a larger street")
    data = {
        "image": len(context.pictures),
        "lat": round(view.lat, 5),
        "lon": round(view.lon, 5),
        "heading": round(view.heading_deg),
        **({"date": view.date} if view.date else {}),
    }
    mime = "image/png" if view.mime == "image/png" else "image/jpeg"
    return ToolResult(data, (Picture.wrap(view.image, mime, view.width, view.height),), view.attribution)


async def web_search(
    context: ToolContext,
    query: Annotated[str, Field(min_length=1, max_length=300)],
    limit: Annotated[int, Field(ge=1, le=20)] = 8,
) -> ToolResult:
    """Search the web, for example for a company, a monument or a slogan whose place you do not know.

    Args:
        query: A few words, in the language of what you look for.
        limit: How many results at most.
    """
    pages = await context.maps.web_search(query, limit=limit)
    results = [page.model_dump(exclude_defaults=True, exclude={"source"}) for page in pages]
    return ToolResult(
        {"results": results}, source="; ".join(sorted({page.source for page in pages if page.source}))
    )


_TOOLS = {"satellite": Tool(satellite_map), "street_view": Tool(street_view), "web_search": Tool(web_search)}
"""By the operation that each needs."""


def worldwide_on(maps: MapProvider) -> Toolset:
    """Return the toolset `worldwide` with a tool more for each operation that these maps have."""
    more = [tool for operation, tool in _TOOLS.items() if maps.can(operation)]
    return Toolset(WORLDWIDE.name, (*WORLDWIDE.tools, *more))
