import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from wheretaken.geo import LatLon, distance_km
from wheretaken.maps.offline.render import furniture, palette
from wheretaken.maps.offline.render.view import View, latitude, mercator


def around(lat: float, lon: float, zoom: float, size: int = 400) -> View:
    return View.around(LatLon(lat, lon), zoom=zoom, width=size, height=size)


@given(st.floats(-75, 75), st.floats(9, 19))
def test_the_scale_bar_is_as_long_as_it_says(lat: float, zoom: float):
    view = around(lat, 0, zoom)
    bar = furniture.scale_bar(view)
    assert 20 <= bar.pixels <= 110
    left, _, right, _ = view.box
    degrees = (right - left) * bar.pixels / view.width / 6378137 * 180 / 3.141592653589793
    assert distance_km(LatLon(lat, 0), LatLon(lat, degrees)) * 1000 == pytest.approx(bar.metres, rel=0.004)


def test_the_scale_bar_grows_towards_the_poles_and_is_drawn_that_long():
    equator, north = furniture.scale_bar(around(0, 0, 12)), furniture.scale_bar(around(60, 0, 12))
    assert equator.metres == 2 * north.metres
    assert (equator.label, north.label) == ("2 km", "1 km")
    view = around(60, 0, 12)
    picture = Image.new("RGB", (400, 400), "white")
    furniture.draw(picture, view, markers=[], attribution="")
    row = view.height - furniture.MARGIN
    ink = [x for x in range(200) if picture.getpixel((x, row)) == palette.FURNITURE]
    assert ink[-1] - ink[0] == pytest.approx(north.pixels, abs=2)


def test_pins_point_at_their_positions_and_carry_numbers():
    view = around(0, 0, 10)
    picture = Image.new("RGB", (400, 400), "white")
    markers = [LatLon(0, 0), LatLon(0.1, 0.1), LatLon(50, 50)]
    furniture.draw(picture, view, markers=markers, attribution="")
    for marker in markers[:2]:
        x, y = map(round, view.pixel(marker))
        assert picture.getpixel((x, y - 6)) == palette.PIN
        assert picture.getpixel((x, y + 2)) == (255, 255, 255)
        disc = picture.crop((x - 6, y - 26, x + 6, y - 14)).getcolors(1000) or []
        assert any(colour == (255, 255, 255) for _, colour in disc)
    red = sum(count for count, colour in picture.getcolors(100_000) or [] if colour == palette.PIN)
    assert red < 2 * furniture.PIN_WIDTH * furniture.PIN_HEIGHT


def test_pins_at_the_edge_are_cut_and_outside_there_are_none():
    view = around(0, 0, 10)
    west, east = view.bounds[1], view.bounds[3]
    assert furniture.pin_box(view, LatLon(0, west + 1e-9)) is not None
    assert furniture.pin_box(view, LatLon(0, east + 1e-3)) is None
    assert furniture.pin_box(view, LatLon(90, 0)) is None


def ring(view: View, centre: LatLon, radius_km: float) -> list[shapely.Polygon]:
    rows = furniture.circle_layer(view, centre, radius_km).query.splitlines()
    return [shapely.from_wkt(row.strip('"')) for row in rows[1:]]


@given(st.floats(-70, 70), st.floats(-180, 180), st.floats(0.05, 1500))
def test_every_point_of_the_circle_has_its_radius(lat: float, lon: float, radius_km: float):
    centre = LatLon(lat, lon)
    nearest = ring(around(lat, lon, 3.2), centre, radius_km)[1]
    for x, y in shapely.get_coordinates(nearest)[::20]:
        point = LatLon(latitude(y), ((x / 6378137 * 57.29577951308232) + 180) % 360 - 180)
        assert distance_km(centre, point) == pytest.approx(radius_km, rel=1e-4, abs=1e-4)


def test_a_circle_around_a_pole_covers_the_top_of_the_map():
    centre = LatLon(85, 30)
    circle = shapely.union_all(ring(around(84, 30, 2), centre, 1500))
    assert circle.is_valid
    for lon in (-170, -90, 0, 90, 170):
        assert circle.contains(shapely.Point(*mercator(84, lon)))
        assert not circle.contains(shapely.Point(*mercator(60, lon)))


def test_an_attribution_that_does_not_fit_is_left_out_of_the_picture():
    view = around(0, 0, 5, 64)
    bare, full = (Image.new("RGB", (64, 64), "white") for _ in range(2))
    furniture.draw(bare, view, markers=[], attribution="")
    furniture.draw(full, view, markers=[], attribution="© OpenStreetMap contributors (ODbL)")
    assert bare.tobytes() == full.tobytes()
