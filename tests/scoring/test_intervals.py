"""Intervals against published numbers, and against what every interval must be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheretaken.scoring.intervals import normal_mean, paired_bootstrap, wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        # Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_numbers(successes, n, low, high):
    assert wilson(successes, n) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@given(st.integers(0, 10**7).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_stays_in_range_and_holds_the_share(case):
    successes, n = case
    low, high = wilson(successes, n)
    assert 0 <= low < high <= 1
    assert n == 0 or low <= successes / n <= high
    assert wilson(n - successes, n) == (pytest.approx(1 - high), pytest.approx(1 - low))


def test_wilson_refuses_what_is_no_share():
    with pytest.raises(ValueError, match="3 of 2 is no share"):
        wilson(3, 2)


def test_mean_interval_is_the_textbook_one_and_stays_in_range():
    values = np.array([0.0, 0.2, 0.4, 1.0])
    mean, reach = 0.4, 1.959964 * values.std(ddof=1) / 2
    assert normal_mean(values, lowest=-9, highest=9) == pytest.approx((mean - reach, mean + reach))
    assert normal_mean(values, lowest=0, highest=0.5) == (0, 0.5)
    assert normal_mean(values[:1], lowest=0, highest=1) == (0, 1)


def test_bootstrap_agrees_with_the_normal_interval_of_a_large_sample():
    differences = np.random.default_rng(1).normal(0.1, 1, size=(2000, 1))
    found = paired_bootstrap(differences)
    low, high = normal_mean(differences[:, 0], lowest=-9, highest=9)
    assert (found.low[0], found.high[0]) == (pytest.approx(low, abs=0.003), pytest.approx(high, abs=0.003))
    # The mean is 0.1 or so, its standard error 1 / sqrt(2000): the other side of 0 is 4 to 5 of them away.
    assert found.better[0] > 0.999
    assert found.p[0] < 0.002


def test_bootstrap_of_no_difference_decides_nothing():
    found = paired_bootstrap(np.zeros((50, 2)), resamples=200)
    assert found.low.tolist() == found.high.tolist() == found.better.tolist() == [0, 0]
    assert found.p.tolist() == [1, 1]


def test_bootstrap_is_reproducible_and_blockwise_draws_are_fair():
    differences = np.random.default_rng(2).normal(size=(300, 3))
    one, two = (paired_bootstrap(differences, resamples=500, seed=7) for _ in range(2))
    assert one.low.tolist() == two.low.tolist()
    other = paired_bootstrap(differences, resamples=500, seed=8)
    assert one.low.tolist() != other.low.tolist()
    # Large enough that the draws come in several blocks.
    many = np.tile([[1.0], [-1.0]], (200_000, 1))
    wide = paired_bootstrap(many, resamples=200)
    assert wide.high[0] - wide.low[0] == pytest.approx(2 * 1.96 / np.sqrt(400_000), rel=0.25)


def test_bootstrap_turns_round_with_its_input():
    differences = np.random.default_rng(3).normal(0.05, 1, size=(400, 1))
    one, other = paired_bootstrap(differences), paired_bootstrap(-differences)
    assert one.low[0] == pytest.approx(-other.high[0])
    assert one.p[0] == pytest.approx(other.p[0])
    assert one.better[0] == pytest.approx(1 - other.better[0])


def test_bootstrap_needs_photos():
    with pytest.raises(ValueError, match="no photos"):
        paired_bootstrap(np.zeros((0, 2)))
