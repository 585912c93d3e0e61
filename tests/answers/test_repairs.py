"""Positions that had to be put right, and what is said about it."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from wheretaken.answers import Answer, Repair, parse


@pytest.mark.parametrize(
    ("text", "lat", "lon", "repairs"),
    [
        ('{"lat": 48.5,\n"lon": 2}', 48.5, 2, ()),
        ('{"lat": 0, "lon": 0, "city": "Null Island", "country": ""}', 0, 0, ()),
        ('{"lat": "33.45 S", "lon": "70.65 W"}', -33.45, -70.65, ()),
        ('{"lat": 48.5, "lon": 2.5,}', 48.5, 2.5, ("syntax",)),
        ('{"lat": −48.5, "lon": –2.5}', -48.5, -2.5, ("syntax",)),
        ('{"lat": 48.5, "lon": 2.25', 48.5, 2.25, ("truncated",)),
        ('{"lat": 120.38, "lon": 36.08}', 36.08, 120.38, ("swapped",)),
        ('{"lat": "121.47E", "lon": "31.23N"}', 31.23, 121.47, ("swapped",)),
        ('{"coordinates": "34.05° N, -118.25° W"}', 34.05, -118.25, ("sign",)),
        ('{"lat": 34.05° N, "lon": -118.25° W}', 34.05, -118.25, ("syntax", "sign")),
        ("48.85, 2.35", 48.85, 2.35, ("prose",)),
        ("121.47, 31.23", 31.23, 121.47, ("prose", "swapped")),
        ("34.0485° N, −118.2584° W", 34.0485, -118.2584, ("prose", "sign")),
        ("-34.6° N, -58.4° E", -34.6, -58.4, ("prose", "sign")),
        ("4.711° N latitude and ‑74.028° W longitude", 4.711, -74.028, ("prose", "sign")),
        ("–34.6698 latitude, –58.4612 longitude", -34.6698, -58.4612, ("prose",)),
        ("33°27'30\"S, 70°39'00\"W", -33.4583333, -70.65, ("prose",)),
        ("lat 48.85-lon 2.35", 48.85, 2.35, ("prose",)),
    ],
)
def test_repairs_are_named(text: str, lat: float, lon: float, repairs: tuple[str, ...]):
    answer = parse(text)
    assert isinstance(answer, Answer)
    assert (answer.lat, answer.lon) == pytest.approx((lat, lon), abs=1e-6)
    assert answer.repairs == tuple(Repair(name) for name in repairs)


def test_answers_without_the_field_are_read():
    assert Answer.model_validate_json('{"lat": 1, "lon": 2}').repairs == ()


def _dms(value: float, letters: str) -> tuple[str, float]:
    seconds = round(abs(value) * 3600)
    text = f"{seconds // 3600}°{seconds // 60 % 60}'{seconds % 60}\"{letters[value < 0]}"
    return text, (-seconds if value < 0 else seconds) / 3600


_LATS, _LONS = st.floats(-89, 89), st.floats(-179, 179)


@given(_LATS, _LONS, st.sampled_from([", ", " ", "; ", " / ", " and "]))
def test_degrees_minutes_seconds_are_read_back(lat: float, lon: float, between: str):
    (north, expected_lat), (east, expected_lon) = _dms(lat, "NS"), _dms(lon, "EW")
    answer = parse(f"It is at {north}{between}{east}.")
    assert isinstance(answer, Answer)
    assert (answer.lat, answer.lon) == pytest.approx((expected_lat, expected_lon), abs=1e-9)


@given(
    _LATS.map(lambda value: round(value, 4)),
    _LONS.map(lambda value: round(value, 4)),
    st.sampled_from(
        [
            "Latitude: {0:.4f}, Longitude: {1:.4f}",
            "lon {1:.4f} lat {0:.4f}",
            "纬度：{0:.4f}；经度：{1:.4f}",
            "{{latitude: {0:.4f}, longitude: {1:.4f}}}",
            "{{'lat': '{0:.4f}', 'lng': '{1:.4f}'}}",
            '{{"coordinates": ["{0:.4f}", "{1:.4f}"]}}',
            "the point {0:.4f}, {1:.4f} fits",
        ]
    ),
)
def test_signed_numbers_are_read_back(lat: float, lon: float, form: str):
    assume((lat, lon) != (0, 0))  # which is a refusal in an object without a name
    answer = parse(form.format(lat, lon))
    assert isinstance(answer, Answer)
    assert (answer.lat, answer.lon) == (lat, lon)
    assert Repair.SWAPPED not in answer.repairs
    assert Repair.SIGN not in answer.repairs
