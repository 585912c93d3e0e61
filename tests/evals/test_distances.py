"""Results become kilometres in one place, whatever the length of the stream."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheretaken.agent.events import Status
from wheretaken.answers import Answer
from wheretaken.evals.distances import measured, result_distances_km, score_results
from wheretaken.evals.model import Result, Truth
from wheretaken.geo import LatLon, distance_km

LATS, LONS = st.floats(-90, 90), st.floats(-180, 180)


@st.composite
def results(draw):
    truth = Truth(lat=draw(LATS), lon=draw(LONS))
    status = draw(st.sampled_from(list(Status)))
    answer = Answer(lat=draw(LATS), lon=draw(LONS)) if status is Status.ANSWERED else None
    return Result(id="p", truth=truth, status=status, answer=answer)


@given(st.lists(results(), max_size=5))
def test_distances_are_geodesics_and_no_answer_is_infinitely_far(some):
    expected = [
        distance_km(one.answer.position, LatLon(one.truth.lat, one.truth.lon)) if one.answer else math.inf
        for one in some
    ]
    found = result_distances_km(some)
    assert found.shape == (len(some),)
    assert found.tolist() == pytest.approx(expected, abs=1e-6)


def many(n):
    rng = np.random.default_rng(0)
    for i in range(n):
        place = Truth(lat=rng.uniform(-80, 80), lon=rng.uniform(-170, 170))
        if i % 5:
            answer = Answer(lat=place.lat + rng.normal() ** 3 / 10, lon=place.lon)
            yield Result(id=str(i), truth=place, status=Status.ANSWERED, answer=answer)
        else:
            yield Result(id=str(i), truth=place, status=Status.REFUSED)


def test_a_long_stream_keeps_its_order():
    stream = list(measured(many(5000)))
    assert [one.id for one, _ in stream] == [str(i) for i in range(5000)]
    assert [km for _, km in stream] == result_distances_km([one for one, _ in stream]).tolist()


def test_permuting_a_file_changes_nothing():
    forth, back = list(many(5000)), list(many(5000))[::-1]
    one, two = score_results(forth), score_results(back)
    assert (one.n, one.answered, one.refused) == (5000, 4000, 1000)
    assert (one.acc, one.median_km) == (two.acc, two.median_km)
    assert (one.score, one.geoscore) == pytest.approx((two.score, two.geoscore))
    assert 0 < one.acc["500m"] < one.acc["25km"] < one.acc["750km"] <= 0.8
