"""How sure one can be of a measured number: 95 % intervals of shares, of means, and of paired differences."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

Z95 = NormalDist().inv_cdf(0.975)
"""Standard deviations on either side that hold 95 % of a normal distribution."""
RESAMPLES = 10_000
_DRAWS = 4_000_000
"""Photos drawn at a time: 32 MB, whatever the size of the set."""


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share; (0, 1) when nothing was measured.

    It stays within [0, 1] and has a width even where all or none succeed.
    Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 1927.

    Raises:
        ValueError: `successes` is not between 0 and `n`.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no share")
    if n == 0:
        return 0.0, 1.0
    share, square = successes / n, Z95 * Z95
    middle = (share + square / (2 * n)) / (1 + square / n)
    reach = Z95 / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    # At the ends of the scale the interval ends exactly there; rounding would leave 1e-17.
    low = 0.0 if successes == 0 else max(middle - reach, 0.0)
    high = 1.0 if successes == n else min(middle + reach, 1.0)
    return low, high


def normal_mean(values: npt.NDArray[np.float64], *, lowest: float, highest: float) -> tuple[float, float]:
    """Return the 95 % interval of a mean by the central limit theorem, cut to what the mean can be.

    It needs some dozens of values; of a few that are all equal it claims too much.

    Args:
        values: one per photo, between `lowest` and `highest`; fewer than two say nothing about the spread,
            so that everything from `lowest` to `highest` remains possible.
        lowest: least value that the mean can have.
        highest: greatest value that the mean can have.
    """
    if len(values) < 2:
        return lowest, highest
    mean = float(values.mean())
    reach = Z95 * float(values.std(ddof=1)) / math.sqrt(len(values))
    return max(mean - reach, lowest), min(mean + reach, highest)


@dataclass(frozen=True, slots=True)
class PairedBootstrap:
    """What resampling the photos says about the mean differences of k measures; arrays of shape (k,)."""

    low: npt.NDArray[np.float64]
    """2.5 % quantile of the mean difference."""
    high: npt.NDArray[np.float64]
    """97.5 % quantile."""
    better: npt.NDArray[np.float64]
    """Share of resamples in which the mean difference is above 0."""
    p: npt.NDArray[np.float64]
    """Two-sided: twice the smaller share of resamples at or beyond 0, the sample itself counted with them."""


def paired_bootstrap(
    differences: npt.NDArray[np.float64], *, resamples: int = RESAMPLES, seed: int = 0
) -> PairedBootstrap:
    """Draw photos with replacement, for both runs alike, and look at the mean differences (percentiles).

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 13 and 16.

    Args:
        differences: shape (n photos, k measures), B minus A.
        resamples: how often n photos are drawn.
        seed: the same one gives the same result.

    Raises:
        ValueError: there are no photos.
    """
    n, measures = differences.shape
    if n == 0:
        raise ValueError("nothing to compare: there are no photos")
    random = np.random.default_rng(seed)
    means = np.empty((resamples, measures))
    rows = max(_DRAWS // n, 1)
    for start in range(0, resamples, rows):
        size = min(rows, resamples - start)
        drawn: npt.NDArray[np.int64] = random.integers(0, n, size=(size, n))
        # How often each photo was drawn, for all resamples of the block in one count.
        drawn += n * np.arange(size, dtype=np.int64)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        means[start : start + size] = counts @ differences / n
    # Sums in another order differ in their last digit; what is 0 but for that is 0.
    means[np.abs(means) < 1e-12 * np.abs(differences).max(initial=0.0)] = 0.0
    low, high = np.quantile(means, (0.025, 0.975), axis=0)
    # With the sample itself in the count, no number of resamples can claim a p of 0.
    beyond = np.minimum((means <= 0).sum(axis=0), (means >= 0).sum(axis=0)) + 1
    return PairedBootstrap(
        low=low,
        high=high,
        better=(means > 0).mean(axis=0),
        p=np.minimum(2 * beyond / (resamples + 1), 1.0),
    )
