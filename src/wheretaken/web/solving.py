"""The runs of one job, and what they say together: the one place that knows how a photo is located."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wheretaken.sampling.parallel import DIRECT, Attempt, Statement, Vote, sample
from wheretaken.tools.online import worldwide_on
from wheretaken.web.jobs import Decided

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from wheretaken.agent import Case, Event, Trajectory
    from wheretaken.maps import MapProvider
    from wheretaken.models.base import ChatModel
    from wheretaken.tools import Toolset
    from wheretaken.web.jobs import Job


@dataclass(frozen=True)
class Choices:
    """What users may choose from."""

    models: Mapping[str, Callable[[int], ChatModel]]
    """Makes the model of a run from its seed; the first is the default."""
    maps: MapProvider

    @property
    def toolsets(self) -> dict[str, Toolset]:
        """The toolsets by name; the first is the default."""
        return {one.name: one for one in (worldwide_on(self.maps), DIRECT)}


async def solve(
    job: Job,
    case: Case,
    choices: Choices,
    *,
    out: Path,
    slots: AbstractAsyncContextManager[Any],
    watch: Callable[[Event], None],
) -> tuple[Decided, list[Trajectory]]:
    """Make the runs of a job, on record, and decide between them."""
    model, toolset = choices.models[job.model], choices.toolsets[job.toolset]
    attempts = [
        Attempt(job.seed + number, model(job.seed + number), toolset, run)
        for number, run in enumerate(job.runs)
    ]
    made = await sample(case, attempts, choices.maps, out=out, slots=slots, watch=watch)
    return await _decide(made), made


async def _decide(made: Sequence[Trajectory]) -> Decided:
    verdict = await Vote().decide([Statement.of(one) for one in made])
    chosen = None if verdict.chosen is None else made[verdict.chosen]
    if chosen is not None and chosen.answer is not None and len(made) == 1:
        # One run agrees with itself: its own radius says more than a vote of one.
        answer = chosen.answer
        return Decided(run=chosen.id, agree=1, of=1, radius_km=answer.radius_km, confidence=answer.confidence)
    return Decided(
        run=chosen.id if chosen else None,
        agree=verdict.agree,
        of=verdict.of,
        radius_km=verdict.radius_km,
        confidence=verdict.confidence,
    )
