"""When the runs that have ended say enough, so that the others need not be paid for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheretaken.sampling.vote import decide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.sampling.model import Ballot


@dataclass(frozen=True, slots=True)
class EarlyStop:
    """Stop as soon as so many of the runs that have ended lie within 25 km of the answer that they vote for.

    Runs without a position neither agree nor disagree. As many runs are begun at a time as could end it;
    another one begins whenever one ends and it is not decided: runs that never begin cost nothing.
    """

    agree: int = 2
    """How many have to agree; at least 2."""
    at_once: int | None = None
    """How many runs are under way at the same time; by default `agree`. More are quicker, and save less."""

    def __post_init__(self) -> None:
        if self.agree < 2 or (self.at_once is not None and self.at_once < 1):  # one run agrees with itself
            raise ValueError(f"at least two runs have to agree, and one has to be under way: {self}")

    @property
    def width(self) -> int:
        """How many runs are under way at the same time."""
        return self.at_once or self.agree

    def enough(self, ballots: Sequence[Ballot]) -> bool:
        """Tell whether these ballots, of the runs that have ended, decide."""
        return decide([ballots])[0].agree >= self.agree
