"""From lines to texts: names, distances, addresses, and what says nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheretaken.models.reader import scripts, signs
from wheretaken.models.reader.eye import Line


def line(text: str, left: float, top: float, *, height: float = 40, confidence: float = 0.99) -> Line:
    right = left + 0.6 * height * len(text)
    quad = ((left, top), (right, top), (right, top + height), (left, top + height))
    return Line(text, confidence, quad, scripts.dominant(text))


def texts(*lines: Line) -> dict[str, signs.Text]:
    return {text.reads: text for text in signs.texts_of(lines, 800)}


def test_a_distance_in_the_line_is_split_from_the_name():
    found = texts(line("Lahti 56 km", 0, 0))
    assert found["Lahti"].distance_km == 56
    assert found["Lahti"].queries == ("Lahti",)


def test_distances_below_their_names_go_to_both_scripts_of_the_name():
    found = texts(
        line("서울", 100, 0),
        line("Seoul", 100, 60),
        line("56Km", 100, 130),
        line("평양", 400, 0),
        line("Pyeongyang", 400, 60),
        line("205Km", 400, 130),
    )
    assert {name: text.distance_km for name, text in found.items() if text.distance_km} == {
        "서울": 56,
        "Seoul": 56,
        "평양": 205,
        "Pyeongyang": 205,
    }


def test_a_column_of_bare_numbers_beside_names_is_distances():
    rows = [("Turku", "164"), ("Salo", "112"), ("Lohja", "58")]
    lines = [
        entry for n, (name, km) in enumerate(rows) for entry in (line(name, 0, 80 * n), line(km, 400, 80 * n))
    ]
    found = texts(*lines)
    assert [found[name].distance_km for name, _ in rows] == [164, 112, 58]


def test_a_lone_number_beside_a_street_is_a_house_number():
    found = texts(line("Mannerheimintie", 0, 0), line("12", 400, 0))
    assert found["Mannerheimintie"].distance_km is None
    assert found["Mannerheimintie 12"].queries == ("Mannerheimintie 12",)
    assert found["Mannerheimintie 12"].lines == {0, 1}


@pytest.mark.parametrize(
    ("text", "km"),
    [
        ("Exeter 12 miles", 19.3),
        ("ფოთი 31 კმ", 31),
        ("Москва 703 км", 703),
        ("กรุงเทพ 120 กม.", 120),
        ("Madrid 1.200 km", 1200),
    ],
)
def test_units_of_many_languages(text, km):
    (found,) = [t for t in texts(line(text, 0, 0)).values() if t.distance_km]
    assert found.distance_km == pytest.approx(km, abs=0.1)


@pytest.mark.parametrize("text", ["100 m", "3138 km", "0 km"])
def test_what_no_direction_sign_says_is_no_distance(text):
    assert all(t.distance_km is None for t in texts(line(f"Salo {text}", 0, 0)).values())


def test_lines_of_one_sign_are_joined_as_well():
    found = texts(line("Théâtre", 0, 0), line("du PALAIS-ROYAL", 0, 50))
    assert found["Théâtre du PALAIS-ROYAL"].lines == {0, 1}
    # "Theatre" alone says what a thing is, not where.
    assert "Théâtre" not in found


def test_a_line_in_two_scripts_is_looked_up_in_parts():
    assert texts(line("港区 MINATO CITY", 0, 0))["港区 MINATO CITY"].queries == (
        "港区 MINATO CITY",
        "港区",
        "MINATO CITY",
    )


@pytest.mark.parametrize("text", ["OPEN", "P", "24 h", "SALE -50%", "Wi-Fi FREE", "315", "SAMSUNG", "→"])
def test_what_signs_say_everywhere_is_not_looked_up(text):
    assert texts(line(text, 0, 0)) == {}


@pytest.mark.parametrize(
    "text", ["Yuyuan Rd.", "Rue du Louvre", "愚园路", "Hauptstraße", "улица Ленина", "세종대로"]
)
def test_streets_are_known_by_their_words(text):
    assert signs.is_street(text)


@pytest.mark.parametrize("text", ["Musée du Louvre", "Helsinki", "港区", "Tiergarten"])
def test_other_names_are_no_streets(text):
    assert not signs.is_street(text)


def test_generic_words_do_not_count_against_a_name():
    assert signs.covered_by("Gislaved", "Gislaved station") == 1.0
    assert signs.covered_by("Bad", "Bad Kohlgrub") < 0.3


@given(st.lists(st.tuples(st.text(max_size=30), st.floats(0, 500), st.floats(0, 500)), max_size=8))
def test_no_lines_break_it(entries):
    lines = [line(text, left, top) for text, left, top in entries]
    for text in signs.texts_of(lines, 800):
        assert text.queries
        assert text.lines <= set(range(len(lines)))
        assert text.distance_km is None or 0 < text.distance_km <= 2500
