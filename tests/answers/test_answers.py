import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheretaken.answers import Answer, NoAnswer, parse

PARIS = (48.8566, 2.3522)
SHAPES = {
    "strict": '{"lat": 48.8566, "lon": 2.3522, "city": "Paris", "country": "France"}',
    "fenced": 'So:\n```json\n{"lat": 48.8566, "lon": 2.3522}\n```\n',
    "trailing comma": '{"lat": 48.8566, "lon": 2.3522,\n}',
    "single quotes": "{'lat': 48.8566, 'lon': 2.3522, 'city': \"L'Isle\"}",
    "apostrophe in single quotes": "{'city': 'L'Isle', 'lat': 48.8566, 'lon': 2.3522}",
    "comments": '{"lat": 48.8566, // north\n /* east */ "lon": 2.3522 # degrees\n}',
    "numbers as strings": '{"lat": "48.8566", "lon": "2.3522° E"}',
    "numbers with a remark": '{"lat": "48.8566 (roughly)", "lon": "about 2.3522"}',
    "decimal commas": '{"lat": "48,8566", "lon": "2,3522"}',
    "long names": '{"Latitude": 48.8566, "longitude": 2.3522}',
    "qualified names": '{"predicted_latitude": 48.8566, "predicted_longitude": 2.3522}',
    "lng": '{"latitude": 48.8566, "lng": 2.3522}',
    "nested": '{"reasoning": "a {tower}", "answer": {"lat": 48.8566, "lon": 2.3522}, "radius_km": 2}',
    "the final answer": '{"first": {"lat": 1, "lon": 2}, "final_answer": {"lat": 48.8566, "lon": 2.3522}}',
    "reverse geocoding": '{"reverse_geocoding": {"coordinates": {"lat": 48.8566, "lng": 2.3522}}}',
    "under a name of its own": '{"Eiffel Tower": {"lat": 48.8566, "lon": 2.3522}}',
    "place and position": '{"location": "Paris", "position": {"lat": 48.8566, "lon": 2.3522}}',
    "ranked": '{"predictions": [{"lat": 48.8566, "lon": 2.3522}, {"lat": 1, "lon": 2}]}',
    "text in a place": '{"location": "Paris (48.8566, 2.3522)"}',
    "bare keys and words": "{lat: 48.8566, lon: 2.3522, city: Paris, country: France}",
    "missing comma": '{"lat": 48.8566\n "lon": 2.3522}',
    "missing comma on a line": '{"lat": 48.8566 "lon": 2.3522}',
    "half-quoted key": '{"lat: 48.8566, lon": 2.3522}',
    "quotes in a string": '{"why": "it says "Hotel", in gold", "lat": 48.8566, "lon": 2.3522}',
    "tags": '<think>{"lat": 1, "lon": 2}</think><answer>{"lat": 48.8566, "lon": 2.3522}</answer> {"lat":3}',
    "empty tags": "<answer>48.8566, 2.3522</answer><answer> </answer>",
    "braces in text": 'a {b} {"city": "x}{", "lat": 48.8566, "lon": 2.3522}',
    "double braces": '\\boxed{{"lat": 48.8566, "lon": 2.3522}}',
    "unclosed braces": '\\text{see {"lat": 48.8566, "lon": 2.3522}',
    "started again": '{"lat": 1.5, "city": "Lon\n{"lat": 48.8566, "lon": 2.3522}',
    "tagged pair": "<answer>48.8566, 2.3522</answer>",
    "list": '{"coordinates": [48.8566, 2.3522]}',
    "text in an object": '{"coordinates": "48.8566, 2.3522"}',
    "GeoJSON": '{"geometry": {"type": "Point", "coordinates": [2.3522, 48.8566]}}',
    "GeoJSON with height": '{"features": [{"type": "Point", "coordinates": [2.3522, 48.8566, 35]}]}',
    "cut off": '{"lat": 48.8566, "lon": 2.3522, "city": "Par',
    "cut off in the evidence": '{"lat": 48.8566, "lon": 2.3522, "evidence": [{"lat": 1, "lon": 2}, {"re',
    "broken evidence": '{"lat": 48.8566, "lon": 2.3522, "evidence": [{"lat": 1, "lon": 2}] and so on',
    "labels": "I choose lat: 48.8566, lon: 2.3522.",
    "markdown labels": "- **Latitude:** 48.8566° N\n- **Longitude:** 2.3522° E",
    "a table of labels": "| Latitude | 48.8566 |\n| Longitude | 2.3522 |",
    "labels as elements": "<lat>48.8566</lat><lon>2.3522</lon>",
    "labels turned": "longitude = 2.3522, latitude = 48.8566",
    "labels in front of both": "Coordinates (lat, lon): (48.8566, 2.3522)",
    "labels of both, turned": "lng/lat: 2.3522, 48.8566",
    "labels behind": "48.8566 latitude 2.3522 longitude",
    "labels between": "Latitude 48.8566 longitude 2.3522",
    "hemispheres": "about 48.8566° N, 2.3522° E, near the river",
    "hemispheres spaced": "48.8566 °N, 2.3522 °E",
    "hemispheres first": "N 48.8566°, E 2.3522°",
    "hemispheres and decimal commas": "48,8566° N; 2,3522° E",
    "east first": "2.3522° E, 48.8566° N",
    "units behind": "48.8566° N latitude and 2.3522° E longitude",
    "degrees minutes seconds": "48°51'23.76\"N 2°21'7.92\"E",
    "typographic": "48°51′23.76″ N, 2°21′7.92″ E",
    "pair in text": "The point (48.8566, 2.3522) fits best.",
    "a map's address": "https://www.openstreetmap.org/@48.8566,2.3522,15z",
    "the last one": '{"lat": 1, "lon": 2} no: {"lat": 48.8566, "lon": 2.3522}',
    "the last valid one": '{"lat": 48.8566, "lon": 2.3522} {"lat": 912, "lon": 2} {"lat": NaN, "lon": 2}',
    "the last whole one": '{"lat": 48.8566, "lon": 2.3522} Wait: {"lat": 1.5, "lon": 2.5, "ci',
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes(shape: str):
    answer = parse(SHAPES[shape])
    assert isinstance(answer, Answer)
    assert (answer.position.lat, answer.position.lon) == pytest.approx(PARIS, abs=1e-9)
    assert answer.raw


CHINESE = {
    "keys": '{"纬度": 31.23, "经度": 121.47, "城市": "上海", "国家": "中国"}',
    "punctuation": "{“纬度”：31.23，“经度”：121.47，“城市”：“上海”，“国家”：“中国”}",
    "full-width quotes": "{＂纬度＂：＂31.23＂，＂经度＂：121.47，＂城市＂：＂上海＂，＂国家＂：＂中国＂}",
    "bare words": "{纬度：31.23，经度：121.47，城市：上海，国家：中国}",
    "hemispheres": '{"纬度": "北纬31.23度", "经度": "东经121.47度", "城市": "上海", "国家": "中国"}',
    "traditional": '{"緯度": "北緯31.23度", "經度": "東經121.47度", "城市": "上海", "國家": "中国"}',
    "nested": '{"最终答案": {"坐标": {"纬度": 31.23, "经度": 121.47}, "城市": "上海", "国家": "中国"}}',
    "cut off": '{"国家": "中国", "城市": "上海", "纬度": 31.23, "经度": 121.47',
}


@pytest.mark.parametrize("shape", CHINESE)
def test_chinese_objects(shape: str):
    answer = parse(CHINESE[shape])
    assert isinstance(answer, Answer)
    assert (answer.lat, answer.lon, answer.city, answer.country) == (31.23, 121.47, "上海", "中国")


@pytest.mark.parametrize(
    "text",
    [
        "纬度：31.23，经度：121.47",
        "纬度约为３１．２３，经度约为１２１．４７",
        "位于北纬31.23度、东经121.47度附近。",
        "东经121.47°，北纬31.23°",
        "北纬31°13′48″，东经121°28′12″",
        "北纬31度13分48秒，东经121度28分12秒",
        "坐标：（31.230，121.470）",
        "经纬度: 121.470, 31.230",
    ],
)
def test_chinese_text(text: str):
    answer = parse(text)
    assert isinstance(answer, Answer)
    assert (answer.lat, answer.lon) == pytest.approx((31.23, 121.47), abs=1e-9)


@pytest.mark.parametrize(
    ("city", "read"),
    [
        ('Paris"', "Paris"),
        ("Paris", "Paris"),
        ('"Paris', "Paris"),
        ('"L\\u00edma"', "Líma"),
        ("'Xi'an'", "Xi'an"),
        ("“Nice”", "Nice"),
        ("null", ""),
        ("None", ""),
        ('"\\ud800x"', "?x"),
    ],
)
def test_names_are_read_whatever_their_quotes(city: str, read: str):
    answer = parse(f'{{"lat": 48.8566, "lon": 2.3522, "city": {city}, "country": "France",}}')
    assert isinstance(answer, Answer)
    assert (answer.city, answer.country) == (read, "France")


def test_names_stand_beside_the_position():
    place = (
        '{"coordinates": {"lat": 48.8566, "lon": 2.3522}, "address": {"city": "Paris", "country": "France"}}'
    )
    answer = parse(f'{{"guess": {{"lat": 1, "lon": 2, "city": "x"}}, "final": {place}}}')
    assert isinstance(answer, Answer)
    assert (answer.lat, answer.city, answer.country) == (48.8566, "Paris", "France")


def test_names_of_a_feature():
    geometry = '"geometry": {"type": "Point", "coordinates": [2.3522, 48.8566]}'
    feature = f'{{"type": "Feature", {geometry}, "properties": {{"city": "Paris", "country": "France"}}}}'
    answer = parse(f'{{"type": "FeatureCollection", "features": [{feature}]}}')
    assert isinstance(answer, Answer)
    assert (answer.lat, answer.lon, answer.city, answer.country) == (48.8566, 2.3522, "Paris", "France")


def test_all_fields():
    fields = '"lat": 1.5, "lon": 2.5, "city": "Á", "country": null, "radius_km": "12 km", "confidence": "85%"'
    text = f"x {{{fields}}} y"
    answer = parse(text)
    assert answer == Answer(lat=1.5, lon=2.5, city="Á", radius_km=12, confidence=0.85, raw=text[2:-2])


def test_evidence_and_candidates():
    evidence = [{"reads": "METRO", "place": "Paris", "lat": 48.9, "lon": 2.3}, {"place": "nothing read"}]
    candidates = [{"lat": 45.76, "lon": 4.84, "city": "Lyon", "weight": 0.1}, {"lat": 200, "lon": 0}]
    answer = parse(json.dumps({"evidence": evidence, "candidates": candidates, "lat": 48.8, "lon": 2.4}))
    assert isinstance(answer, Answer)
    assert (answer.lat, answer.lon) == (48.8, 2.4)
    assert [item.reads for item in answer.evidence] == ["METRO"]
    assert [item.city for item in answer.candidates] == ["Lyon"]


@pytest.mark.parametrize(
    ("radius", "km"),
    [("5", 5), ('"2.5 km"', 2.5), ('"3公里"', 3), ("-1", None), ("1e300", None), ("true", None)],
)
def test_a_radius_is_one_on_earth(radius: str, km: float | None):
    answer = parse(f'{{"lat": 1.5, "lon": 2.5, "radius_km": {radius}, "confidence": 250}}')
    assert isinstance(answer, Answer)
    assert (answer.radius_km, answer.confidence) == (km, None)


@pytest.mark.parametrize(
    "text",
    [
        "I’m sorry, but I can’t determine the location from this image.",
        "I cannot tell where this is.",
        '{"lat": null, "lon": null, "city": "", "country": ""}',
        'Perhaps 48.8566, 2.3522? No: {"lat": null, "lon": null}',
        '{"lat": 48.8566, "lon": 2.3522} No: {"lat": null, "lon": null}',
        '{"coordinates": null}',
        '{"answer": {"coordinates": "unknown"}}',
        '{"lat": "unknown", "lon": "unknown"}',
        '{"lat": 0.0, "lon": 0.0, "city": "Unknown", "country": "Unknown"}',
        '{"lat": 0, "lon": 0, "city": "未知", "country": "未知"}',
        "<think>48.8566, 2.3522?</think> I cannot tell where this is.",
        "无法确定位置。",
    ],
)
def test_refusals(text: str):
    result = parse(text)
    assert isinstance(result, NoAnswer)
    assert result.reason == "refused"


@pytest.mark.parametrize(
    "text",
    [
        *("", "   \n", "0.66", "Paris, France", "Final answer:", "{{{{", "pi is 3.14, and e is 2.71"),
        *(
            '{"lat": 91, "lon": 181}',
            '{"lat": NaN, "lon": 2}',
            '{"lat": Infinity, "lon": 2}',
            '{"lat": true, "lon": 2}',
        ),
        *(
            "735 S Main Street, 12 W",
            '{"lat": [1], "lon": {}}',
            '{"lat": 1e3, "lon": 3.25}',
            "99.1234, 200.1234",
        ),
        *(
            '{"lat": "48.85 to 48.9", "lon": "2.35"}',
            '{"lat": "48.85N", "lon": "2.35N"}',
            "48.85° N, 2.35° N",
        ),
        *('{"lat": 48.8566, "lon": 1', '{"lat": 48.8566, "lo', "48°75'00\"N 2°21'00\"E"),
        f'{{"lat": {"9" * 400}, "lon": 2}}',
        f'{{"lat": {"9" * 5000}, "lon": 2}}',
        *(f'{{"{key}":' * 900 + "1" + "}" * 900 for key in ("name", "answer", "x")),
    ],
)
def test_everything_else_is_unparsed(text: str):
    result = parse(text)
    assert isinstance(result, NoAnswer)
    assert result.reason == "unparsed"


@given(st.floats(-90, 90), st.floats(-180, 180), st.text(max_size=20))
def test_json_answers_are_read_back(lat: float, lon: float, city: str):
    answer = parse("Answer: " + json.dumps({"lat": lat, "lon": lon, "city": "x" + city, "country": "y"}))
    assert isinstance(answer, Answer)
    assert (answer.lat, answer.lon) == (lat, lon)
    assert answer.city == ("x" + city).strip()


@given(
    st.text(
        st.characters(categories=("Lu", "Ps", "Po", "Nd", "Cs")) | st.sampled_from("{}[]\"'\\,:0123456789")
    )
)
def test_every_text_gives_a_result_that_can_be_written(text: str):
    result = parse(text)
    assert type(result).model_validate_json(result.model_dump_json()) == result


@given(st.text(alphabet="{}[]\"'\\,:/*#.-° NSEW0123456789latlonnull<>think\n", max_size=200))
def test_any_soup_of_signs_gives_a_result(text: str):
    result = parse('{"lat": 48.8566, "lon": ' + text)
    assert isinstance(result, NoAnswer) or (abs(result.lat) <= 90 and abs(result.lon) <= 180)
