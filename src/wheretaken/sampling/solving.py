"""`solve`: a photo, N runs, one answer.

```
attempts ──► sample: runs side by side ──► what each says, what it rests on ──► verifier ──► Solution
                 │ early stop: enough agree                                                     │
                 │ stop: the user has seen enough                       solutions.jsonl  ◄──────┘
```

A run that was ended early has no say. Whatever ends the runs, those that have ended by themselves give an
answer; only an error that would hit every run alike, or a cancelled task, gives none.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wheretaken.agent.trajectory import read, with_pictures
from wheretaken.sampling import solution
from wheretaken.sampling.parallel import DIRECT, Attempt, Statement, Vote, sample
from wheretaken.sampling.solution import Solution

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from wheretaken.agent import Case, Delta, Event, Limits, PhotoInfo, Trajectory
    from wheretaken.agent.writer import Writer
    from wheretaken.maps import MapProvider
    from wheretaken.models.base import ChatModel
    from wheretaken.sampling.early import EarlyStop
    from wheretaken.sampling.model import Verdict
    from wheretaken.sampling.parallel import Verifier
    from wheretaken.tools import Toolset


def attempts(
    model: Callable[[int], ChatModel], toolset: Toolset, *, n: int = 1, direct: int = 0, seed: int = 0
) -> list[Attempt]:
    """Return `n` attempts with tools and `direct` ones without, the seeds counting up from `seed`.

    Args:
        model: Makes the model of a run from the run's seed.
        toolset: What the first `n` may call.
        n: How many have tools.
        direct: How many have none: tools buy accuracy in a street and lose some in a country, so that runs
            without them are worth having as candidates.
        seed: Of the first attempt.
    """
    toolsets = [toolset] * n + [DIRECT] * direct
    return [Attempt(k, model(k), tools) for k, tools in enumerate(toolsets, seed)]


def made_before(directory: Path, photo: PhotoInfo) -> list[Trajectory]:
    """Return the runs of a photo that a directory holds, as `finished` of `solve` takes them.

    Whatever ended the program that made them: those that had ended by themselves, one of each seed, with
    their pictures. What it had begun beside them stays in the directory and has no say.

    Raises:
        DataError: there is no such directory, or a whole line in it is damaged.
    """
    found: dict[int, Trajectory] = {}
    for run in read(directory):
        if run.photo.sha256 == photo.sha256 and solution.ended_itself(run.stop_reason):
            found.setdefault(run.seed, run)
    return [with_pictures(directory, found[seed]) for seed in sorted(found)]


async def solve(
    case: Case,
    attempts: Sequence[Attempt],
    maps: MapProvider,
    *,
    verifier: Verifier | None = None,
    early_stop: EarlyStop | None = None,
    limits: Limits | None = None,
    out: Path | None = None,
    writer: Writer | None = None,
    slots: AbstractAsyncContextManager[Any] | None = None,
    watch: Callable[[Event], None] | None = None,
    on_delta: Callable[[Delta], None] | None = None,
    stop: asyncio.Event | None = None,
    finished: Sequence[Trajectory] = (),
) -> Solution:
    """Answer a photo with several runs.

    Args:
        case: The photo.
        attempts: The runs to make; see `attempts`.
        maps: What the tools ask.
        verifier: Who decides between the runs; by default a vote.
        early_stop: When the runs that have ended make the others needless; by default all are made.
        limits: What each run may spend.
        out: A directory of runs to write to: trajectories, and the solution to `solutions.jsonl`.
        writer: Who writes there, as for `record`.
        slots: Entered for the length of each run; a semaphore that several calls share bounds them together.
        watch: Called with every event of every run as it happens.
        on_delta: Called with what the models are writing, as far as they can tell.
        stop: Once it is set, what goes on is ended, and the runs that have ended give the answer.
        finished: Runs of the photo that were made before; see `made_before`.

    The runs are weighed in the order of their seeds.

    When the task is cancelled instead, the runs are recorded as cancelled and there is no solution.
    """
    verifier = verifier or Vote()

    def enough(runs: Sequence[Trajectory]) -> bool:
        return early_stop is not None and early_stop.enough([s.ballot for s in _heard([*finished, *runs])])

    made: list[Trajectory] = []
    if not (finished and enough(())):
        made = await sample(
            case,
            attempts,
            maps,
            limits=limits,
            out=out,
            writer=writer,
            slots=slots,
            watch=watch,
            on_delta=on_delta,
            at_once=early_stop.width if early_stop else None,
            enough=enough if early_stop else None,
            stop=stop,
        )
    runs = sorted([*finished, *made], key=lambda run: run.seed)
    planned = len(finished) + len(attempts)
    found = await decided(case.info, runs, verifier=verifier, planned=planned, stop=stop)
    if out is not None:
        if writer is None:
            solution.write(out, found)
        else:
            writer.do(lambda: solution.write(out, found))
    return found


async def decided(
    photo: PhotoInfo,
    runs: Sequence[Trajectory],
    *,
    verifier: Verifier | None = None,
    planned: int | None = None,
    stop: asyncio.Event | None = None,
) -> Solution:
    """Return what runs that were made come to; the arguments are as for `solve`."""
    verifier = verifier or Vote()
    heard = _heard(runs)
    verdict = await _decide(verifier, heard, stop)
    return Solution.of(photo, verifier.name, planned or len(runs), runs, heard, verdict)


def _heard(runs: Sequence[Trajectory]) -> list[Statement]:
    """Return what the runs say that ended by themselves."""
    return [Statement.of(run) for run in runs if solution.ended_itself(run.stop_reason)]


async def _decide(verifier: Verifier, heard: Sequence[Statement], stop: asyncio.Event | None) -> Verdict:
    """Have the verifier decide; when the user stops it, or has stopped the runs, the vote does."""
    if isinstance(verifier, Vote) or stop is None:
        return await verifier.decide(heard)
    deciding, stopping = asyncio.ensure_future(verifier.decide(heard)), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((deciding, stopping), return_when=asyncio.FIRST_COMPLETED)
        if deciding.done():
            return deciding.result()
    finally:
        for task in (deciding, stopping):
            task.cancel()
        await asyncio.gather(deciding, stopping, return_exceptions=True)
    return replace(await Vote().decide(heard), note=f"stopped before {verifier.name} had decided: a vote did")
