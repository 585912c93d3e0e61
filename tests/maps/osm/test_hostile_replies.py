"""Whatever a service answers, a provider gives places or an error of ours."""

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from wheretaken.errors import WheretakenError
from wheretaken.geo import LatLon
from wheretaken.maps import MapProvider, Place
from wheretaken.maps.osm import Nominatim, Overpass, Photon
from wheretaken.maps.web import Connection, Ledger, WebSettings
from wheretaken.testing.services import FakeService, FakeTransport, Reply, run

HERE = LatLon(60.17, 24.94)
VALID: dict[type[MapProvider], Any] = {
    Nominatim: [
        {
            "place_id": 1, "osm_type": "node", "osm_id": 1, "lat": "60.1", "lon": "180", "category": "place",
            "type": "town", "addresstype": "town", "display_name": "Xy, Y", "address": {"country_code": "fi"},
            "namedetails": {"name": "Xy"}, "extratags": {"population": "7"},
            "boundingbox": ["60.0", "60.2", "179.9", "180.00005"],
        }
    ],
    Photon: {
        "features": [
            {
                "geometry": {"coordinates": [24.9, 60.1]},
                "properties": {
                    "osm_type": "N", "osm_id": 1, "osm_key": "place", "osm_value": "town", "name": "Xy",
                    "extent": [24.8, 60.2, 25.0, 60.0],
                },
            }
        ]
    },
    Overpass: {
        "elements": [
            {"type": "node", "id": 1, "lat": 60.1, "lon": 24.9, "tags": {"place": "town", "name": "Xy"}},
            {"type": "area", "id": 2, "tags": {"admin_level": "2", "name": "Suomi"}},
        ]
    },
}  # fmt: skip

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def spots(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every value inside a value."""
    inside: list[Any] = []
    if isinstance(value, dict):
        inside = [*value.items()]
    elif isinstance(value, list):
        inside = [*enumerate(value)]
    return [at, *(spot for key, one in inside for spot in spots(one, (*at, key)))]


def replaced(value: Any, at: tuple[Any, ...], by: Any) -> Any:
    if not at:
        return by
    changed = copy.deepcopy(value)
    holder = changed
    for step in at[:-1]:
        holder = holder[step]
    holder[at[-1]] = by
    return changed


def ask(provider: type[Any], answer: Any, ledger: Ledger) -> list[Place]:
    async def asked() -> list[Place]:
        limits = {"per_second": 1e6, "burst": 1000, "attempts": 1}
        section = {provider.name: {"limits": limits, "url": "https://osm.test"}}
        fake = FakeService(lambda _: Reply.json(answer))
        one = provider.connected(Connection(WebSettings(**section), FakeTransport(fake), ledger))
        return list(await one.search("Xy", near=HERE))

    return run(asked())


@pytest.mark.parametrize("provider", list(VALID))
def test_the_replies_that_are_spoilt_here_are_valid(provider: type[Any], ledger: Ledger) -> None:
    (place,) = ask(provider, VALID[provider], ledger)
    assert (place.id, place.name, place.kind) == ("osm:n1", "Xy", "town")


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("provider", list(VALID))
@given(data=st.data(), by=anything)
@example(data=None, by="9" * 5000)
@example(data=None, by=float("nan"))
@example(data=None, by={"two\nlines" * 20: 5})
def test_any_spoilt_reply_gives_places_or_an_error_of_ours(
    provider: type[Any], ledger: Ledger, data: Any, by: Any
) -> None:
    valid = VALID[provider]
    ways = spots(valid) if data is None else [data.draw(st.sampled_from(spots(valid)))]
    for way in ways:
        try:
            found = ask(provider, replaced(valid, way, by), ledger)
        except WheretakenError as error:
            said = str(error)
        else:
            said = "".join(type(place).__name__ for place in found)
            assert said == Place.__name__ * len(found)
        assert "\n" not in said
        assert len(said) < 300
