"""The toolset `amap`: the tools, in name and arguments, with which the paper's weights were trained on China.

The released tools speak AMap's datum, GCJ-02: their server hands positions on as AMap writes them and puts
the numbers that a model gives into AMap's maps, its prompts name no datum, and its reward takes the numbers
of an answer as they are. Weights trained there therefore give and repeat GCJ-02. So does `AMAP`, and the
agent loop turns the final answer into WGS-84 (`Toolset.datum`), in which all truth and all distances are.
`toolset(Datum.WGS84)` makes the same tools for models that know no datum but that of GPS.

Tools ask a `MapProvider` like all others, so any provider or a router may be behind them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from wheretaken.errors import ToolError
from wheretaken.geo import Datum, LatLon
from wheretaken.maps import UnsupportedError
from wheretaken.tools.base import Tool, ToolContext, ToolResult, Toolset
from wheretaken.tools.paper import ZOOM, Query, fields, image_zoom_in_tool, listed, shown
from wheretaken.tools.worldwide import Latitude, Longitude  # noqa: TC001 - read at run time, for the schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.maps import Place

_MOST = 15
"""Results of a search that were asked for."""
_PREFIX = "amap:"
_COUNTRY = "CN"
"""Without it, a router would not know that the tools are for China, and ask others before AMap."""


class _Tools:
    """The tools of one datum."""

    def __init__(self, datum: Datum) -> None:
        self._datum = datum

    async def amap_input_tips(self, context: ToolContext, query: Query) -> ToolResult:
        """Search for a place in China and get suggestions of POIs.

        Args:
            query: Any keywords of a place.
        """
        try:
            places = await context.maps.suggest(query)
        except UnsupportedError:
            places = await context.maps.search(query, country_code=_COUNTRY)
        return _listed("tips", places)

    async def amap_keyword_search(self, context: ToolContext, query: Query) -> ToolResult:
        """Search for POIs in China by keywords.

        Args:
            query: The keywords to search for.
        """
        return _listed("pois", await context.maps.search(query, country_code=_COUNTRY, limit=_MOST))

    async def amap_poi_detail(
        self, context: ToolContext, query: Annotated[str, Field(min_length=1, max_length=100)]
    ) -> ToolResult:
        """Get where a POI in China is, and other details, by its id.

        Args:
            query: The id of the POI, from the results of a search.
        """
        key = query.strip()
        place = await context.maps.details(key if ":" in key else _PREFIX + key)
        if place is None:
            raise ToolError(
                f"no POI has the id {key!r}; use an id from amap_input_tips or amap_keyword_search"
            )
        shown = LatLon(place.lat, place.lon).to(self._datum)
        data = fields(
            id=_id(place),
            name=place.name,
            location=f"{shown.lon:.6f},{shown.lat:.6f}",
            address=place.address,
            business_area=place.more.get("business_area", ""),
            city=place.city,
            type=place.more.get("type", place.kind),
            alias=place.more.get("alias", place.english),
        )
        return ToolResult(data, source=place.source)

    async def amap_static_map(
        self, context: ToolContext, latitude: Latitude, longitude: Longitude
    ) -> ToolResult:
        """Get a map of the small area around a position in China, to check a place.

        Args:
            latitude: Latitude of the position in degrees, positive in the north, for example 39.9042.
            longitude: Longitude of the position in degrees, positive in the east, for example 116.4074.
        """
        centre = LatLon(latitude, longitude, self._datum).wgs84
        picture = await context.maps.road_map(centre, zoom=ZOOM, markers=[centre])
        return shown(context, picture, latitude, longitude)

    async def amap_satellite_map(
        self, context: ToolContext, latitude: Latitude, longitude: Longitude
    ) -> ToolResult:
        """Get a satellite picture of the small area around a position in China, to check a place.

        Args:
            latitude: Latitude of the position in degrees, positive in the north, for example 39.9042.
            longitude: Longitude of the position in degrees, positive in the east, for example 116.4074.
        """
        centre = LatLon(latitude, longitude, self._datum).wgs84
        picture = await context.maps.satellite(centre, zoom=ZOOM, markers=[centre])
        return shown(context, picture, latitude, longitude)


def toolset(datum: Datum) -> Toolset:
    """Return the tools for a model that gives and expects positions in this datum."""
    tools = _Tools(datum)
    functions = (
        image_zoom_in_tool,
        tools.amap_input_tips,
        tools.amap_keyword_search,
        tools.amap_poi_detail,
        tools.amap_static_map,
        tools.amap_satellite_map,
    )
    return Toolset("amap", tuple(Tool(function) for function in functions), datum)


def _id(place: Place) -> str:
    """Return an id as AMap, and any other source under its own prefix, calls it."""
    return place.id.removeprefix(_PREFIX)


def _listed(name: str, places: Sequence[Place]) -> ToolResult:
    entries = [
        fields(
            id=_id(place),
            name=place.name,
            address=place.address,
            typecode=place.more.get("typecode", place.kind),
            city=place.city,
        )
        for place in places
    ]
    return listed(name, entries, "; ".join(sorted({place.source for place in places if place.source})))


AMAP = toolset(Datum.GCJ02)
