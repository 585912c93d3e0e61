"""The toolset `worldwide`: eight tools that work on any provider, the offline one included.

Coordinates are WGS-84 degrees, latitude first. Results are JSON that a model reads as text.
"""

from __future__ import annotations

import asyncio
import math
import re
from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import BeforeValidator, Field

from wheretaken import clues
from wheretaken.errors import ToolError
from wheretaken.geo import LatLon
from wheretaken.messages import Picture
from wheretaken.tools.base import Tool, ToolContext, ToolResult, Toolset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.maps import Combination, MapPicture, Place

Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Markers = Annotated[list[tuple[Latitude, Longitude]], Field(max_length=20)]
Zoom = Annotated[float, Field(ge=0, le=19)]
Radius = Annotated[float, Field(gt=0, le=20_000)]
CountryCode = Annotated[str, Field(pattern="^([A-Za-z]{2})?$")]


def _box(value: Any) -> Any:
    """Return the numbers of a box, however a model wrote it: as text, as two corners, with fractions."""
    if isinstance(value, str):
        value = re.findall(r"-?\d+(?:\.\d+)?", value)
    if not isinstance(value, list):
        return value
    flat: list[Any] = []
    for entry in cast("list[Any]", value):
        flat += cast("list[Any]", entry) if isinstance(entry, list) else [entry]
    return [_whole(entry) for entry in flat]


def _whole(value: Any) -> Any:
    """Round a number, also one in a text; what is far outside stays outside, but not as far."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value
    return round(min(max(number, -_OUTSIDE), _OUTSIDE)) if math.isfinite(number) else value


_OUTSIDE = 10_000
Box = Annotated[list[int], Field(min_length=4, max_length=4), BeforeValidator(_box)]
"""[left, top, right, bottom], each from 0 to 1000 relative to a picture's size: the boxes of Qwen3-VL."""

SMALLEST_CROP = 8
"""Pixels; below this a crop shows nothing."""
ZOOMED_SIDE = 900
"""Pixels that the longer side of a zoomed crop is brought to, so that small print becomes legible."""
MOST_ENLARGED = 4.0


async def zoom(
    context: ToolContext,
    bbox_2d: Box,
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
            f"the area is {right - left} x {bottom - top} pixels, too small to show; widen bbox_2d, "
            "whose numbers go from 0 to 1000"
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
    radius_km: Radius | None = None,
    kind: Annotated[str, Field(max_length=60)] = "",
    country_code: CountryCode = "",
    limit: Annotated[int, Field(ge=1, le=50)] = 10,
) -> ToolResult:
    """Find places by name: countries, regions, towns, districts, streets, addresses, shops, sights.

    Any script and spelling will do; text read off a sign may be given as it is. Every result says how its
    name met the query (`exact`, `stripped`, `partial`, `prefix`, `fuzzy`, `kind`) and how large the place is.

    Args:
        query: A name, an address, a crossing ("A street / B street") or a place beside another ("pharmacy
            opposite Grand Hotel"), for example "Mannerheimintie 12", "港区" or "Palais du Louvre". Leave it
            empty and give kind to get what is of that kind, or country_code to get its largest cities.
        near_lat: Prefer places near this latitude (give near_lon as well).
        near_lon: Prefer places near this longitude.
        radius_km: Only places within this distance of that position.
        kind: Only places of this kind, such as "cafe", "tram stop", "church", "shop", "street" or "city".
        country_code: Only places of this country, ISO 3166-1 alpha-2.
        limit: How many results at most.
    """
    if not query.strip() and not kind.strip() and not country_code:
        raise ToolError("give a query, a kind, or a country_code to list its largest cities")
    near = _near(near_lat, near_lon, radius_km)
    places = await context.maps.search(
        query, near=near, radius_km=radius_km, kind=kind, country_code=country_code.upper(), limit=limit
    )
    return _listed(places)


async def suggest_places(
    context: ToolContext,
    query: Annotated[str, Field(min_length=1, max_length=200)],
    near_lat: Latitude | None = None,
    near_lon: Longitude | None = None,
    limit: Annotated[int, Field(ge=1, le=20)] = 10,
) -> ToolResult:
    """Complete a name of which only the beginning is legible: places whose names go on from there.

    Args:
        query: The beginning of a name, for example "Mannerh" or "中目".
        near_lat: Prefer places near this latitude (give near_lon as well).
        near_lon: Prefer places near this longitude.
        limit: How many results at most.
    """
    return _listed(await context.maps.suggest(query, near=_near(near_lat, near_lon), limit=limit))


async def find_combination(
    context: ToolContext,
    wanted: Annotated[list[Annotated[str, Field(max_length=100)]], Field(min_length=2, max_length=8)],
    within_m: Annotated[float, Field(ge=10, le=2000)] = 150,
    near_lat: Latitude | None = None,
    near_lon: Longitude | None = None,
    radius_km: Radius | None = None,
    country_code: CountryCode = "",
    limit: Annotated[int, Field(ge=1, le=20)] = 5,
) -> ToolResult:
    """Find where several things are close together, as one picture of a street shows them.

    Each result has every thing that was found there with its distance from their centre, and how well it was
    met. Where not all of them are in one place, those that are without one come after.

    Args:
        wanted: Two to eight names or kinds, for example ["Lidl", "tram stop", "church"] or names of shops and
            streets as they were read.
        within_m: How close together, in metres: the distance from the rarest thing to each other one.
        near_lat: Prefer combinations near this latitude (give near_lon as well).
        near_lon: Prefer combinations near this longitude.
        radius_km: Only combinations within this distance of that position.
        country_code: Only combinations in this country, ISO 3166-1 alpha-2.
        limit: How many results at most.
    """
    found = await context.maps.combination(
        wanted,
        within_m=within_m,
        near=_near(near_lat, near_lon, radius_km),
        radius_km=radius_km,
        country_code=country_code.upper(),
        limit=limit,
    )
    places = [member.place for one in found for member in one.members if member.place]
    sources = "; ".join(sorted({place.source for place in places if place.source}))
    return ToolResult({"results": [combination_data(one) for one in found]}, source=sources)


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
    language: Annotated[str, Field(max_length=20)] = "",
) -> ToolResult:
    """Draw a labelled map around a position, north up, with numbered markers.

    Args:
        lat: Latitude of the centre.
        lon: Longitude of the centre.
        zoom: Web map zoom: 4 shows a continent, 10 a city and its surroundings, 16 streets.
        markers: Positions as [lat, lon] pairs; they are numbered from 1 in this order.
        language: Language of the labels, for example "en"; leave it empty for what stands on the signs.
    """
    pins = [LatLon(*pair) for pair in markers or []]
    drawn = await context.maps.road_map(LatLon(lat, lon), zoom=zoom, markers=pins, language=language)
    return shown(context, drawn)


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


def combination_data(found: Combination) -> dict[str, Any]:
    """A combination as results show it: what is missing is named, positions to about a metre."""
    data = found.model_dump(mode="json", exclude={"members"}, exclude_none=True)
    data["lat"], data["lon"] = round(found.lat, 5), round(found.lon, 5)
    if found.distance_km is not None:
        data["distance_km"] = round(found.distance_km, 3)
    members = [
        {"wanted": one.wanted, "distance_m": one.distance_m, "place": place_data(one.place)}
        for one in found.members
        if one.place
    ]
    missing = [one.wanted for one in found.members if not one.place]
    return data | {"members": members} | ({"missing": missing} if missing else {})


def shown(context: ToolContext, drawn: MapPicture) -> ToolResult:
    """Return a map picture with the number that it will have, and the area that it shows."""
    area = {side: round(getattr(drawn, side), 5) for side in ("south", "west", "north", "east")}
    note = {"note": drawn.note} if drawn.note else {}
    data = {"image": len(context.pictures), "zoom": drawn.zoom, **area, **note}
    picture = Picture.wrap(drawn.png, "image/png", drawn.width, drawn.height)
    return ToolResult(data, (picture,), drawn.attribution)


def _near(lat: float | None, lon: float | None, radius_km: float | None = None) -> LatLon | None:
    """Return the position of a `near`.

    Raises:
        ToolError: half of it is missing, or it is, with a radius around it.
    """
    if (lat is None) != (lon is None):
        raise ToolError("give both near_lat and near_lon, or neither")
    if lat is None or lon is None:
        if radius_km is not None:
            raise ToolError("radius_km is around a position: give near_lat and near_lon as well")
        return None
    return LatLon(lat, lon)


def _listed(places: Sequence[Place]) -> ToolResult:
    sources = "; ".join(sorted({place.source for place in places if place.source}))
    return ToolResult({"results": [place_data(place) for place in places]}, source=sources)


WORLDWIDE = Toolset(
    "worldwide",
    tuple(
        Tool(function)
        for function in (
            zoom,
            search_places,
            suggest_places,
            find_combination,
            place_details,
            reverse_geocode,
            road_map,
            read_clue,
        )
    ),
)
