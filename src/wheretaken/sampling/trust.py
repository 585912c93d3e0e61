"""How much a ballot counts by what is known of it, beside who cast it.

The model: a ballot's weight is its voter's, times

- `ungrounded` where the run had tools and nothing that they told supports its position
- the entry of `confidence` for the band that the run's own stated confidence falls into

A run that states no confidence, or had no tools to ask, is neither trusted more nor less for it.

Published answers come without tool calls and state no confidence, so that `PRIOR` cannot be fitted on them
directly. What they do tell is what two weaker answers that agree are worth against a better one that
differs: 71 to 82 % of such pairs were right within 25 km on GeoBench where 5 to 9 % of the single ones were,
and 47 to 54 against 26 to 40 % where the pair was two models of one family. A weight of 0.5, with which no
two ever outvote one, earned 0.605 in the mean over these elections, 0.75 earned 0.618, and 1, with which the
weaker count in full, 0.611 (`bench/ungrounded.py`). `wheretaken.evals.crossfit` fits both factors, drawn to
the prior, where runs have them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from wheretaken.sampling.model import Ballot

BANDS = (0.5, 0.8)
"""Where the bands of stated confidence begin and end: below, between, from there on."""

Factor = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Trust(BaseModel):
    """What a ballot's weight is multiplied with."""

    model_config = ConfigDict(frozen=True)

    ungrounded: Factor = 1.0
    """For a position that nothing supports although the run could ask."""
    confidence: tuple[Factor, Factor, Factor] = (1.0, 1.0, 1.0)
    """For a stated confidence below 0.5, below 0.8, and from 0.8."""

    def of(self, ballot: Ballot) -> float:
        """Return the factor for one ballot."""
        factor = self.ungrounded if ballot.grounded is False else 1.0
        where = band(ballot)
        return factor if where is None else factor * self.confidence[where]


PRIOR = Trust(ungrounded=0.75)
"""A position that nothing supports counts less than one, and two that agree count more; confidence counts
nothing before it is measured."""


def band(ballot: Ballot) -> int | None:
    """Return the band of a ballot's stated confidence; None where it states none."""
    return None if ballot.confidence is None else sum(ballot.confidence >= edge for edge in BANDS)
