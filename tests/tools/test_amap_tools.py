"""The tools of the paper's toolset for China: names, arguments, datum, and how much text they give."""

import json

import pytest
from PIL import Image

from wheretaken.agent import Case, PhotoInfo, run
from wheretaken.errors import ToolError
from wheretaken.geo import Datum, LatLon, distance_km
from wheretaken.maps import Place, UnsupportedError
from wheretaken.maps.amap import AmapProvider
from wheretaken.maps.router import Router
from wheretaken.maps.web import Connection, Ledger, WebSettings
from wheretaken.messages import Picture
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.scripted import ScriptedModel, call, say
from wheretaken.testing.services import FakeService, FakeTransport
from wheretaken.testing.services.amap import Poi, amap
from wheretaken.tools import ToolContext
from wheretaken.tools.amap import AMAP, toolset
from wheretaken.tools.paper import LONGEST

TRUE = LatLon(39.991402, 116.304729)
UNIVERSITY = Poi(
    "B000A816R6", "北京大学", TRUE, address="颐和园路5号", alias="PKU|北大", business_area="西苑"
)
OULU = Place(
    id="t:1", name="Oulu", kind="city", lat=65.0123456, lon=25.4654321, country_code="CN", source="GeoNames"
)
"""Moved to China for the sake of these tools."""


@pytest.fixture
def asked(tmp_path):
    fake = FakeService(amap([UNIVERSITY]))
    settings = WebSettings.model_validate({"amap": {"key": "k"}})
    with Ledger(tmp_path / "services.sqlite") as ledger:
        yield AmapProvider.connected(Connection(settings, FakeTransport(fake), ledger)), fake


def context(maps) -> ToolContext:
    picture = Image.new("RGB", (400, 200), "red")
    picture.paste("blue", (200, 0, 400, 200))
    return ToolContext(maps, [Picture.encode(picture, "image/png")])


async def use(name, maps, tools=AMAP, **arguments):
    return await tools.find(name).call(context(maps), json.dumps(arguments))


def test_names_and_arguments_are_those_of_the_paper():
    told = {spec.name: spec.parameters for spec in AMAP.specs}
    assert {name: list(schema["properties"]) for name, schema in told.items()} == {
        "image_zoom_in_tool": ["bbox_2d", "label"],
        "amap_input_tips": ["query"],
        "amap_keyword_search": ["query"],
        "amap_poi_detail": ["query"],
        "amap_static_map": ["latitude", "longitude"],
        "amap_satellite_map": ["latitude", "longitude"],
    }
    assert told["image_zoom_in_tool"]["required"] == ["bbox_2d"]
    assert all(schema["required"] == list(schema["properties"]) for schema in list(told.values())[1:])
    assert (AMAP.name, AMAP.datum) == ("amap", Datum.GCJ02)


@pytest.mark.parametrize(("tool", "key"), [("amap_input_tips", "tips"), ("amap_keyword_search", "pois")])
async def test_searches_tell_what_the_released_tools_tell(asked, tool, key):
    maps, _ = asked
    result = await use(tool, maps, query="北京大学")
    assert result.data == {
        key: [
            {
                "id": "B000A816R6",
                "name": "北京大学",
                "address": "颐和园路5号",
                "typecode": "141201",
                "city": "北京市",
            }
        ]
    }
    assert result.source == "AMap (高德地图)"


async def test_an_id_from_a_search_leads_to_the_position_as_amap_has_it(asked):
    maps, fake = asked
    (found,) = (await use("amap_keyword_search", maps, query="北京大学")).data["pois"]
    result = await use("amap_poi_detail", maps, query=found["id"])
    assert result.data == {
        "id": "B000A816R6",
        "name": "北京大学",
        "location": UNIVERSITY.location,
        "address": "颐和园路5号",
        "business_area": "西苑",
        "city": "北京市",
        "type": "科教文化服务;学校;高等院校",
        "alias": "PKU|北大",
    }
    assert fake.asked[-1].params["id"] == "B000A816R6"
    lon, lat = map(float, result.data["location"].split(","))
    assert 0.4 < distance_km(LatLon(lat, lon), TRUE) < 0.7
    assert distance_km(LatLon(lat, lon, Datum.GCJ02), TRUE) < 0.001


async def test_the_same_tools_speak_wgs84_on_request(asked):
    maps, fake = asked
    tools = toolset(Datum.WGS84)
    result = await use("amap_poi_detail", maps, tools, query="B000A816R6")
    assert result.data["location"] == "116.304729,39.991402"
    await use("amap_static_map", maps, tools, latitude=TRUE.lat, longitude=TRUE.lon)
    assert fake.asked[-1].params["location"] == UNIVERSITY.location


@pytest.mark.parametrize("tool", ["amap_static_map", "amap_satellite_map"])
async def test_maps_show_the_position_that_amap_gave(asked, tool):
    maps, fake = asked
    lon, lat = map(float, UNIVERSITY.location.split(","))
    result = await use(tool, maps, latitude=lat, longitude=lon)
    (picture,) = result.pictures
    assert picture.open().size == (500, 500)
    assert result.source == "© AMap"
    assert (result.data["image"], result.data["latitude"], result.data["longitude"]) == (1, lat, lon)
    sent = [request.params for request in fake.asked]
    if tool == "amap_static_map":
        assert sent[0]["location"] == UNIVERSITY.location  # to the last decimal: nothing was lost on the way
        assert result.data["zoom"] == 17
    else:
        assert len(sent) in {4, 6, 9}
        assert result.data["zoom"] == 19


async def test_zoom_is_that_of_the_other_toolset_and_takes_fractions():
    result = await use("image_zoom_in_tool", FewPlaces(), bbox_2d=[500.4, 0, 999.6, 1e9], label="sign")
    (crop,) = result.pictures
    assert (crop.width, crop.height) == (800, 800)
    assert crop.open().getcolors() == [(640_000, (0, 0, 255))]
    assert result.data["label"] == "sign"
    for wrong in ([0, 0, 1], [0, 0, 1, 1], ["a", 0, 1, 1]):
        with pytest.raises(ToolError):
            await use("image_zoom_in_tool", FewPlaces(), bbox_2d=wrong)
    with pytest.raises(ToolError, match="finite"):
        await use("image_zoom_in_tool", FewPlaces(), bbox_2d=[float("nan"), 0, 1000, float("inf")])


async def test_any_provider_may_be_behind_the_tools():
    maps = FewPlaces([OULU])
    for tool, key in (("amap_input_tips", "tips"), ("amap_keyword_search", "pois")):
        assert (await use(tool, maps, query="Oulu")).data == {
            key: [{"id": "t:1", "name": "Oulu", "typecode": "city"}]
        }
    detail = (await use("amap_poi_detail", maps, query=" t:1 ")).data
    assert detail == {"id": "t:1", "name": "Oulu", "location": "25.465432,65.012346", "type": "city"}
    assert (await use("amap_static_map", maps, latitude=65, longitude=25)).data["zoom"] == 19
    with pytest.raises(UnsupportedError, match="satellite"):
        await use("amap_satellite_map", maps, latitude=65, longitude=25)


async def test_a_router_asks_amap_first_whatever_the_script(asked):
    maps, _ = asked
    first = FewPlaces([OULU.model_copy(update={"name": "PKU"})])
    router = Router([first, maps])
    result = await use("amap_keyword_search", router, query="PKU")
    assert [entry["id"] for entry in result.data["pois"]] == ["B000A816R6"]
    assert not first.asked
    assert (await use("amap_poi_detail", router, query="B000A816R6")).data["name"] == "北京大学"


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("amap_poi_detail", {"query": "B0"}, "no POI has the id 'B0'"),
        ("amap_poi_detail", {"query": ""}, "query"),
        ("amap_keyword_search", {"query": "长" * 81}, "query"),
        ("amap_input_tips", {"keywords": "北京"}, "keywords"),
        ("amap_static_map", {"latitude": 116.4, "longitude": 39.9}, "latitude"),
        ("amap_static_map", {"latitude": "north", "longitude": 39.9}, "latitude"),
        ("amap_static_map", {"latitude": 39.9, "longitude": -116.4}, "did you swap"),
    ],
)
async def test_a_model_is_told_what_to_mend(asked, tool, arguments, told):
    maps, _ = asked
    with pytest.raises(ToolError, match=told):
        await use(tool, maps, **arguments)


async def test_results_fit_and_the_best_stay(asked):
    many = [OULU.model_copy(update={"id": f"t:{number}", "address": "长街" * number}) for number in range(60)]
    result = await use("amap_keyword_search", FewPlaces(many), query="Oulu")
    kept = [entry["id"] for entry in result.data["pois"]]
    assert kept == [f"t:{number}" for number in range(len(kept))]
    assert LONGEST * 0.85 < len(result.text) <= LONGEST
    assert json.loads(result.text) == result.data


async def test_even_one_absurd_place_fits():
    long = {"name": "京" * 80, **dict.fromkeys(("address", "city", "kind"), "京" * 3000)}
    more = dict.fromkeys(("type", "alias", "business_area", "typecode"), "京" * 3000)
    maps = FewPlaces([OULU.model_copy(update={**long, "more": more})])
    detail = await use("amap_poi_detail", maps, query="t:1")
    assert len(detail.text) <= LONGEST
    found = await use("amap_keyword_search", maps, query="京" * 80)
    assert len(found.data["pois"]) == 1
    assert len(found.text) <= LONGEST
    assert json.loads(detail.text)["location"] == "25.465432,65.012346"


async def test_an_answer_repeated_from_the_tools_is_the_true_place(asked):
    maps, _ = asked
    lon, lat = UNIVERSITY.location.split(",")
    evidence = f'{{"reads": "PKU", "place": "北京大学", "lat": {lat}, "lon": {lon}}}, {{"reads": "zh"}}'
    candidates = f'{{"lat": {lat}, "lon": {lon}, "weight": 1}}, {{"lat": 60.17, "lon": 24.94}}'
    told = f'{{"lat": {lat}, "lon": {lon}, "evidence": [{evidence}], "candidates": [{candidates}]}}'
    for tools, least_km, most_km in ((AMAP, 0.0, 0.001), (toolset(Datum.WGS84), 0.4, 0.7)):
        model = ScriptedModel([call(("amap_poi_detail", {"query": "B000A816R6"})), say(told)])
        case = Case(context(maps).pictures[0], PhotoInfo(sha256="0" * 64, width=400, height=200, path="p"))
        events = [event async for event in run(case, model, tools, maps)]
        answer = events[-1].answer
        assert answer.raw == told
        for place in (answer, answer.evidence[0], answer.candidates[0]):
            assert least_km <= distance_km(LatLon(place.lat, place.lon), TRUE) < most_km
        assert answer.evidence[1].lat is None
        assert (answer.candidates[1].lat, answer.candidates[1].lon) == (60.17, 24.94)
        assert f'"lat": <{tools.datum} degrees>' in model.asked[0][0].text
        assert ("WGS-84" in model.asked[0][0].text) == (tools.datum is Datum.WGS84)
