"""The tally: exact measures of any stream of distances, whatever the order and the parts."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheretaken.scoring import ACC_KM, IM2GPS_KM, LADDER, geoscore, reward
from wheretaken.scoring.tally import Tally, geoscores, rewards

EDGES = [km for limit in ACC_KM for km in (math.nextafter(limit, 0), limit, math.nextafter(limit, 9e9))]
DISTANCES = st.one_of(
    st.floats(0, 20_038),
    st.sampled_from(EDGES),
    st.just(math.inf),
)


def scored(km, statuses=None, **options):
    tally = Tally()
    tally.add(km, statuses or ["answered" if math.isfinite(one) else "failed" for one in km])
    return tally.score(**options)


def test_a_small_set_by_hand():
    score = scored(
        [0.1, 0.5, 9.0, 100.0, math.inf, math.inf, math.inf, math.inf],
        ["answered"] * 4 + ["refused", "refused", "unparsed", "failed"],
        file="a.jsonl",
    )
    assert (score.n, score.answered, score.refused, score.unparsed, score.failed) == (8, 4, 2, 1, 1)
    assert score.acc == {
        "500m": 0.125, "2km": 0.25, "10km": 0.375, "25km": 0.375, "200km": 0.5, "750km": 0.5,
    }  # fmt: skip
    assert score.score == pytest.approx((1 + 0.8 + 0.6 + 0.2) / 8)
    assert score.median_km is None  # half of them lie nowhere: the median is between 100 km and infinity
    assert score.geoscore == pytest.approx(sum(map(geoscore, [0.1, 0.5, 9, 100])) / 8)
    assert score.ci95["500m"] == (pytest.approx(0.0224, abs=1e-4), pytest.approx(0.4709, abs=1e-4))
    assert set(score.ci95) == {*score.acc, "score", "geoscore"}


def test_median_counts_photos_without_an_answer():
    assert scored([1.0, 2.0, math.inf]).median_km == 2
    assert scored([1.0, 3.0]).median_km == 2
    assert scored([1.0, math.inf]).median_km is None


def test_nothing_measured_is_no_crash_and_no_claim():
    score = Tally().score()
    assert (score.n, score.score, score.median_km) == (0, 0, None)
    assert score.ci95["10km"] == score.ci95["score"] == (0, 1)


def test_other_distances():
    score = scored([0.9, 24.0, 2000.0], thresholds_km=IM2GPS_KM)
    assert score.acc == pytest.approx(
        {"1km": 1 / 3, "25km": 2 / 3, "200km": 2 / 3, "750km": 2 / 3, "2500km": 1}
    )
    assert score.score == pytest.approx((0.8 + 0.4) / 3)


@given(st.lists(DISTANCES, min_size=1))
def test_vectors_agree_with_the_ladder(km):
    assert rewards(np.array(km)).tolist() == [reward(one) for one in km]
    assert geoscores(np.array(km)).tolist() == pytest.approx([geoscore(one) for one in km])


@given(st.lists(DISTANCES, min_size=1))
def test_score_is_the_ladder_over_the_accuracies_and_these_only_grow(km):
    score = scored(km)
    accuracies = [score.acc[name] for name in score.acc]
    assert accuracies == sorted(accuracies)
    earned = [earned for _, earned in LADDER]
    drops = [one - two for one, two in zip(earned, [*earned[1:], 0.0], strict=True)]
    assert score.score == pytest.approx(sum(d * share for d, share in zip(drops, accuracies, strict=True)))
    for name, share in score.acc.items():
        low, high = score.ci95[name]
        assert 0 <= low <= share <= high <= 1
    assert score.ci95["score"][0] <= score.score + 1e-12
    assert score.ci95["score"][1] >= score.score - 1e-12


@given(st.lists(DISTANCES, min_size=1), st.randoms(use_true_random=False), st.data())
def test_neither_order_nor_parts_matter(km, random, data):
    whole = scored(km)
    shuffled = random.sample(km, len(km))
    cut = data.draw(st.integers(0, len(km)))
    parts = Tally()
    for part in (shuffled[:cut], shuffled[cut:]):
        parts.add(part, ["answered" if math.isfinite(one) else "failed" for one in part])
    assert len(parts) == len(km)
    again = parts.score()
    assert again.acc == whole.acc
    assert (again.n, again.answered, again.failed) == (whole.n, whole.answered, whole.failed)
    assert again.median_km == whole.median_km
    assert again.score == pytest.approx(whole.score)
    assert again.geoscore == pytest.approx(whole.geoscore)
