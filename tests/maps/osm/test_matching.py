import pytest

from wheretaken.maps import MatchKind
from wheretaken.maps.matching import best_match


@pytest.mark.parametrize(
    ("query", "names", "kind", "alias"),
    [
        ("CAFÉ  strindberg", ["Cafe Strindberg"], MatchKind.EXACT, "Cafe Strindberg"),
        ("City of Turku", ["Turku"], MatchKind.STRIPPED, "Turku"),
        ("横浜市", ["横浜"], MatchKind.STRIPPED, "横浜"),
        ("Palais du LOUVRE Paris", ["Louvre"], MatchKind.PARTIAL, "Louvre"),
        ("Fabianin", ["Fabianinkatu"], MatchKind.PREFIX, "Fabianinkatu"),
        ("Fabianinkalu", ["Fabianinkatu"], MatchKind.FUZZY, "Fabianinkatu"),
        ("Fabiansgatan", ["Fabianinkatu", "", "Fabiansgatan"], MatchKind.EXACT, "Fabiansgatan"),
    ],
)
def test_a_result_says_how_its_name_met_the_query(
    query: str, names: list[str], kind: MatchKind, alias: str
) -> None:
    match = best_match(query, names)
    assert match is not None
    assert (match.kind, match.alias) == (kind, alias)
    assert (match.similarity == 1) is (kind is MatchKind.EXACT)


def test_the_similarity_of_a_misspelled_name_is_its_edit_distance() -> None:
    match = best_match("Zuchini", ["Zucchini"])
    assert match is not None
    assert match.similarity == pytest.approx(1 - 1 / 8)


def test_a_result_that_no_name_explains_has_no_match() -> None:
    assert best_match("the big church", ["Helsingin tuomiokirkko"]) is None
    assert best_match("!!!", ["Helsinki"]) is None
    assert best_match("x", []) is None


def test_part_of_a_word_is_no_name() -> None:
    match = best_match("Rome Street", ["Rom"])
    assert match is None or match.kind is MatchKind.FUZZY
