from __future__ import annotations

import io
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageChops, ImageColor

from wheretaken.errors import DataError, ToolError
from wheretaken.geo import Datum, LatLon
from wheretaken.maps.offline.render import Renderer, palette
from wheretaken.maps.offline.render.view import View

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wheretaken.maps.base import MapPicture

    Ink = Callable[..., int]

SEA, LAND = ImageColor.getrgb(palette.SEA), ImageColor.getrgb(palette.LAND)


def opened(picture: MapPicture) -> Image.Image:
    image = Image.open(io.BytesIO(picture.png))
    assert image.format == "PNG"
    assert image.size == (picture.width, picture.height)
    return image.convert("RGB")


def colour_at(picture: MapPicture, position: LatLon, centre: LatLon) -> tuple[int, ...]:
    view = View.around(centre, zoom=picture.zoom, width=picture.width, height=picture.height)
    x, y = view.pixel(position)
    found = opened(picture).getpixel((round(x), round(y)))
    assert isinstance(found, tuple)
    return found


@pytest.mark.parametrize("zoom", [1, 3, 5, 6, 9, 12, 16, 19])
def test_land_is_land_and_sea_is_sea_at_every_zoom(renderer: Renderer, zoom: int):
    shore = LatLon(9, 0)  # land is east of the meridian
    picture = renderer.render(shore, zoom=zoom)
    step = 100 * 360 / (256 * 2**zoom) / 10
    assert colour_at(picture, LatLon(9, step), shore) == LAND
    assert colour_at(picture, LatLon(9, -step), shore) == SEA
    assert picture.zoom == zoom
    assert picture.attribution == "Natural Earth, GeoNames"


def test_both_sides_of_the_antimeridian_are_one_picture(renderer: Renderer, ink: Ink):
    centre = LatLon(-20, 180)
    picture = renderer.render(centre, zoom=4)
    assert colour_at(picture, LatLon(-15, 178), centre) == LAND
    assert colour_at(picture, LatLon(-15, -178), centre) == LAND
    assert colour_at(picture, LatLon(-15, -160), centre) == SEA
    assert colour_at(picture, LatLon(-15, 160), centre) == SEA
    assert (picture.west > 0, picture.east < 0) == (True, True)
    # The label of a town just west of the line is written across it, whole on both sides.
    x, y = map(round, View.around(centre, zoom=4, width=500, height=500).pixel(LatLon(-20, 179.9)))
    halves = [
        ink(picture, palette.PLACE_LABEL, (x + left, y - 22, x + left + 28, y + 22)) for left in (-28, 0)
    ]
    assert min(halves) > 10
    same = renderer.render(LatLon(-20, -180), zoom=4)
    assert same.png == picture.png


def test_the_poles_show_the_edge_of_the_map(renderer: Renderer):
    for lat in (90, -90):
        picture = renderer.render(LatLon(lat, 0), zoom=4, width=200, height=200)
        assert picture.north <= 85.052
        assert picture.south >= -85.052
        assert opened(picture).getpixel((100, 100)) == SEA


def test_borders_and_names_are_drawn(renderer: Renderer, ink: Ink):
    centre = LatLon(5, 10)
    picture = renderer.render(centre, zoom=5)
    crossing = opened(picture).crop((245, 150, 256, 350)).getcolors(10_000) or []
    assert sum(number for number, colour in crossing if colour != LAND) > 200
    for lon in (5, 15):  # the middle of each country
        x, y = map(round, View.around(centre, zoom=5, width=500, height=500).pixel(LatLon(5, lon)))
        assert ink(picture, palette.COUNTRY_LABEL, (x - 50, y - 12, x + 50, y + 12)) > 60


def test_large_places_come_first_and_small_ones_close_up(renderer: Renderer, ink: Ink):
    box = (200, 215, 300, 285)
    assert ink(renderer.render(LatLon(2, 18), zoom=3), palette.PLACE_LABEL, box) > 30
    assert ink(renderer.render(LatLon(8, 18), zoom=9), palette.PLACE_LABEL, box) == 0
    assert ink(renderer.render(LatLon(8, 18), zoom=12), palette.PLACE_LABEL, box) > 30


def test_english_labels_differ_from_those_in_the_place_s_own_script(renderer: Renderer):
    own, english = (opened(renderer.render(LatLon(2, 2), zoom=9, language=code)) for code in ("", "en"))
    assert ImageChops.difference(own, english).getbbox() is not None
    own, english = (opened(renderer.render(LatLon(2, 18), zoom=9, language=code)) for code in ("", "en"))
    assert ImageChops.difference(own, english).getbbox() is None  # Großstadt has no other name


def test_a_marker_is_red_at_its_position_and_labels_keep_clear_of_it(renderer: Renderer, ink: Ink):
    centre = LatLon(2, 18)
    plain = renderer.render(centre, zoom=8)
    markers = [LatLon(2, 18), LatLon(2.5, 18.5)]
    picture = renderer.render(centre, zoom=8, markers=markers)
    view = View.around(centre, zoom=8, width=500, height=500)
    for marker in markers:
        x, y = map(round, view.pixel(marker))
        assert opened(picture).getpixel((x, y - 6)) == palette.PIN
    label = (150, 215, 350, 285)
    assert ink(plain, palette.PLACE_LABEL, label) > 30
    assert ink(picture, palette.PLACE_LABEL, label) > 30  # moved aside, not covered


def test_the_circle_passes_through_its_radius(renderer: Renderer, ink: Ink):
    centre = LatLon(0, -30)  # at sea
    picture = renderer.render(centre, zoom=9, circle_km=30)
    pixels = 30_000 / View.around(centre, zoom=9, width=500, height=500).metres_per_pixel(250)
    for x, y in ((250 + pixels, 250), (250 - pixels, 250)):
        assert ink(picture, palette.CIRCLE, (round(x) - 2, y - 1, round(x) + 3, y + 2)) >= 3
    assert opened(picture).getpixel((250, 250)) != SEA  # the area is tinted
    assert opened(picture).getpixel((20, 20)) == SEA


def test_an_extent_is_shown_whole(renderer: Renderer):
    picture = renderer.render_extent(0, 0, 10, 20, width=300, height=200)
    assert picture.south <= 1e-9
    assert picture.north >= 10 - 1e-9
    assert picture.west <= 1e-9
    assert picture.east >= 20 - 1e-9
    across = renderer.render_extent(-30, 170, -10, -170, width=300, height=300)
    assert colour_at(across, LatLon(-12, -175), LatLon(-20.2, 180))[:2] == LAND[:2]


def test_the_same_input_gives_the_same_bytes_in_any_thread(renderer: Renderer):
    jobs = [(LatLon(5, 5), 6), (LatLon(60.1699, 24.945), 16), (LatLon(10, 10), 5)] * 4
    with ThreadPoolExecutor(4) as pool:
        pictures = list(
            pool.map(lambda job: renderer.render(job[0], zoom=job[1], width=200, height=200), jobs)
        )
    for first in range(3):
        assert len({picture.png for picture in pictures[first::3]}) == 1
    assert len({picture.png for picture in pictures}) == 3


@pytest.mark.parametrize(("width", "height"), [(64, 64), (64, 2048), (2048, 64), (333, 777)])
def test_sizes(renderer: Renderer, width: int, height: int):
    picture = renderer.render(LatLon(5, 5), zoom=6, width=width, height=height)
    assert opened(picture).size == (width, height)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"circle_km": 0}, "circle_km"),
        ({"language": "not a code"}, "language"),
        ({"zoom": 20}, "zoom"),
        ({"width": 5}, "5x"),
    ],
)
def test_wrong_arguments_are_told_to_the_model(renderer: Renderer, settings: dict[str, object], message: str):
    with pytest.raises(ToolError, match=message):
        renderer.render(LatLon(0, 0), **{"zoom": 5} | settings)


def test_a_marker_in_another_datum_is_a_bug(renderer: Renderer):
    with pytest.raises(ValueError, match="GCJ-02"):
        renderer.render(LatLon(0, 0), zoom=5, markers=[LatLon(31, 121, Datum.GCJ02)])


def test_missing_and_damaged_files_say_so_in_one_line(tmp_path: Path, world_file: Path):
    with pytest.raises(DataError, match=r"no world map .*nowhere"):
        Renderer(tmp_path / "nowhere.sqlite")
    with pytest.raises(DataError, match="no region file"):
        Renderer(world_file, [tmp_path / "nowhere.sqlite"])
    empty = tmp_path / "empty.sqlite"
    sqlite3.connect(empty).close()
    with pytest.raises(DataError, match="not a world map") as caught:
        Renderer(empty).render(LatLon(0, 0), zoom=3)
    assert "\n" not in str(caught.value)
