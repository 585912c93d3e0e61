"""Searching the built-in region: real names and addresses of central Helsinki."""

import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from wheretaken.errors import DataError
from wheretaken.geo import LatLon, distance_km
from wheretaken.maps.base import MatchKind, Place
from wheretaken.maps.offline.names import skeleton
from wheretaken.maps.offline.region import Region, match

STOCKMANN = LatLon(60.1683, 24.9422)
STATION_SQUARE = LatLon(60.1712, 24.9441)


def best(region: Region, query: str, near: LatLon | None = None) -> Place:
    found = region.search(query, near=near)
    assert found, query
    return found[0]


def kind_of(place: Place) -> MatchKind:
    assert place.match is not None
    return place.match.kind


@pytest.mark.parametrize(
    ("query", "name", "kind"),
    [
        ("Stockmann", "Stockmann", "department_store"),
        ("STOCKMANN", "Stockmann", "department_store"),
        ("Kiasma", "Kiasma", "museum"),
        ("ateneum", "Ateneum", "museum"),
        ("Mannerheimintie", "Mannerheimintie", "street"),
        ("Mannerheimvägen", "Mannerheimintie", "street"),
        ("MANNERHEIMVAGEN", "Mannerheimintie", "street"),
        ("Rautatientori", "Rautatientori", "square"),
        ("Ravintola Kosmos", "Ravintola Kosmos", "restaurant"),
    ],
)
def test_a_name_in_any_case_or_language_is_found_exactly(helsinki: Region, query: str, name: str, kind: str):
    found = best(helsinki, query)
    assert (found.name, found.kind, kind_of(found)) == (name, kind, MatchKind.EXACT)
    assert found.match is not None
    assert found.match.similarity == 1.0
    assert "OpenStreetMap" in found.source


def test_a_position_is_where_the_thing_is(helsinki: Region):
    found = best(helsinki, "Stockmann")
    assert distance_km(LatLon(found.lat, found.lon), STOCKMANN) < 0.1
    assert 0.03 < found.extent_km < 0.2
    assert (found.city, found.address) == ("Helsinki", "Aleksanterinkatu 52")


def test_a_sign_in_two_languages_is_one_street(helsinki: Region):
    found = best(helsinki, "FABIANINKATU Fabiansgatan")
    assert (found.name, found.kind, kind_of(found)) == ("Fabianinkatu", "street", MatchKind.EXACT)
    assert 0.3 < found.extent_km < 0.8


@pytest.mark.parametrize(
    ("query", "name", "kind"),
    [
        ("Ravintola Ateneum", "Ateneum", MatchKind.STRIPPED),
        ("Kosmos", "Ravintola Kosmos", MatchKind.STRIPPED),
        ("Helsinki University Library", "Helsingin yliopiston pääkirjasto", MatchKind.PREFIX),
        ("Tervetuloa ravintola Kosmos avoinna", "Ravintola Kosmos", MatchKind.PARTIAL),
        ("Stockm", "Stockmann", MatchKind.PREFIX),
        ("University Library, Main", "Helsingin yliopiston pääkirjasto", MatchKind.PREFIX),
    ],
)
def test_more_or_fewer_words_still_meet_the_name(helsinki: Region, query: str, name: str, kind: MatchKind):
    found = best(helsinki, query)
    assert (found.name, kind_of(found)) == (name, kind)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("Stockmamn", "Stockmann"),
        ("Mannerhe1mintie", "Mannerheimintie"),
        ("MANNERHElMlNTlE", "Mannerheimintie"),
        ("Kalevankotu", "Kalevankatu"),
        ("Rautatientnri", "Rautatientori"),
        ("A1eksanterlnkatu", "Aleksanterinkatu"),
        ("Fabianimkatu", "Fabianinkatu"),
        ("Ravimtola Kosrnos", "Ravintola Kosmos"),
    ],
)
def test_typing_and_reading_errors_are_forgiven(helsinki: Region, query: str, name: str):
    found = best(helsinki, query)
    assert found.name == name
    assert kind_of(found) is MatchKind.FUZZY
    assert found.match is not None
    assert 0.6 < found.match.similarity < 1


def test_a_misspelled_name_is_found_among_other_words(helsinki: Region):
    found = best(helsinki, "AVOINNA Rautatientnri ark 9-21")
    assert found.name == "Rautatientori"
    assert kind_of(found) is MatchKind.FUZZY


def test_one_name_repeated_is_not_another_that_repeats_it(helsinki: Region):
    assert best(helsinki, "Yes Yes Yes").name == "Yes Yes Yes"
    assert kind_of(best(helsinki, "Kiasma Kiasma")) is MatchKind.PARTIAL


@pytest.mark.parametrize("query", ["", "   ", "?!", "xqzzyvw", "\x00", "00100", "a"])
def test_what_names_nothing_finds_nothing(helsinki: Region, query: str):
    assert helsinki.search(query) == []


@pytest.mark.parametrize(
    ("query", "address", "kind"),
    [
        ("Mannerheimintie 10", "Mannerheimintie 10", MatchKind.EXACT),
        ("Mannerheimvägen 10", "Mannerheimintie 10", MatchKind.EXACT),
        ("Unioninkatu Unionsgatan 40", "Unioninkatu 40", MatchKind.EXACT),
        ("Mannerheimintie 10, 00100 HELSINKI", "Mannerheimintie 10", MatchKind.EXACT),
        ("10 Mannerheimintie", "Mannerheimintie 10", MatchKind.EXACT),
        ("Mannerhe1mintie 10", "Mannerheimintie 10", MatchKind.FUZZY),
    ],
)
def test_an_address_is_found_with_its_door(helsinki: Region, query: str, address: str, kind: MatchKind):
    found = best(helsinki, query)
    assert (found.kind, found.address, kind_of(found)) == ("address", address, kind)
    assert found.extent_km == pytest.approx(0.03)
    assert distance_km(LatLon(found.lat, found.lon), LatLon(60.1699, 24.9450)) < 0.6


def test_a_number_that_is_not_mapped_gives_its_neighbour_and_says_how_far_it_may_be(helsinki: Region):
    found = best(helsinki, "Mannerheimintie 11")
    assert (found.name, found.kind, kind_of(found)) == ("Mannerheimintie 9", "address", MatchKind.PARTIAL)
    assert 0.06 <= found.extent_km < 0.5
    street = helsinki.search("Mannerheimintie 11")[1]
    assert (street.name, street.kind) == ("Mannerheimintie", "street")


def test_a_number_far_beyond_the_map_gives_the_street(helsinki: Region):
    found = best(helsinki, "Mannerheimintie 900")
    assert (found.name, found.kind) == ("Mannerheimintie", "street")
    assert found.extent_km > 0.3


def test_a_name_with_its_address_is_that_thing(helsinki: Region):
    found = best(helsinki, "Ravintola Kosmos, Kalevankatu 3")
    assert (found.name, kind_of(found)) == ("Ravintola Kosmos", MatchKind.EXACT)


def test_near_decides_between_equal_names(helsinki: Region):
    everywhere = [place for place in helsinki.search("R-kioski", limit=50) if place.kind == "kiosk"]
    assert len(everywhere) >= 4
    for wanted in everywhere[:4]:
        found = best(helsinki, "R-kioski", near=LatLon(wanted.lat, wanted.lon))
        assert found.distance_km is not None
        assert found.distance_km < 0.26  # nearer ones are told apart by other things


def test_limit_is_kept_and_twins_are_not_listed(helsinki: Region):
    assert len(helsinki.search("Mannerheim", limit=1)) == 1
    assert helsinki.search("Mannerheim", limit=0) == []
    found = helsinki.search("Lasipalatsi", limit=20)
    stops = [place for place in found if (place.name, place.kind) == ("Lasipalatsi", "tram_stop")]
    assert len(stops) == 1


def test_details_are_found_by_id(helsinki: Region):
    place = best(helsinki, "Kiasma")
    again = helsinki.details(place.id)
    assert again == place.model_copy(update={"match": None})
    assert helsinki.details("osm:n1") is None
    assert helsinki.details("geonames:658225") is None
    assert helsinki.details("") is None


def test_every_search_result_has_details(helsinki: Region):
    for query in ("Mannerheimintie 10", "Mannerheimintie", "R-kioski", "Helsinki"):
        for place in helsinki.search(query):
            found = helsinki.details(place.id)
            assert found is not None
            assert (found.lat, found.lon) == (place.lat, place.lon)


def test_reverse_names_address_street_and_what_is_close(helsinki: Region):
    position = LatLon(60.1720, 24.9410)
    around = helsinki.reverse(position, limit=6)
    assert len(around) == 6
    assert {"address", "street"} <= {place.kind for place in around}
    assert "Helsingin päärautatieasema" in [place.name for place in around]
    for place in around:
        assert place.distance_km is not None
        assert place.distance_km <= 0.3
    address = next(place for place in around if place.kind == "address")
    # The house's wall may be closer than its middle.
    assert address.distance_km is not None
    assert address.distance_km <= distance_km(LatLon(address.lat, address.lon), position) + 0.0005


def test_reverse_places_a_street_where_it_is_nearest(helsinki: Region):
    middle = best(helsinki, "Aleksanterinkatu")
    point = LatLon(60.1688, 24.9436)
    street = next(place for place in helsinki.reverse(point, limit=9) if place.kind == "street")
    assert street.name == "Aleksanterinkatu"
    assert distance_km(LatLon(street.lat, street.lon), point) < 0.05
    assert distance_km(LatLon(street.lat, street.lon), LatLon(middle.lat, middle.lon)) > 0.05


def test_reverse_finds_nothing_far_away_and_nothing_for_no_room(helsinki: Region):
    assert helsinki.reverse(LatLon(61.0, 24.94)) == []
    assert helsinki.reverse(LatLon(-90.0, 180.0)) == []
    assert helsinki.reverse(STOCKMANN, limit=0) == []


def test_a_thing_is_found_at_its_own_position(helsinki: Region):
    for query in ("Kiasma", "Ravintola Kosmos", "Stockmann"):
        place = best(helsinki, query)
        names = [near.name for near in helsinki.reverse(LatLon(place.lat, place.lon), limit=8)]
        assert place.name in names


def test_threads_share_one_region(helsinki_path: Path):
    queries = ["Stockmann", "Mannerheimintie 10", "Kalevankotu", "Kiasma"] * 10
    with Region(helsinki_path) as region:
        alone = [region.search(query) for query in queries]
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(region.search, queries)) == alone


def test_a_closed_region_says_so(helsinki_path: Path):
    region = Region(helsinki_path)
    region.close()
    region.close()
    with pytest.raises(DataError, match="damaged or closed"):
        region.search("Stockmann")


@pytest.fixture(scope="session")
def spellings(helsinki_path: Path) -> list[tuple[int, str]]:
    with closing(sqlite3.connect(helsinki_path)) as connection:
        rows = connection.execute("SELECT thing_id, name FROM alias").fetchall()
    return [(thing_id, name) for thing_id, name in rows if len(skeleton(name)) >= 4]


@given(data=st.data())
def test_the_fuzzy_index_misses_nothing_that_a_full_scan_finds(
    data: st.DataObject, helsinki: Region, spellings: Sequence[tuple[int, str]]
):
    name = list(data.draw(st.sampled_from(spellings))[1])
    for _ in range(data.draw(st.integers(0, 2))):
        at = data.draw(st.integers(0, len(name) - 1))
        edit = data.draw(st.sampled_from(["drop", "swap", "add"]))
        letter = data.draw(st.sampled_from("aeioustkrä0"))
        name[at : at + 1] = {"drop": [], "swap": [letter], "add": [name[at], letter]}[edit]
        assume(name)
    query = "".join(name)
    key = skeleton(query)
    allowed = 0 if len(key) < 4 else 1 if len(key) < 8 else 2 if len(key) < 16 else 3
    distinct_pairs = {key[i : i + 2] for i in range(len(key) - 1)}
    assume(len(distinct_pairs) > 2 * allowed)
    expected = {
        thing_id
        for thing_id, spelling in spellings
        if allowed and Levenshtein.distance(skeleton(spelling), key) <= allowed
    }
    assert {hit.thing_id for hit in match.fuzzy(helsinki._tables, query)} == expected


@given(st.text(max_size=40))
def test_any_query_is_answered_with_sound_matches(helsinki: Region, query: str):
    for place in helsinki.search(query, limit=3):
        assert place.match is not None
        assert 0 <= place.match.similarity <= 1
