"""What a vote can learn from photos whose place is known, and never for those photos themselves.

The model: a `Weighting` says how much each voter counts and what agreement is worth. It is fitted on `Case`s,
which hold the ballots of a photo and how far each is from the truth. To be measured on the photos it was
fitted on, it is cross-fitted: the photos fall into two halves by a hash of their id, and each half is voted
on with what was fitted on the other.

A voter's weight is the geometric mean of its Acc at the six distances of the ladder, relative to the other
voters: being right half as often costs the same at 500 m as at 750 km. It is a closed form on purpose: on
held-out halves it did better than a search for the weights with the best reward, which follows the chances of
the sample.

What a ballot rests on, and how sure it says that it is, count by the same measure (`Trust`): the level of
such ballots relative to all of the same voter. Both are drawn to the prior as if it had been seen on some
ballots, and stay there where no ballot tells.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from wheretaken.sampling.calibration import (
    MEASURED,
    RADIUS_CHANCE,
    SCALES_KM,
    Calibration,
    Curve,
    features,
    logistic,
)
from wheretaken.sampling.trust import PRIOR, Trust, band
from wheretaken.sampling.vote import decide
from wheretaken.scoring import ACC_KM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy.typing as npt

    from wheretaken.sampling.model import Ballot
    from wheretaken.sampling.vote import Decision

_ENOUGH = 1e-9
"""A Newton step that changes less than this is the last one."""
_MOST_STEPS = 100
_ASSUMED = 10.0
"""On so many ballots the prior of `Trust` is taken to have been seen."""


@dataclass(frozen=True, slots=True)
class Case:
    """A photo whose place is known."""

    id: str
    ballots: tuple[Ballot, ...]
    km: tuple[float, ...]
    """How far each ballot is from the truth; infinite for one without a position."""


class Weighting(BaseModel):
    """What was fitted, as it is written to a file and read again."""

    model_config = ConfigDict(frozen=True)

    weights: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]]
    """How much each voter counts; they are 1 in the mean."""
    trust: Trust = PRIOR
    """How much a ballot counts by what it rests on and the confidence that it states."""
    calibration: Calibration = MEASURED
    photos: int = 0
    """On how many photos it was fitted."""
    fitted_on: str = ""
    """Fingerprint of these photos' ids: voting on them again would be no fair measurement."""


def fit(cases: Sequence[Case]) -> Weighting:
    """Fit weights, then the calibration of the votes that are cast with them; without photos, all count 1."""
    weights, trust = _fit_weights(cases), fit_trust(cases)
    decisions = decide([case.ballots for case in cases], weights, trust)
    return Weighting(
        weights=weights,
        trust=trust,
        calibration=fit_calibration(decisions, chosen_km(cases, [made.chosen for made in decisions])),
        photos=len(cases),
        fitted_on=fingerprint(case.id for case in cases),
    )


def crossfit(cases: Sequence[Case]) -> tuple[Weighting, Weighting]:
    """Return what to use for the photos of half 0 and of half 1, each fitted on the other half."""
    return fit([case for case in cases if half(case.id)]), fit([case for case in cases if not half(case.id)])


def half(name: str) -> int:
    """Return the half that a photo falls into, 0 or 1, by its id alone."""
    return hashlib.sha256(name.encode()).digest()[0] & 1


def fingerprint(names: Iterable[str]) -> str:
    """Return a short hash of a set of ids."""
    return hashlib.sha256("\n".join(sorted(set(names))).encode()).hexdigest()[:16]


def chosen_km(cases: Sequence[Case], chosen: Sequence[int | None]) -> npt.NDArray[np.float64]:
    """Return how far the chosen ballots are from the truth, shape (n,); infinite where there is none."""
    pairs = zip(cases, chosen, strict=True)
    return np.array([np.inf if index is None else case.km[index] for case, index in pairs], dtype=np.float64)


def _fit_weights(cases: Sequence[Case]) -> dict[str, float]:
    km_of: defaultdict[str, list[float]] = defaultdict(list)
    for case in cases:
        for ballot, km in zip(case.ballots, case.km, strict=True):
            km_of[ballot.voter].append(km)
    # One right and one wrong answer are added, so that a voter that was never right still counts a little.
    levels = {
        voter: float(np.exp(np.mean([np.log((np.sum(np.less(km, d)) + 1) / (len(km) + 2)) for d in ACC_KM])))
        for voter, km in km_of.items()
    }
    return {voter: level * len(levels) / sum(levels.values()) for voter, level in levels.items()}


def fit_trust(cases: Sequence[Case], prior: Trust = PRIOR) -> Trust:
    """Fit what a ballot counts by what is known of it, each property by itself."""
    said = [
        pair for case in cases for pair in zip(case.ballots, case.km, strict=True) if pair[0].lat is not None
    ]
    could_ask = [(ballot, km) for ballot, km in said if ballot.grounded is not None]
    stated = [(ballot, km) for ballot, km in said if ballot.confidence is not None]
    loose = _relative(could_ask, lambda ballot: ballot.grounded is False, prior.ungrounded)
    firm = _relative(could_ask, lambda ballot: ballot.grounded is True, 1.0)
    low, middle, high = (
        _relative(stated, lambda ballot, k=k: band(ballot) == k, prior.confidence[k]) for k in range(3)
    )
    return Trust(ungrounded=loose / firm, confidence=(low, middle, high))


def _relative(said: Sequence[tuple[Ballot, float]], has: Callable[[Ballot], bool], prior: float) -> float:
    """Return how good ballots with a property are, relative to all that their voters cast.

    The geometric mean over the six distances of Acc with the property by the Acc that their voters have.
    """
    ratios: list[float] = []
    for d in ACC_KM:
        right: defaultdict[str, list[bool]] = defaultdict(list)
        for ballot, km in said:
            right[ballot.voter].append(km < d)
        rate = {voter: (sum(hits) + 0.5) / (len(hits) + 1) for voter, hits in right.items()}
        own = [(km < d, rate[ballot.voter]) for ballot, km in said if has(ballot)]
        hits, expected = sum(hit for hit, _ in own), sum(usual for _, usual in own)
        assumed = _ASSUMED * (expected / len(own) if own else 1.0)
        ratios.append((hits + assumed * prior) / (expected + assumed))
    return float(np.exp(np.mean(np.log(ratios))))


def fit_calibration(
    decisions: Sequence[Decision], km: npt.NDArray[np.float64], prior: Calibration = MEASURED
) -> Calibration:
    """Fit the curves of agreement on decisions and their distances from the truth, shape (n,).

    Decisions over fewer than two ballots say nothing about agreement and are left out. `prior` counts like a
    handful of decisions: with few of them the curves stay near it.
    """
    used = [k for k, decision in enumerate(decisions) if decision.chosen is not None and decision.of > 1]
    if not used:
        return prior
    near = np.array([decisions[k].near for k in used], dtype=np.int64)
    of = np.array([decisions[k].of for k in used], dtype=np.int64)
    x = features(near, of)
    right = km[used][:, None] < np.array(SCALES_KM)
    curves = tuple(_fit_curve(x[:, k], right[:, k], curve) for k, curve in enumerate(prior.curves))
    fitted = Calibration(curves=curves)
    return Calibration(curves=curves, level=_conformal(fitted.levels(near, of, km[used]), prior.level))


def _conformal(levels: npt.NDArray[np.float64], prior: float) -> float:
    """Return the level below which the truth was in 80 of 100 cases.

    The rank is that of split conformal prediction, with the level of the truth as its score, which holds
    whatever the curves are: Lei et al., "Distribution-Free Predictive Inference for Regression", JASA 2018.
    A handful of cases spread as the prior says are added, so that few photos do not move it far.
    """
    below = prior * (np.arange(_ASSUMED * RADIUS_CHANCE) + 0.5) / (_ASSUMED * RADIUS_CHANCE)
    above = np.ones(round(_ASSUMED * (1 - RADIUS_CHANCE)))
    scores = np.sort(np.concatenate([levels, below, above]))
    rank = min(int(np.ceil((len(scores) + 1) * RADIUS_CHANCE)), len(scores))
    return float(np.clip(scores[rank - 1], _ENOUGH, 1 - _ENOUGH))


def _fit_curve(x: npt.NDArray[np.float64], right: npt.NDArray[np.bool_], prior: Curve) -> Curve:
    """Regress being right, shape (m,), on features of agreement, shape (m, 3), by logistic regression.

    The numbers of the curve are drawn to the prior's as if they were normal around it with deviation 1.
    Newton's method; the loss is strictly convex, and a step that does not lower it is halved until it does.
    """
    start = np.array([prior.even, prior.minority, prior.majority])
    at: npt.NDArray[np.float64] = start

    def loss(point: npt.NDArray[np.float64]) -> float:
        z = x @ point
        return float(np.sum(np.logaddexp(0, z) - right * z) + 0.5 * np.sum((point - start) ** 2))

    for _ in range(_MOST_STEPS):
        chance = logistic(x @ at)
        slope = x.T @ (chance - right) + (at - start)
        curvature = (x.T * (chance * (1 - chance))) @ x + np.eye(3)
        step = np.asarray(np.linalg.solve(curvature, slope), dtype=np.float64)
        before = loss(at)
        while loss(at - step) > before and np.abs(step).max() > _ENOUGH:
            step *= 0.5
        at = at - step
        if np.abs(step).max() <= _ENOUGH:
            break
    even, minority, majority = at.tolist()
    return Curve(even=even, minority=minority, majority=majority)
