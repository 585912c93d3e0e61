"""How sure a decision is: from how many ballots agree to the chance of being right, and to a radius.

The model, at each distance `d` by itself: `a` of `n` ballots lie within `d` of the answer, itself counted,
and

    x = log((a - 1/2) / (n - a + 1/2))
    P(truth within d) = logistic(even + minority * min(x, 0) + majority * max(x, 0))

`x` is the log-odds of the share of agreement; the half keeps it finite when all agree, so that 16 of 16 say
more than 2 of 2, and nobody is ever certain. With `even` 0 and both slopes 1 the chance is the share itself,
`(a - 1/2) / n`. Chances grow with the distance; between the distances they are interpolated along its
logarithm, and the radius is where they reach 80 %, or the level at which radii held on the photos that the
curves were fitted on: what a line between two distances says too much or too little is mended there.

How far agreement can be trusted depends on the photos: models that saw the same landmark agree because it is
there, models that guess agree on the middle of the same large city. `MEASURED` is a compromise, stated there;
curves fitted on photos like one's own (`wheretaken.evals.crossfit`) are better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from wheretaken.scoring import ACC_KM

if TYPE_CHECKING:
    import numpy.typing as npt

SCALES_KM: tuple[float, ...] = (*ACC_KM, 2500.0)
"""The distances at which agreement is counted: the six of the ladder, and continents."""
AGREE_KM = 25.0
"""Ballots this near to each other name the same town: what a verdict's `agree` and `confidence` are about."""
RADIUS_CHANCE = 0.8
"""A verdict's radius holds the place in this share of cases."""
_AGREE = SCALES_KM.index(AGREE_KM)
_NEAREST_KM, _FARTHEST_KM = 0.05, 20_004.0
"""Where the chances start from 0 (the size of what a photo shows) and end at 1 (half a meridian)."""
_STEPS: list[float] = np.log([_NEAREST_KM, *SCALES_KM, _FARTHEST_KM]).tolist()


class Curve(BaseModel):
    """How agreement within a distance tells the chance that the truth is within it."""

    model_config = ConfigDict(frozen=True)

    even: Annotated[float, Field(allow_inf_nan=False)]
    """Log-odds of being right when half of the ballots agree."""
    minority: Annotated[float, Field(allow_inf_nan=False)]
    """By how much they grow with the log-odds of agreement as long as fewer than half agree."""
    majority: Annotated[float, Field(allow_inf_nan=False)]
    """By how much they grow where more than half agree: unanimity may be worth more than its share."""


class Calibration(BaseModel):
    """One curve for each of `SCALES_KM`, and where a radius is read off them."""

    model_config = ConfigDict(frozen=True)

    curves: Annotated[tuple[Curve, ...], Field(min_length=len(SCALES_KM), max_length=len(SCALES_KM))]
    level: Annotated[float, Field(gt=0, lt=1)] = RADIUS_CHANCE
    """The chance that the curves give to a radius which holds the truth in 80 of 100 cases."""

    def chances(self, near: npt.NDArray[np.int64], of: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the chances that the truth is within each of `SCALES_KM`, never falling with the distance.

        Args:
            near: shape (m, 7), how many ballots lie within each distance of the answer, itself counted.
            of: shape (m,), how many ballots there were.
        """
        curves = np.array([(curve.even, curve.minority, curve.majority) for curve in self.curves])
        odds = np.einsum("mkf,kf->mk", features(near, of), curves)
        return np.maximum.accumulate(logistic(odds), axis=1)

    def confidences(self, near: npt.NDArray[np.int64], of: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the chances of being right within 25 km, shape (m,); arguments as for `chances`."""
        return self.chances(near, of)[:, _AGREE]

    def radii_km(self, near: npt.NDArray[np.int64], of: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the radii that hold the truth in 80 of 100 cases, shape (m,); arguments as for `chances`."""
        radii = [
            np.interp(self.level, [0.0, *chances, 1.0], _STEPS) for chances in self.chances(near, of).tolist()
        ]
        return np.exp(np.array(radii, dtype=np.float64))

    def levels(
        self, near: npt.NDArray[np.int64], of: npt.NDArray[np.int64], km: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Return the chances that the truth is within `km`, shape (m,), of each answer.

        Where the curves are right, they are spread evenly between 0 and 1.
        """
        steps: list[float] = np.log(np.clip(km, _NEAREST_KM, _FARTHEST_KM)).tolist()
        found = [
            float(np.interp(step, _STEPS, [0.0, *chances, 1.0]))
            for step, chances in zip(steps, self.chances(near, of).tolist(), strict=True)
        ]
        return np.array(found, dtype=np.float64)


def features(near: npt.NDArray[np.int64], of: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return what each number of a curve is multiplied with, shape (m, 7, 3); arguments as for `chances`."""
    x = np.log((near - 0.5) / (of[:, None] - near + 0.5))
    return np.stack([np.ones_like(x), np.minimum(x, 0), np.maximum(x, 0)], axis=-1)


def logistic(odds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the probabilities of log-odds; of any size, as the hyperbolic tangent does not overflow."""
    return 0.5 + 0.5 * np.tanh(0.5 * odds)


MEASURED = Calibration(
    curves=tuple(
        Curve(even=even, minority=minority, majority=majority)
        for even, minority, majority in (
            *((-0.60, 1.48, 0.65), (-0.48, 1.15, 1.10), (-0.02, 1.03, 1.11)),
            *((0.07, 0.99, 1.15), (0.23, 0.87, 1.11), (0.80, 0.79, 1.04), (2.49, 0.87, 1.77)),
        )
    )
)
"""Fitted on answers that the Thinking-with-Map project published for GeoBench without China (4 models, 934
photos) and MAPBench V1 (3 models, 2,499 photos): every choice of two or more of the models votes, which gives
about 10,000 votes on each. It lies between the two and is off on either, both ways: all models voting, 93 %
of GeoBench's photos are within the radius and 65 % of MAPBench's; the confidence is 0.16 too low and 0.17
too high.
"""
