"""AMap's pictures show the place that was asked for, where it truly is, and say whose they are."""

import io
import math
from dataclasses import replace

import pytest
from PIL import Image

from wheretaken.errors import ServiceError, ToolError
from wheretaken.geo import Datum, LatLon, distance_km
from wheretaken.maps import MapPicture, UnsupportedError
from wheretaken.maps.amap import AmapProvider
from wheretaken.maps.web import Connection, Ledger, WebSettings
from wheretaken.testing.services import FakeService, Reply, serve
from wheretaken.testing.services.amap import Poi, amap

UNIVERSITY = Poi("B000A816R6", "北京大学", LatLon(39.991402, 116.304729))
CAMPUS = LatLon(39.9890, 116.3035)


def middle(picture: MapPicture) -> LatLon:
    """Return the middle of the area shown, halfway in degrees (exact to centimetres at these sizes)."""
    return LatLon((picture.south + picture.north) / 2, (picture.west + picture.east) / 2)


@pytest.mark.parametrize("operation", ["road_map", "satellite"])
@pytest.mark.parametrize("centre", [CAMPUS, LatLon(22.3, 114.17), CAMPUS.to(Datum.GCJ02)])
async def test_the_middle_is_the_place_in_either_datum(asked, operation, centre):
    picture = await getattr(asked.provider, operation)(centre, zoom=16)
    assert distance_km(middle(picture), centre) < 0.001
    across = distance_km(LatLon(picture.south, picture.west), LatLon(picture.south, picture.east))
    assert across == pytest.approx(
        500 * 40_075.017 / 256 / 2**16 * math.cos(math.radians(picture.south)), 0.01
    )
    with Image.open(io.BytesIO(picture.png)) as image:
        assert (image.format, image.size) == ("PNG", (500, 500))
    assert (picture.width, picture.height, picture.zoom) == (500, 500, 16)
    assert picture.attribution == "© AMap"
    assert picture.note == ""


async def test_a_road_map_is_asked_for_in_gcj02(asked):
    await asked.provider.road_map(CAMPUS, zoom=15.4, width=640, height=480)
    (request,) = asked.fake.asked
    assert request.path == "/v3/staticmap"
    assert (request.params["zoom"], request.params["size"]) == ("15", "640*480")
    lon, lat = map(float, request.params["location"].split(","))
    assert distance_km(LatLon(lat, lon, Datum.GCJ02), CAMPUS) < 0.0005
    assert distance_km(LatLon(lat, lon), CAMPUS) > 0.4


@pytest.mark.parametrize(("zoom", "drawn"), [(19, 17), (17.4, 17), (9.6, 10), (1, 3)])
async def test_a_road_map_says_at_which_zoom_it_is(asked, zoom, drawn):
    picture = await asked.provider.road_map(CAMPUS, zoom=zoom)
    assert picture.zoom == drawn
    assert distance_km(middle(picture), CAMPUS) < (0.001 if drawn > 15 else 900)


async def test_satellite_pictures_go_closer_than_the_tiles(asked):
    picture = await asked.provider.satellite(CAMPUS, zoom=19)
    assert picture.zoom == 19
    assert {request.params["z"] for request in asked.fake.asked} == {"18"}
    assert {request.params["style"] for request in asked.fake.asked} == {"6"}


@pytest.mark.parametrize("operation", ["road_map", "satellite"])
async def test_markers_stand_on_their_places(asked, operation):
    plain = await getattr(asked.provider, operation)(CAMPUS, zoom=16)
    marked = await getattr(asked.provider, operation)(CAMPUS, zoom=16, markers=[CAMPUS])
    with Image.open(io.BytesIO(plain.png)) as one, Image.open(io.BytesIO(marked.png)) as other:
        before, after = one.convert("RGB"), other.convert("RGB")
    changed = [
        (x, y)
        for x in range(200, 300)
        for y in range(200, 300)
        if before.getpixel((x, y)) != after.getpixel((x, y))
    ]
    left, right = min(x for x, _ in changed), max(x for x, _ in changed)
    assert (left + right) / 2 == pytest.approx(250, abs=1.5)
    assert max(y for _, y in changed) == pytest.approx(250, abs=4)  # the tip, with its white edge


@pytest.mark.parametrize("size", [(1025, 500), (500, 2048)])
async def test_larger_maps_than_amap_draws_are_left_to_others(asked, size):
    with pytest.raises(UnsupportedError, match="1024"):
        await asked.provider.road_map(CAMPUS, zoom=15, width=size[0], height=size[1])


@pytest.mark.parametrize("zoom", [-1, 20])
async def test_impossible_zooms_are_told_to_the_model(asked, zoom):
    with pytest.raises(ToolError, match="zoom"):
        await asked.provider.road_map(CAMPUS, zoom=zoom)


async def test_a_map_of_another_size_is_not_taken_for_the_area(asked):
    buffer = io.BytesIO()
    Image.new("RGB", (400, 400)).save(buffer, "PNG")
    small = Reply(buffer.getvalue(), "image/png")
    asked.fake.fail(lambda delivery: replace(delivery, reply=small))
    with pytest.raises(ServiceError, match="400 x 400"):
        await asked.provider.road_map(CAMPUS, zoom=15)
    cut = Reply(buffer.getvalue()[:60] + b"IEND\xaeB`\x82", "image/png")
    asked.fake.fail(lambda delivery: replace(delivery, reply=cut))
    with pytest.raises(ServiceError, match="cannot be decoded"):
        await asked.provider.road_map(CAMPUS, zoom=15)


@pytest.mark.enable_socket
async def test_everything_works_over_a_real_connection(tmp_path):
    with (
        serve(FakeService(amap([UNIVERSITY], key="k"))) as url,
        Ledger(tmp_path / "services.sqlite") as ledger,
    ):
        tiles = f"{url}/appmaptile?style=6&x={{x}}&y={{y}}&z={{z}}"
        settings = WebSettings.model_validate({"amap": {"key": "k", "url": url, "tiles_url": tiles}})
        provider = AmapProvider.connected(Connection(settings, ledger=ledger))
        (found,) = await provider.search("北京大学", near=CAMPUS)
        assert await provider.details(found.id)
        there = LatLon(found.lat, found.lon)
        for picture in (await provider.road_map(there, zoom=15), await provider.satellite(there, zoom=18)):
            assert distance_km(middle(picture), there) < 0.001
        await provider.aclose()
