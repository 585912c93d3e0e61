"""Map pictures and Street View: what is asked for, which area is shown, and where markers are."""

import io
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from wheretaken.errors import ServiceError, ToolError
from wheretaken.geo import Datum, LatLon, destination, distance_km
from wheretaken.maps import MapPicture
from wheretaken.maps.google.pictures import StaticMap, heading
from wheretaken.testing.services import Reply
from wheretaken.testing.services.google import PIN

HELSINKI = LatLon(60.1699, 24.9384)
SHANGHAI = LatLon(31.2400, 121.4905)


def at_pixel(picture: MapPicture, x: float, y: float) -> LatLon:
    """Return the position of a pixel by the area that the picture is said to show."""
    top, bottom = (math.asinh(math.tan(math.radians(lat))) for lat in (picture.north, picture.south))
    lat = math.degrees(math.atan(math.sinh(top + (bottom - top) * y / picture.height)))
    across = (picture.east - picture.west) % 360
    return LatLon(lat, math.remainder(picture.west + across * x / picture.width, 360))


def pin(picture: MapPicture) -> LatLon:
    """Return where the fake's one red pixel is."""
    image = Image.open(io.BytesIO(picture.png)).convert("RGB")
    assert image.size == (picture.width, picture.height)
    (found,) = [at for at, colour in enumerate(image.get_flattened_data()) if colour == PIN]
    return at_pixel(picture, found % image.width + 0.5, found // image.width + 0.5)


@pytest.mark.parametrize("kind", ["road_map", "satellite"])
@pytest.mark.parametrize("size", [(500, 500), (640, 320), (1001, 800)])
@pytest.mark.parametrize("centre", [HELSINKI, SHANGHAI, LatLon(-16.5, 179.9995)])
async def test_a_marker_is_where_the_picture_says_it_is(
    kind: str, size: tuple[int, int], centre: LatLon, asked
) -> None:
    marker = destination(centre, 120, 0.2)
    show = getattr(asked.provider, kind)
    picture = await show(centre, zoom=16, width=size[0], height=size[1], markers=[marker])
    assert (picture.width, picture.height, picture.zoom) == (size[0] + size[0] % 2, size[1], 16)
    pixel_km = 40_075 / (256 * 2**16)
    assert distance_km(pin(picture), marker) < pixel_km
    assert distance_km(at_pixel(picture, picture.width / 2, picture.height / 2), centre) < pixel_km


async def test_road_maps_of_mainland_china_are_asked_for_in_their_own_datum(asked) -> None:
    await asked.provider.road_map(SHANGHAI, zoom=17)
    await asked.provider.satellite(SHANGHAI, zoom=17)
    road, satellite = (LatLon.parse(request.params["center"]) for request in asked.fake.asked)
    assert distance_km(road, SHANGHAI) > 0.4
    assert distance_km(LatLon(road.lat, road.lon, Datum.GCJ02), SHANGHAI) < 0.001
    assert distance_km(satellite, SHANGHAI) < 0.001


async def test_what_is_asked_for(asked) -> None:
    picture = await asked.provider.road_map(HELSINKI, zoom=15.6, markers=[HELSINKI])
    (request,) = asked.fake.asked
    assert request.params == {
        "center": "60.169900,24.938400",
        "zoom": "16",
        "size": "500x500",
        "scale": "1",
        "markers": "color:red|label:1|60.169900,24.938400",
        "maptype": "roadmap",
        "format": "png",
        "key": "k3y-canary-0123456789",
    }
    assert picture.attribution.startswith("Google Maps")
    await asked.provider.satellite(HELSINKI, zoom=15, width=1280, height=1280)
    assert {name: asked.fake.asked[1].params[name] for name in ("zoom", "size", "scale", "format")} == {
        "zoom": "14",
        "size": "640x640",
        "scale": "2",
        "format": "png32",
    }


@given(
    lat=st.floats(-90, 90),
    lon=st.floats(-180, 180),
    zoom=st.floats(0, 19),
    width=st.integers(64, 1280),
    height=st.integers(64, 1280),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_view_is_drawn(lat: float, lon: float, zoom: float, width: int, height: int) -> None:
    asked = StaticMap.around(
        LatLon(lat, lon), zoom=zoom, width=width, height=height, markers=(), datum=Datum.GCJ02
    )
    sides = [int(side) for side in str(asked.params["size"]).split("x")]
    assert max(sides) <= 640
    assert sides[0] * asked.scale - width in {0, 1}
    assert sides[1] * asked.scale - height in {0, 1}
    whole = asked.params["zoom"]
    assert isinstance(whole, int)
    assert 0 <= whole <= 20
    # The world is not shown twice.
    assert 256 * 2**whole >= max(sides)
    LatLon.parse(str(asked.params["center"]))


async def test_many_markers_are_labelled_as_the_note_says(asked) -> None:
    nine = await asked.provider.road_map(HELSINKI, zoom=12, markers=[HELSINKI] * 9)
    eleven = await asked.provider.road_map(HELSINKI, zoom=12, markers=[HELSINKI] * 11)
    assert (nine.note, "tenth" in eleven.note) == ("", True)
    assert asked.fake.asked[1].params["markers"].startswith("color:red|label:B|")
    with pytest.raises(ToolError, match="at most 35 markers"):
        await asked.provider.road_map(HELSINKI, zoom=12, markers=[HELSINKI] * 36)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"zoom": 15, "width": 1281}, "at most 1280x1280"),
        ({"zoom": 15, "height": 20}, "size"),
        ({"zoom": -1}, "zoom is -1"),
        ({"zoom": 20}, "zoom is 20"),
    ],
)
async def test_what_cannot_be_drawn_is_not_asked_for(arguments, said: str, asked) -> None:
    with pytest.raises(ToolError, match=said):
        await asked.provider.road_map(HELSINKI, **arguments)
    assert asked.fake.asked == []


def encoded(kind: str, size: tuple[int, int]) -> Reply:
    buffer = io.BytesIO()
    Image.new("RGB", size).save(buffer, kind)
    return Reply(buffer.getvalue(), f"image/{kind.lower()}")


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (encoded("PNG", (400, 400)), "PNG of 400x400 pixels where a PNG of 500x500"),
        (encoded("GIF", (500, 500)), "a GIF of 500x500"),
        (Reply(b"\x89PNG\r\n\x1a\n" + bytes(20) + b"IEND\xaeB`\x82", "image/png"), "cannot be read"),
    ],
)
async def test_another_picture_than_asked_for_is_refused(reply: Reply, said: str, asked) -> None:
    asked.fake.fail(lambda delivery: delivery.__class__(reply))
    with pytest.raises(ServiceError, match=said):
        await asked.provider.road_map(HELSINKI, zoom=15)


async def test_street_view_looks_from_the_camera_to_the_position(asked) -> None:
    position = LatLon(60.16764, 24.94706)
    view = await asked.provider.street_view(position)
    assert Image.open(io.BytesIO(view.image)).size == (view.width, view.height) == (640, 640)
    assert (view.mime, view.lat, view.lon, view.date) == ("image/jpeg", 60.16790, 24.94720, "2023-07")
    assert view.attribution == "Google Street View, © 2023 Google"
    assert view.heading_deg == pytest.approx(195, abs=1)
    metadata, image = asked.fake.asked
    assert metadata.params["location"] == "60.167640,24.947060"
    assert (image.params["pano"], image.params["fov"]) == ("pano-1", "90")
    assert float(image.params["heading"]) == pytest.approx(view.heading_deg, abs=0.01)


async def test_street_view_takes_a_heading_and_a_field_of_view(asked) -> None:
    view = await asked.provider.street_view(LatLon(60.1678, 24.9471), heading_deg=-90, field_of_view_deg=40)
    assert view.heading_deg == 270
    assert asked.fake.asked[1].params["fov"] == "40"
    with pytest.raises(ToolError, match="between 10 and 120"):
        await asked.provider.street_view(LatLon(60.1678, 24.9471), field_of_view_deg=180)


async def test_where_nobody_drove_there_is_no_street_view_and_no_picture_is_paid_for(asked) -> None:
    assert await asked.provider.street_view(HELSINKI) is None
    assert [request.path for request in asked.fake.asked] == ["/maps/api/streetview/metadata"]


@given(lat=st.floats(-80, 80), lon=st.floats(-180, 180), bearing=st.floats(0, 359.9), metres=st.floats(5, 50))
@settings(deadline=None)
def test_the_heading_is_the_bearing(lat: float, lon: float, bearing: float, metres: float) -> None:
    camera = LatLon(lat, lon)
    found = heading(camera, destination(camera, bearing, metres / 1000))
    assert abs(math.remainder(found - bearing, 360)) < 0.5
