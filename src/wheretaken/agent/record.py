"""Running a case to its end, on record: events go to whoever watches and into a directory of runs."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, nullcontext
from typing import TYPE_CHECKING

from wheretaken.agent.events import Delta, Event, Limits, RunEnded, Status, StopReason
from wheretaken.agent.loop import Case, run
from wheretaken.agent.trajectory import Recorder, Trajectory, spent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from wheretaken.agent.writer import Writer
    from wheretaken.maps import MapProvider
    from wheretaken.models.base import ChatModel
    from wheretaken.tools import Toolset


async def record(
    case: Case,
    model: ChatModel,
    toolset: Toolset,
    maps: MapProvider,
    *,
    limits: Limits | None = None,
    seed: int = 0,
    run_id: str = "",
    out: Path | None = None,
    writer: Writer | None = None,
    watch: Callable[[Event], None] | None = None,
    ending: Callable[[], StopReason | None] | None = None,
    on_delta: Callable[[Delta], None] | None = None,
) -> Trajectory:
    """Run a case and return its trajectory.

    Args:
        case: The photo.
        model: Who thinks.
        toolset: What the model may call.
        maps: What the tools ask.
        limits: What the run may spend.
        seed: Recorded; who makes the model gives it to one that takes it.
        run_id: What the run is called, new in `out`; by default a random name.
        out: A directory of runs to write to; nothing is written without it.
        writer: Who writes there; without one, every event is written before the run goes on.
        watch: Called with every event as it happens.
        ending: Asked, when the task is cancelled, whether that was to end this run alone, and with which
            stop reason.
        on_delta: Called with what the model is writing, as far as it can tell; the record stays the same.

    A failed run is a trajectory with status `failed`. When the task is cancelled, the record is closed with
    stop reason `cancelled` before `CancelledError` goes on; with one of `ending`, it is returned instead.
    """
    events: list[Event] = []
    with Recorder(out, writer) if out else nullcontext() as recorder:

        def keep(event: Event) -> None:
            events.append(event)
            if recorder:
                recorder.add(event)
            if watch:
                watch(event)

        stream = on_delta is not None
        happens = run(case, model, toolset, maps, limits=limits, seed=seed, run_id=run_id, stream=stream)
        try:
            async with aclosing(happens) as happening:
                async for event in happening:
                    if not isinstance(event, Delta):
                        keep(event)
                    elif on_delta:
                        on_delta(event)
        except asyncio.CancelledError:
            why = ending() if ending else None
            if events and not isinstance(events[-1], RunEnded):
                keep(_cancelled(events, why or StopReason.CANCELLED))
            if why is None or not events:
                raise
    return Trajectory.fold(events)


def _cancelled(events: Sequence[Event], why: StopReason) -> RunEnded:
    last = events[-1]
    return RunEnded(
        run=last.run,
        number=last.number + 1,
        at=last.at,
        elapsed=last.elapsed,
        status=Status.FAILED,
        stop_reason=why,
        detail="not needed: other runs agreed" if why is StopReason.ENOUGH else "stopped by the user",
        usage=spent(events),
    )
