import pytest

from wheretaken.geo.latlon import LatLon
from wheretaken.maps.offline.world import WorldIndex


@pytest.mark.parametrize(
    ("lat", "lon", "country", "admin1"),
    [
        (48.8606, 2.3376, "FR", "admin:FR-75"),
        (60.17, 24.94, "FI", "admin:FI-18"),
        (47.5596, 7.5886, "CH", "admin:CH-BS"),
        (47.6156, 7.6614, "DE", "admin:DE-BW"),
        (35.6586, 139.7454, "JP", "admin:JP-13"),
        (38.8977, -77.0365, "US", "admin:US-DC"),
        (-17.0, 179.99, "FJ", "admin:FJ-N"),
        (-16.8, -179.97, "FJ", "admin:FJ-N"),
    ],
)
def test_country_and_division(world_index: WorldIndex, lat: float, lon: float, country: str, admin1: str):
    assert world_index.country_at(lat, lon) == country
    division = world_index.admin1_at(lat, lon)
    assert division
    assert division.id == admin1


@pytest.mark.parametrize(("lat", "lon"), [(0.0, -30.0), (-45.0, -120.0), (89.9, 0.0), (30.0, 180.0)])
def test_the_open_sea_belongs_to_nobody(world_index: WorldIndex, lat: float, lon: float):
    assert world_index.country_at(lat, lon) == ""
    assert world_index.reverse(LatLon(lat, lon)) == []
    assert world_index.admin1_at(lat, lon) is None


def test_near_the_coast_the_land_counts(world_index: WorldIndex):
    assert world_index.country_at(51.1, 1.55) == "GB"
    assert world_index.country_at(60.0, 25.0) == "FI"


def test_reverse_goes_from_the_closest_to_the_country(world_index: WorldIndex):
    found = world_index.reverse(LatLon(48.8606, 2.3376))
    assert found[0].name == "Paris 01 Louvre"
    assert [p.id for p in found[-2:]] == ["admin:FR-75", "country:FR"]
    assert len(found) == 5
    assert len(world_index.reverse(LatLon(48.8606, 2.3376), limit=1)) == 1


def test_places_of_a_country(world_index: WorldIndex):
    found = world_index.places_in_country("kr", 3)
    assert found[0].name == "서울"
    assert [p.population for p in found] == sorted((p.population for p in found), reverse=True)
    assert world_index.places_in_country("ZZ") == []


def test_country_box(world_index: WorldIndex):
    switzerland = world_index.country("ch")
    assert switzerland
    assert 40_000 < switzerland.area_km2 < 43_000
    assert switzerland.south < 46
    assert switzerland.north > 47
    assert world_index.country("ZZ") is None


def test_a_box_across_the_antimeridian_has_its_west_in_the_east(world_index: WorldIndex):
    fiji = world_index.country("FJ")
    assert fiji
    assert fiji.west > 170
    assert fiji.east < -170
