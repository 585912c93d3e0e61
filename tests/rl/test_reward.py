"""What a rollout earns: the ladder on its last words, and nothing without finding the place."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheretaken import scoring
from wheretaken.agent.events import Status
from wheretaken.geo import Datum, LatLon, destination
from wheretaken.rl.reward import BANDS, Outcome, ToolUse, band, neutral, score, slope
from wheretaken.rl.settings import LengthPenalty, RewardSettings

TRUTH = LatLon(60.17, 24.94)
PLAIN = RewardSettings()
EVERYTHING = RewardSettings(
    smooth=0.5,
    grounding_bonus=0.2,
    fault_neutral=True,
    length=LengthPenalty(start_tokens=100, full_tokens=200, share=0.3),
)
OPTIONS = (PLAIN, RewardSettings(reading="strict"), EVERYTHING)
km = st.floats(min_value=0, max_value=25_000)
uses = st.builds(ToolUse, name=st.sampled_from(["zoom", "road_map"]), ok=st.booleans(), fault=st.booleans())


def answer(place: LatLon, **more) -> str:
    return json.dumps({"lat": place.lat, "lon": place.lon, "city": "c", "country": "d"} | more)


def away(km: float, bearing: float = 77) -> LatLon:
    return destination(TRUTH, bearing, km)


def earned(final: str, settings: RewardSettings = PLAIN, **rest) -> float:
    return score(Outcome(final, **rest), TRUTH, settings).score


LADDER = {
    0: (1, "500m"),
    0.499: (1, "500m"),
    0.501: (0.8, "2km"),
    9.99: (0.6, "10km"),
    24: (0.4, "25km"),
    199: (0.2, "200km"),
    749: (0.1, "750km"),
    751: (0, "beyond"),
    9000: (0, "beyond"),
}
UNREADABLE = (
    *("", " ", "{}", "I do not know.", '{"lat": NaN, "lon": NaN}', '{"lat": null, "lon": null}'),
    *(
        '{"lat": Infinity, "lon": 1}',
        '{"lat": 91, "lon": 500}',
        "\0" * 50,
        "{" * 500,
        '{"lat": "x", "lon": 1}',
    ),
)


@pytest.mark.parametrize("km", LADDER)
def test_the_ladder(km):
    reward, name = LADDER[km]
    found = score(Outcome(answer(away(km))), TRUTH, PLAIN)
    assert (found.score, found.band, found.status) == (reward, name, Status.ANSWERED)
    assert found.km == pytest.approx(km, abs=1e-3)


@pytest.mark.parametrize("settings", OPTIONS)
@pytest.mark.parametrize("final", UNREADABLE)
def test_what_is_no_answer_earns_nothing(final, settings):
    found = score(Outcome(final, grounded=True, tools=(ToolUse("zoom", ok=True),)), TRUTH, settings)
    assert (found.score, found.km, found.band) == (0, math.inf, "none")
    assert found.status in {Status.UNPARSED, Status.REFUSED}
    assert all(math.isfinite(value) for value in found.numbers().values())


@pytest.mark.parametrize("stop", ["service_error", "model_error"])
def test_what_broke_off_failed_unless_it_had_answered(stop):
    assert score(Outcome("", stop), TRUTH, PLAIN).status is Status.FAILED
    assert score(Outcome(answer(TRUTH), stop), TRUTH, PLAIN).status is Status.ANSWERED


def test_of_many_objects_one_counts():
    """Listing places does not pay: it is the last that counts, or in the strict reading the first."""
    many = "\n".join(answer(away(km)) for km in (5000, 900, 0, 3000))
    assert earned(many) == 0
    assert earned(many, RewardSettings(reading="strict")) == 0
    one = answer(away(3000), candidates=[json.loads(answer(TRUTH))], evidence=[json.loads(answer(TRUTH))])
    assert earned(one) == 0


def test_numbers_in_what_a_tool_said_are_not_read():
    """The last words are all that is scored; a quoted tool result in them is the model's own text."""
    quoted = f'<tool_response>{answer(TRUTH)}</tool_response> <tool_call>{{"name": "x"}}</tool_call>'
    assert earned(quoted) == 0


@given(st.text(max_size=300), st.sampled_from(OPTIONS), st.lists(uses, max_size=12), st.booleans())
def test_no_text_earns_more_than_there_is(text, settings, tools, grounded):
    found = score(Outcome(text, tools=tuple(tools), grounded=grounded), TRUTH, settings)
    assert 0 <= found.score <= 1 + settings.grounding_bonus
    assert found.band in BANDS
    assert sum(found.parts.values()) == pytest.approx(found.score)


@given(km, km)
def test_the_slope_falls_and_stays_between_the_steps(one, other):
    near, far = sorted((one, other))
    assert slope(near) >= slope(far)
    steps = [1.0, *(step for _, step in scoring.LADDER), 0.0]
    here = scoring.reward(near)
    assert here <= slope(near) <= steps[max(steps.index(here, 1) - 1, 0)]


def test_the_slope_has_the_ladders_corners():
    assert [round(slope(km), 6) for km, _ in scoring.LADDER] == [step for _, step in scoring.LADDER]
    assert slope(2) == pytest.approx(scoring.reward(2 - 1e-9))
    assert slope(3) < slope(2)
    assert [slope(km) for km in (2500, 20_000, math.inf, math.nan)] == [0] * 4


@given(km, km)
def test_smooth_shaping_never_prefers_the_farther(one, other):
    near, far = sorted((one, other))
    settings = RewardSettings(smooth=0.5)
    assert earned(answer(away(near)), settings) >= earned(answer(away(far)), settings) - 1e-6


def test_always_answering_the_middle_of_the_world_earns_nothing_by_the_slope():
    settings = RewardSettings(smooth=1.0)
    for truth in (LatLon(48.9, 2.3), LatLon(40.7, -74), LatLon(35.7, 139.7), LatLon(-33.9, 151.2)):
        assert score(Outcome(answer(LatLon(0, 0))), truth, settings).score == 0


GROUNDING = RewardSettings(grounding_bonus=0.2, grounding_calls=3)
ONE_CALL = (ToolUse("road_map", ok=True),)


@pytest.mark.parametrize(
    ("km", "tools", "grounded", "reward"),
    [
        (0, ONE_CALL, True, 1.2),
        (0, ONE_CALL, False, 1.0),
        (0, ONE_CALL, None, 1.0),
        (0, ONE_CALL * 3, True, 1.2),
        (0, ONE_CALL * 4, True, 1.0),  # asking for everything grounds everything
        (15, ONE_CALL, True, 0.48),
        (9000, ONE_CALL, True, 0.0),  # what is wrong gains nothing by maps of the wrong place
    ],
)
def test_the_grounding_bonus_is_a_share_of_a_right_answer(km, tools, grounded, reward):
    assert earned(answer(away(km)), GROUNDING, tools=tools, grounded=grounded) == pytest.approx(reward)


@given(km, km, st.integers(0, 5))
def test_the_bonus_lifts_no_answer_over_one_that_is_better_by_more_than_it(near, far, calls):
    plain = earned(answer(away(near)), GROUNDING)
    other = earned(answer(away(far)), GROUNDING)
    if plain >= 1.2 * other:
        lifted = earned(answer(away(far)), GROUNDING, tools=ONE_CALL * calls, grounded=True)
        assert lifted <= plain + 1e-9


SHORT = RewardSettings(length=LengthPenalty(start_tokens=100, full_tokens=200, share=0.3))


@pytest.mark.parametrize(("tokens", "reward"), [(0, 1), (100, 1), (150, 0.85), (200, 0.7), (10**9, 0.7)])
def test_the_length_penalty_takes_a_share(tokens, reward):
    assert earned(answer(TRUTH), SHORT, tokens=tokens) == pytest.approx(reward)


@given(km, st.integers(0, 10_000))
def test_saying_nothing_never_beats_an_answer(km, tokens):
    assert earned("", SHORT) <= earned(answer(away(km)), SHORT, tokens=tokens)


FAULT = ToolUse("road_map", ok=False, fault=True, error="down")
NEUTRAL = RewardSettings(fault_neutral=True)


def test_a_service_fault_marks_a_rollout_whether_it_was_right_or_wrong():
    for final in (answer(TRUTH), answer(away(9000)), ""):
        outcome = Outcome(final, tools=(*ONE_CALL, FAULT))
        assert score(outcome, TRUTH, NEUTRAL).masked
        assert not score(outcome, TRUTH, PLAIN).masked
    assert score(Outcome("", "service_error"), TRUTH, NEUTRAL).masked


def test_a_models_own_mistake_is_no_way_out():
    wrong = ToolUse("road_map", ok=False, error="lat must be between -90 and 90")
    found = score(Outcome("", tools=(wrong,)), TRUTH, NEUTRAL)
    assert (found.masked, found.failed_calls, found.faults) == (False, 1, 0)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.sampled_from("abc")), min_size=1, max_size=24))
def test_masked_rollouts_have_no_advantage_and_change_nobody_elses(rollouts):
    scores, masked, groups = zip(*rollouts, strict=True)
    found = neutral(scores, masked, groups)
    for group in set(groups):
        mine = [n for n, name in enumerate(groups) if name == group]
        kept = [scores[n] for n in mine if not masked[n]]
        mean = sum(found[n] for n in mine) / len(mine)
        for n in mine:
            if masked[n]:
                assert found[n] == pytest.approx(mean)
            else:
                assert found[n] == scores[n]
                assert scores[n] - mean == pytest.approx(scores[n] - sum(kept) / len(kept))


def test_answers_are_in_the_datum_of_the_tools():
    truth = LatLon(39.9093, 116.3974)
    shifted = truth.to(Datum.GCJ02)
    outcome = Outcome(answer(shifted))
    assert score(outcome, truth, PLAIN, Datum.GCJ02).km < 0.01
    assert score(outcome, truth, PLAIN).km > 0.4
    assert score(outcome, shifted, PLAIN, Datum.GCJ02).km < 0.01  # a truth says itself in which it is


def test_numbers_have_the_same_names_whatever_happened():
    one = score(Outcome(answer(TRUTH)), TRUTH, EVERYTHING).numbers()
    other = score(Outcome(""), TRUTH, PLAIN).numbers()
    assert one.keys() == other.keys()
    assert one["acc_500m"] == 1
    assert one["geoscore"] == pytest.approx(5000, rel=1e-3)
    json.dumps(one, allow_nan=False)


@pytest.mark.parametrize(
    ("km", "name"), [(math.inf, "none"), (math.nan, "none"), (0.5, "2km"), (750, "beyond")]
)
def test_bands(km, name):
    assert band(km) == name
