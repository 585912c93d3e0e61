import itertools
from collections.abc import Callable
from typing import Any

import pytest

from wheretaken.errors import (
    AccessError,
    BusyError,
    QuotaError,
    ServiceError,
    ToolError,
    UserError,
)
from wheretaken.geo import LatLon
from wheretaken.maps import MatchKind, UnsupportedError
from wheretaken.maps.osm import Nominatim
from wheretaken.maps.web import Connection, WebSettings
from wheretaken.testing.services import FakeService, Reply, loop_time, status
from wheretaken.testing.services.osm import Element, nominatim

Make = Callable[..., Any]


async def test_a_poi_comes_with_its_address_and_its_divisions_in_english(
    make: Make, elements: list[Element]
) -> None:
    provider = make(Nominatim, FakeService(nominatim(elements)))
    (place,) = await provider.search("zucchini", near=LatLon(60.1699, 24.9384))
    assert (place.id, place.name, place.kind, place.address) == (
        "osm:n1",
        "Zucchini",
        "restaurant",
        "Fabianinkatu 4",
    )
    assert (place.city, place.admin1, place.country, place.country_code) == (
        "Helsinki",
        "Uusimaa",
        "Finland",
        "FI",
    )
    assert (place.lat, place.lon, place.extent_km) == (60.16614, 24.94946, 0.05)
    assert place.distance_km == pytest.approx(0.744, abs=0.01)
    assert place.match is not None
    assert place.match.kind is MatchKind.EXACT
    assert place.source == "© OpenStreetMap contributors (ODbL)"
    assert place.more == {"phone": "+358 9 622 2907"}


async def test_the_name_is_that_on_signs_whatever_language_was_asked_for(
    make: Make, elements: list[Element]
) -> None:
    upstream = FakeService(nominatim(elements))
    (place,) = await make(Nominatim, upstream).search("tokyo")
    assert (place.name, place.english, place.kind) == ("東京", "Tokyo", "station")
    assert upstream.asked[0].params["accept-language"] == "en"
    assert place.match is not None
    assert place.match.alias == "Tokyo"


async def test_towns_streets_and_houses_are_told_apart(make: Make, elements: list[Element]) -> None:
    provider = make(Nominatim, FakeService(nominatim(elements)))
    found = {one: await provider.details(one) for one in ("osm:r34914", "osm:w2", "osm:n4")}
    city, street, house = found.values()
    assert (city.kind, city.city, city.population) == ("city", "", 658457)
    assert 20 < city.extent_km < 35
    assert (street.kind, street.city, street.address) == ("street", "Helsinki", "")
    assert 0.2 < street.extent_km < 0.4
    assert (house.kind, house.name, house.address) == ("address", "Fabianinkatu 4b", "Fabianinkatu 4b")


async def test_a_building_with_a_name_is_no_mere_address(make: Make) -> None:
    address = {"house_number": "1", "road": "Main Street"}
    buildings = [
        Element("w1", 1, 2, {"building": "yes", "name": "Crystal House"}, address),
        Element("w2", 1, 2, {"building": "yes"}, address),
    ]
    provider = make(Nominatim, FakeService(nominatim(buildings)))
    named, nameless = [await provider.details(one) for one in ("osm:w1", "osm:w2")]
    assert (named.name, named.kind, named.address) == ("Crystal House", "building", "Main Street 1")
    assert (nameless.name, nameless.kind) == ("Main Street 1", "address")


async def test_details_know_elements_only(make: Make, elements: list[Element]) -> None:
    upstream = FakeService(nominatim(elements))
    provider = make(Nominatim, upstream)
    assert await provider.details("osm:n999") is None
    for place_id in ("geonames:1", "osm:x1", "osm:n1,W2", "osm:n1/../..", "osm:n"):
        assert await provider.details(place_id) is None
    assert upstream.asked[0].params["osm_ids"] == "N999"
    assert len(upstream.asked) == 1


async def test_reverse_gives_the_closest_and_at_sea_nothing(make: Make, elements: list[Element]) -> None:
    provider = make(Nominatim, FakeService(nominatim(elements)))
    (place,) = await provider.reverse(LatLon(60.16615, 24.9495))
    assert place.id == "osm:n1"
    assert place.distance_km == pytest.approx(0.0025, abs=0.001)
    assert place.match is None
    assert await provider.reverse(LatLon(0, 0)) == []


async def test_near_and_country_are_passed_on(make: Make, elements: list[Element]) -> None:
    upstream = FakeService(nominatim(elements))
    provider = make(Nominatim, upstream)
    assert await provider.search("tokyo", country_code="FI", near=LatLon(-89.9, -179.9), limit=99) == []
    params = upstream.asked[0].params
    assert (params["countrycodes"], params["limit"]) == ("fi", "40")
    assert params["viewbox"] == "-180.00000,-89.60000,-179.60000,-90.00000"
    assert "bounded" not in params


async def test_the_application_says_who_it_is_and_asks_once_a_second(
    make: Make, elements: list[Element]
) -> None:
    upstream = FakeService(nominatim(elements))
    provider = make(Nominatim, upstream, contact="desk@example.org")
    for _ in range(3):
        await provider.search("zucchini")
    assert upstream.asked[0].headers["user-agent"].endswith("(desk@example.org)")
    times = [asked.at for asked in upstream.asked]
    assert all(later - earlier >= 0.999 for earlier, later in itertools.pairwise(times))
    assert loop_time() < 3


@pytest.mark.parametrize("limits", [{"per_second": 2}, {"burst": 5}, {"concurrency": 4}])
def test_the_public_server_is_not_asked_faster_than_it_allows(limits: dict[str, int]) -> None:
    with pytest.raises(UserError, match="one request a second"):
        Nominatim.connected(Connection(WebSettings(nominatim={"limits": limits})))
    Nominatim.connected(Connection(WebSettings(nominatim={"limits": limits, "url": "http://127.0.0.1:8088"})))


async def test_names_are_not_completed_and_countries_not_listed(make: Make) -> None:
    upstream = FakeService(nominatim([]))
    provider = make(Nominatim, upstream)
    assert not provider.can("suggest")
    with pytest.raises(UnsupportedError):
        await provider.suggest("hel")
    with pytest.raises(UnsupportedError):
        await provider.search(" ", country_code="FI")
    assert upstream.asked == []


@pytest.mark.parametrize(
    ("reply", "error", "said"),
    [
        (Reply(b"Access blocked", "text/html", 403), AccessError, "set maps.contact"),
        (Reply.json({"error": {"code": 400, "message": "Bad viewbox"}}, 400), ToolError, "Bad viewbox"),
        (Reply(b"", "text/html", 414), ToolError, "shorten it"),
        (Reply.json({"nonsense": 1}), ServiceError, "unexpected"),
        (
            Reply.json([{"lat": "95", "lon": "0", "category": "a", "type": "b", "display_name": ""}]),
            ServiceError,
            "lat",
        ),
        (Reply(b"", "text/plain", 500), ServiceError, "HTTP 500"),
    ],
)
async def test_errors_are_read_as_nominatim_sends_them(
    make: Make, reply: Reply, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        await make(Nominatim, FakeService(lambda _: reply)).search("x")


async def test_too_many_requests_are_waited_for_and_then_told(make: Make, elements: list[Element]) -> None:
    upstream = FakeService(nominatim(elements))
    upstream.fail(status(429, retry_after=5))
    assert await make(Nominatim, upstream).search("zucchini")
    assert upstream.asked[1].at >= 5
    upstream.fail(status(429, retry_after=600))
    with pytest.raises(BusyError) as caught:
        await make(Nominatim, upstream).search("zucchini")
    assert caught.value.retry_after == 600


async def test_a_day_may_be_bounded(make: Make, elements: list[Element]) -> None:
    provider = make(Nominatim, FakeService(nominatim(elements)), nominatim={"limits": {"daily": 1}})
    await provider.search("zucchini")
    with pytest.raises(QuotaError):
        await provider.search("zucchini")


async def test_a_postcode_is_a_place_without_an_element(make: Make) -> None:
    postcode = {
        "place_id": 77, "lat": "60.1", "lon": "24.9", "category": "place", "type": "postcode",
        "addresstype": "postcode", "display_name": "00130, Helsinki", "address": {"postcode": "00130"},
    }  # fmt: skip
    provider = make(Nominatim, FakeService(lambda _: Reply.json([postcode])))
    (place,) = await provider.search("00130")
    assert (place.id, place.name, place.kind) == ("nominatim:77", "00130", "postcode")


async def test_a_key_for_a_server_of_ones_own_is_sent_and_never_shown(make: Make) -> None:
    upstream = FakeService(lambda asked: Reply.json({"error": f"bad key {asked.params['key']}"}, 400))
    section = {"key": "s3cret-key", "url": "https://geo.test"}
    with pytest.raises(ToolError) as caught:
        await make(Nominatim, upstream, nominatim=section).search("x")
    assert upstream.asked[0].params["key"] == "s3cret-key"
    assert "s3cret" not in str(caught.value)
