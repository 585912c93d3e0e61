"""Real extracts: what the data say is at a point is what the picture shows there."""

from __future__ import annotations

import io
import sqlite3
from collections import Counter
from typing import TYPE_CHECKING

import pytest
import shapely
from PIL import Image, ImageColor

from wheretaken.geo import LatLon
from wheretaken.maps.offline.region import import_extract
from wheretaken.maps.offline.render import Renderer, palette
from wheretaken.maps.offline.render.languages import street_name
from wheretaken.maps.offline.render.street_labels import icons
from wheretaken.maps.offline.render.street_tables import ICONS, POIS, SYMBOL_AREAS, WORSHIP
from wheretaken.maps.offline.render.view import View

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wheretaken.maps.base import MapPicture

CENTRE = LatLon(60.1699, 24.945)


@pytest.fixture(scope="module")
def monaco(world_file: Path, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Renderer:
    target = tmp_path_factory.mktemp("monaco") / "monaco.region.sqlite"
    import_extract(shared / "osm" / "monaco.osm.pbf", target, name="Monaco")
    return Renderer(world_file, [target])


def pixels(picture: MapPicture, box: tuple[int, int, int, int] | None = None) -> Counter[object]:
    image = Image.open(io.BytesIO(picture.png)).convert("RGB")
    return Counter(
        {colour: n for n, colour in (image.crop(box) if box else image).getcolors(4_000_000) or []}
    )


def ground(renderer: Renderer, position: LatLon) -> object:
    """Return the commonest colour in the middle of a picture that is too close for labels to fill it."""
    return pixels(renderer.render(position, zoom=18, width=200, height=200), (92, 92, 108, 108)).most_common(
        1
    )[0][0]


def inside(region: Path, where: str) -> LatLon:
    """Return the inner point of the largest area that meets a condition."""
    with sqlite3.connect(region) as connection:
        query = f"SELECT geometry FROM area WHERE {where} ORDER BY area_m2 DESC LIMIT 1"
        (wkb,) = connection.execute(query).fetchone()
    point = shapely.maximum_inscribed_circle(shapely.from_wkb(wkb)).coords[0]
    return LatLon(point[1], point[0])


@pytest.mark.parametrize(
    ("where", "colour"),
    [
        ("class = 'natural' AND subclass = 'sea'", palette.SEA),
        ("class = 'leisure' AND subclass = 'pitch'", palette.PITCH),
        ("class = 'building'", palette.BUILDING),
    ],
)
def test_areas_have_their_colours(renderer: Renderer, helsinki: Path, where: str, colour: str):
    assert ground(renderer, inside(helsinki, where)) == ImageColor.getrgb(colour)


def test_a_harbour_is_sea_though_the_coarse_coast_calls_it_something_else(monaco: Renderer):
    assert ground(monaco, LatLon(43.7352, 7.4235)) == ImageColor.getrgb(palette.SEA)  # Port Hercule
    rock = pixels(monaco.render(LatLon(43.7311, 7.4226), zoom=16, width=100, height=100))  # Monaco-Ville
    assert rock[ImageColor.getrgb(palette.SEA)] < 0.05 * 10_000


def test_names_appear_as_the_zoom_grows(renderer: Renderer, world_file: Path, ink: Callable[..., int]):
    near, close, closest = (renderer.render(CENTRE, zoom=zoom) for zoom in (16, 17, 19))
    unlabelled = Renderer(world_file).render(CENTRE, zoom=16)  # but for the scale bar and the attribution
    assert ink(near, palette.STREET_LABEL) > ink(unlabelled, palette.STREET_LABEL) + 300
    assert ink(near, palette.FOOD) == 0
    assert ink(close, palette.FOOD) > 300
    assert ink(closest, palette.HOUSE_NUMBER) > 20


def test_tram_stops_are_labelled_in_the_colour_of_transport(renderer: Renderer):
    stop = ImageColor.getrgb(palette.TRANSPORT)
    assert pixels(renderer.render(CENTRE, zoom=16))[stop] > 200


def test_streets_end_where_the_extract_does(renderer: Renderer):
    away = pixels(renderer.render(LatLon(60.30, 24.945), zoom=16))
    street = ImageColor.getrgb(palette.SECONDARY)
    assert away[street] == 0
    assert pixels(renderer.render(CENTRE, zoom=16))[street] > 1000


def test_the_attribution_names_what_is_drawn(renderer: Renderer, helsinki: Path):
    osm = "© OpenStreetMap contributors (ODbL)"
    assert renderer.render(CENTRE, zoom=17, width=300, height=300).attribution == osm
    assert renderer.render(CENTRE, zoom=12).attribution == f"{osm} · Natural Earth, GeoNames"
    assert renderer.render(CENTRE, zoom=9).attribution == "Natural Earth, GeoNames"
    assert renderer.render(LatLon(0, 0), zoom=17).attribution == "Natural Earth, GeoNames"


def test_two_regions_are_drawn_over_each_other_without_hiding_streets(
    world_file: Path, helsinki: Path, tmp_path: Path
):
    twin = tmp_path / "twin.region.sqlite"
    twin.write_bytes(helsinki.read_bytes())
    one, two = (
        Renderer(world_file, regions).render(CENTRE, zoom=15) for regions in ([helsinki], [helsinki, twin])
    )
    yellow = ImageColor.getrgb(palette.SECONDARY)
    assert pixels(two)[yellow] == pytest.approx(pixels(one)[yellow], rel=0.1)
    assert two.attribution == one.attribution


def test_the_view_from_the_data_matches_the_projection(renderer: Renderer, helsinki: Path):
    spot = inside(helsinki, "class = 'natural' AND subclass = 'sea'")
    picture = renderer.render(CENTRE, zoom=14)
    x, y = map(round, View.around(CENTRE, zoom=14, width=500, height=500).pixel(spot))
    assert pixels(picture, (x, y, x + 1, y + 1)) == {ImageColor.getrgb(palette.SEA): 1}


def test_icons_say_what_a_thing_is(renderer: Renderer, helsinki: Path):
    with sqlite3.connect(helsinki) as connection:
        query = "SELECT geometry FROM point WHERE name <> '' AND class = 'amenity' AND subclass = 'pharmacy'"
        point = shapely.from_wkb(connection.execute(query).fetchone()[0])
    picture = renderer.render(LatLon(point.y, point.x), zoom=19, width=100, height=100)
    badge = pixels(picture, (42, 42, 58, 58))
    assert badge[ImageColor.getrgb(palette.PHARMACY)] > 60
    assert badge[255, 255, 255] > 20  # the cross on it


def test_every_icon_is_a_file_in_the_colour_of_its_table():
    for poi in POIS:
        for name in {poi.icon} | {
            icon
            for icon, values in ICONS.items()
            if any(
                key in poi.values and set(some.split()) <= set(poi.values[key].split())
                for key, some in values.items()
            )
        }:
            assert poi.colour in (icons() / f"{name}.svg").read_text(), name
    assert all((icons() / f"{name}.svg").is_file() for name in (*ICONS, *WORSHIP, *SYMBOL_AREAS, "worship"))


def test_streets_are_named_in_the_language_that_is_asked_for(renderer: Renderer, helsinki: Path):
    own, swedish, again = (renderer.render(CENTRE, zoom=17, language=code) for code in ("", "sv", ""))
    assert own.png == again.png
    assert own.png != swedish.png
    with sqlite3.connect(helsinki) as connection:
        query = f"SELECT {street_name('sv')}, {street_name('en')} FROM line WHERE name = 'Erottajankatu'"
        assert connection.execute(query).fetchone() == ("Skillnadsgatan", "Erottajankatu")


@pytest.mark.parametrize(
    ("language", "written"),
    [("en", "Naka-meguro"), ("ja", "中目黒"), ("ru", "Нака Мэгуро"), ("zh", "中目黒"), ("de", "Naka-meguro")],
)
def test_a_name_is_one_that_its_reader_can_read(language: str, written: str):
    names = '{"en":"Naka-meguro","fr":"Nakameguro","ja":"中目黒","ru":"Нака Мэгуро"}'
    with sqlite3.connect(":memory:") as connection:
        query = f"SELECT {street_name(language)} FROM (SELECT '中目黒' AS name, '{names}' AS names)"
        assert connection.execute(query).fetchone() == (written,)


def test_one_way_streets_have_arrows_and_houses_have_numbers(renderer: Renderer, ink: Callable[..., int]):
    picture = renderer.render(LatLon(60.1685, 24.9445), zoom=18, width=1000, height=1000)
    assert ink(picture, palette.HOUSE_NUMBER) > 20
    assert pixels(picture)[ImageColor.getrgb(palette.ONEWAY)] > 10


def test_what_only_the_coarse_world_map_knows_is_hatched(renderer: Renderer):
    beside = renderer.render(LatLon(60.1672, 24.9590), zoom=15)  # the harbour is east of the extract
    land = ImageColor.getrgb(palette.LAND)
    right = pixels(beside, (300, 100, 480, 400))
    assert len(right) > 3
    assert right[land] < 0.95 * 180 * 300
    inside = pixels(renderer.render(CENTRE, zoom=18, width=100, height=100))
    assert ImageColor.getrgb(palette.UNKNOWN) not in inside
