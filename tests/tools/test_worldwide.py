"""What the tools of the set `worldwide` do with their arguments and what they hand back."""

import json

import pytest
from PIL import Image

from wheretaken.errors import ServiceError, ToolError
from wheretaken.maps import Place
from wheretaken.messages import Picture
from wheretaken.testing.maps import FewPlaces
from wheretaken.tools import ToolContext
from wheretaken.tools.worldwide import WORLDWIDE, place_data

OULU = Place(
    id="t:1", name="Oulu", kind="city", lat=65.012345678, lon=25.4654321, country_code="FI", source="GeoNames"
)


def context(maps: FewPlaces | None = None, size: tuple[int, int] = (400, 200)) -> ToolContext:
    picture = Image.new("RGB", size, "red")
    picture.paste("blue", (size[0] // 2, 0, *size))  # the right half
    return ToolContext(maps or FewPlaces([OULU]), [Picture.encode(picture, "image/png")])


async def use(name: str, given: ToolContext, **arguments: object):
    return await WORLDWIDE.find(name).call(given, json.dumps(arguments))


@pytest.mark.parametrize("box", [[500, 0, 1000, 1000], [1000, 1000, 500, 0], [500, -9, 5000, 1000]])
async def test_zoom_takes_corners_in_any_order_and_beyond_the_edge(box):
    result = await use("zoom", context(), bbox_2d=box, label="sign")
    (crop,) = result.pictures
    assert (crop.width, crop.height) == (800, 800)  # 200 x 200 pixels, enlarged as far as is allowed
    assert crop.open().getcolors() == [(640_000, (0, 0, 255))]
    assert result.data == {"image": 1, "of": 0, "label": "sign", "width": 800, "height": 800}


async def test_zoom_does_not_shrink_what_is_large_enough():
    (crop,) = (await use("zoom", context(size=(4000, 2000)), bbox_2d=[0, 0, 1000, 1000])).pictures
    assert (crop.width, crop.height) == (4000, 2000)


async def test_search_gives_position_rounded_and_source():
    maps = FewPlaces([OULU])
    result = await use(
        "search_places", context(maps), query="oulu", near_lat=60, near_lon=-25.5, country_code="fi"
    )
    (found,) = result.data["results"]
    assert (found["lat"], found["lon"]) == (65.01235, 25.46543)
    assert "source" not in found
    assert result.source == "GeoNames"
    assert maps.asked[0].endswith(" FI")
    assert "-25.5" in maps.asked[0]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"query": " "}, "give a query, a kind, or a country_code"),
        ({"query": "Oulu", "near_lat": 3}, "give both near_lat and near_lon"),
        ({"query": "Oulu", "radius_km": 3}, "give near_lat and near_lon"),
        ({"query": "Oulu", "near_lat": 91, "near_lon": 0}, "near_lat"),
        ({"query": "Oulu", "country_code": "FIN"}, "country_code"),
        ({"query": "Oulu", "limit": 0}, "limit"),
    ],
)
async def test_search_tells_the_model_what_is_wrong(arguments, told):
    with pytest.raises(ToolError, match=told):
        await use("search_places", context(), **arguments)


async def test_details_and_reverse():
    details = await use("place_details", context(), id="t:1")
    assert details.data["name"] == "Oulu"
    around = await use("reverse_geocode", context(), lat=65.02, lon=25.46)
    assert around.data["results"][0]["distance_km"] == pytest.approx(0.9, abs=0.1)
    with pytest.raises(ToolError, match="no place has the id 't:2'"):
        await use("place_details", context(), id="t:2")


async def test_a_map_is_numbered_after_the_pictures_before_it_and_says_what_it_shows():
    given = context()
    result = await use("road_map", given, lat=65, lon=25, zoom=12.5, markers=[[65, 25], [65.1, -25]])
    assert result.data == {
        "image": 1,
        "zoom": 12.5,
        "south": 64.99,
        "west": 24.99,
        "north": 65.01,
        "east": 25.01,
    }
    assert result.source == "nobody"
    assert result.pictures[0].open().size == (500, 500)
    with pytest.raises(ToolError, match="markers"):
        await use("road_map", given, lat=65, lon=25, markers=[[95, 25]])


async def test_a_clue_names_its_source():
    result = await use("read_clue", context(), text="+358 8 558 558 00", kind="telephone")
    assert result.data["clues"][0]["countries"]["FI"] > 0.9
    assert result.source
    with pytest.raises(ToolError, match="kind"):
        await use("read_clue", context(), text="x", kind="smell")


async def test_a_failing_service_is_not_the_models_to_mend():
    with pytest.raises(ServiceError, match="down"):
        await use("search_places", context(FewPlaces(failure=ServiceError("down"))), query="Oulu")


def test_what_is_unknown_of_a_place_is_left_out():
    assert set(place_data(OULU)) == {"id", "name", "kind", "lat", "lon", "country_code"}
    near = OULU.model_copy(update={"distance_km": 1.23456})
    assert place_data(near)["distance_km"] == 1.235
