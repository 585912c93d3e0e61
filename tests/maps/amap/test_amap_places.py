"""What AMap says of places becomes the same of a place here, in WGS-84."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheretaken.errors import ToolError
from wheretaken.geo import Datum, LatLon, distance_km
from wheretaken.maps import MatchKind, UnsupportedError
from wheretaken.maps.amap import reading
from wheretaken.maps.amap.kinds import kind_of

CAMPUS = LatLon(39.9890, 116.3035)
HELSINKI = LatLon(60.1699, 24.9384)


async def test_a_search_tells_all_that_amap_tells_of_a_poi(asked):
    (found,) = await asked.provider.search("北大")
    assert found.id == "amap:B000A816R6"
    assert found.name == "北京大学"
    assert found.kind == "university"
    assert (found.country_code, found.country, found.admin1, found.city) == (
        *("CN", "China", "Beijing"),
        "北京市",
    )
    assert found.address == "颐和园路5号"
    assert found.source == "AMap (高德地图)"
    assert found.match
    assert (found.match.kind, found.match.alias) == (MatchKind.EXACT, "北大")
    assert found.more == {
        "typecode": "141201",
        "type": "科教文化服务;学校;高等院校",
        "district": "海淀区",
        "business_area": "西苑",
        "alias": "PKU|北大",
    }
    assert asked.fake.counts == {"/v5/place/text": 1}


async def test_positions_are_converted_both_ways(asked):
    found = (await asked.provider.search("北京大学", near=CAMPUS))[0]
    true = LatLon(39.991402, 116.304729)
    assert distance_km(LatLon(found.lat, found.lon), true) < 0.0005
    assert found.distance_km == pytest.approx(distance_km(CAMPUS, true), abs=0.001)
    lon, lat = asked.fake.asked[0].params["location"].split(",")
    sent = LatLon(float(lat), float(lon))
    assert 0.4 < distance_km(sent, CAMPUS) < 0.7  # shifted, as AMap wants it
    assert distance_km(LatLon(sent.lat, sent.lon, Datum.GCJ02), CAMPUS) < 0.0005
    assert len(lon.partition(".")[2]) == len(lat.partition(".")[2]) == 6


def test_a_documented_position_is_read_as_where_the_place_is():
    at = reading.position("116.397499,39.908722")  # the Tiananmen gate, as AMap has it
    assert at
    assert distance_km(at, LatLon(39.90735, 116.39126)) < 0.02


@given(st.floats(18.3, 53.3), st.floats(73.6, 134.7))
def test_what_is_written_is_read_back_within_a_metre(lat, lon):
    there = LatLon(lat, lon)
    back = reading.position(reading.written(there))
    assert back
    assert distance_km(there, back) < 0.001


@pytest.mark.parametrize("field", [[], "", "116.3", "a,b", "116.3,91", "nan,nan", None, {"lat": 1}])
def test_what_is_no_position_is_none(field):
    assert reading.position(field) is None


async def test_hong_kong_is_not_shifted(asked):
    (found,) = await asked.provider.search("维多利亚港", country_code="HK")
    assert (round(found.lat, 6), round(found.lon, 6)) == (22.2888, 114.1722)
    assert (found.country_code, found.country, found.kind) == ("HK", "Hong Kong", "attraction")
    assert await asked.provider.search("维多利亚港", country_code="CN")
    assert not await asked.provider.search("维多利亚港", country_code="MO")
    assert not await asked.provider.search("北京大学", country_code="HK")


async def test_a_search_around_goes_on_in_the_country_and_among_addresses(asked):
    (found,) = await asked.provider.search("维多利亚港", near=CAMPUS)
    assert found.id == "amap:B0FFG9VLP5"
    assert list(asked.fake.counts) == ["/v5/place/around", "/v5/place/text"]
    (address,) = await asked.provider.search("北京市海淀区颐和园路5号")
    assert address.kind == "address"
    assert address.address == "颐和园路5号"
    assert address.city == "北京市"
    assert asked.fake.counts["/v3/geocode/geo"] == 1
    again = await asked.provider.details(address.id)
    assert again
    assert distance_km(LatLon(again.lat, again.lon), LatLon(address.lat, address.lon)) < 0.001
    assert not await asked.provider.search("没有这个地方")


async def test_a_position_abroad_is_no_reason_to_search_around_it(asked):
    await asked.provider.search("北京大学", near=HELSINKI)
    assert asked.fake.counts == {"/v5/place/text": 1}


async def test_what_amap_cannot_know_is_left_to_others(asked):
    for wanted in (
        asked.provider.search("Helsinki", country_code="FI"),
        asked.provider.search(" ", country_code="CN"),
        asked.provider.reverse(HELSINKI),
        asked.provider.road_map(HELSINKI, zoom=15),
    ):
        with pytest.raises(UnsupportedError):
            await wanted
    assert not asked.fake.asked
    covers = asked.provider.covers
    assert covers(CAMPUS, "")
    assert covers(LatLon(22.3, 114.17), "")
    assert covers(None, "CN")
    assert not covers(HELSINKI, "CN")
    assert not covers(None, "FI")
    assert not covers(None, "")


@pytest.mark.parametrize(("query", "told"), [(" \n", "empty"), ("长" * 81, "81 characters")])
async def test_queries_that_amap_does_not_take_are_not_sent(asked, query, told):
    with pytest.raises(ToolError, match=told):
        await asked.provider.suggest(query)
    assert not asked.fake.asked


async def test_completions_are_places_only(asked):
    (found,) = await asked.provider.suggest("北京", near=CAMPUS)
    assert (found.id, found.name, found.city) == ("amap:B000A816R6", "北京大学", "北京市")
    assert found.match
    assert found.match.kind is MatchKind.PREFIX
    assert found.distance_km
    assert asked.fake.asked[0].params["keywords"] == "北京"


@pytest.mark.parametrize(
    ("district", "city"),
    [
        ("北京市海淀区", "北京市"),
        ("广东省深圳市南山区", "深圳市"),
        ("新疆维吾尔自治区乌鲁木齐市天山区", "乌鲁木齐市"),
        ("云南省大理白族自治州大理市", "大理市"),
        ("广东省广州市越秀区", "广州市"),
        ("香港特别行政区油尖旺区", ""),
        ([], ""),
    ],
)
def test_the_city_of_a_completion_is_read_from_its_district(district, city):
    entry = {"id": "B1", "name": "x", "location": "116.3,39.9", "district": district}
    found = reading.tip(entry, "x", None)
    assert found
    assert found.city == city


async def test_details_of_a_poi(asked):
    found = await asked.provider.details("amap:B000A816R6")
    assert found
    assert (found.name, found.more["alias"], found.match) == ("北京大学", "PKU|北大", None)
    assert await asked.provider.details("amap:B000000000") is None
    sent = len(asked.fake.asked)
    for foreign in ("google:ChIJ", "amap:", "amap:../../v3/ip", "amap:B1|B2", "B000A816R6"):
        assert await asked.provider.details(foreign) is None
    assert len(asked.fake.asked) == sent


async def test_what_is_at_a_position_begins_with_the_nearest_and_ends_with_the_address(asked):
    found = await asked.provider.reverse(CAMPUS, limit=5)
    assert [place.id for place in found[:2]] == ["amap:B0FFKEPXS2", "amap:B000A816R6"]
    assert [place.kind for place in found] == ["cafe", "university", "town"]
    distances = [place.distance_km for place in found]
    assert distances[0] < distances[1]
    assert {place.city for place in found} == {"北京市"}  # AMap leaves the city of a municipality empty
    assert {place.admin1 for place in found} == {"Beijing"}
    short = await asked.provider.reverse(CAMPUS, limit=2)
    assert [place.id for place in short] == [found[0].id, found[-1].id]


async def test_nothing_is_made_of_a_position_about_which_amap_says_nothing(asked):
    assert not await asked.provider.reverse(LatLon(36.0, 90.0))


@pytest.mark.parametrize(
    "pois",
    [
        [],
        "none",
        None,
        [None, 7, "B1"],
        [{"id": "B1", "name": "x", "location": []}],
        [{"id": [], "name": "x", "location": "116,39"}],
        [{"id": "B1", "name": [], "location": "116,39"}],
    ],
)
def test_entries_that_are_no_place_are_left_out(pois):
    assert [place for entry in reading.records(pois) if (place := reading.poi(entry))] == []


@pytest.mark.parametrize(
    ("typecode", "classes", "kind"),
    [
        ("141201", "", "university"),
        ("141299|050100", "", "school"),
        ("050899", "", "bakery"),
        ("059999", "", "restaurant"),
        ("220000", "", "poi"),
        ("", "交通设施服务;地铁站;地铁站", "station"),
        ("", "餐饮服务;茶艺馆;茶艺馆", "restaurant"),
        ("", "", "poi"),
    ],
)
def test_classes_are_called_as_elsewhere(typecode, classes, kind):
    assert kind_of(typecode, classes) == kind
