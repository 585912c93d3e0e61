import pytest

from wheretaken.maps.offline.region import tags as tagging


@pytest.mark.parametrize(
    ("tags", "area", "line"),
    [
        ({"building": "yes", "amenity": "cafe"}, ("building", "yes"), None),
        ({"leisure": "park", "barrier": "fence"}, ("leisure", "park"), ("barrier", "fence")),
        ({"highway": "residential", "junction": "roundabout"}, None, ("highway", "residential")),
        ({"highway": "pedestrian", "area": "yes"}, ("highway", "pedestrian"), None),
        ({"natural": "coastline"}, None, ("natural", "coastline")),
        ({"natural": "coastline", "place": "islet"}, ("place", "islet"), ("natural", "coastline")),
        ({"natural": "water"}, ("natural", "water"), None),
        ({"railway": "tram"}, None, ("railway", "tram")),
        ({"building": "no", "landuse": "grass"}, ("landuse", "grass"), None),
        ({"source": "survey"}, None, None),
    ],
)
def test_a_closed_way_is_an_area_a_line_or_both(
    tags: dict[str, str], area: tuple[str, str] | None, line: tuple[str, str] | None
):
    assert tagging.area_class(tags) == area
    assert tagging.line_class(tags, closed=True) == line


def test_an_open_pier_is_a_line_and_a_closed_one_an_area():
    pier = {"man_made": "pier"}
    assert tagging.line_class(pier, closed=False) == ("man_made", "pier")
    assert tagging.line_class(pier, closed=True) is None
    assert tagging.area_class(pier) == ("man_made", "pier")


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({"amenity": "cafe", "building": "yes"}, "cafe"),
        ({"shop": "yes"}, "shop"),
        ({"place": "neighbourhood"}, "district"),
        ({"place": "hamlet"}, "village"),
        ({"place": "square"}, "square"),
        ({"boundary": "administrative", "admin_level": "4"}, "admin1"),
        ({"boundary": "administrative", "admin_level": "10", "place": "suburb"}, "district"),
        ({"aeroway": "aerodrome"}, "airport"),
        ({"highway": "bus_stop", "public_transport": "platform"}, "stop"),
        ({"railway": "tram_stop", "public_transport": "stop_position"}, "tram_stop"),
        ({"highway": "crossing"}, ""),
        ({"addr:housenumber": "4"}, "house"),
        ({"source": "survey"}, ""),
    ],
)
def test_kind_is_what_a_person_would_call_it(tags: dict[str, str], kind: str):
    assert tagging.kind(tags) == kind


def test_names_are_all_names_and_nothing_else():
    tags = {
        "name": "Rautatientori",
        "name:sv": "Järnvägstorget",
        "name:etymology": "rautatie",
        "name:etymology:wikidata": "Q22667",
        "alt_name": "Ratikka;Tori",
        "old_name:ru": "Вокзальная площадь",
        "source:name": "survey",
        "brand": "HSL",
        "brand:wikidata": "Q1",
        "addr:housename": "Talo",
        "amenity": "bank",
    }
    found = {name.text: name.rank for name in tagging.names(tags)}
    assert found == {
        "Rautatientori": 0,
        "Järnvägstorget": 1,
        "Ratikka;Tori": 2,
        "Ratikka": 2,
        "Tori": 2,
        "Вокзальная площадь": 2,
        "HSL": 3,
    }
    nameless = {"addr:housename": "Talo", "addr:housenumber": "1", "addr:street": "Katu"}
    assert [name.text for name in tagging.names(nameless)] == ["Talo"]


def test_both_halves_of_a_two_language_name_are_names():
    found = [
        name.text for name in tagging.names({"name": "Rue Neuve - Nieuwstraat", "highway": "residential"})
    ]
    assert found[0] == "Rue Neuve - Nieuwstraat"
    assert {"Rue Neuve", "Nieuwstraat"} <= set(found)
    hyphenated = [name.text for name in tagging.names({"name": "Monte-Carlo", "place": "suburb"})]
    assert hyphenated == ["Monte-Carlo"]


def test_brand_and_operator_stand_in_for_a_missing_name_of_a_business_only():
    assert tagging.title({"shop": "kiosk", "brand": "R-kioski"}) == "R-kioski"
    assert tagging.title({"amenity": "atm", "operator": "Otto"}) == "Otto"
    assert tagging.title({"amenity": "bench", "operator": "City of Helsinki"}) == ""
    assert tagging.title({"railway": "tram", "operator": "HKL"}) == ""
    assert "HKL" not in [name.text for name in tagging.names({"name": "Line 1", "operator": "HKL"})]


@pytest.mark.parametrize(
    ("tags", "english"),
    [
        ({"name": "恵比寿", "name:en": "Ebisu"}, "Ebisu"),
        ({"name": "山手通り", "name:ja_rm": "Yamate Dōri"}, "Yamate Dōri"),
        ({"name": "恵比寿", "name:en": "恵比寿"}, ""),
        ({"name": "Ateneum", "name:en": "Ateneum Art Museum"}, ""),
        ({"name": "恵比寿"}, ""),
    ],
)
def test_english_is_a_latin_name_for_a_name_in_another_script(tags: dict[str, str], english: str):
    assert tagging.english(tags) == english


@pytest.mark.parametrize(
    ("street", "number", "line"),
    [
        ("Mannerheimintie", "10", "Mannerheimintie 10"),
        ("Rue Grimaldi", "45 bis", "45 bis Rue Grimaldi"),
        ("上大路", "98号", "上大路98号"),
    ],
)
def test_the_number_stands_where_the_language_puts_it(street: str, number: str, line: str):
    found = tagging.address({"addr:street": street, "addr:housenumber": number, "addr:country": "xx"})
    assert found.line() == line
    assert found.country_code == "XX"


@pytest.mark.parametrize(
    ("tags", "oneway"),
    [
        ({"highway": "residential"}, 0),
        ({"highway": "residential", "oneway": "yes"}, 1),
        ({"highway": "residential", "oneway": "-1"}, -1),
        ({"highway": "residential", "oneway": "no"}, 0),
        ({"highway": "motorway"}, 1),
        ({"highway": "service", "junction": "roundabout"}, 1),
    ],
)
def test_oneway(tags: dict[str, str], oneway: int):
    assert tagging.oneway(tags) == oneway


def test_flags_are_set_by_any_value_but_no():
    assert tagging.flag({"tunnel": "culvert"}, "tunnel") == 1
    assert tagging.flag({"tunnel": "no"}, "tunnel") == 0
    assert tagging.flag({}, "tunnel") == 0
