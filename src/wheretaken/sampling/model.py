"""What a verifier is given, and what it says. No truth, no score: neither has a place to stand in."""

from __future__ import annotations

from dataclasses import dataclass


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


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision over some ballots."""

    chosen: int | None
    """The index of the ballot whose position is the answer; None when no ballot has one."""
    agree: int
    """How many ballots lie within 25 km of the answer, the chosen one counted."""
    of: int
    """How many ballots there were, those without a position counted."""
    radius_km: float | None
    """Within which the place is expected in 80 of 100 cases."""
    confidence: float | None
    """The share of cases like this one that are right within 25 km."""
