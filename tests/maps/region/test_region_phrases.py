"""What a query says beyond a name, and what a region finds for it."""

import pytest

from wheretaken.geo import LatLon, distance_km
from wheretaken.maps.base import MatchKind, Place
from wheretaken.maps.offline.region import Region, phrases
from wheretaken.maps.offline.region.phrases import Relation

STOCKMANN = LatLon(60.1683, 24.9422)


@pytest.mark.parametrize(
    ("query", "pair"),
    [
        ("Kalevankatu / Mannerheimintie", ("Kalevankatu", "Mannerheimintie")),
        ("Kalevankatu & Mannerheimintie", ("Kalevankatu", "Mannerheimintie")),
        ("corner of Kalevankatu and Mannerheimintie", ("Kalevankatu", "Mannerheimintie")),
        ("the intersection of 5th Avenue and Main Street", ("5th Avenue", "Main Street")),
        ("Ecke Hauptstraße und Schulstraße", ("Hauptstraße", "Schulstraße")),
        ("angle de la rue Grimaldi et rue Caroline", ("rue Grimaldi", "rue Caroline")),
        ("esquina de Calle Mayor y Calle Real", ("Calle Mayor", "Calle Real")),
        ("上大路南陈路交叉口", ("上大路", "南陈路")),
        ("上大路与南陈路路口", ("上大路", "南陈路")),
        ("山手通りと駒沢通りの交差点", ("山手通り", "駒沢通り")),
    ],
)
def test_crossings_are_read_in_several_languages(query: str, pair: tuple[str, str]):
    assert pair in list(phrases.crossings(query))


@pytest.mark.parametrize(
    ("query", "reading"),
    [
        ("cafe near Mannerheimintie", ("cafe", Relation.NEAR, "Mannerheimintie")),
        ("Lidl opposite the theatre", ("Lidl", Relation.OPPOSITE, "theatre")),
        ("bank on the corner of Main Street", ("bank", Relation.CORNER, "Main Street")),
        ("Apotheke gegenüber Rathaus", ("Apotheke", Relation.OPPOSITE, "Rathaus")),
        ("Café am Markt", ("Café", Relation.ON, "Markt")),
        ("pharmacie en face de la rue Grimaldi", ("pharmacie", Relation.OPPOSITE, "rue Grimaldi")),
        ("bar près de la gare", ("bar", Relation.NEAR, "gare")),
        ("farmacia frente a la catedral", ("farmacia", Relation.OPPOSITE, "catedral")),
        ("上大路附近的餐厅", ("餐厅", Relation.NEAR, "上大路")),
        ("便利店在上大路对面", ("便利店", Relation.OPPOSITE, "上大路")),
        ("山手通り沿いのコンビニ", ("コンビニ", Relation.ON, "山手通り")),
    ],
)
def test_places_beside_others_are_read_in_several_languages(query: str, reading: tuple[str, Relation, str]):
    assert reading in [tuple(one) for one in phrases.placed(query)]


@pytest.mark.parametrize("query", ["", "near", "on on on", "/", " & ", "Mannerheimintie", "的", "在在在在"])
def test_what_says_nothing_of_the_kind_is_no_error(query: str):
    assert all(one and other for one, other in phrases.crossings(query))
    assert all(one.subject and one.anchor for one in phrases.placed(query))


def first(region: Region, query: str, **more: object) -> Place:
    found = region.search(query, **more)  # type: ignore[arg-type]
    assert found, query
    return found[0]


@pytest.mark.parametrize(
    "query",
    [
        "Kalevankatu / Mannerheimintie",
        "Mannerheimintie & Kalevankatu",
        "corner of Kalevankatu and Mannerheimintie",
        "Kalevagatan / Mannerheimvägen",
    ],
)
def test_a_crossing_is_where_the_streets_meet_and_keeps_its_id(helsinki: Region, query: str):
    found = first(helsinki, query)
    assert (found.kind, found.match and found.match.kind) == ("crossing", MatchKind.EXACT)
    around = helsinki.reverse(LatLon(found.lat, found.lon), limit=40)
    streets = {place.name: place.distance_km for place in around if place.kind == "street"}
    assert streets.keys() & {"Kalevankatu", "Mannerheimintie"}
    assert min(streets.values()) < 0.03
    doors = [place.address for place in around if place.address]
    assert any(door.startswith("Mannerheimintie") for door in doors)
    assert any(door.startswith("Kalevankatu") for door in doors)
    again = helsinki.details(found.id)
    assert again is not None
    assert (again.lat, again.lon, again.name) == (found.lat, found.lon, found.name)


def test_misread_streets_still_cross(helsinki: Region):
    found = first(helsinki, "Mannerhe1mint1e / Ka1evankatu")
    assert (found.kind, found.match and found.match.kind) == ("crossing", MatchKind.FUZZY)


def test_streets_that_do_not_meet_have_no_crossing(helsinki: Region):
    found = helsinki.search("Fabianinkatu / Kalevankatu")
    assert "crossing" not in {place.kind for place in found}
    assert helsinki.details("osm:w1+w2") is None


def test_a_kind_on_a_street_is_found_there(helsinki: Region):
    found = first(helsinki, "pharmacy on Mannerheimintie")
    assert (found.kind, found.match and found.match.kind) == ("pharmacy", MatchKind.KIND)
    assert found.address.startswith("Mannerheimintie")


def test_a_name_beside_another_thing_is_the_branch_there(helsinki: Region):
    everywhere = {place.id for place in helsinki.search("R-kioski", limit=30)}
    found = first(helsinki, "R-kioski near Stockmann")
    assert found.id in everywhere
    assert distance_km(LatLon(found.lat, found.lon), STOCKMANN) < 0.7


def test_radius_and_kind_leave_others_out(helsinki: Region):
    inside = helsinki.search("", near=STOCKMANN, radius_km=0.3, kind="cafe", limit=50)
    assert len(inside) > 3
    assert {place.kind for place in inside} == {"cafe"}
    away = [place.distance_km or 0.0 for place in inside]
    assert away == sorted(away)
    assert max(away) <= 0.3
    assert helsinki.search("Stockmann", kind="cafe") == []
    assert first(helsinki, "Stockmann", kind="department store").kind == "department_store"
    shops = helsinki.search("", near=STOCKMANN, kind="shop", limit=20)
    assert len({place.kind for place in shops}) > 2


def test_names_of_other_scripts_are_found_as_they_sound(shared_region):
    shanghai = shared_region("shanghai-university.osm")
    assert first(shanghai, "Shanghai Daxue").name == "上海大学"
    assert first(shanghai, "nan chen lu").name == "南陈路"


def test_the_beginning_of_a_name_is_completed(helsinki: Region):
    names = [place.name for place in helsinki.suggest("mannerh")]
    assert names[0] == "Mannerheimintie"
    assert all("annerh" in name for name in names)
    assert helsinki.suggest("") == []
