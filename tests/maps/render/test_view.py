import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from wheretaken.errors import ToolError
from wheretaken.geo import Datum, LatLon, distance_km
from wheretaken.maps.offline.render.view import MAX_LAT, WORLD, View, latitude, mercator

positions = st.builds(LatLon, st.floats(-85, 85), st.floats(-180, 180))
views = st.builds(
    lambda centre, zoom, width, height: View.around(centre, zoom=zoom, width=width, height=height),
    positions,
    st.floats(0, 19),
    st.integers(64, 2048),
    st.integers(64, 2048),
)


def test_the_projection_is_web_mercator():
    assert mercator(0, 180) == pytest.approx((20037508.342789244, 0))
    assert mercator(MAX_LAT, 0)[1] == pytest.approx(WORLD / 2)
    expected = Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True).transform(24.94, 60.17)
    assert mercator(60.17, 24.94) == pytest.approx(expected, abs=1e-3)
    assert latitude(expected[1]) == pytest.approx(60.17, abs=1e-9)


@given(views)
def test_a_view_never_leaves_the_world_and_has_its_size(view: View):
    left, bottom, right, top = view.box
    assert right - left <= WORLD * 1.000001
    assert bottom >= -WORLD / 2 * 1.000001
    assert top <= WORLD / 2 * 1.000001
    assert (right - left) / view.resolution == pytest.approx(view.width)
    south, west, north, east = view.bounds
    assert -MAX_LAT - 1e-6 <= south < north <= MAX_LAT + 1e-6
    assert -180 <= west <= 180
    assert -180 <= east <= 180


@given(views)
def test_the_copies_cover_the_view_and_no_more(view: View):
    left, _, right, _ = view.box
    for copy in view.copies:
        assert left < (copy + 0.5) * WORLD + 1e-3
        assert right > (copy - 0.5) * WORLD - 1e-3
    assert (view.copies[0] - 0.5) * WORLD <= left + 1e-3
    assert (view.copies[-1] + 0.5) * WORLD >= right - 1e-3


@given(positions, st.floats(3.2, 19))
def test_the_centre_is_in_the_middle_unless_a_pole_is_near(centre: LatLon, zoom: float):
    view = View.around(centre, zoom=zoom, width=500, height=400)
    x, y = view.pixel(centre)
    assert x == pytest.approx(250, abs=1e-3)
    if abs(centre.lat) < 60:
        assert y == pytest.approx(200, abs=1e-3)


@given(st.floats(-80, 80), st.floats(-180, 180), st.floats(12, 18))
def test_a_pixel_is_as_wide_as_it_says(lat: float, lon: float, zoom: float):
    view = View.around(LatLon(lat, lon), zoom=zoom, width=500, height=500)
    degrees = math.degrees(100 * view.resolution / 6378137)
    east = LatLon(lat, math.remainder(lon + degrees, 360))
    # Mercator uses a sphere of the equator's radius; the ellipsoid differs from it by up to 0.34 %.
    assert distance_km(LatLon(lat, lon), east) * 10 == pytest.approx(view.metres_per_pixel(250), rel=0.004)


def test_across_the_antimeridian_west_is_greater_than_east():
    view = View.around(LatLon(-17, 179.5), zoom=7, width=500, height=500)
    _, west, _, east = view.bounds
    assert west > 170
    assert east < -170
    assert list(view.copies) == [0, 1]
    assert view.pixel(LatLon(-17, -179.5))[0] > view.pixel(LatLon(-17, 179.5))[0]


def test_a_zoom_too_low_for_the_picture_is_raised():
    view = View.around(LatLon(0, 0), zoom=0, width=512, height=300)
    assert view.zoom == 1
    assert view.bounds[1::2] == (-180, 180)


@given(st.floats(-84, 84), st.floats(-179, 179), st.floats(0.001, 20), st.floats(0.001, 40), st.booleans())
def test_a_fitted_view_shows_the_whole_area(south: float, west: float, high: float, wide: float, tall: bool):
    north, east = min(south + high, 84.9), west + wide
    if east > 180:
        east -= 360
    width, height = (300, 600) if tall else (600, 300)
    view = View.fitting(south, west, north, east, width=width, height=height)
    for corner in (LatLon(south, west), LatLon(north, east)):
        x, y = view.pixel(corner)
        assert -0.01 <= x <= width + 0.01
        assert -0.01 <= y <= height + 0.01


def test_a_fitted_point_is_shown_at_the_closest_zoom():
    assert View.fitting(60, 24, 60, 24, width=200, height=200).zoom == 19


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"zoom": -1}, "zoom is -1"),
        ({"zoom": 19.5}, "between 0"),
        ({"zoom": math.nan}, "zoom is nan"),
        ({"width": 63}, "63x500"),
        ({"height": 2049}, "between 64 and 2048"),
    ],
)
def test_what_cannot_be_drawn_is_told_to_the_model(settings: dict[str, float], message: str):
    with pytest.raises(ToolError, match=message):
        View.around(LatLon(0, 0), **{"zoom": 5, "width": 500, "height": 500} | settings)


def test_an_area_upside_down_and_a_foreign_datum_are_refused():
    with pytest.raises(ToolError, match="upside down"):
        View.fitting(10, 0, 5, 1, width=100, height=100)
    with pytest.raises(ValueError, match="GCJ-02"):
        View.around(LatLon(31, 121, Datum.GCJ02), zoom=5, width=100, height=100)
