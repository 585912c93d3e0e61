"""Several things close together: found as a comparison of all with all finds them, complete ones first."""

import itertools

import pytest

from wheretaken.errors import ToolError
from wheretaken.geo import LatLon, distance_km
from wheretaken.maps.base import Combination, MapProvider, UnsupportedError
from wheretaken.maps.offline.provider import OfflineProvider
from wheretaken.maps.offline.region import Region, builtin


@pytest.fixture(scope="module")
def provider() -> OfflineProvider:
    return OfflineProvider(regions=lambda: [builtin()])


def metres(found: Combination) -> list[float]:
    spots = [LatLon(one.place.lat, one.place.lon) for one in found.members if one.place]
    return [distance_km(one, other) * 1000 for one, other in itertools.combinations(spots, 2)]


async def test_complete_combinations_come_first_and_are_close_together(provider: OfflineProvider):
    found = await provider.combination(["K-Market", "tram stop", "church"], within_m=150)
    assert [one.matched for one in found] == sorted((one.matched for one in found), reverse=True)
    best = found[0]
    assert best.matched == 3
    assert [one.wanted for one in best.members] == ["K-Market", "tram stop", "church"]
    assert max(metres(best)) == pytest.approx(best.spread_m, abs=2)
    assert best.spread_m <= 300
    partial = next(one for one in found if one.matched == 2)
    assert sum(one.place is None for one in partial.members) == 1
    assert partial.score < best.score


async def test_every_complete_combination_is_found(provider: OfflineProvider):
    wanted, within = ["pharmacy", "tram stop"], 100
    with Region(builtin()) as region:
        parts = [region.members(one, step_km=0.05) for one in wanted]
    near = {
        int(parts[0].numbers[n])
        for n in range(parts[0].size)
        for k in range(parts[1].size)
        if distance_km(
            LatLon(float(parts[0].lats[n]), float(parts[0].lons[n])),
            LatLon(float(parts[1].lats[k]), float(parts[1].lons[k])),
        )
        <= within / 1000
    }
    found = await provider.combination(wanted, within_m=within, limit=20)
    assert near
    # Combinations around one spot are one result, so there are no more than things, and one for each cluster.
    assert 0 < len(found) <= len(near)
    assert all(max(metres(one)) <= within + 1 for one in found)


async def test_a_street_counts_where_it_passes(provider: OfflineProvider):
    best = (await provider.combination(["Zucchini", "Fabianinkatu"], within_m=100))[0]
    street = best.members[1].place
    assert street is not None
    assert street.kind == "street"
    assert best.spread_m < 100


async def test_near_and_radius_hold(provider: OfflineProvider):
    near = LatLon(60.1648, 24.9447)
    found = await provider.combination(["cafe", "restaurant"], near=near, radius_km=0.3)
    assert found
    assert all((one.distance_km or 0) < 0.5 for one in found)
    assert await provider.combination(["cafe", "bank"], near=LatLon(0, 0), radius_km=5) == []
    assert await provider.combination(["cafe", "bank"], country_code="FR") == []


@pytest.mark.parametrize("wanted", [["one"], [], ["same", "same "], list("abcdefghij")])
async def test_too_few_and_too_many_are_told(provider: OfflineProvider, wanted: list[str]):
    with pytest.raises(ToolError, match="2 to 8"):
        await provider.combination(wanted)


async def test_nothing_close_together_is_no_result(provider: OfflineProvider):
    assert await provider.combination(["Qwxyzqw", "Vbnmkvb"]) == []


async def test_other_providers_say_that_they_cannot():
    class Nobody(MapProvider):
        name = "nobody"

    with pytest.raises(UnsupportedError, match="close together"):
        await Nobody().combination(["a", "b"])
