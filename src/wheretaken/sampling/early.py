"""When the runs that have ended say enough, so that the others need not be paid for.

The rule: stop as soon as the runs within 25 km of the answer that the ended runs vote for weigh `agree`
together, and are at least two. Every run weighs 1 unless the voters' weights are known. Runs without a
position neither agree nor disagree.

What it costs: two that agree can both be wrong where the others would have agreed on the right place. Two
runs of one model make the same mistakes more often than runs of two models; with several models, begin with
those that weigh most (`wheretaken.evals.crossfit` fits weights).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wheretaken.geo import LatLon, distance_km
from wheretaken.sampling.calibration import AGREE_KM
from wheretaken.sampling.vote import decide

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheretaken.sampling.model import Ballot

_LEAST = 2
"""One run agrees with itself."""


@dataclass(frozen=True, slots=True)
class EarlyStop:
    """The rule, with how many runs are under way meanwhile."""

    agree: float = 2.0
    """How much has to agree; at least two runs, whatever they weigh."""
    at_once: int | None = None
    """How many runs are under way at the same time, by default two; another one begins whenever one ends and
    it is not decided. Runs that never begin cost nothing: more at a time are quicker and save less."""
    weights: Mapping[str, float] = field(default_factory=dict[str, float])
    """How much each voter counts; one that is not named counts 1."""

    def __post_init__(self) -> None:
        if self.at_once is not None and self.at_once < 1:
            raise ValueError(f"at least one run has to be under way, not {self.at_once}")

    @property
    def width(self) -> int:
        """How many runs are under way at the same time."""
        return self.at_once or _LEAST

    def enough(self, ballots: Sequence[Ballot]) -> bool:
        """Tell whether these ballots, of the runs that have ended, decide."""
        decision = decide([ballots], self.weights)[0]
        if decision.chosen is None or decision.agree < _LEAST:
            return False
        answer = _place(ballots[decision.chosen])
        agreeing = sum(
            self.weights.get(ballot.voter, 1.0)
            for ballot in ballots
            if (place := _place(ballot)) and answer and distance_km(place, answer) < AGREE_KM
        )
        return agreeing >= self.agree - 1e-9  # weights are sums of fractions


def _place(ballot: Ballot) -> LatLon | None:
    return None if ballot.lat is None or ballot.lon is None else LatLon(ballot.lat, ballot.lon)
