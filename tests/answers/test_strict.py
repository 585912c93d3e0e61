import json
from typing import Any

import pytest
from geopy.point import Point
from hypothesis import given
from hypothesis import strategies as st

from wheretaken.answers import Answer, NoAnswer, parse_strict

REST = '"city": "Paris", "country": "France"'
PLAIN = f'{{"lat": 48.8566, "lon": 2.3522, {REST}}}'


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        f"Answer:\n```json\n{PLAIN}\n```",
        f'{{"lat": 1, "lon": 2}} {{broken}} {PLAIN} {{"lat": 3, "lon": 4, {REST}}}',
        f'{{"lat": "48.8566", "lon": " 2.3522 ", {REST}}}',
        f'{{"lat": 48.8566, "lon": 362.3522, {REST}, "why": {{"a": [1]}}}}',
        f"}} {PLAIN}",
    ],
)
def test_the_first_object_with_all_four_keys(text: str):
    answer = parse_strict(text)
    assert isinstance(answer, Answer)
    assert (answer.lat, answer.lon) == pytest.approx((48.8566, 2.3522), abs=1e-9)
    assert (answer.city, answer.country, answer.repairs) == ("Paris", "France", ())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "48.8566, 2.3522",
        '{"lat": 48.8566, "lon": 2.3522}',
        f'{{"lat": 48.8566, "lon": 2.3522, {REST},}}',
        f"{{{PLAIN}",
        f'{{"answer": {PLAIN}}}',
        f'{{"why": "a }} brace", "lat": 1, "lon": 2, {REST}}}',
        f'{{"lat": null, "lon": 2.3522, {REST}}} {PLAIN}',
        f'{{"lat": 90.1, "lon": 2.3522, {REST}}}',
        f'{{"lat": NaN, "lon": 2.3522, {REST}}}',
        f'{{"lat": 1, "lon": {"9" * 400}, {REST}}}',
        f'{{"lat": 1, "lon": {"9" * 5000}, {REST}}}',
        '{"a":' * 50_000 + "1" + "}" * 50_000,
    ],
)
def test_everything_else_is_unparsed(text: str):
    result = parse_strict(text)
    assert isinstance(result, NoAnswer)
    assert result.reason == "unparsed"


def test_nowhere_is_an_answer():
    answer = parse_strict('{"lat": 0, "lon": 0, "city": "Unknown", "country": "Unknown"}')
    assert isinstance(answer, Answer)
    assert (answer.lat, answer.lon, answer.city) == (0, 0, "Unknown")


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("0123456789.-+e ", max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=3,
)


@given(_VALUES, _VALUES)
def test_coordinates_are_what_geopy_makes_of_them(lat: Any, lon: Any):
    text = json.dumps({"lat": lat, "lon": lon, "city": 1, "country": None})
    try:
        expected = None if lat is None or lon is None else Point((lat, lon))
    except (ValueError, TypeError, OverflowError, UserWarning):  # it warns before it raises
        expected = None
    result = parse_strict(text)
    if expected is None:
        assert isinstance(result, NoAnswer)
    else:
        assert isinstance(result, Answer)
        assert result.lat == expected.latitude
        assert (result.lon - expected.longitude) % 360 == 0
