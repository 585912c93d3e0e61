"""Searching, completing, looking up, and what is at a position: what is asked, and what comes of it."""

import pytest

from wheretaken.errors import UserError
from wheretaken.geo import Datum, LatLon, distance_km
from wheretaken.maps import MatchKind, Place, UnsupportedError
from wheretaken.maps.google import Google
from wheretaken.maps.google.languages import language_of
from wheretaken.maps.google.reading import Found
from wheretaken.maps.web import Connection, WebSettings
from wheretaken.testing.services import Reply, half_body, status


def where(place: Place) -> LatLon:
    return LatLon(place.lat, place.lon)


async def test_a_search_fills_the_whole_place(asked) -> None:
    (found,) = await asked.provider.search("strindberg", near=LatLon(60.17, 24.94), country_code="FI")
    assert found.model_dump(exclude={"lat", "lon", "extent_km", "distance_km", "match"}) == {
        "id": "google:ChIJcafe",
        "name": "Café Strindberg",
        "kind": "cafe",
        "country_code": "FI",
        "country": "Finland",
        "admin1": "Uusimaa",
        "city": "Helsinki",
        "address": "Pohjoisesplanadi 33",
        "english": "",
        "population": 0,
        "source": "Google Maps; Listings by Example",
        "more": {"types": "cafe, restaurant"},
    }
    assert distance_km(where(found), LatLon(60.16764, 24.94706)) < 0.001
    assert found.distance_km == pytest.approx(0.47, abs=0.02)
    assert found.extent_km == pytest.approx(0.125, abs=0.01)


async def test_a_search_asks_for_no_field_that_costs_more(asked) -> None:
    await asked.provider.search("Café Strindberg", limit=3)
    (request,) = asked.fake.asked
    fields = {name.removeprefix("places.") for name in request.headers["x-goog-fieldmask"].split(",")}
    pro = {
        "displayName",
        "primaryType",
        "location",
        "viewport",
        "types",
        "addressComponents",
        "formattedAddress",
    }
    assert fields == pro | {"id", "attributions"}
    assert (request.host, request.json) == (
        "places.googleapis.com",
        {"textQuery": "Café Strindberg", "languageCode": "en", "pageSize": 3},
    )


async def test_near_prefers_and_a_country_restricts(asked) -> None:
    names = [place.country_code for place in await asked.provider.search("café", near=LatLon(59.3, 18.0))]
    assert names == ["SE", "FI"]
    only = await asked.provider.search("café", near=LatLon(59.3, 18.0), country_code="FI")
    assert [place.country_code for place in only] == ["FI"]
    assert asked.fake.asked[1].json["regionCode"] == "fi"


async def test_a_match_says_how_the_query_met_the_name(asked) -> None:
    (exact, _) = await asked.provider.search("CAFÉ STRINDBERG")
    assert (exact.match.kind, exact.match.alias) == (MatchKind.EXACT, "Café Strindberg")


async def test_what_no_search_finds_is_read_as_an_address(asked) -> None:
    asked.fake.fail(lambda delivery: delivery.__class__(Reply.json({})))
    (found,) = await asked.provider.search("Pohjoisesplanadi 33", country_code="FI")
    assert found.id == "google:ChIJcafe"
    assert [request.path for request in asked.fake.asked] == [
        "/v1/places:searchText",
        "/maps/api/geocode/json",
    ]
    assert asked.fake.asked[1].params["components"] == "country:FI"


async def test_what_nobody_knows_is_an_empty_list(asked) -> None:
    assert await asked.provider.search("Nowhere at all") == []
    assert await asked.provider.suggest("Nowhere") == []
    assert await asked.provider.reverse(LatLon(0, -150)) == []


async def test_an_empty_query_is_for_another_provider(asked) -> None:
    with pytest.raises(UnsupportedError, match="without a query"):
        await asked.provider.search(" ", country_code="FI")
    assert asked.fake.asked == []


async def test_names_are_asked_for_in_the_script_of_the_query(asked) -> None:
    (found,) = await asked.provider.search("天安门")
    assert asked.fake.asked[0].json["languageCode"] == "zh-CN"
    assert (found.name, found.country_code, found.country) == ("天安门", "CN", "")


@pytest.mark.parametrize(
    ("query", "country", "language"),
    [
        ("北京站", "", "zh-CN"), ("東京駅", "JP", "ja"), ("東京タワー", "", "ja"), ("台北站", "TW", "zh-TW"),
        ("서울역", "KR", "ko"), ("Красная площадь 1", "", "ru"), ("طهران", "", "ar"), ("Αθήνα", "GR", "el"),
        ("ตลาด", "", "th"), ("Café 21", "JP", "en"), ("", "", "en"), ("😀 12", "", "en"),
    ],
)  # fmt: skip
def test_the_language_of_a_query(query: str, country: str, language: str) -> None:
    assert language_of(query, country) == language


async def test_positions_in_mainland_china_are_converted_both_ways(asked) -> None:
    gate = LatLon(39.90735, 116.39128)
    (found,) = await asked.provider.search("天安门", near=gate)
    assert distance_km(where(found), gate) < 0.001
    assert found.distance_km < 0.001
    asked_at = asked.fake.asked[0].json["locationBias"]["circle"]["center"]
    shown = LatLon(asked_at["latitude"], asked_at["longitude"])
    assert 0.4 < distance_km(shown, gate) < 0.7
    assert shown.lat == pytest.approx(gate.to(Datum.GCJ02).lat)
    (around, *_) = await asked.provider.reverse(gate)
    assert around.distance_km < 0.001


async def test_googles_own_position_of_the_gate_of_heavenly_peace() -> None:
    place = Found.model_validate(
        {"id": "x", "location": {"latitude": 39.9087202, "longitude": 116.3974799}}
    ).place()
    # 39.9073 N, 116.3912 E by GPS; read as WGS-84 it would be more than half a kilometre off.
    assert distance_km(where(place), LatLon(39.9073, 116.3912)) < 0.05


async def test_completions_get_their_position_from_the_cheap_details(asked) -> None:
    (first, second) = await asked.provider.suggest("Café S", near=LatLon(60.17, 24.94))
    assert (first.id, first.name, first.country_code) == ("google:ChIJcafe", "Café Strindberg", "FI")
    assert second.country_code == "SE"
    assert first.match.kind is MatchKind.PREFIX
    assert distance_km(where(first), LatLon(60.16764, 24.94706)) < 0.001
    _, *details = asked.fake.asked
    assert {request.path for request in details} == {"/v1/places/ChIJcafe", "/v1/places/ChIJshadow"}
    assert not any(
        {"displayName", "primaryType"} & set(r.headers["x-goog-fieldmask"].split(",")) for r in details
    )


async def test_details_by_id(asked) -> None:
    found = await asked.provider.details("google:ChIJhelsinki")
    assert (found.name, found.kind, found.admin1, found.city, found.address) == (
        "Helsinki", "city", "Uusimaa", "", "",
    )  # fmt: skip
    assert found.match is None
    assert 15 < found.extent_km < 20


@pytest.mark.parametrize(
    "place_id", ["google:ChIJgone", "osm:n1", "google:", "google:a/photos", "google:../x"]
)
async def test_an_id_that_google_does_not_know_is_no_place(place_id: str, asked) -> None:
    assert await asked.provider.details(place_id) is None
    assert len(asked.fake.asked) == (place_id == "google:ChIJgone")


async def test_reverse_goes_from_the_house_to_the_town(asked) -> None:
    around = await asked.provider.reverse(LatLon(60.1677, 24.9470))
    assert [(place.kind, place.name) for place in around] == [
        ("cafe", "Pohjoisesplanadi 33"),
        ("city", "Helsinki"),
    ]
    assert around[0].distance_km == pytest.approx(0.007, abs=0.005)
    assert [place.kind for place in await asked.provider.reverse(LatLon(60.1677, 24.9470), limit=1)] == [
        "cafe"
    ]


async def test_of_equal_addresses_and_codes_one_is_told(asked) -> None:
    entry = {"geometry": {"location": {"lat": 1.0, "lng": 2.0}}, "formatted_address": "Main St 1, Town"}
    results = [
        entry | {"place_id": "a", "types": ["street_address"]},
        entry | {"place_id": "b", "types": ["street_address"]},
        entry | {"place_id": "c", "types": ["plus_code"]},
        entry | {"place_id": "d", "types": ["postal_code"]},
    ]
    asked.fake.fail(lambda delivery: delivery.__class__(Reply.json({"results": results, "status": "OK"})))
    assert [place.id for place in await asked.provider.reverse(LatLon(1, 2))] == ["google:a"]


@pytest.mark.parametrize(
    ("types", "kind"),
    [
        (["country", "political"], "country"), (["administrative_area_level_1"], "admin1"),
        (["administrative_area_level_3"], "district"), (["sublocality_level_2", "sublocality"], "district"),
        (["route"], "street"), (["premise"], "address"), (["international_airport", "airport"], "airport"),
        (["point_of_interest", "establishment"], "poi"), ([], "poi"), (["establishment", "museum"], "museum"),
    ],
)  # fmt: skip
def test_kinds_are_those_of_all_providers(types: list[str], kind: str) -> None:
    assert Found.model_validate({"id": "x", "location": {}, "types": types}).kind == kind


def test_a_position_on_equator_or_meridian_may_lack_its_zero() -> None:
    place = Found.model_validate({"id": "x", "location": {"longitude": 9.45}}).place()
    assert (place.lat, place.lon, place.name) == (0.0, 9.45, "")


def test_the_number_stands_where_it_stands_in_the_address() -> None:
    parts = [{"longText": "10", "types": ["street_number"]}, {"longText": "High Street", "types": ["route"]}]
    found = {"id": "x", "location": {}, "types": ["street_address"], "addressComponents": parts}
    before = Found.model_validate(found | {"formattedAddress": "10 High Street, London"})
    after = Found.model_validate(found | {"formattedAddress": "High Street 10, London"})
    assert (before.place().address, after.place().address) == ("10 High Street", "High Street 10")


async def test_a_hiccup_is_survived(asked) -> None:
    asked.fake.fail(status(503), half_body())
    assert len(await asked.provider.search("café")) == 2
    assert len(asked.fake.asked) == 3


def test_without_a_key_there_is_no_google() -> None:
    with pytest.raises(UserError, match="WHERETAKEN_GOOGLE_KEY"):
        Google.connected(Connection(WebSettings()))


def test_what_the_terms_allow_to_keep(asked) -> None:
    days = {name: asked.provider.keep_days(name) for name in ("search", "suggest", "details", "reverse")}
    assert set(days.values()) == {30}
    assert {asked.provider.keep_days(name) for name in ("road_map", "satellite", "street_view")} == {0}


def test_what_it_can(asked) -> None:
    operations = (
        "search",
        "suggest",
        "details",
        "reverse",
        "road_map",
        "satellite",
        "street_view",
        "web_search",
    )
    assert [asked.provider.can(name) for name in operations] == [True] * 7 + [False]
