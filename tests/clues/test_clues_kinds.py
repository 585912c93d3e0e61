from __future__ import annotations

import string
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from wheretaken.clues import (
    Clue,
    ClueKind,
    Kind,
    country_name,
    country_prior,
    drive_side,
    language_countries,
    read,
    speed_unit,
)
from wheretaken.clues.countries import countries
from wheretaken.geo import LatLon, distance_km


def only(text: str, kind: ClueKind, **more: list[str]) -> Clue:
    clues = read(text, kind, hints=more.get("hints", ()))
    assert len(clues) == 1, clues
    return clues[0]


def test_a_landline_names_its_region():
    clue = only("Tél. +33 1 42 60 30 30", "telephone")
    assert clue.places == ["Paris"]
    assert clue.reading == "+33 1 42 60 30 30 is a landline in Paris, France"


def test_a_mobile_number_names_only_the_country():
    clue = only("+33 6 12 34 56 78", "telephone")
    assert (list(clue.countries), clue.places) == (["FR"], [])


def test_a_hint_decides_where_a_national_number_is():
    clue = only("020 7946 0018", "telephone", hints=["gb"])
    assert (list(clue.countries), clue.places) == (["GB"], ["London"])


def test_the_language_of_a_label_decides_as_well():
    assert list(only("Puh. 09 310 1691", "telephone").countries) == ["FI"]
    assert list(only("โทร. 02-222-1234", "telephone").countries) == ["TH"]


def test_a_hint_that_is_no_country_changes_nothing():
    assert read("020 7946 0018", hints=["ZZ"]) == read("020 7946 0018")


@pytest.mark.parametrize(
    "text",
    [
        "$1 299 000",
        "1 299 000 Ft",
        "01.05.2024",
        "2024-05-01",
        "1914-1918",
        "EUR 012 345 678",
        "100 000 000 km",
        "12:30-14:00",
        "No. 0123456789",
        "+1",
        "+000 000 000 000",
    ],
)
def test_prices_dates_and_years_are_no_telephone_numbers(text: str):
    assert [clue for clue in read(text) if clue.kind == "telephone"] == []


@pytest.mark.parametrize(
    "text", ["56Km", "서울 56Km", "AB 12 CD", "123 Main St", "1600 Amphitheatre", "10115 Bad"]
)
def test_house_numbers_and_distances_are_no_postcodes(text: str):
    assert [clue for clue in read(text) if clue.kind == "postcode"] == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("London SW1A 1AA", "London"),
        ("EH1 1YZ", "Edinburgh"),
        ("00-950 Warszawa", "Warszawa"),
        ("M5V 3L9", "Toronto"),
        ("Austin, TX 78701", "Texas"),
    ],
)
def test_a_postcode_names_a_place(text: str, place: str):
    assert place in only(text, "postcode").places


def test_a_misused_domain_carries_little_and_a_generic_one_nothing():
    assert max(only("www.mychannel.tv", "domain").countries.values()) < 0.1
    assert read("www.example.com", "domain") == []


def test_a_city_domain_names_the_city():
    assert only("www.bakery.nyc", "domain").places == ["New York City"]


def test_the_host_of_an_address_is_no_second_clue():
    assert [clue.kind for clue in read("office@autohaus-schmidt.de")] == ["email"]


def test_a_punycode_domain_is_decoded():
    assert list(only("http://xn--80aswg.xn--p1ai", "domain").countries) == ["RU"]


def test_an_airport_has_a_position():
    clue = only("Narita International Airport", "airport")
    assert clue.position is not None
    assert distance_km(clue.position, LatLon(35.7647, 140.3864)) < 5
    assert clue.radius_km


def test_a_code_is_an_airport_only_beside_a_word_for_one():
    assert [clue for clue in read("CDG") if clue.kind == "airport"] == []
    assert only("CDG", "airport").countries.keys() == {"FR"}
    assert only("EDDB", "airport").countries.keys() == {"DE"}
    assert [clue for clue in read("AIRPORT BUS") if clue.kind == "airport"] == []


def test_a_regional_chain_names_its_region():
    clue = next(clue for clue in read("Albertsons", "brand"))
    assert list(clue.countries) == ["US"]


@pytest.mark.parametrize("text", ["McDonald's", "Starbucks", "Ikea", "Central", "Paris", "Golden Dragon"])
def test_global_brands_and_ordinary_names_are_no_brand_clue(text: str):
    assert read(text, "brand") == []


def test_a_brand_inside_a_street_name_is_no_brand():
    assert [clue for clue in read("Edeka Straße 5") if clue.kind == "brand"] == []


def test_han_forms_tell_the_writing_apart():
    assert next(iter(only("南京东路药店", "language").countries)) == "CN"
    assert next(iter(only("臺灣銀行", "language").countries)) == "TW"
    assert next(iter(only("新宿駅", "language").countries)) == "JP"
    assert only("中山", "language").confidence <= 0.5


def test_english_is_no_language_clue_unless_asked():
    text = "Please keep this area clean and take all your litter home with you after the visit"
    assert [clue for clue in read(text) if clue.kind == "language"] == []
    assert only(text, "language").confidence <= 0.3


def test_a_long_text_without_any_sign_word_is_still_read():
    text = "Wir bitten um Verständnis, dass Hunde hier leider draussen warten"
    assert next(iter(only(text, "language").countries)) == "DE"


def test_kilometres_rule_out_miles():
    countries_of_km = only("56Km", "units").countries
    assert {"US", "GB"}.isdisjoint(countries_of_km)
    assert next(iter(only("60 mph", "units").countries)) == "US"


def test_the_side_of_the_road():
    assert {"JP", "GB", "AU", "TH", "IN", "ZA", "CY", "HK"} <= only("left", "drive_side").countries.keys()
    assert {"US", "FR", "CN", "KR"} <= only("right", "drive_side").countries.keys()
    assert only("jp", "drive_side").reading == "Japan drives on the left"
    assert (drive_side("GB"), drive_side("fr"), drive_side("XX")) == ("left", "right", None)
    assert [speed_unit(code) for code in ("US", "GB", "IE", "CA", "XX")] == [
        "mph",
        "mph",
        "km/h",
        "km/h",
        None,
    ]


def test_a_road_number_alone_on_its_line():
    assert next(iter(only("I-95", "vehicle_code").countries)) == "US"
    assert set(only("E 75", "vehicle_code").countries) == {"FI", "NO", "PL", "SK", "HU", "RS", "MK", "GR"}
    assert [clue for clue in read("Gate E 75 is closed") if clue.kind == "vehicle_code"] == []


def test_countries_have_names_and_priors():
    assert (country_name("kr"), country_name("ZZ")) == ("South Korea", "ZZ")
    prior = country_prior(["LU", "FR", "ZZ"])
    assert list(prior) == ["FR", "LU"]
    assert sum(prior.values()) == pytest.approx(1, abs=1e-4)
    assert country_prior([]) == {}


@pytest.mark.parametrize(
    ("language", "first"),
    [
        ("pt", "BR"),
        ("fr-CA", "FR"),
        ("de", "DE"),
        ("ja", "JP"),
        ("ko", "KR"),
        ("nb", "NO"),
        ("en", "US"),
        ("zh_TW", "CN"),
    ],
)
def test_languages_are_where_most_of_their_signs_are(language: str, first: str):
    where = language_countries(language)
    assert next(iter(where)) == first
    assert sum(where.values()) == pytest.approx(1, abs=1e-3)


def test_an_unknown_language_is_nowhere():
    assert language_countries("xx") == {}


def test_the_caller_cannot_spoil_a_cached_answer():
    language_countries("de").clear()
    assert next(iter(language_countries("de"))) == "DE"


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="no kind of clue named 'plate'"):
        read("ABC", "plate")  # pyright: ignore[reportArgumentType] - what a model may send


def test_a_clue_is_a_distribution():
    with pytest.raises(ValidationError, match="sum to more than 1"):
        Clue(kind="brand", text="", reading="", countries={"FR": 0.7, "DE": 0.6}, confidence=1, source="")


SIGN_CHARACTERS = "0123456789+-./()@ :,€$£¥〒№\nкр駅路ロซ한ßłșđ" + string.ascii_letters


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(st.text(max_size=60), st.text(SIGN_CHARACTERS, max_size=60)), st.sampled_from(get_args(Kind))
)
def test_any_text_reads_to_sound_clues(text: str, kind: Kind):
    for clue in [*read(text), *read(text, kind)]:
        assert sum(clue.countries.values()) <= 1.0001
        assert set(clue.countries) <= set(countries())
        assert list(clue.countries.values()) == sorted(clue.countries.values(), reverse=True)
        assert 0 < clue.confidence <= 1
        assert clue.reading
        assert clue.source
        assert "\n" not in clue.reading
    assert read(text) == read(text)


@given(st.integers(0, 10**15))
@settings(max_examples=100, deadline=None)
def test_a_bare_number_says_nothing(number: int):
    assert read(str(number)) == []
