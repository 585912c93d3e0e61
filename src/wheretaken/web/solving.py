"""The runs of one job, and what they say together: the one place that knows how a photo is located."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wheretaken.sampling.parallel import DIRECT, Attempt
from wheretaken.sampling.solving import solve
from wheretaken.tools.online import worldwide_on
from wheretaken.web.jobs import Decided

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from wheretaken.agent import Case, Delta, Event
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


async def decide(
    job: Job,
    case: Case,
    choices: Choices,
    *,
    out: Path,
    slots: AbstractAsyncContextManager[Any],
    watch: Callable[[Event], None],
    on_delta: Callable[[Delta], None],
) -> Decided:
    """Make the runs of a job, on record, and decide between them."""
    model, toolset = choices.models[job.model], choices.toolsets[job.toolset]
    attempts = [
        Attempt(job.seed + number, model(job.seed + number), toolset, run)
        for number, run in enumerate(job.runs)
    ]
    found = await solve(case, attempts, choices.maps, out=out, slots=slots, watch=watch, on_delta=on_delta)
    answer, run = found.answer, found.run
    return Decided(
        run=run.id if run else None,
        agree=found.verdict.agree,
        of=found.verdict.of,
        radius_km=answer.radius_km if answer else None,
        confidence=answer.confidence if answer else None,
        place=", ".join(name for name in (answer.city, answer.country) if name) if answer else "",
        grounding=found.grounding.kind if answer else "",
        holds=tuple(one.holds for one in found.evidence),
    )
