"""The tools of the paper's toolset for the world: names, arguments, and how much text they give."""

import json

import pytest
from PIL import Image

from wheretaken.errors import ServiceError, ToolError
from wheretaken.geo import LatLon, distance_km
from wheretaken.maps import Place, WebPage
from wheretaken.maps.google import Google
from wheretaken.maps.router import Router
from wheretaken.maps.searxng import Searxng
from wheretaken.maps.serper import Serper
from wheretaken.maps.web import Connection, Ledger, WebSettings
from wheretaken.messages import Picture
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.services import FakeService, FakeTransport
from wheretaken.testing.services.google import Panorama, Spot, google
from wheretaken.testing.services.searxng import searxng
from wheretaken.testing.services.serper import serper
from wheretaken.tools import ToolContext
from wheretaken.tools.google import GOOGLE
from wheretaken.tools.online import worldwide_on
from wheretaken.tools.paper import LONGEST
from wheretaken.tools.worldwide import WORLDWIDE

OULU = Place(
    id="t:1", name="Oulu", kind="city", lat=65.0123456789, lon=25.4654321, address="", source="GeoNames"
)
CAFE = LatLon(60.16764, 24.94706)
SETTINGS = WebSettings.model_validate(
    {"google": {"key": "canary-key"}, "serper": {"key": "canary-key"}, "searxng": {"enabled": True}}
)


@pytest.fixture
def connect(tmp_path):
    """Make a provider that asks a fake."""
    ledger = Ledger(tmp_path / "services.sqlite")

    def connected(provider, answer):
        fake = FakeService(answer)
        return provider.connected(Connection(SETTINGS, FakeTransport(fake), ledger)), fake

    yield connected
    ledger.close()


class Pages(FewPlaces):
    """A map of a few places that also searches the web."""

    def __init__(self, pages: list[WebPage]) -> None:
        super().__init__()
        self._pages = pages

    async def web_search(self, query: str, *, limit: int = 10) -> list[WebPage]:
        return self._pages[:limit]


def context(maps) -> ToolContext:
    picture = Image.new("RGB", (400, 200), "red")
    picture.paste("blue", (200, 0, 400, 200))
    return ToolContext(maps, [Picture.encode(picture, "image/png")])


async def use(name, maps, tools=GOOGLE, **arguments):
    return await tools.find(name).call(context(maps), json.dumps(arguments))


def test_names_and_arguments_are_those_of_the_paper():
    told = {spec.name: spec.parameters for spec in GOOGLE.specs}
    assert {name: list(schema["properties"]) for name, schema in told.items()} == {
        "image_zoom_in_tool": ["bbox_2d", "label"],
        "google_search": ["query"],
        "google_map_search": ["query"],
        "google_static_map": ["latitude", "longitude"],
    }
    assert [schema["required"] for schema in told.values()] == [
        ["bbox_2d"],
        ["query"],
        ["query"],
        ["latitude", "longitude"],
    ]


async def test_a_map_search_gives_positions_that_the_map_takes(connect):
    spot = {
        "title": "Café Strindberg",
        "address": "Pohjoisesplanadi 33",
        "latitude": CAFE.lat,
        "longitude": CAFE.lon,
        "types": ["Cafe"],
        "description": "Coffee since 1996",
        "cid": "1",
    }
    maps, _ = connect(Serper, serper([spot]))
    result = await use("google_map_search", maps, query="strindberg")
    assert result.data == {
        "places": [
            {
                "title": "Café Strindberg",
                "address": "Pohjoisesplanadi 33",
                "latitude": CAFE.lat,
                "longitude": CAFE.lon,
                "types": "Cafe",
                "description": "Coffee since 1996",
            }
        ]
    }
    assert result.source == "Google, through Serper"


async def test_a_map_search_works_on_any_maps():
    result = await use("google_map_search", FewPlaces([OULU]), query="Oulu")
    (found,) = result.data["places"]
    assert found == {"title": "Oulu", "latitude": 65.012346, "longitude": 25.465432, "types": "city"}
    assert (await use("google_map_search", FewPlaces(), query="x")).data == {"places": []}


async def test_the_static_map_shows_the_position(connect):
    maps, fake = connect(Google, google())
    result = await use("google_static_map", maps, latitude=CAFE.lat, longitude=CAFE.lon)
    assert result.data == {"image": 1, "latitude": CAFE.lat, "longitude": CAFE.lon, "zoom": 19.0}
    assert result.pictures[0].open().size == (500, 500)
    assert fake.asked[0].params["center"] == "60.167640,24.947060"
    assert fake.asked[0].params["markers"].endswith("|60.167640,24.947060")
    assert "Google" in result.source


async def test_a_web_search_gives_titles_snippets_and_dates(connect):
    page = {"title": "Strindberg", "link": "https://example.org", "snippet": "A café", "date": "Mar 2, 2024"}
    maps, _ = connect(Serper, serper(pages=[page]))
    result = await use("google_search", maps, query="strindberg")
    told = {"title": "Strindberg", "snippet": "A café", "date": "Mar 2, 2024"}
    assert result.data == {"organic": [told]}


async def test_what_is_too_much_is_whole_results_less():
    pages = [
        WebPage(title=f"Page {at} " + "x" * 300, url="https://example.org", snippet="長" * 900)
        for at in range(30)
    ]
    result = await use("google_search", Pages(pages), query="x")
    assert 700 < len(result.text) <= LONGEST
    assert result.data["organic"][0]["title"].startswith("Page 0")
    assert all(len(entry["snippet"]) == 100 for entry in result.data["organic"])


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("google_map_search", {"query": ""}, "query"),
        ("google_map_search", {"query": "x" * 10_000}, "query"),
        ("google_search", {}, "query"),
        ("google_search", {"query": 7}, "query"),
        ("google_static_map", {"latitude": 24.9, "longitude": 600}, "longitude"),
        ("google_static_map", {"latitude": "x", "longitude": 6}, "latitude"),
    ],
)
async def test_wrong_arguments_are_told_to_the_model(name, arguments, told):
    maps = FewPlaces([OULU])
    with pytest.raises(ToolError, match=f"{name}: {told}"):
        await use(name, maps, **arguments)
    assert maps.asked == []


async def test_without_a_web_search_the_model_is_told_to_use_another_tool():
    with pytest.raises(ToolError, match="cannot search the web; use another tool"):
        await use("google_search", FewPlaces(), query="x")


async def test_a_failing_service_is_not_the_models_to_mend():
    with pytest.raises(ServiceError, match="down"):
        await use("google_map_search", FewPlaces(failure=ServiceError("down")), query="x")


async def test_zooming_is_that_of_the_paper():
    (crop,) = (await use("image_zoom_in_tool", FewPlaces(), bbox_2d=[500, 0, 1000, 1000])).pictures
    assert crop.open().getpixel((5, 5)) == (0, 0, 255)


def test_a_model_is_offered_what_the_maps_can_do(connect):
    def names(maps):
        return [tool.name for tool in worldwide_on(maps).tools][len(WORLDWIDE.tools) :]

    maps, _ = connect(Google, google())
    web, _ = connect(Searxng, searxng())
    assert names(FewPlaces()) == []
    assert names(maps) == ["satellite_map", "street_view"]
    assert names(web) == ["web_search"]
    assert names(Router([maps, web, FewPlaces()])) == ["satellite_map", "street_view", "web_search"]
    assert worldwide_on(FewPlaces()).tools == WORLDWIDE.tools


async def test_satellite_map_street_view_and_web_search(connect):
    maps, _ = connect(Google, google([Spot("ChIJx", "Café", CAFE)], [Panorama("p", CAFE)]))
    tools = worldwide_on(maps)
    drawn = await use(
        "satellite_map", maps, tools, lat=CAFE.lat, lon=CAFE.lon, markers=[[CAFE.lat, CAFE.lon]]
    )
    assert drawn.data["south"] < CAFE.lat < drawn.data["north"]
    assert (drawn.data["image"], drawn.data["zoom"], "note" in drawn.data) == (1, 17, False)
    pins = [[CAFE.lat, CAFE.lon]] * 11
    many = await use("satellite_map", maps, tools, lat=CAFE.lat, lon=CAFE.lon, markers=pins)
    assert "labelled A, B" in many.data["note"]
    seen = await use("street_view", maps, tools, lat=CAFE.lat, lon=CAFE.lon, heading=90)
    assert seen.data == {"image": 1, "lat": CAFE.lat, "lon": CAFE.lon, "heading": 90, "date": "2023-07"}
    assert seen.pictures[0].mime == "image/jpeg"
    assert "Street View" in seen.source
    with pytest.raises(ToolError, match="no picture from the street"):
        await use("street_view", maps, tools, lat=10, lon=10)
    web, _ = connect(Searxng, searxng([{"title": "Kafka", "url": "https://example.org", "content": "Oulu"}]))
    found = await use("web_search", web, worldwide_on(web), query="kafka")
    assert found.data == {"results": [{"title": "Kafka", "url": "https://example.org", "snippet": "Oulu"}]}
    assert found.source == "SearXNG"


async def test_the_position_of_a_result_is_the_true_one_in_china_too(connect):
    gate = LatLon(39.90735, 116.39128)
    maps, _ = connect(Google, google([Spot("ChIJg", "天安门", gate, ("tourist_attraction",))]))
    (found,) = (await use("google_map_search", maps, query="天安门")).data["places"]
    assert distance_km(LatLon(found["latitude"], found["longitude"]), gate) < 0.001
