"""The readers of objects: strict JSON, JSON as models write it, and the short way to the plain shape."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheretaken.answers import Answer, fields, lenient, objects, parse

_KEYS = st.text(
    st.characters(exclude_characters='"\\\n{}', exclude_categories=("Cs", "Cc")), min_size=1, max_size=9
)
_TEXTS = st.text("abc :}]\\{[/#é纬\"'\n", max_size=12).filter(lambda text: '", "' not in text)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)


def _same(value: Any) -> Any:
    """Return what the lenient reader makes of a value: `true` is only a word to it."""
    if isinstance(value, dict):
        return {key: _same(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_same(inner) for inner in value]
    if isinstance(value, bool):
        return str(value).lower()
    return float(value) if isinstance(value, int) else value


@given(st.dictionaries(_KEYS, _JSON, max_size=4), st.sampled_from([None, 2]), st.booleans())
def test_the_lenient_reader_reads_json(content: dict[str, Any], indent: int | None, ascii_only: bool):
    text = json.dumps(content, indent=indent, ensure_ascii=ascii_only)
    loose = lenient.read("x" + text + " and {", 1)
    assert loose.whole
    assert loose.end == len(text) + 1
    assert loose.content == _same(content)


_CITIES = st.text(max_size=8) | st.sampled_from(["null", "Unknown", "\ud800", " x "])
_COORDINATES = st.floats(-200, 200) | st.integers(-200, 200) | st.sampled_from([0.0, -0.0, True, None, "1.5"])


@given(_COORDINATES, _COORDINATES, _CITIES, _CITIES | st.none(), st.booleans())
def test_the_short_way_reads_what_the_long_one_reads(
    lat: Any, lon: Any, city: str, country: str | None, more: bool
):
    content = {"lat": lat, "lon": lon, "city": city, "country": country} | ({"radius_km": 1} if more else {})
    text = json.dumps(content)
    found = objects._strictly(text, 0)
    assert found is not None
    plain = objects._plain(found, text)
    assert plain is None or plain == objects._read(found, fields.named(found.content), text)
    loose = objects._leniently(text[:-1] + ",}", 0)
    plain_loose = objects._plain(loose, text)
    assert plain_loose is None or plain_loose == objects._read(loose, fields.named(loose.content), text)
    usual = isinstance(lat, float) and isinstance(lon, float) and abs(lat) <= 90 and abs(lon) <= 180
    assert (plain is not None) == (usual and (lat, lon) != (0, 0) and country is not None and not more)


@pytest.mark.parametrize("cut", range(len('{"lat": 48.8566, "lon": 2.3522, "city": "Paris"}')))
def test_an_object_cut_off_anywhere_is_never_misread(cut: int):
    text = '{"lat": 48.8566, "lon": 2.3522, "city": "Paris"}'[:cut]
    answer = parse(text)
    if isinstance(answer, Answer):
        assert answer.lat == 48.8566
        assert answer.lon == pytest.approx(2.3522, abs=0.01)
        assert answer.city in {"", "Paris"}
    else:
        assert cut < len('{"lat": 48.8566, "lon": 2.35')
