"""Events to a browser, as they happen: server-sent events that go on where a lost connection broke off.

Three kinds of frames: `jobs` holds the jobs that changed (all of them at first), `run` the next events of the
runs of the job that is watched, as a JSON array, `delta` what the model of one of them has added to the turn
that it is writing (its `anew` says that it is the turn's beginning).

The id of a `run` frame says how far each run has come, such as `12.0.7` for three runs; a browser that lost
its connection sends it back as `Last-Event-ID`. It needs no memory of what was sent, so that it holds across
restarts of the server.

Format: HTML Living Standard, 9.2 Server-sent events.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import orjson

from wheretaken.web.desk import OPEN, read_log
from wheretaken.web.drafts import Seen

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from wheretaken.web.desk import JobDesk
    from wheretaken.web.jobs import Job

_RETRY_MS = 1000
_QUIET_SECONDS = 15.0
"""After which a comment is sent: a connection that nobody answers on is found out that way."""
_MOST_EVENTS = 500
"""Of one frame."""


async def frames(desk: JobDesk, watched: str, last_id: str) -> AsyncGenerator[bytes]:
    """Yield frames until the client goes.

    Args:
        desk: Whose jobs.
        watched: The job whose runs are told; empty for none.
        last_id: The id of the last frame that the client has; empty for none.
    """
    counts, finished, seen = _counts(last_id), set[str](), defaultdict[str, Seen](Seen)
    version, known = -1, set[str]()
    yield f"retry: {_RETRY_MS}\n\n".encode()
    while True:
        news = desk.news  # taken before looking, so that nothing is missed in between
        if desk.version != version:
            shown = [job_data(desk, job) for job in desk.changed_since(version)]
            there = {job.id for job in desk.jobs}
            gone = known - there
            version, known = desk.version, there
            yield _frame("jobs", [*shown, *({"id": job, "state": "gone"} for job in gone)])
        async for frame in _runs(desk, watched, counts, finished):
            yield frame
        for frame in _drafts(desk, watched, seen):
            yield frame
        try:
            async with asyncio.timeout(_QUIET_SECONDS):
                await news.wait()
        except TimeoutError:
            yield b": still here\n\n"


def job_data(desk: JobDesk, job: Job) -> dict[str, Any]:
    """Return a job as browsers are told about it."""
    return job.model_dump(mode="json") | {"position": desk.position(job)}


async def _runs(desk: JobDesk, watched: str, counts: list[int], finished: set[str]) -> AsyncGenerator[bytes]:
    """Yield what is new of the watched job's runs; `finished` are those that will say nothing more."""
    job = desk.get(watched)
    if job is None:
        return
    counts += [0] * (len(job.runs) - len(counts))
    for number, run in enumerate(job.runs):
        if run in finished:
            continue
        log = desk.live(run)
        if log is None:
            log = await asyncio.to_thread(read_log, desk.directory, run)
            if job.state not in OPEN:
                finished.add(run)
        while len(log) > counts[number]:
            part = log[counts[number] : counts[number] + _MOST_EVENTS]
            counts[number] += len(part)
            yield _frame("run", b"[" + b",".join(part) + b"]", ".".join(map(str, counts)))


def _drafts(desk: JobDesk, watched: str, seen: dict[str, Seen]) -> Iterator[bytes]:
    """Yield what models have added to the turns that they are writing."""
    job = desk.get(watched)
    for run in job.runs if job else ():
        draft = desk.drafts.get(run)
        if draft and (told := draft.since(run, seen[run])):
            yield _frame("delta", told)


def _counts(last_id: str) -> list[int]:
    """Read how far a client has come; what is no such id says nothing."""
    return (
        [int(count) for count in last_id.split(".")]
        if re.fullmatch(r"\d{1,9}(\.\d{1,9}){0,63}", last_id)
        else []
    )


def _frame(event: str, data: object, frame_id: str = "") -> bytes:
    body = data if isinstance(data, bytes) else orjson.dumps(data)
    named = f"id: {frame_id}\n" if frame_id else ""
    return f"event: {event}\n{named}data: ".encode() + body + b"\n\n"
