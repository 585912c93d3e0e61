"""The vote: one of the candidates, whatever their order, near any meridian or pole."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from wheretaken.geo import LatLon, distance_km
from wheretaken.sampling.model import Ballot, Verdict
from wheretaken.sampling.vote import decide, vote
from wheretaken.scoring import LADDER

PARIS, LYON, TOKYO = (48.8566, 2.3522), (45.7640, 4.8357), (35.6762, 139.6503)
EMPTY = Ballot("m")


def at(*positions, **more):
    return [Ballot(f"m{k}", *position, **more) for k, position in enumerate(positions)]


def nearby(position, km, bearing=0.0):
    """A position some km away; good enough off the poles."""
    lat, lon = position
    lat += km / 111.2 * math.cos(math.radians(bearing))
    lon += km / 111.2 * math.sin(math.radians(bearing)) / math.cos(math.radians(position[0]))
    return lat, lon


# Positions are drawn around a few places, so that some agree; anywhere else they would never.
places = st.sampled_from(
    [PARIS, LYON, TOKYO, (0.0, 179.999), (0.0, -179.999), (89.99, 10.0), (-89.99, -170.0)]
)
offsets = st.floats(-0.3, 0.3)
positions = st.builds(
    lambda place, north, east: (
        max(-90.0, min(90.0, place[0] + north)),
        (place[1] + east + 180) % 360 - 180,
    ),
    places,
    offsets,
    offsets,
)
stated = st.none() | st.floats(0, 1)
ballots = st.builds(
    lambda voter, position, confidence: Ballot(voter, *(position or (None, None)), confidence),
    st.sampled_from("abc"),
    st.none() | positions,
    stated,
)
elections = st.lists(ballots, min_size=1, max_size=8)
voter_weights = st.fixed_dictionaries({}, optional=dict.fromkeys("abc", st.floats(0.01, 100)))


def position_of(cast, verdict):
    return None if verdict.chosen is None else (cast[verdict.chosen].lat, cast[verdict.chosen].lon)


@given(elections, voter_weights, st.randoms(use_true_random=False))
def test_the_order_of_the_ballots_does_not_matter(cast, weights, random):
    shuffled = random.sample(cast, len(cast))
    one, two = vote(cast, weights), vote(shuffled, weights)
    assert position_of(cast, one) == position_of(shuffled, two)
    assert (one.agree, one.of, one.radius_km, one.confidence) == (
        two.agree,
        two.of,
        two.radius_km,
        two.confidence,
    )


@given(elections, voter_weights)
def test_the_answer_is_one_of_the_candidates_and_counts_those_near_it(cast, weights):
    verdict = vote(cast, weights)
    placed = [ballot for ballot in cast if ballot.lat is not None]
    assert (verdict.chosen is None) == (not placed)
    if verdict.chosen is not None:
        answer = LatLon(*position_of(cast, verdict))
        near = [ballot for ballot in placed if distance_km(answer, LatLon(ballot.lat, ballot.lon)) < 25]
        assert verdict.agree == len(near) >= 1
    assert verdict.of == len(cast)


@given(elections, voter_weights)
def test_it_is_the_candidate_with_the_best_expected_utility(cast, weights):
    verdict = vote(cast, weights)
    assume(verdict.chosen is not None)

    def utility(candidate):
        total = 0.0
        for other in cast:
            if other.lat is not None:
                km = distance_km(LatLon(candidate.lat, candidate.lon), LatLon(other.lat, other.lon))
                rewards = [*(reward for _, reward in LADDER), 0.0]
                kernel = sum(
                    (rewards[k] - rewards[k + 1]) * math.exp(-km / scale)
                    for k, (scale, _) in enumerate(LADDER)
                )
                total += weights.get(other.voter, 1.0) * kernel
        return total

    best = max(utility(ballot) for ballot in cast if ballot.lat is not None)
    assert utility(cast[verdict.chosen]) == pytest.approx(best, rel=1e-6)


@given(elections, voter_weights)
def test_one_more_ballot_for_the_answer_leaves_it_and_raises_its_agreement(cast, weights):
    before = vote(cast, weights)
    assume(before.chosen is not None)
    chosen = cast[before.chosen]
    more = [*cast, Ballot("a", chosen.lat, chosen.lon, chosen.confidence)]
    after = vote(more, weights)
    assert position_of(more, after) == position_of(cast, before)
    assert (after.agree, after.of) == (before.agree + 1, before.of + 1)


@given(elections, st.sampled_from([1e-6, 0.3, 7.0, 1e9]))
def test_only_the_ratios_of_weights_count(cast, factor):
    weights = {"a": 1.0, "b": 0.7, "c": 2.0}
    assert vote(cast, weights) == vote(cast, {voter: factor * weight for voter, weight in weights.items()})


@given(st.lists(elections, max_size=6), voter_weights)
def test_many_photos_at_once_are_decided_like_each_by_itself(photos, weights):
    assert decide(photos, weights) == [decide([cast], weights)[0] for cast in photos]


def test_the_majority_wins_and_is_never_averaged_with_the_rest():
    cast = at(TOKYO, PARIS, nearby(PARIS, 3), nearby(PARIS, 5, 90))
    verdict = vote(cast)
    assert verdict.chosen in {1, 2, 3}
    assert verdict.agree == 3


def test_agreement_in_a_street_beats_agreement_in_a_region():
    cast = at(PARIS, nearby(PARIS, 80), LYON, nearby(LYON, 0.2))
    assert vote(cast).chosen in {2, 3}


def test_of_several_that_agree_the_one_in_their_middle_is_chosen():
    cast = at(nearby(PARIS, 4), PARIS, nearby(PARIS, 4, 180))
    assert vote(cast).chosen == 1


@pytest.mark.parametrize(
    ("one", "two"),
    [((10.0, 179.99), (10.0, -179.99)), ((89.99, 0.0), (89.99, 180.0)), ((-89.99, -90.0), (-89.99, 90.0))],
    ids=["antimeridian", "north pole", "south pole"],
)
def test_ballots_across_the_antimeridian_or_a_pole_agree(one, two):
    verdict = vote(at(TOKYO, one, two))
    assert verdict.chosen in {1, 2}
    assert verdict.agree == 2


def test_ballots_without_a_position_count_among_all_but_support_nobody():
    verdict = vote([EMPTY, *at(PARIS, nearby(PARIS, 1)), EMPTY])
    assert (verdict.agree, verdict.of) == (2, 4)
    assert verdict.confidence < vote(at(PARIS, nearby(PARIS, 1))).confidence


@pytest.mark.parametrize("of", [0, 1, 3])
def test_when_no_ballot_has_a_position_there_is_no_answer(of):
    assert vote([EMPTY] * of) == Verdict(None, 0, of, None, None)


def test_weights_decide_between_two_that_disagree():
    cast = [Ballot("good", *PARIS), Ballot("poor", *TOKYO)]
    assert vote(cast, {"good": 1.3, "poor": 0.7}).chosen == 0
    assert vote(cast, {"good": 0.7, "poor": 1.3}).chosen == 1
    assert vote(cast, {"poor": 1.1}).chosen == 1, "a voter without a weight counts 1"


def test_of_equals_the_more_confident_wins_and_then_the_more_precise():
    unsure, sure = Ballot("a", *PARIS, confidence=0.4), Ballot("b", *TOKYO, confidence=0.6)
    assert vote([unsure, sure]).chosen == vote([Ballot("a", *PARIS), sure]).chosen == 1
    wide, narrow = Ballot("a", *PARIS, radius_km=50), Ballot("b", *TOKYO, radius_km=1)
    assert vote([wide, narrow]).chosen == vote([Ballot("a", *PARIS), narrow]).chosen == 1


@pytest.mark.parametrize("weight", [0.0, -1.0, math.nan, math.inf])
def test_a_weight_that_is_no_positive_number_is_refused(weight):
    with pytest.raises(ValueError, match=r"the weight of 'a' is .* must be a positive number"):
        vote(at(PARIS), {"a": weight})


def test_a_single_ballot_is_as_sure_as_it_says_itself():
    assert vote(at(PARIS, confidence=0.7, radius_km=12.0)) == Verdict(0, 1, 1, 12.0, 0.7)
    assert vote(at(PARIS)) == Verdict(0, 1, 1, None, None)


def test_of_positions_that_nothing_supports_one_loses_to_another_run_and_two_that_agree_do_not():
    loose = [Ballot("a", 1.0, 1.0, grounded=False), Ballot("a", 1.02, 1.02, grounded=False)]
    for other in (Ballot("b", 40.0, 1.0), Ballot("b", 40.0, 1.0, grounded=True)):
        assert vote([loose[0], other]).chosen == 1
        assert vote([*loose, other]).chosen in {0, 1}
    supported = [Ballot("b", 40.0, 1.0, grounded=True), Ballot("b", 40.02, 1.02, grounded=True)]
    assert vote([*loose, *supported]).chosen in {2, 3}
