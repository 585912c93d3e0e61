"""The posterior: what speaks for a place, how sure that is, and how far off it may be."""

import numpy as np
import pytest

from wheretaken.geo import LatLon, destination, distance_km
from wheretaken.maps import Match, MatchKind, Place
from wheretaken.models.reader import belief, circles
from wheretaken.models.reader.belief import Candidate, LookedUp
from wheretaken.models.reader.signs import Text


def place(name: str, lat: float, lon: float, population: int = 20_000, **rest) -> Place:
    return Place(
        id=f"t:{name}:{lat}",
        name=name,
        kind=rest.pop("kind", "town"),
        lat=lat,
        lon=lon,
        population=population,
        extent_km=rest.pop("extent_km", 2.0),
        **rest,
    )


def named(entry: Place, kind: MatchKind = MatchKind.EXACT, alias: str = "", similarity: float = 1.0) -> Place:
    return entry.model_copy(
        update={"match": Match(kind=kind, alias=alias or entry.name, similarity=similarity)}
    )


def text(reads: str, *lines: int, km: float | None = None) -> Text:
    return Text(reads, (reads,), frozenset(lines or (0,)), 0.05, 1.0, km)


def weigh(found: dict[Text, list[Place]], countries=(), extra: list[Place] | None = None) -> belief.Belief:
    hits = {
        key: belief.reliability(key, [LookedUp("call", key.reads, places)]) for key, places in found.items()
    }
    places = {p.id: p for group in hits.values() for p in (hit.place for hit in group)}
    candidates = [Candidate(p, belief.spread_of(p)) for p in [*places.values(), *(extra or [])]]
    result = belief.weigh(hits, countries, candidates)
    assert result is not None
    return result


SPRINGFIELDS = [
    named(place("Springfield", 39.80, -89.64, 114_000, country_code="US")),
    named(place("Springfield", 37.21, -93.29, 170_000, country_code="US")),
    named(place("Springfield", 42.10, -72.59, 154_000, country_code="US")),
]


def test_no_candidates_is_no_belief():
    assert belief.weigh({}, [], []) is None


def test_one_exact_name_is_the_answer_with_a_small_radius():
    result = weigh({text("Gislaved"): [named(place("Gislaved", 57.3, 13.54))]})
    assert result.best.place.name == "Gislaved"
    # As often as an exact name is met, it means that place.
    assert result.confidence == pytest.approx(belief.RELIABILITY[MatchKind.EXACT])
    assert result.radius_km < 10


def test_a_word_of_a_longer_name_may_have_been_met_by_accident():
    grace = place("Grace", 42.58, -111.73, 900, country_code="US")
    alone = weigh({text("Avenue Princesse Grace"): [named(grace, MatchKind.PARTIAL)]})
    assert alone.best.place.name == "Grace"
    assert alone.radius_km > 1000
    assert alone.confidence < 0.5


def test_what_other_clues_say_of_the_country_makes_accidents_likelier_or_rarer():
    grace = named(place("Grace", 42.58, -111.73, 900, country_code="US"), MatchKind.PARTIAL)
    seen = {text("Hotel Grace"): [grace]}
    abroad, home = (weigh(seen, [({code: 0.9}, 0.9)]) for code in ("FR", "US"))
    assert abroad.confidence < weigh(seen).confidence < home.confidence
    assert home.radius_km < 10
    assert abroad.radius_km > 1000


def test_texts_that_agree_are_no_accident():
    partly = [named(place("Gislaved", 57.3, 13.54), MatchKind.PARTIAL)]
    texts = [text("Gislaved Hotell", 0), text("Gislaved Bibliotek", 1), text("Gislaved Apotek", 2)]
    sure = [weigh(dict.fromkeys(texts[:number], partly)).confidence for number in (1, 2, 3)]
    assert sure == sorted(sure)
    assert sure[0] < 0.5
    assert sure[2] > 0.8


def test_without_any_text_the_answer_is_only_as_wide_as_the_cities_it_is_one_of():
    assert belief.elsewhere([], 2.0, small=False) == 0.0


def test_namesakes_share_the_probability_and_widen_the_radius():
    result = weigh({text("Springfield"): SPRINGFIELDS})
    assert max(result.weights) < 0.5
    assert result.radius_km > 500
    assert result.confidence < 0.5


def test_a_second_name_nearby_tells_namesakes_apart():
    decatur = named(place("Decatur", 39.84, -88.95, 70_000, country_code="US"))
    result = weigh({text("Springfield", 0): SPRINGFIELDS, text("Decatur", 1, km=62): [decatur]})
    assert result.best.place.id == SPRINGFIELDS[0].id


def test_a_country_clue_tells_namesakes_apart():
    places = [
        named(place("Paris", 48.85, 2.35, 50_000, country_code="FR")),
        named(place("Paris", 33.66, -95.56, 50_000, country_code="US")),
    ]
    unsure = weigh({text("Paris"): places})
    told = weigh({text("Paris"): places}, [({"US": 0.9}, 0.9)])
    assert max(unsure.weights) == pytest.approx(0.5, abs=0.01)
    assert told.best.place.country_code == "US"
    assert told.confidence > 0.9


def test_a_text_that_fits_nothing_does_not_hurt():
    near = named(place("Porvoo", 60.39, 25.66, 50_000))
    far = named(place("Salo", 60.38, 23.13, 50_000))
    alone = weigh({text("Porvoo", 0): [near]}, extra=[far])
    both = weigh({text("Porvoo", 0): [near], text("Qwertyuiop", 1): []}, extra=[far])
    assert np.allclose(alone.weights, both.weights)


def test_a_large_city_is_its_middle_and_not_a_neighbour():
    city = named(place("Tokyo", 35.69, 139.69, 9_700_000, extent_km=36))
    area = named(place("Tokyo-to", 35.66, 139.41, 23_000_000, kind="admin1", extent_km=30))
    result = weigh({text("Tokyo Station"): [city, area]}, extra=[place("Hino", 35.67, 139.4, 180_000)])
    assert result.best.place.name == "Tokyo"
    assert result.radius_km > 36


def test_each_line_counts_once_in_its_best_reading():
    porvoo, other = named(place("Porvoo", 60.39, 25.66)), named(place("Elsewhere", 10, 10))
    once = weigh({text("Porvoo", 0): [porvoo]}, extra=[other])
    twice = weigh({text("Porvoo", 0): [porvoo], text("Porvoa", 0): [porvoo]}, extra=[other])
    again = weigh({text("Porvoo", 0): [porvoo], text("Borgå", 1): [porvoo]}, extra=[other])
    assert np.allclose(once.weights, twice.weights)
    assert again.weights[0] > once.weights[0]


def test_exact_beats_partial_beats_fuzzy_and_streets_named_after_towns_say_little():
    entry = place("Louvre", 48.86, 2.34)

    def weight(reads: str, kind: MatchKind, similarity: float = 1.0) -> float:
        (hit,) = belief.reliability(
            text(reads), [LookedUp("c", reads, [named(entry, kind, "Louvre", similarity)])]
        )
        return hit.weight

    exact, partial = weight("Louvre", MatchKind.EXACT), weight("Palais Tokyo Louvre", MatchKind.PARTIAL)
    assert exact > partial > weight("Louvre", MatchKind.FUZZY, 0.8) > 0
    assert weight("Rue Louvre", MatchKind.PARTIAL) < 0.2 * weight("Musée Louvre", MatchKind.PARTIAL)


def test_weaker_matches_shrink_beside_an_exact_one():
    exact = named(place("Helsinki", 60.17, 24.94))
    fuzzy = named(place("Helsinge", 56.02, 12.2), MatchKind.FUZZY, similarity=0.9)
    alone = belief.reliability(text("Helsinki"), [LookedUp("c", "Helsinki", [fuzzy])])
    beside = belief.reliability(text("Helsinki"), [LookedUp("c", "Helsinki", [exact, fuzzy])])
    assert beside[1].weight < 0.3 * alone[0].weight


def test_short_texts_name_places_by_accident():
    assert belief.coincidence(text("Bra")) > 3 * belief.coincidence(text("Helsinki"))
    assert belief.coincidence(text("港区")) < belief.coincidence(text("Bra"))


@pytest.mark.parametrize("spread", [0.05, 5.0, 120.0])
def test_the_radius_of_one_place_is_the_eighty_percent_point_of_a_rayleigh_distribution(spread):
    radius = belief.radius_for(np.zeros(1), np.array([spread]), np.ones(1))
    # The exact quantile is spread * sqrt(-2 ln 0.2) = 1.794 spread.
    assert radius == pytest.approx(1.794 * spread, rel=0.02)


def test_the_radius_reaches_other_candidates_only_when_they_hold_the_mass():
    apart, spread = np.array([0.0, 300.0]), np.array([1.0, 1.0])
    assert belief.radius_for(apart, spread, np.array([0.9, 0.1])) < 5
    assert belief.radius_for(apart, spread, np.array([0.7, 0.3])) == pytest.approx(300, abs=5)


def test_two_distances_meet_where_the_sign_stands():
    truth = LatLon(60.6, 24.8)
    towns = {
        name: named(place(name, *position, 40_000))
        for name, position in {"Lahti": (60.98, 25.66), "Helsinki": (60.17, 24.94)}.items()
    }
    found = {
        text(name, n, km=round(1.27 * distance_km(truth, LatLon(p.lat, p.lon)))): [p]
        for n, (name, p) in enumerate(towns.items())
    }
    hits = {
        key: belief.reliability(key, [LookedUp("call", key.reads, places)]) for key, places in found.items()
    }
    points = circles.candidates(hits)
    assert points
    result = belief.weigh(hits, [], [Candidate(p, 2.0) for p in towns.values()] + points)
    assert result is not None
    assert result.best.place.kind == "point"
    # Two circles cross twice; the sign is at one of the crossings.
    crossings = [LatLon(c.place.lat, c.place.lon) for c in points]
    assert min(distance_km(truth, c) for c in crossings) < 10
    answer = LatLon(result.best.place.lat, result.best.place.lon)
    assert distance_km(truth, answer) < result.radius_km * 1.5


def test_one_distance_gives_points_all_around():
    lahti = named(place("Lahti", 60.98, 25.66))
    key = text("Lahti", km=50)
    points = circles.candidates({key: belief.reliability(key, [LookedUp("c", key.reads, [lahti])])})
    apart = [distance_km(LatLon(60.98, 25.66), LatLon(c.place.lat, c.place.lon)) for c in points]
    assert 30 < min(apart) < max(apart) < 50
    east = destination(LatLon(60.98, 25.66), 90, 40)
    west = destination(LatLon(60.98, 25.66), 270, 40)
    for side in (east, west):
        assert min(distance_km(side, LatLon(c.place.lat, c.place.lon)) for c in points) < 8


def test_only_different_readings_of_a_text_agree():
    shop = named(place("Kosmos", 60.17, 24.94), MatchKind.FUZZY, similarity=0.9)
    once = belief.reliability(text("Kosmqs"), [LookedUp("a", "Kosmqs", [shop])])
    again = belief.reliability(
        text("Kosmqs"), [LookedUp("a", "Kosmqs", [shop]), LookedUp("b", "Kosmqs", [shop])]
    )
    other = belief.reliability(
        text("Kosmqs"), [LookedUp("a", "Kosmqs", [shop]), LookedUp("b", "Kosnos", [shop])]
    )
    assert again == once
    assert other[0].weight > once[0].weight


def test_a_shop_at_a_corner_is_a_better_answer_than_the_street_beside_it():
    street = named(place("Yrjönkatu", 60.166, 24.939, 0, kind="street", extent_km=0.4))
    shop = named(place("Zucchini", 60.1684, 24.9392, 0, kind="restaurant", extent_km=0.05))
    result = weigh({text("Yrjönkatu", 0): [street], text("Zucchini", 1): [shop]})
    assert result.best.place.name == "Zucchini"
