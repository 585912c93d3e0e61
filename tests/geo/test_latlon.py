import math
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wheretaken.geo import Datum, LatLon, destination, distance_km, distances_km, rounded_up_km

anywhere = st.builds(LatLon, st.floats(-90, 90), st.floats(-180, 180))


@pytest.mark.parametrize(
    ("lat", "lon"), [(91, 0), (-90.1, 0), (0, 180.5), (0, -181), (math.nan, 0), (0, math.nan), (math.inf, 0)]
)
def test_impossible_positions_are_refused(lat: float, lon: float):
    with pytest.raises(ValueError, match="outside"):
        LatLon(lat, lon)


@pytest.mark.parametrize(
    ("text", "lat", "lon"),
    [
        ("48.8584,2.2945", 48.8584, 2.2945),
        (" 48.8584, 2.2945 ", 48.8584, 2.2945),
        ("-33 -70.65", -33, -70.65),
        ("+1;-.5", 1, -0.5),
    ],
)
def test_positions_are_read_from_a_command_line(text: str, lat: float, lon: float):
    assert LatLon.parse(text) == LatLon(lat, lon)


@pytest.mark.parametrize("text", ["", "48.8", "48,8,2", "Paris", "48.8;", "nan,1", "1e2,3", "48,2 extra"])
def test_other_text_is_refused_with_an_example(text: str):
    with pytest.raises(ValueError, match=r"write LAT,LON in degrees, such as"):
        LatLon.parse(text)


def test_a_position_out_of_range_is_refused_when_read():
    with pytest.raises(ValueError, match=r"latitude 120\.38 is outside"):
        LatLon.parse("120.38,36.08")


def test_known_distances():
    paris, sydney = LatLon(48.8566, 2.3522), LatLon(-33.8688, 151.2093)
    assert distance_km(paris, sydney) == pytest.approx(16_960, abs=5)
    assert distance_km(LatLon(0, 0), LatLon(0, 1)) == pytest.approx(111.319491, abs=1e-6)
    assert distance_km(LatLon(0, 0), LatLon(90, 0)) == pytest.approx(10_001.965729, abs=1e-6)
    assert distance_km(LatLon(10, 179.999), LatLon(10, -179.999)) < 0.3


def test_distance_ignores_the_datum_a_place_is_written_in():
    here = LatLon(36.0868, 120.3791)
    assert distance_km(here, here.to(Datum.GCJ02)) < 1e-5
    assert distance_km(here.to(Datum.BD09), here.to(Datum.GCJ02)) < 1e-5


@settings(deadline=None)  # the first call loads PROJ
@given(st.lists(st.tuples(anywhere, anywhere), min_size=1, max_size=5))
def test_many_distances_are_the_single_ones(pairs: list[tuple[LatLon, LatLon]]):
    plain = [(LatLon(a.lat, a.lon), LatLon(b.lat, b.lon)) for a, b in pairs]
    many = distances_km(
        [a.lat for a, _ in plain],
        [a.lon for a, _ in plain],
        [b.lat for _, b in plain],
        [b.lon for _, b in plain],
    )
    assert many.tolist() == pytest.approx([distance_km(a, b) for a, b in plain], abs=1e-6)


def test_one_position_against_many_broadcasts():
    matrix = distances_km([[0.0], [10.0]], [[0.0], [0.0]], [0.0, 1.0, 2.0], [0.0, 0.0, 0.0])
    assert matrix.shape == (2, 3)
    assert matrix[0, 0] == 0


@given(anywhere, st.floats(-360, 360), st.floats(0, 19_000))
def test_a_destination_is_as_far_as_asked(start: LatLon, bearing: float, km: float):
    assert distance_km(start, destination(start, bearing, km)) == pytest.approx(km, abs=1e-6)


def test_destination_directions():
    start = LatLon(60, 25)
    north, east = destination(start, 0, 10), destination(start, 90, 10)
    assert (north.lat > 60, north.lon) == (True, pytest.approx(25))
    assert (east.lat, east.lon > 25) == (pytest.approx(60, abs=0.01), True)
    assert destination(LatLon(0, 179.99), 90, 10).lon == pytest.approx(-179.92, abs=0.01)


def test_importing_geo_loads_nothing_heavy():
    code = (
        "import sys, wheretaken.geo; print(sorted({'numpy', 'pyproj', 'geographiclib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("km", "told"),
    [(78.3055, 79), (1322.76, 1400), (0.1501, 0.16), (0.15, 0.15), (9.91, 10), (25, 25), (0, 0)],
)
def test_a_radius_is_rounded_up_to_two_digits(km: float, told: float):
    assert rounded_up_km(km) == pytest.approx(told)
