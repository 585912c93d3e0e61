import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheretaken.maps.offline.names import tokens
from wheretaken.maps.offline.region.addresses import Number, guesses, nearest, parse


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("10", Number(10, 10, "")),
        ("10b", Number(10, 10, "b")),
        ("10 B", Number(10, 10, "b")),
        ("10-12", Number(10, 12, "")),
        ("22–24", Number(22, 24, "")),
        ("351弄2号", Number(351, 351, "")),
        ("5-3", Number(5, 5, "")),
        ("talo", None),
        ("", None),
    ],
)
def test_house_numbers_are_read_as_they_are_written(text: str, number: Number | None):
    assert parse(text) == number


@pytest.mark.parametrize(
    ("one", "other", "agreement"),
    [
        ("10", "10", 1.0),
        ("10 b", "10b", 1.0),
        ("10", "10b", 0.95),
        ("10a", "10b", 0.0),
        ("10-14", "12", 0.95),
        ("12", "10-14", 0.95),
        ("10", "11", 0.0),
    ],
)
def test_numbers_agree_when_they_may_be_the_same_door(one: str, other: str, agreement: float):
    first, second = parse(one), parse(other)
    assert first is not None
    assert second is not None
    assert first.meets(second) == agreement


@pytest.mark.parametrize(
    ("query", "street", "low"),
    [
        ("Mannerheimintie 10 B, 00100 Helsinki", "mannerheimintie", 10),
        ("12, rue Grimaldi", "rue grimaldi", 12),
        ("34 Avenue Princesse Grace 98000 Monaco", "avenue princesse grace", 34),
        ("上大路98号", "上大路", 98),
    ],
)
def test_street_and_number_are_among_the_guesses(query: str, street: str, low: int):
    assert any(guess.street == street and guess.number.low == low for guess in guesses(tokens(query)))


def test_a_postcode_is_no_house_number():
    assert guesses(tokens("00100 Helsinki")) == []


@given(st.text())
def test_any_text_can_be_read(text: str):
    words = tokens(text)
    for guess in guesses(words):
        assert 0 <= guess.used[0] < guess.used[1] <= len(words)
        assert guess.street


def test_the_nearest_number_prefers_the_same_side_and_knows_the_other_end():
    mapped = [Number(n, n, "") for n in (2, 9, 14, 40)]
    assert nearest(Number(12, 12, ""), mapped) == (2, 1)
    assert nearest(Number(10, 10, ""), mapped) == (2, 1)
    assert nearest(Number(50, 50, ""), mapped) == (3, None)
