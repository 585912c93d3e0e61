import threading

import pytest

from wheretaken.errors import DataError
from wheretaken.geo.latlon import Datum, LatLon
from wheretaken.maps.base import MatchKind
from wheretaken.maps.offline.world import WorldIndex


@pytest.mark.parametrize(
    ("query", "english", "country"),
    [
        ("Paris", "Paris", "FR"),
        ("LONDON", "London", "GB"),
        ("港区", "Minato City", "JP"),
        ("เพชรบุรี", "Phetchaburi", "TH"),
        ("평양", "Pyongyang", "KP"),
        ("서울", "Seoul", "KR"),
        ("Москва", "Moscow", "RU"),
        ("القاهرة", "Cairo", "EG"),
        ("Αθήνα", "Athens", "GR"),
        ("தமிழ்", "", ""),
        ("சென்னை", "Chennai", "IN"),
        ("თბილისი", "Tbilisi", "GE"),
        ("上海", "Shanghai", "CN"),
        ("Kobenhavn", "Copenhagen", "DK"),
        ("New York", "New York City", "US"),
    ],
)
def test_names_in_every_script(world_index: WorldIndex, query: str, english: str, country: str):
    found = [p for p in world_index.search(query) if p.match and p.match.kind is MatchKind.EXACT]
    if not english:
        assert found == []
        return
    assert (found[0].english or found[0].name, found[0].country_code) == (english, country)
    assert found[0].match
    assert found[0].match.similarity == 1


@pytest.mark.parametrize(
    ("query", "english", "country", "kind"),
    [
        ("City of London", "London", "GB", MatchKind.STRIPPED),
        ("München Hauptbahnhof", "Munich", "DE", MatchKind.STRIPPED),
        ("東京駅", "Tokyo", "JP", MatchKind.STRIPPED),
        ("สถานีรถไฟเพชรบุรี", "Phetchaburi", "TH", MatchKind.STRIPPED),
        ("Palais du LOUVRE", "Paris 01 Louvre", "FR", MatchKind.PARTIAL),
        ("Welcome to Springfield", "Springfield", "US", MatchKind.PARTIAL),
        ("清潔できれいな港区を", "Minato City", "JP", MatchKind.PARTIAL),
        ("東京都港区", "Minato City", "JP", MatchKind.PARTIAL),
        ("ยินดีต้อนรับสู่เชียงใหม่", "Chiang Mai", "TH", MatchKind.PARTIAL),
        ("Paris France", "Paris", "FR", MatchKind.PARTIAL),
        ("Reykjav", "Reykjavík", "IS", MatchKind.PREFIX),
        ("Mcunich", "Munich", "DE", MatchKind.FUZZY),
        ("Helsnki", "Helsinki", "FI", MatchKind.FUZZY),
        ("Rornford", "Romford", "GB", MatchKind.FUZZY),
        ("Vladivosotk", "Vladivostok", "RU", MatchKind.FUZZY),
    ],
)
def test_names_in_other_text(
    world_index: WorldIndex, query: str, english: str, country: str, kind: MatchKind
):
    best = world_index.search(query)[0]
    assert (best.english or best.name, best.country_code) == (english, country)
    assert best.match
    assert best.match.kind is kind


def test_the_state_that_is_named_decides(world_index: WorldIndex):
    assert {p.admin1 for p in world_index.search("Springfield, IL")} == {"Illinois"}
    assert world_index.search("Springfield Massachusetts")[0].admin1 == "Massachusetts"
    assert world_index.search("Paris, Texas")[0].admin1 == "Texas"


def test_nearness_decides_between_equal_names(world_index: WorldIndex):
    best = world_index.search("Springfield", near=LatLon(39.8, -89.6))[0]
    assert best.admin1 == "Illinois"
    assert best.distance_km is not None
    assert best.distance_km < 10


def test_country_filter(world_index: WorldIndex):
    assert {p.country_code for p in world_index.search("Paris", country_code="us")} == {"US"}


@pytest.mark.parametrize(
    ("query", "identifier"),
    [("France", "country:FR"), ("日本", "country:JP"), ("Россия", "country:RU"), ("Illinois", "admin:US-IL"),
     ("Île-de-France", "admin:FR-IDF"), ("Bayern", "admin:DE-BY"), ("경기도", "admin:KR-41")],
)  # fmt: skip
def test_areas_are_found_by_name(world_index: WorldIndex, query: str, identifier: str):
    best = world_index.search(query)[0]
    assert best.id == identifier
    assert world_index.details(identifier) == best.model_copy(update={"match": None})


def test_airport_codes_and_romanisations_are_no_names(world_index: WorldIndex):
    exact = [p for p in world_index.search("TYO") if p.match and p.match.kind is MatchKind.EXACT]
    assert "Tokyo" not in {p.english for p in exact}
    assert all(p.country_code != "CN" or "ba" not in p.name for p in world_index.search("ba li"))


@pytest.mark.parametrize("query", ["", "   ", "!?", "qzxqzxqzxqzx", "の", "1234567890" * 40, "a b " * 300])
def test_nothing_is_found_where_there_is_nothing(world_index: WorldIndex, query: str):
    exact = [p for p in world_index.search(query) if p.match and p.match.kind is MatchKind.EXACT]
    assert exact == []


def test_details_of_unknown_ids(world_index: WorldIndex):
    for identifier in ("geonames:1", "geonames:x", "admin:ZZ-1", "osm:n1", "", "geonames:²"):
        assert world_index.details(identifier) is None
    paris = world_index.details("geonames:2988507")
    assert paris
    assert (paris.name, paris.country, paris.admin1, paris.kind) == (
        "Paris",
        "France",
        "Île-de-France",
        "city",
    )


def test_threads_share_an_index(world_index: WorldIndex):
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(world_index.search("서울")[0].english)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["Seoul"] * 4


def test_other_datums_are_refused(world_index: WorldIndex):
    with pytest.raises(ValueError, match="WGS-84"):
        world_index.reverse(LatLon(39.9, 116.4, Datum.GCJ02))


def test_a_damaged_file_is_reported_with_the_way_to_mend_it(tmp_path):
    path = tmp_path / "world.sqlite"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(DataError, match="rm "):
        WorldIndex(path).search("Paris")
