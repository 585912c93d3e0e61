"""The verifier that needs no model: the answer is the ballot that the others support best.

The model is minimum Bayes risk: take the ballots for what is known of the place, and choose the one with the
best expected reward. Each voter `v` stands at `x_v` with weight `w_v`, each candidate `c` is one of these
positions:

    U(c) = sum_v w_v K(d(c, x_v)) / sum_v w_v        K(d) = sum_k (r_k - r_k+1) exp(-d / d_k)

A voter's weight is what is known of who it is, times what is known of this ballot (`trust`): what it rests
on, and how sure it says that it is. `d_k` and `r_k` are the distances and rewards of the six-step ladder
(`wheretaken.scoring.LADDER`), `d` is geodesic, and `K(0) = 1`: the kernel is the reward with each step
softened over its own distance, so that agreement within a street counts more than agreement within a town,
and there is no constant to tune.

The answer is a position that a run gave, never a mean: the mean of two towns is a field between them. Equal
utilities are decided by the confidence and radius that the runs stated, then by the coordinates, so that the
order of the ballots does not matter. No truth has a place in here.

Sources: best of N by agreement for map-augmented agents, "Thinking with Map", arXiv 2601.05432; minimum Bayes
risk decoding, Kumar and Byrne, "Minimum Bayes-Risk Decoding for Statistical Machine Translation", HLT-NAACL
2004.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wheretaken.geo.latlon import distances_km
from wheretaken.sampling.calibration import AGREE_KM, MEASURED, SCALES_KM, Calibration
from wheretaken.sampling.model import Ballot, Verdict
from wheretaken.sampling.trust import PRIOR, Trust
from wheretaken.scoring import LADDER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

_REWARDS = [earned for _, earned in LADDER] + [0.0]
_STEPS = [(km, _REWARDS[k] - _REWARDS[k + 1]) for k, (km, _) in enumerate(LADDER)]
_AGREE = SCALES_KM.index(AGREE_KM)
_BLOCK = 2048
"""Photos that are compared at a time: some 100 MB with 16 ballots each."""
_DIGITS = 12
"""Utilities that differ by less are equal: sums in another order differ in their last digit."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Which ballot, and how many agree with it."""

    chosen: int | None
    """The index of the ballot; None when none has a position."""
    near: tuple[int, ...]
    """How many ballots lie within each of `SCALES_KM` of the answer, itself counted."""
    of: int
    """How many ballots there were, those without a position counted."""

    @property
    def agree(self) -> int:
        """How many ballots lie within 25 km of the answer, itself counted."""
        return self.near[_AGREE]


def vote(
    ballots: Sequence[Ballot],
    weights: Mapping[str, float] | None = None,
    *,
    calibration: Calibration = MEASURED,
    trust: Trust = PRIOR,
) -> Verdict:
    """Choose one of the ballots of a photo.

    Args:
        ballots: what the runs say; one without a position supports nobody.
        weights: how much each voter counts; one that is not named counts 1. Only their ratios matter.
        calibration: how agreement turns into radius and confidence.
        trust: how much a ballot counts by what it rests on and how sure it says that it is.

    Raises:
        ValueError: a weight is not a positive number.
    """
    return verdicts([ballots], decide([ballots], weights, trust), calibration)[0]


def verdicts(
    photos: Sequence[Sequence[Ballot]], decisions: Sequence[Decision], calibration: Calibration = MEASURED
) -> list[Verdict]:
    """Say of each decision how sure it is.

    A single ballot agrees with nobody but itself, which says nothing: what the run stated is passed on.
    """
    near = np.array([decision.near for decision in decisions], dtype=np.int64).reshape(-1, len(SCALES_KM))
    of = np.array([decision.of for decision in decisions], dtype=np.int64)
    known = np.array([decision.chosen is not None for decision in decisions], dtype=bool)
    # Where there is no answer nothing is read off the curves; any possible count stands in.
    near, of = np.where(known[:, None], near, 1), np.where(known, of, 1)
    radii, confidences = calibration.radii_km(near, of).tolist(), calibration.confidences(near, of).tolist()
    found: list[Verdict] = []
    for ballots, decision, radius, confidence in zip(photos, decisions, radii, confidences, strict=True):
        chosen = decision.chosen
        if chosen is None:
            sure = None, None
        elif decision.of == 1:
            sure = ballots[chosen].radius_km, ballots[chosen].confidence
        else:
            sure = radius, confidence
        found.append(Verdict(chosen, decision.agree, decision.of, *sure))
    return found


def support(ballots: Sequence[Ballot], chosen: int) -> Decision:
    """Count who agrees with a ballot that somebody else chose; it has a position."""
    placed = [k for k, ballot in enumerate(ballots) if ballot.lat is not None]
    lats = np.array([ballots[k].lat for k in placed], dtype=np.float64)
    lons = np.array([ballots[k].lon for k in placed], dtype=np.float64)
    own = placed.index(chosen)
    km = distances_km(np.full_like(lats, lats[own]), np.full_like(lons, lons[own]), lats, lons)
    return Decision(chosen, tuple(int((km < scale).sum()) for scale in SCALES_KM), len(ballots))


def decide(
    photos: Sequence[Sequence[Ballot]], weights: Mapping[str, float] | None = None, trust: Trust = PRIOR
) -> list[Decision]:
    """Choose a ballot for each of many photos at once; arguments as for `vote`.

    Raises:
        ValueError: a weight is not a positive number.
    """
    weights = weights or {}
    for voter, weight in weights.items():
        if not (math.isfinite(weight) and weight > 0):
            raise ValueError(f"the weight of {voter!r} is {weight!r}: it must be a positive number")
    found: list[Decision] = []
    for start in range(0, len(photos), _BLOCK):
        found += _decide(photos[start : start + _BLOCK], weights, trust)
    return found


def _decide(photos: Sequence[Sequence[Ballot]], weights: Mapping[str, float], trust: Trust) -> list[Decision]:
    """Lay all ballots with a position in one row, photo by photo, and compare those of the same photo."""
    ranked = [_ranked(ballots) for ballots in photos]
    row = [ballots[index] for ballots, order in zip(photos, ranked, strict=True) for index in order]
    sizes = np.array([len(order) for order in ranked], dtype=np.int64)
    starts = np.cumsum(sizes) - sizes
    weight = [weights.get(ballot.voter, 1.0) * trust.of(ballot) for ballot in row]
    utility, near = _support(row, _pairs(sizes, starts), np.array(weight, dtype=np.float64))
    found: list[Decision] = []
    for ballots, order, start in zip(photos, ranked, starts.tolist(), strict=True):
        if not order:
            found.append(Decision(None, (0,) * len(SCALES_KM), len(ballots)))
            continue
        total = math.fsum(weight[start : start + len(order)])
        best = int(np.argmax(np.round(utility[start : start + len(order)] / total, _DIGITS)))
        found.append(Decision(order[best], tuple(near[start + best].tolist()), len(ballots)))
    return found


def _ranked(ballots: Sequence[Ballot]) -> list[int]:
    """Return the indices of the ballots with a position, in the order that decides between equals."""

    def key(index: int) -> tuple[float, float, float, float, str]:
        ballot = ballots[index]
        confidence = -1.0 if ballot.confidence is None else ballot.confidence
        radius = math.inf if ballot.radius_km is None else ballot.radius_km
        return -confidence, radius, ballot.lat or 0.0, ballot.lon or 0.0, ballot.voter

    return sorted((i for i, b in enumerate(ballots) if b.lat is not None and b.lon is not None), key=key)


def _pairs(
    sizes: npt.NDArray[np.int64], starts: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the places in the row of every two ballots of the same photo."""
    firsts, seconds = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for size in np.unique(sizes).tolist():
        one, two = np.triu_indices(size, k=1)
        offsets = starts[sizes == size][:, None]
        firsts.append((offsets + one).ravel())
        seconds.append((offsets + two).ravel())
    return np.concatenate(firsts), np.concatenate(seconds)


def _support(
    row: Sequence[Ballot],
    pairs: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    weight: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return each ballot's utility, times the weights' sum, and its neighbours: shapes (m,) and (m, 7)."""
    first, second = pairs
    m = len(row)
    lats = np.array([ballot.lat for ballot in row], dtype=np.float64)
    lons = np.array([ballot.lon for ballot in row], dtype=np.float64)
    km = distances_km(lats[first], lons[first], lats[second], lons[second])
    kernel = np.zeros_like(km)
    for scale, step in _STEPS:
        kernel += step * np.exp(-km / scale)
    utility = (
        weight
        + np.bincount(first, weight[second] * kernel, m)
        + np.bincount(second, weight[first] * kernel, m)
    )
    near = np.ones((m, len(SCALES_KM)), dtype=np.int64)
    for k, scale in enumerate(SCALES_KM):
        within = km < scale
        near[:, k] += np.bincount(first[within], minlength=m) + np.bincount(second[within], minlength=m)
    return utility, near
