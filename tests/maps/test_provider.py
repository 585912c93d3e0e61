"""The offline provider: one answer from the world index and the street regions together."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from wheretaken.geo import LatLon
from wheretaken.maps.base import MapPicture, MapProvider, Match, MatchKind, Place
from wheretaken.maps.offline import ranking
from wheretaken.maps.offline.provider import OfflineProvider, offline_provider
from wheretaken.maps.offline.region import builtin

HELSINKI = LatLon(60.1699, 24.9384)


def city(name: str, lat: float, lon: float, code: str, population: int, **more: object) -> Place:
    values = {"id": f"geonames:{population}", "kind": "city", "extent_km": 8.0, "admin1": "", "country": code}
    return Place.model_validate(
        {
            **values,
            "name": name,
            "lat": lat,
            "lon": lon,
            "country_code": code,
            "population": population,
            **more,
        }
    )


def met(place: Place, kind: MatchKind, similarity: float = 1.0) -> Place:
    return place.model_copy(update={"match": Match(kind=kind, alias=place.name, similarity=similarity)})


class SmallWorld:
    """Three cities; a search matches whole names exactly and longer queries partially."""

    cities = (
        city("Helsinki", 60.1695, 24.9354, "FI", 558_457, admin1="Uusimaa", country="Finland"),
        city("Paris", 48.8534, 2.3488, "FR", 2_138_551, admin1="Île-de-France", country="France"),
        city("Stockmann", 10.0, 10.0, "NG", 1_000_000, country="Nigeria"),
    )

    def __init__(self) -> None:
        self.threads: set[int] = set()

    def search(
        self, query: str, *, near: LatLon | None = None, country_code: str = "", limit: int = 10
    ) -> Sequence[Place]:
        self.threads.add(threading.get_ident())
        found = [place for place in self.cities if country_code in {"", place.country_code}]
        words = query.casefold().split()
        exact = [met(place, MatchKind.EXACT) for place in found if place.name.casefold() == query.casefold()]
        part = [
            met(place, MatchKind.PARTIAL, len(place.name) / len(query))
            for place in found
            if len(words) > 1 and place.name.casefold() in words
        ]
        return (exact + part)[:limit]

    def details(self, place_id: str, /) -> Place | None:
        return next((place for place in self.cities if place.id == place_id), None)

    def reverse(self, position: LatLon, *, limit: int = 5) -> Sequence[Place]:
        nearest = min(self.cities, key=lambda place: abs(place.lat - position.lat))
        country = nearest.model_copy(update={"id": f"country:{nearest.country_code}", "kind": "country"})
        return [nearest, country][:limit]


@pytest.fixture
def world() -> SmallWorld:
    return SmallWorld()


@pytest.fixture
def provider(world: SmallWorld) -> OfflineProvider:
    return OfflineProvider(world=lambda: world, regions=lambda: [builtin()])


async def test_a_poi_that_is_the_whole_query_beats_a_city_that_is_part_of_it(provider: OfflineProvider):
    found = await provider.search("Ravintola Kosmos")
    assert (found[0].name, found[0].kind) == ("Ravintola Kosmos", "restaurant")
    found = await provider.search("Hotel Kämp Helsinki")
    assert found[0].name.startswith("Hotel K")


async def test_a_large_city_beats_a_shop_of_the_same_name_unless_the_shop_is_near(provider: OfflineProvider):
    everywhere = await provider.search("Stockmann")
    assert (everywhere[0].kind, everywhere[0].country_code) == ("city", "NG")
    assert "department_store" in [place.kind for place in everywhere]
    near = await provider.search("Stockmann", near=HELSINKI)
    assert near[0].kind == "department_store"
    assert near[0].distance_km is not None
    assert near[0].distance_km < 1


async def test_exact_matches_come_before_inexact_ones_whatever_has_them(provider: OfflineProvider):
    found = await provider.search("Helsinki", limit=20)
    kinds = [place.match.kind is MatchKind.EXACT for place in found if place.match]
    assert len(kinds) == len(found)
    assert kinds == sorted(kinds, reverse=True)
    assert found[0].id == "geonames:558457"


async def test_a_region_place_is_told_where_it_is(provider: OfflineProvider):
    kosmos = (await provider.search("Ravintola Kosmos"))[0]
    assert (kosmos.country_code, kosmos.country, kosmos.admin1) == ("FI", "Finland", "Uusimaa")
    assert kosmos.city == "Helsinki"
    again = await provider.details(kosmos.id)
    assert again == kosmos.model_copy(update={"match": None})


async def test_a_place_is_in_the_town_and_not_in_its_quarter(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch
):
    quarter = city("Kluuvi", 60.1695, 24.946, "FI", 1_000, kind="village", extent_km=1.0, distance_km=0.3)
    town = world.cities[0].model_copy(update={"distance_km": 0.4})
    monkeypatch.setattr(world, "reverse", lambda _position, *, limit: [quarter, town][:limit])
    provider = OfflineProvider(world=lambda: world, regions=lambda: [builtin()])
    kosmos = (await provider.search("Ravintola Kosmos"))[0]
    assert kosmos.city == "Helsinki"


async def test_a_country_restricts_both_sources(provider: OfflineProvider):
    assert {place.country_code for place in await provider.search("Stockmann", country_code="fi")} == {"FI"}
    assert [place.kind for place in await provider.search("Stockmann", country_code="NG")] == ["city"]
    assert await provider.search("Stockmann", country_code="FR") == []


async def test_addresses_are_found_among_cities(provider: OfflineProvider):
    found = await provider.search("Mannerheimintie 10, Helsinki")
    assert (found[0].kind, found[0].address) == ("address", "Mannerheimintie 10")


async def test_limit_counts_both_sources(provider: OfflineProvider):
    assert len(await provider.search("Helsinki", limit=3)) == 3


async def test_details_of_every_source(provider: OfflineProvider):
    paris = await provider.details("geonames:2138551")
    assert paris is not None
    assert paris.name == "Paris"
    assert await provider.details("osm:n1") is None
    assert await provider.details("nonsense") is None


async def test_reverse_goes_from_the_door_up_to_the_country(provider: OfflineProvider):
    around = await provider.reverse(LatLon(60.1712, 24.9414), limit=6)
    assert len(around) == 6
    assert [place.kind for place in around[-2:]] == ["city", "country"]
    assert {"address", "street"} <= {place.kind for place in around[:-2]}
    assert all(place.country_code == "FI" for place in around)


async def test_reverse_outside_the_regions_is_the_worlds_answer(provider: OfflineProvider):
    around = await provider.reverse(LatLon(48.85, 2.35))
    assert [place.kind for place in around] == ["city", "country"]
    assert (await provider.reverse(HELSINKI, limit=1))[0].kind == "city"
    assert await provider.reverse(HELSINKI, limit=0) == []


async def test_overlapping_regions_do_not_double_what_is_around(world: SmallWorld, tmp_path: Path):
    own = tmp_path / "own.region.sqlite"
    own.write_bytes(builtin().read_bytes())
    provider = OfflineProvider(world=lambda: world, regions=lambda: [builtin(), own])
    around = await provider.reverse(LatLon(60.1712, 24.9414), limit=8)
    assert len({(place.id, place.kind) for place in around}) == len(around) == 8


async def test_work_runs_outside_the_event_loop(provider: OfflineProvider, world: SmallWorld):
    await provider.search("Paris")
    assert threading.get_ident() not in world.threads


async def test_nothing_is_opened_before_it_is_needed_and_then_once(world: SmallWorld):
    opened: list[str] = []

    def open_world() -> SmallWorld:
        opened.append("world")
        return world

    def find_regions() -> list[Path]:
        opened.append("regions")
        return [builtin()]

    provider = OfflineProvider(world=open_world, regions=find_regions)
    assert opened == []
    await asyncio.gather(*(provider.search("Paris") for _ in range(4)))
    assert sorted(opened) == ["regions", "world"]


def test_importing_the_provider_loads_nothing_heavy():
    check = (
        "import sys; import wheretaken.maps.offline.provider;"
        "from wheretaken.maps.offline.region import regions;"
        "heavy = {'numpy', 'shapely', 'osmium', 'mapnik', 'rapidfuzz', 'pyproj', 'cv2'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    said = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout.strip() == "[]"


async def test_a_failure_to_open_is_tried_again(world: SmallWorld):
    attempts = iter([OSError("disk full"), world])

    def open_world() -> SmallWorld:
        made = next(attempts)
        if isinstance(made, OSError):
            raise made
        return made

    provider = OfflineProvider(world=open_world, regions=list)
    with pytest.raises(OSError, match="disk full"):
        await provider.search("Paris")
    assert (await provider.search("Paris"))[0].name == "Paris"


async def test_a_map_is_asked_of_the_renderer(world: SmallWorld):
    picture = MapPicture(
        png=b"", width=64, height=80, south=0, west=0, north=1, east=1, zoom=3.0, attribution="test"
    )
    asked: list[object] = []

    class Painter:
        def render(self, centre: LatLon, **options: object) -> MapPicture:
            asked.append((centre, options))
            return picture

    provider = OfflineProvider(world=lambda: world, regions=list, renderer=Painter)
    assert await provider.road_map(HELSINKI, zoom=3, width=64, height=80, markers=[HELSINKI]) == picture
    options = {"zoom": 3, "width": 64, "height": 80, "markers": [HELSINKI], "language": ""}
    assert asked == [(HELSINKI, options)]


def test_the_shared_provider_is_one_and_is_a_map_provider():
    shared: MapProvider = offline_provider()
    assert shared is offline_provider()
    assert shared.name == "offline"


async def test_a_region_of_the_user_is_searched_as_well(world: SmallWorld, tmp_path: Path):
    own = tmp_path / "own.region.sqlite"
    own.write_bytes(builtin().read_bytes())
    with closing(sqlite3.connect(own)) as connection, connection:
        connection.execute("UPDATE things SET lat = lat + 10000000, osm = (id + 90000000000) << 2")
    provider = OfflineProvider(world=lambda: world, regions=lambda: [builtin(), own])
    found = await provider.search("Ravintola Kosmos")
    assert [place.name for place in found[:2]] == ["Ravintola Kosmos"] * 2
    assert found[0].lat != found[1].lat
    assert await provider.details(found[1].id) is not None


async def test_regions_that_come_and_go_are_noticed_and_make_another_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WHERETAKEN_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("wheretaken.maps.offline.provider._LOOK_EVERY", 0.0)
    provider = OfflineProvider(world=SmallWorld)
    seen = [provider.version]
    (kiosk,) = (place for place in await provider.search("Ravintola Kosmos") if place.match)
    own = tmp_path / "regions" / "own.region.sqlite"
    own.parent.mkdir()
    changed = tmp_path / "changed.sqlite"
    changed.write_bytes(builtin().read_bytes())
    with closing(sqlite3.connect(changed)) as connection, connection:
        connection.execute("UPDATE things SET lat = lat + 10000000, osm = (id + 90000000000) << 2")
    changed.replace(own)
    seen.append(provider.version)
    assert len({place.lat for place in await provider.search(kiosk.name)}) == 2
    own.unlink()
    seen.append(provider.version)
    assert [place.lat for place in await provider.search(kiosk.name)] == [kiosk.lat]
    assert seen[0] == seen[2] != seen[1]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (met(city("A", 0, 0, "FI", 1), MatchKind.EXACT), met(city("A", 9, 9, "FR", 900), MatchKind.STRIPPED)),
        (met(city("A", 0, 0, "FI", 9), MatchKind.EXACT), met(city("A", 9, 9, "FR", 1), MatchKind.EXACT)),
        (
            met(city("A", 0, 0, "FI", 1), MatchKind.FUZZY, 0.9),
            met(city("A", 9, 9, "FR", 900), MatchKind.PARTIAL, 0.3),
        ),
    ],
)
def test_order_is_exactness_then_similarity_then_importance(first: Place, second: Place):
    assert ranking.order(first) < ranking.order(second)


def test_nearness_comes_before_importance():
    near = ranking.with_distance(met(city("A", 60.2, 24.9, "FI", 10), MatchKind.EXACT), HELSINKI)
    far = ranking.with_distance(met(city("A", 10, 10, "NG", 900), MatchKind.EXACT), HELSINKI)
    assert near.distance_km == pytest.approx(4.0, abs=0.6)
    assert ranking.best([far, near], 2) == [near, far]
