"""Tiles as a browser would read them: decoded with the library, from the built-in region and the world."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
from typing import TYPE_CHECKING, Any

import httpx2
import mapbox_vector_tile
import pytest
import shapely
from PIL import Image, ImageColor

from wheretaken.errors import UserError
from wheretaken.geo import LatLon
from wheretaken.maps.offline import world
from wheretaken.maps.offline.region import builtin, import_extract
from wheretaken.maps.offline.render import Renderer, palette
from wheretaken.maps.offline.tiles import TileMaker, glyphs
from wheretaken.maps.offline.tiles.export import export
from wheretaken.maps.offline.tiles.grid import Tile, covering
from wheretaken.server.tiles import application

if TYPE_CHECKING:
    from pathlib import Path

STATION = LatLon(60.1711, 24.9414)
HARBOUR = LatLon(43.7352, 7.4235)  # Port Hercule


@pytest.fixture(scope="module")
def maker() -> TileMaker:
    return TileMaker(world.ensure(), [builtin()])


@pytest.fixture(scope="module")
def monaco(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> TileMaker:
    target = tmp_path_factory.mktemp("monaco") / "monaco.region.sqlite"
    import_extract(shared / "osm" / "monaco.osm.pbf", target, name="Monaco")
    return TileMaker(world.ensure(), [target])


def at(position: LatLon, zoom: int) -> Tile:
    return next(covering(position.lat, position.lon, position.lat, position.lon, (zoom, zoom)))


def layers(maker: TileMaker, tile: Tile) -> dict[str, list[dict[str, Any]]]:
    data = maker.tile(*tile)
    assert data
    decoded = mapbox_vector_tile.decode(data, default_options={"y_coord_down": True})
    return {name: layer["features"] for name, layer in decoded.items()}


def unit(position: LatLon, tile: Tile) -> shapely.Point:
    """Return where a position is in a tile, by the corners alone: fine enough within a street's tile."""
    west, south, east, north = tile.bounds()
    x = (position.lon - west) / (east - west)
    return shapely.Point(4096 * x, 4096 * (north - position.lat) / (north - south))


def water(found: dict[str, list[dict[str, Any]]], point: shapely.Point) -> bool:
    areas = [shapely.geometry.shape(one["geometry"]) for one in found.get("water", [])]
    return any(area.buffer(0).contains(point) for area in areas)


def test_a_street_tile_has_what_is_there(maker: TileMaker):
    found = layers(maker, at(STATION, 16))
    streets = {one["properties"]["name"] for one in found["transportation_name"]}
    assert "Kaivokatu" in streets
    assert {"building", "poi", "transportation", "housenumber"} <= set(found)
    classes = {one["properties"]["class"] for one in found["transportation"]}
    assert {"secondary", "transit", "path"} <= classes
    sights = {one["properties"]["name"]: one["properties"] for one in found["poi"]}
    assert sights["Helsinki"]["class"] == "railway"
    assert sights["Helsinki"]["name:sv"] == "Helsingfors järnvägsstation"
    assert sights["Helsinki"]["name_en"] == "Helsinki railway station"


def test_features_lie_where_the_region_has_them(maker: TileMaker):
    with sqlite3.connect(builtin()) as connection:
        query = "SELECT geometry FROM point WHERE name = 'Ateneum' AND subclass = 'museum'"
        point = shapely.from_wkb(connection.execute(query).fetchone()[0])
    position = LatLon(point.y, point.x)
    tile = at(position, 16)
    (museum,) = (one for one in layers(maker, tile)["poi"] if one["properties"]["name"] == "Ateneum")
    drawn = shapely.geometry.shape(museum["geometry"])
    assert drawn.distance(unit(position, tile)) < 3


@pytest.mark.parametrize("zoom", [12, 14, 16])
def test_a_harbour_is_water_and_a_rock_is_not(monaco: TileMaker, zoom: int):
    tile = at(HARBOUR, zoom)
    assert water(layers(monaco, tile), unit(HARBOUR, tile))
    rock = LatLon(43.7311, 7.4226)
    tile = at(rock, zoom)
    assert not water(layers(monaco, tile), unit(rock, tile))


def test_rings_turn_as_the_format_demands(maker: TileMaker):
    for one in layers(maker, at(STATION, 15))["building"]:
        shape = shapely.geometry.shape(one["geometry"])
        for part in shapely.get_parts(shape):
            assert shapely.is_ccw(part.exterior)  # with y to the south: clockwise to the eye


@pytest.mark.parametrize("zoom", [0, 3, 6])
def test_the_world_is_everywhere(maker: TileMaker, zoom: int):
    tile = at(LatLon(35.7, 139.7), zoom)
    found = layers(maker, tile)
    atlantic = LatLon(0.5, -20)
    ocean = at(atlantic, zoom)
    assert water(layers(maker, ocean), unit(atlantic, ocean) if zoom else shapely.Point(1800, 2048))
    places = {one["properties"].get("name:en") for one in found["place"]}
    assert places & {"China", "Tokyo", "Shanghai"}


def test_the_grid_ends_at_zoom_16(maker: TileMaker):
    assert maker.tile(17, 0, 0) is None
    assert maker.tile(3, 8, 0) is None
    assert maker.tile(3, -1, 0) is None


def test_an_archive_holds_the_tiles_and_can_be_drawn(maker: TileMaker, tmp_path: Path):
    area = (60.1700, 24.9400, 60.1720, 24.9440)
    for kind in ("pmtiles", "mbtiles"):
        assert export(maker, tmp_path / f"a.{kind}", area, zooms=(12, 14)) >= 3
    tile = at(STATION, 14)
    with sqlite3.connect(tmp_path / "a.mbtiles") as connection:
        query = "SELECT tile_data FROM tiles WHERE zoom_level = 14 AND tile_row = ?"
        (data,) = connection.execute(query, ((1 << 14) - 1 - tile.row,)).fetchone()
        assert gzip.decompress(data) == maker.tile(*tile)
        meta = dict(connection.execute("SELECT name, value FROM metadata"))
    assert {one["id"] for one in json.loads(meta["json"])["vector_layers"]} >= {"water", "building"}
    with pytest.raises(UserError, match=r"\.pmtiles or \.mbtiles"):
        export(maker, tmp_path / "a.zip", area)
    drawn, plain = (
        Image.open(io.BytesIO(Renderer(world.ensure(), [], below).render(STATION, zoom=16).png)).convert(
            "RGB"
        )
        for below in ([tmp_path / "a.pmtiles"], [])
    )
    colours = {colour: count for count, colour in drawn.getcolors(1_000_000) or []}
    assert colours.get(ImageColor.getrgb(palette.BUILDING), 0) > 5000
    assert ImageColor.getrgb(palette.BUILDING) not in {
        colour for _, colour in plain.getcolors(1_000_000) or []
    }


def test_a_raster_basemap_lies_under_the_labels(tmp_path: Path):
    from pmtiles.tile import Compression, TileType, zxy_to_tileid
    from pmtiles.writer import write

    picture = io.BytesIO()
    Image.new("RGB", (256, 256), (10, 200, 30)).save(picture, "PNG")
    tile = at(STATION, 14)
    west, south, east, north = (round(side * 1e7) for side in tile.bounds())
    header = {"tile_type": TileType.PNG, "tile_compression": Compression.NONE}
    header |= {"min_lon_e7": west, "min_lat_e7": south, "max_lon_e7": east, "max_lat_e7": north}
    header |= {"center_zoom": 14, "center_lon_e7": west, "center_lat_e7": south}
    with write(tmp_path / "photo.pmtiles") as archive:
        archive.write_tile(zxy_to_tileid(*tile), picture.getvalue())
        archive.finalize(header, {"attribution": "<a href='x'>A &amp; B</a>"})
    drawn = Renderer(world.ensure(), [], [tmp_path / "photo.pmtiles"]).render(
        STATION, zoom=16, width=64, height=64
    )
    image = Image.open(io.BytesIO(drawn.png)).convert("RGB")
    assert image.getpixel((4, 32)) == (10, 200, 30)
    assert drawn.attribution.startswith("A & B")


def test_letters_are_there_for_latin_and_cyrillic():
    for start, letter in ((0, "A"), (1024, "Ж")):
        data = glyphs.glyphs(start)
        assert data is not None
        assert glyphs.NAME.encode() in data
        field = glyphs._glyph(ord(letter))
        assert field in data
        assert len(field) > 200
    assert glyphs.glyphs(7) is None
    assert glyphs._glyph(0xE000) == b""  # private use: nobody's letter


@pytest.fixture
async def browser(maker: TileMaker):
    transport = httpx2.ASGITransport(application(lambda: maker, origins=["http://page.example"]))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8002") as client:
        yield client


async def test_tiles_are_served_compressed_and_asked_for_once(browser: httpx2.AsyncClient, maker: TileMaker):
    tile = at(STATION, 15)
    address = f"/tiles/{tile.zoom}/{tile.column}/{tile.row}.mvt"
    first = await browser.get(address)
    assert first.status_code == 200
    assert first.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert first.headers["content-encoding"] == "gzip"
    assert first.content == maker.tile(*tile)
    assert "max-age" in first.headers["cache-control"]
    again = await browser.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    plain = await browser.get(address, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == first.content


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/tiles/17/0/0.mvt", 404),
        ("/tiles/2/4/0.mvt", 404),
        ("/tiles/10/523/430.mvt", 204),  # inland, far from any place
        ("/tiles/fonts/Noto Sans Regular/0-100.pbf", 404),
        ("/tiles/style.json?language=%22", 422),
    ],
)
async def test_what_is_not_there_is_said_by_its_status(
    browser: httpx2.AsyncClient, maker: TileMaker, address: str, status: int
):
    if status == 204:
        empty = next(
            tile for tile in (Tile(10, 500 + step, 440) for step in range(60)) if maker.tile(*tile) == b""
        )
        address = f"/tiles/{empty.zoom}/{empty.column}/{empty.row}.mvt"
    assert (await browser.get(address)).status_code == status


async def test_the_style_names_only_this_server_and_layers_that_exist(browser: httpx2.AsyncClient):
    style = (await browser.get("/tiles/style.json?language=en")).json()
    about = (await browser.get("/tiles.json")).json()
    known = {layer["id"] for layer in about["vector_layers"]}
    used = [layer for layer in style["layers"] if layer["type"] != "background"]
    assert {layer["source-layer"] for layer in used} <= known
    assert {layer["source"] for layer in used} == set(style["sources"])
    assert len({layer["id"] for layer in style["layers"]}) == len(style["layers"])
    hosts = {word.split("/")[2] for word in json.dumps([style, about]).split('"') if word.startswith("http")}
    assert hosts == {"127.0.0.1:8002"}
    letters = style["glyphs"].format(fontstack="Noto Sans Regular", range="0-255")
    assert (await browser.get(letters)).status_code == 200


async def test_other_hosts_and_pages_are_kept_out(browser: httpx2.AsyncClient):
    assert (await browser.get("/tiles.json", headers={"Host": "evil.example"})).status_code == 421
    for origin, allowed in (("http://page.example", True), ("http://evil.example", False)):
        answer = await browser.get("/tiles.json", headers={"Origin": origin})
        assert ("access-control-allow-origin" in answer.headers) is allowed
