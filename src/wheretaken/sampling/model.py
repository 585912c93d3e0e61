"""What a verifier is given, and what it says. No truth, no score: neither has a place to stand in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from wheretaken.answers import Answer  # noqa: TC001 - solutions hold verdicts, and are read again
from wheretaken.messages import Usage


@dataclass(frozen=True, slots=True)
class Ballot:
    """What one run says: a position, or nothing."""

    voter: str
    """Who says so: the model, or the file of results. Weights belong to it."""
    lat: float | None = None
    """WGS-84 degrees; None when the run has no answer. It still counts among those who could have agreed."""
    lon: float | None = None
    confidence: float | None = None
    """What the run itself stated, 0 to 1."""
    radius_km: float | None = None
    grounded: bool | None = None
    """Whether a tool's result or a clue supports the position; None for a run that had no tools to ask."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision over some ballots."""

    chosen: int | None
    """The index of the ballot whose position is the answer; None when there is none."""
    agree: int
    """How many ballots lie within 25 km of the answer, the chosen one counted."""
    of: int
    """How many ballots there were, those without a position counted."""
    radius_km: float | None
    """Within which the place is expected in 80 of 100 cases."""
    confidence: float | None
    """The share of cases like this one that are right within 25 km."""
    source: Literal["candidate", "verifier"] = "candidate"
    """Who gave the answer: one of the runs, or the verifier, which rejected them all."""
    own: Answer | None = None
    """The verifier's own answer, where the source is `verifier`."""
    usage: Usage = field(default_factory=Usage)
    """What deciding cost."""
    note: str = ""
    """What a person should know of how it was decided, such as why a verifier could not be used."""
