"""From agreement to a radius and a confidence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheretaken.sampling.calibration import MEASURED, SCALES_KM, Calibration, Curve
from wheretaken.sampling.model import Ballot
from wheretaken.sampling.vote import vote

SHARE = Calibration(curves=(Curve(even=0, minority=1, majority=1),) * len(SCALES_KM))


def counts(*rows):
    return np.array(rows, dtype=np.int64)


def within(near, of, calibration=MEASURED):
    """Confidence and radius where `near` of `of` ballots lie within every distance."""
    rows, of = counts([near] * len(SCALES_KM)), counts(of)
    return calibration.confidences(rows, of)[0], calibration.radii_km(rows, of)[0]


@pytest.mark.parametrize(("near", "of"), [(1, 1), (1, 4), (2, 4), (4, 4), (16, 16)])
def test_without_an_offset_the_chance_is_the_share_less_half_a_ballot(near, of):
    confidence, _ = within(near, of, SHARE)
    assert confidence == pytest.approx((near - 0.5) / of)


def test_minority_and_majority_have_slopes_of_their_own():
    curved = Calibration(curves=(Curve(even=0, minority=0, majority=2),) * len(SCALES_KM))
    assert within(1, 4, curved)[0] == within(2, 4, curved)[0] == pytest.approx(0.5)
    assert within(4, 4, curved)[0] == pytest.approx(49 / 50)  # odds of 7, squared


@given(of=st.integers(2, 64), data=st.data())
def test_more_agreement_means_more_confidence_and_a_smaller_radius(of, data):
    fewer = data.draw(st.integers(1, of - 1))
    more = data.draw(st.integers(fewer + 1, of))
    (low, wide), (high, narrow) = within(fewer, of), within(more, of)
    assert 0 < low < high < 1
    assert 0.05 < narrow < wide < 20_004


@given(st.lists(st.integers(1, 9), min_size=7, max_size=7), st.integers(9, 20))
def test_chances_never_fall_with_the_distance(near, of):
    chances = MEASURED.chances(counts(sorted(near)), counts(of))[0]
    assert (np.diff(chances) >= 0).all()


def test_the_radius_is_where_the_chance_reaches_80_percent():
    # All agree within 10 km and no nearer: 80 % lie between the curve's values on either side.
    near, of = counts([1, 1, 8, 8, 8, 8, 8]), counts(8)
    chances = dict(zip(SCALES_KM, MEASURED.chances(near, of)[0], strict=True))
    radius = MEASURED.radii_km(near, of)[0]
    assert chances[2.0] < 0.8 < chances[10.0]
    share = (0.8 - chances[2.0]) / (chances[10.0] - chances[2.0])
    assert radius == pytest.approx(2.0 * 5.0**share)


def test_extreme_curves_overflow_nowhere():
    steep = Calibration(curves=(Curve(even=-900, minority=500, majority=900),) * len(SCALES_KM))
    assert within(1, 16, steep)[0] == 0
    assert within(16, 16, steep)[0] == 1


def test_a_verdict_speaks_of_what_it_was_calibrated_with():
    cast = [Ballot("a", 1.0, 1.0), Ballot("b", 1.0, 1.001), Ballot("c", 1.001, 1.0)]
    assert vote(cast, calibration=SHARE).confidence == pytest.approx(2.5 / 3)
    assert vote(cast).confidence == pytest.approx(within(3, 3)[0])
    assert vote(cast).radius_km == pytest.approx(within(3, 3)[1])
