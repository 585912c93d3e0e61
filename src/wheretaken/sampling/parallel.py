"""Several runs of one case at the same time, and who decides between them.

An `Attempt` is a run that is to be made: its model, its tools and its seed. Attempts of one case may differ
in all three, so that runs with and without tools (`DIRECT`) can be mixed. `sample` makes them; a `Verifier`
reads what each run said, and nothing else, and chooses.

Who sees a failure: the loop turns a failing model or service into a trajectory with status `failed`, which is
a ballot without a position here. Everything else that is raised - a missing extra, a damaged index, a bug -
would hit every run alike: the other runs of the case are cancelled and the error goes on as it is.

Runs may also end because enough others agree, or because the user has seen enough: each then has a record
with a stop reason of its own (`enough`, `cancelled`), and one that had not begun has none.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from wheretaken.agent import Case, Limits, StopReason, Trajectory, record
from wheretaken.agent.events import ToolEnded
from wheretaken.errors import raise_first
from wheretaken.geo import Datum
from wheretaken.sampling.calibration import MEASURED, Calibration
from wheretaken.sampling.grounding import Grounding, ground
from wheretaken.sampling.model import Ballot, Verdict
from wheretaken.sampling.trust import PRIOR, Trust
from wheretaken.sampling.vote import vote
from wheretaken.tools import Toolset

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from wheretaken.agent import Delta, Event
    from wheretaken.agent.writer import Writer
    from wheretaken.answers import Answer
    from wheretaken.maps import MapProvider
    from wheretaken.messages import Message, Picture
    from wheretaken.models.base import ChatModel

DIRECT = Toolset("direct", ())
"""No tools: the model answers from what it sees."""


@dataclass(frozen=True)
class Attempt:
    """One run that is to be made."""

    seed: int
    model: ChatModel
    """Used by this run alone, unless it is one that can be shared."""
    toolset: Toolset
    run_id: str = ""
    """What the run is called in a directory of runs; by default a random name."""


@dataclass(frozen=True)
class Statement:
    """What a verifier is given of one run. No truth, no file name: neither has a place to stand in."""

    ballot: Ballot
    messages: tuple[Message, ...]
    """The whole conversation; pictures without their bytes when the run was read back from a file."""
    answer: Answer | None = None
    """What it came to."""
    grounding: Grounding = field(default_factory=Grounding)
    """What the answer rests on."""
    datum: Datum = Datum.WGS84
    """Of the positions in the conversation; the ballot and the answer are in WGS-84."""
    map: Picture | None = None
    """The last map that the run looked at."""

    @classmethod
    def of(cls, trajectory: Trajectory) -> Statement:
        """Return what a run said."""
        answer = trajectory.answer
        if answer is None:
            return cls(Ballot(trajectory.model), trajectory.messages, datum=trajectory.datum)
        rests_on = ground(trajectory)
        ballot = Ballot(
            trajectory.model,
            answer.lat,
            answer.lon,
            answer.confidence,
            answer.radius_km,
            grounded=None if trajectory.toolset == DIRECT.name else rests_on.kind != "none",
        )
        drawn = (
            picture
            for tool in reversed(trajectory.tools)
            if isinstance(tool, ToolEnded) and tool.tool.endswith("_map")
            for picture in tool.pictures
        )
        return cls(ballot, trajectory.messages, answer, rests_on, trajectory.datum, next(drawn, None))


class Verifier(Protocol):
    """Who decides between the runs of one photo."""

    @property
    def name(self) -> str:
        """What records and reports call it."""
        ...

    async def decide(self, runs: Sequence[Statement]) -> Verdict:
        """Choose one of the runs that have a position, or none when none has."""
        ...


class Vote:
    """The verifier that asks nobody: the position that the runs' positions agree with most."""

    name = "vote"

    def __init__(
        self,
        weights: Mapping[str, float] | None = None,
        *,
        trust: Trust = PRIOR,
        calibration: Calibration = MEASURED,
    ) -> None:
        """Count the runs of a model by its weight, all alike by default; the rest as for `vote`."""
        self._weights = weights
        self._trust = trust
        self._calibration = calibration

    async def decide(self, runs: Sequence[Statement]) -> Verdict:
        """Vote; the same runs in the same order give the same verdict."""
        ballots = [run.ballot for run in runs]
        return vote(ballots, self._weights, calibration=self._calibration, trust=self._trust)


async def sample(
    case: Case,
    attempts: Sequence[Attempt],
    maps: MapProvider,
    *,
    limits: Limits | None = None,
    out: Path | None = None,
    writer: Writer | None = None,
    slots: AbstractAsyncContextManager[Any] | None = None,
    watch: Callable[[Event], None] | None = None,
    on_delta: Callable[[Delta], None] | None = None,
    at_once: int | None = None,
    enough: Callable[[Sequence[Trajectory]], bool] | None = None,
    stop: asyncio.Event | None = None,
) -> list[Trajectory]:
    """Make the attempts at the same time and return their trajectories in the same order.

    Args:
        case: The photo.
        attempts: The runs to make.
        maps: What the tools ask.
        limits: What each run may spend.
        out: A directory of runs to write to.
        writer: Who writes there, as for `record`.
        slots: Entered for the length of each run; a semaphore that several calls share bounds them together.
        watch: Called with every event of every run as it happens.
        on_delta: Called with what the models are writing, as far as they can tell.
        at_once: Of this case, so many runs at the same time, the first ones first; by default all.
        enough: Asked after every run, with those that have ended by themselves, whether the others are
            needed; these end with stop reason `enough`.
        stop: Once it is set, the runs that go on end with stop reason `cancelled`.

    An attempt that had not begun when the others were ended has no trajectory.
    """
    group = _Group(len(attempts), enough)
    width = nullcontext() if at_once is None else asyncio.Semaphore(at_once)

    async def one(attempt: Attempt) -> Trajectory:
        async with width, slots or nullcontext():
            trajectory = await record(
                case,
                attempt.model,
                attempt.toolset,
                maps,
                limits=limits,
                seed=attempt.seed,
                run_id=attempt.run_id,
                out=out,
                writer=writer,
                watch=watch,
                on_delta=on_delta,
                ending=lambda: group.why,
            )
        group.add(trajectory)
        return trajectory

    try:
        async with asyncio.TaskGroup() as tasks:
            group.tasks = [tasks.create_task(one(attempt)) for attempt in attempts]
            if stop and attempts:
                group.heed(tasks.create_task(group.end_on(stop)))
    except BaseExceptionGroup as several:
        raise_first(several)
    return [task.result() for task in group.tasks if not task.cancelled()]


@dataclass
class _Group:
    """The runs of one case that are under way, and why they were ended, if they were."""

    planned: int
    enough: Callable[[Sequence[Trajectory]], bool] | None
    tasks: Sequence[asyncio.Task[Trajectory]] = ()
    ended: list[Trajectory] = field(default_factory=list[Trajectory])
    """By themselves."""
    why: StopReason | None = None

    def add(self, trajectory: Trajectory) -> None:
        """Take note of a run that has ended, and end the others if they are not needed."""
        if self.why is None:
            self.ended.append(trajectory)
            if self.enough and len(self.ended) < self.planned and self.enough(self.ended):
                self.end(StopReason.ENOUGH)

    def end(self, why: StopReason) -> None:
        """End the runs that go on."""
        self.why = self.why or why
        for task in self.tasks:
            if task is not asyncio.current_task():
                task.cancel()

    async def end_on(self, stop: asyncio.Event) -> None:
        """End the runs that go on when the user has seen enough."""
        await stop.wait()
        self.end(StopReason.CANCELLED)

    def heed(self, heeding: asyncio.Task[None]) -> None:
        """Wait for the user no longer than for the runs."""
        for task in self.tasks:
            task.add_done_callback(lambda _: all(t.done() for t in self.tasks) and heeding.cancel())
