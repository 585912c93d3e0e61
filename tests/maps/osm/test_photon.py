from collections.abc import Callable
from typing import Any

import pytest

from wheretaken.errors import ServiceError
from wheretaken.geo import LatLon
from wheretaken.maps import MatchKind, UnsupportedError
from wheretaken.maps.osm import Photon
from wheretaken.testing.services import FakeService, Reply
from wheretaken.testing.services.osm import Element, photon

Make = Callable[..., Any]


async def test_places_come_with_local_names_and_the_country_code(make: Make, elements: list[Element]) -> None:
    upstream = FakeService(photon(elements))
    (place,) = await make(Photon, upstream).search("tokyo", near=LatLon(35.68, 139.76))
    assert (place.id, place.name, place.kind, place.country_code) == ("osm:n3", "東京", "station", "JP")
    assert (place.city, place.country) == ("Chiyoda", "")
    assert place.distance_km == pytest.approx(0.66, abs=0.01)
    params = upstream.asked[0].params
    assert (params["lat"], params["lon"]) == ("35.680000", "139.760000")
    assert "lang" not in params


async def test_names_are_completed(make: Make, elements: list[Element]) -> None:
    provider = make(Photon, FakeService(photon(elements)))
    found = await provider.suggest("Fabianin")
    assert [(place.id, place.kind) for place in found] == [("osm:w2", "street")]
    assert found[0].match is not None
    assert found[0].match.kind is MatchKind.PREFIX
    assert await provider.suggest(" ") == []


async def test_an_extent_is_half_its_diagonal_and_a_point_is_small(
    make: Make, elements: list[Element]
) -> None:
    provider = make(Photon, FakeService(photon(elements)))
    (city,) = await provider.search("Helsingfors")
    (poi,) = await provider.search("Zucchini")
    assert (city.kind, poi.kind) == ("city", "restaurant")
    assert 20 < city.extent_km < 35
    assert poi.extent_km == 0.05


async def test_reverse_lists_what_is_near_by_distance(make: Make, elements: list[Element]) -> None:
    upstream = FakeService(photon(elements))
    found = await make(Photon, upstream).reverse(LatLon(60.16614, 24.94946), limit=3)
    assert [place.id for place in found] == ["osm:n1", "osm:n4", "osm:w2"]
    assert found[1].name == "Fabianinkatu 4b"
    distances = [place.distance_km for place in found]
    assert distances == sorted(distances)


async def test_servers_that_ignore_the_country_are_filtered(make: Make, elements: list[Element]) -> None:
    upstream = FakeService(photon(elements))
    assert await make(Photon, upstream).search("tokyo", country_code="FI") == []
    assert upstream.asked[0].params["countrycode"] == "FI"


async def test_a_country_alone_is_another_providers_question(make: Make) -> None:
    provider = make(Photon, FakeService(photon([])))
    with pytest.raises(UnsupportedError):
        await provider.search("", country_code="FI")
    assert not provider.can("details")


@pytest.mark.parametrize("body", [{"features": [{}]}, [], {"features": [{"geometry": {"coordinates": [1]}}]}])
async def test_another_shape_is_the_services_failure(make: Make, body: Any) -> None:
    with pytest.raises(ServiceError, match="photon: answered something unexpected"):
        await make(Photon, FakeService(lambda _: Reply.json(body))).search("x")
