"""The toolset `worldwide`: six tools that work on any provider, the offline one included.

Coordinates are WGS-84 degrees, latitude first. Results are JSON that a model reads as text.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from wheretaken import clues
from wheretaken.errors import ToolError
from wheretaken.geo import LatLon
from wheretaken.messages import Picture
from wheretaken.tools.base import Tool, ToolContext, ToolResult, Toolset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.maps import MapPicture, Place

Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Markers = Annotated[list[tuple[Latitude, Longitude]], Field(max_length=20)]
Zoom = Annotated[float, Field(ge=0, le=19)]

SMALLEST_CROP = 8
"""Pixels; below this a crop shows nothing."""
ZOOMED_SIDE = 900
"""Pixels that the longer side of a zoomed crop is brought to, so that small print becomes legible."""
MOST_ENLARGED = 4.0


async def zoom(
    context: ToolContext,
    bbox_2d: Annotated[list[int], Field(min_length=4, max_length=4)],
    image: Annotated[int, Field(ge=0)] = 0,
    label: str = "",
) -> ToolResult:
    """Look closer at a part of a picture that was shown before.

    Args:
        bbox_2d: The area as [left, top, right, bottom], each from 0 to 1000 relative to the picture's size.
        image: Which picture: 0 is the photo, 1 the first picture that a tool returned, and so on.
        label: What you expect to see there.
    """
    if image >= len(context.pictures):
        shown = len(context.pictures)
        raise ToolError(
            f"there is no picture {image}; the last one is {shown - 1}" if shown else "no picture was given"
        )
    # Decoding a photo takes up to a second, in which others want to be served.
    crop = await asyncio.to_thread(_enlarged, context.pictures[image], bbox_2d)
    data = {
        "image": len(context.pictures),
        "of": image,
        "label": label,
        "width": crop.width,
        "height": crop.height,
    }
    return ToolResult(data, (crop,))


def _enlarged(picture: Picture, bbox_2d: Sequence[int]) -> Picture:
    """Cut an area out of a picture, and enlarge it when it is small.

    Raises:
        ToolError: it is too small to show.
    """
    from PIL import Image  # noqa: PLC0415 - the toolset is listed far more often than used

    whole = picture.open()
    left, right = sorted(min(max(x, 0), 1000) * whole.width // 1000 for x in bbox_2d[::2])
    top, bottom = sorted(min(max(y, 0), 1000) * whole.height // 1000 for y in bbox_2d[1::2])
    if right - left < SMALLEST_CROP or bottom - top < SMALLEST_CROP:
        raise ToolError(
            f"the area is {right - left} x {bottom - top} pixels, too small to show; widen bbox_2d"
        )
    crop = whole.crop((left, top, right, bottom))
    factor = min(ZOOMED_SIDE / max(crop.size), MOST_ENLARGED)
    if factor > 1:
        crop = crop.resize(
            (round(crop.width * factor), round(crop.height * factor)), Image.Resampling.LANCZOS
        )
    return Picture.encode(crop, "image/png")


async def search_places(
    context: ToolContext,
    query: Annotated[str, Field(max_length=200)],
    near_lat: Latitude | None = None,
    near_lon: Longitude | None = None,
    country_code: Annotated[str, Field(pattern="^([A-Za-z]{2})?$")] = "",
    limit: Annotated[int, Field(ge=1, le=50)] = 10,
) -> ToolResult:
    """Find places by name: countries, regions, towns, districts, streets, addresses, shops, sights.

    Any script and spelling will do; text read off a sign may be given as it is. Every result says how its
    name met the query (`exact`, `stripped`, `partial`, `prefix`, `fuzzy`) and how large the place is.

    Args:
        query: A name or an address, for example "Mannerheimintie 12", "港区" or "Palais du Louvre". Leave it
            empty and give country_code to get the country's largest cities.
        near_lat: Prefer places near this latitude (give near_lon as well).
        near_lon: Prefer places near this longitude.
        country_code: Only places of this country, ISO 3166-1 alpha-2.
        limit: How many results at most.
    """
    if not query.strip() and not country_code:
        raise ToolError("give a query, or a country_code to list its largest cities")
    if (near_lat is None) != (near_lon is None):
        raise ToolError("give both near_lat and near_lon, or neither")
    near = LatLon(near_lat, near_lon) if near_lat is not None and near_lon is not None else None
    places = await context.maps.search(query, near=near, country_code=country_code.upper(), limit=limit)
    return _listed(places)


async def place_details(context: ToolContext, id: str) -> ToolResult:  # noqa: A002 - the field's name in results
    """Tell all that is known of a place that was found before.

    Args:
        id: The `id` of a result, for example "geonames:2988507".
    """
    place = await context.maps.details(id)
    if place is None:
        raise ToolError(f"no place has the id {id!r}; use an id from search_places or reverse_geocode")
    return ToolResult(place_data(place), source=place.source)


async def reverse_geocode(
    context: ToolContext, lat: Latitude, lon: Longitude, limit: Annotated[int, Field(ge=1, le=20)] = 5
) -> ToolResult:
    """Tell what is at a position: the closest address and places, the region and the country.

    Args:
        lat: Latitude in WGS-84 degrees.
        lon: Longitude in WGS-84 degrees.
        limit: How many places at most.
    """
    return _listed(await context.maps.reverse(LatLon(lat, lon), limit=limit))


async def road_map(
    context: ToolContext,
    lat: Latitude,
    lon: Longitude,
    zoom: Zoom = 15,
    markers: Markers | None = None,
) -> ToolResult:
    """Draw a labelled map around a position, north up, with numbered markers.

    Args:
        lat: Latitude of the centre.
        lon: Longitude of the centre.
        zoom: Web map zoom: 4 shows a continent, 10 a city and its surroundings, 16 streets.
        markers: Positions as [lat, lon] pairs; they are numbered from 1 in this order.
    """
    pins = [LatLon(*pair) for pair in markers or []]
    return shown(context, await context.maps.road_map(LatLon(lat, lon), zoom=zoom, markers=pins))


async def read_clue(
    context: ToolContext,  # noqa: ARG001 - every tool is given the context
    text: Annotated[str, Field(min_length=1, max_length=500)],
    kind: clues.ClueKind = "auto",
) -> ToolResult:
    """Tell which countries or places a piece of text points to by itself, from facts that are not on maps.

    Knows telephone prefixes, internet domains, chain brands, languages and scripts, road numbers, units,
    currencies, postcodes and airport codes.

    Args:
        text: The text as it stands in the picture.
        kind: What it is, or "auto" to try everything.
    """
    found = clues.read(text, kind)
    data = [clue.model_dump(mode="json", exclude_defaults=True) for clue in found]
    return ToolResult({"clues": data}, source="; ".join(sorted({clue.source for clue in found})))


def place_data(place: Place) -> dict[str, Any]:
    """A place as results show it: what is unknown is left out, positions to about a metre."""
    data = place.model_dump(mode="json", exclude_defaults=True, exclude={"source"})
    data["lat"], data["lon"] = round(place.lat, 5), round(place.lon, 5)
    if place.distance_km is not None:
        data["distance_km"] = round(place.distance_km, 3)
    return data


def shown(context: ToolContext, drawn: MapPicture) -> ToolResult:
    """Return a map picture with the number that it will have, and the area that it shows."""
    area = {side: round(getattr(drawn, side), 5) for side in ("south", "west", "north", "east")}
    note = {"note": drawn.note} if drawn.note else {}
    data = {"image": len(context.pictures), "zoom": drawn.zoom, **area, **note}
    picture = Picture.wrap(drawn.png, "image/png", drawn.width, drawn.height)
    return ToolResult(data, (picture,), drawn.attribution)


def _listed(places: Sequence[Place]) -> ToolResult:
    sources = "; ".join(sorted({place.source for place in places if place.source}))
    return ToolResult({"results": [place_data(place) for place in places]}, source=sources)


WORLDWIDE = Toolset(
    "worldwide",
    tuple(Tool(f) for f in (zoom, search_places, place_details, reverse_geocode, road_map, read_clue)),
)
