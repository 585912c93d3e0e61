"""Runs jobs in their turn, and tells those who watch.

A job waits in a queue with a visible position, runs, and is done; each step is on disk before it is told. The
logs of jobs that run are kept in memory as well, so that a watcher is given an event the moment it happens.
Whoever watches waits for `news` and then looks what is new: nothing is queued for a watcher that is slow.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from wheretaken.agent import Case
from wheretaken.agent.trajectory import keep
from wheretaken.errors import DataError, UserError, WheretakenError
from wheretaken.server.admission import Admission
from wheretaken.server.replies import Refused
from wheretaken.web.drafts import Drafts
from wheretaken.web.jobs import Correction, Job, JobStore, State, now
from wheretaken.web.solving import Choices, decide

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wheretaken.agent import Event
    from wheretaken.web.settings import WebLimits

OPEN = frozenset({State.QUEUED, State.RUNNING})
"""States of jobs that will go on by themselves."""


class JobDesk:
    """All jobs, those of earlier days included."""

    def __init__(self, choices: Choices, directory: Path, limits: WebLimits) -> None:
        """Take up the jobs below `directory`; those that an earlier process left half done have failed."""
        self.choices = choices
        self.limits = limits
        self._store = JobStore(directory)
        self._jobs: dict[str, Job] = {job.id: job for job in self._store.load()}
        self._owner = {run: job.id for job in self._jobs.values() for run in job.runs}
        self._versions: defaultdict[str, int] = defaultdict(int)
        self._version = 0
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._live: dict[str, list[bytes]] = {}
        self.drafts = Drafts(self._tell)
        self._admission = Admission(limits.jobs, limits.waiting)
        self._slots = asyncio.Semaphore(limits.runs_at_once)
        self._news = asyncio.Event()
        for job in list(self._jobs.values()):
            if job.state in OPEN:
                self._put(job, state=State.FAILED, detail="the program ended before this was done: ask again")

    @property
    def directory(self) -> Path:
        """The directory of runs."""
        return self._store.directory

    @property
    def jobs(self) -> Sequence[Job]:
        """All jobs, oldest first."""
        return list(self._jobs.values())

    @property
    def version(self) -> int:
        """Grows with every change of a job."""
        return self._version

    def changed_since(self, version: int) -> list[Job]:
        """Return the jobs that changed after this version, and those that wait: they may have moved up."""
        if self._version == version:
            return []
        return [
            job
            for job in self._jobs.values()
            if version < 0 or job.state == State.QUEUED or self._versions[job.id] > version
        ]

    def position(self, job: Job) -> int:
        """Return how many are before a queued job, counted from 1; 0 when it does not wait."""
        if job.state != State.QUEUED:
            return 0
        waiting = [one.id for one in self._jobs.values() if one.state == State.QUEUED]
        return waiting.index(job.id) + 1 if job.id in waiting else 0

    @property
    def news(self) -> asyncio.Event:
        """Set when next a job changes or one of its runs says something."""
        return self._news

    def get(self, job_id: str) -> Job | None:
        """Return a job, if there is one of this id."""
        return self._jobs.get(job_id)

    def find(self, job_id: str) -> Job:
        """Return a job.

        Raises:
            Refused: there is none of this id.
        """
        job = self.get(job_id)
        if job is None:
            raise Refused(404, "job", "there is no such job, or not any more")
        return job

    def owner(self, run: str) -> Job | None:
        """Return the job that a run belongs to."""
        return self._jobs.get(self._owner.get(run, ""))

    def live(self, run: str) -> list[bytes] | None:
        """Return the events so far of a run that is being made, as JSON; None when it is not."""
        return self._live.get(run)

    async def submit(self, data: bytes, name: str, **wanted: Any) -> Job:
        """Take in a photo and have it located; what is wanted are the fields of `Job`, and `n`.

        Raises:
            Refused: there is no such model or toolset, or too many wait.
            PhotoError: the photo cannot be used.
        """
        self._check(**wanted)
        # Decoding a large photo takes a second, in which others want to be served.
        case = await asyncio.to_thread(Case.of, data, name)
        await asyncio.to_thread(keep, self.directory, case.picture)
        return self._begin(case, name, **wanted)

    def again(self, job: Job, **wanted: Any) -> Job:
        """Have the photo of a job located once more, with a hint or other settings.

        Raises:
            Refused: as for `submit`, or the photo is gone.
        """
        self._check(**wanted)
        return self._begin(self._case(job), job.name, **wanted)

    def _case(self, job: Job) -> Case:
        try:
            data = (self.directory / job.picture.reference).read_bytes()
        except OSError as error:
            raise Refused(410, "photo", "the photo of this job is gone: choose it again") from error
        return Case(job.picture.model_copy(update={"data": data}), job.info)

    def _check(self, *, model: str, toolset: str, n: int, hint: str, seed: int) -> None:
        if model not in self.choices.models:
            raise Refused(422, "model", f"there is no model {model!r}: {', '.join(self.choices.models)}")
        if toolset not in self.choices.toolsets:
            there = ", ".join(self.choices.toolsets)
            raise Refused(422, "toolset", f"there is no toolset {toolset!r}: {there}")
        if not 1 <= n <= self.limits.runs:
            raise Refused(422, "runs", f"from 1 to {self.limits.runs} runs can be made of a photo")
        if len(hint) > self.limits.hint_chars:
            raise Refused(422, "hint", f"a hint may have {self.limits.hint_chars} characters")
        if seed < 0:
            raise Refused(422, "seed", "a seed is a number from 0")
        if self._admission.waiting >= self.limits.waiting:
            raise Refused(429, "busy", "too many photos wait already: try again later", {"Retry-After": "30"})

    def _begin(self, case: Case, name: str, *, model: str, toolset: str, n: int, hint: str, seed: int) -> Job:
        job_id = uuid.uuid4().hex[:10]
        job = Job(
            id=job_id,
            created=now(),
            name=name,
            picture=case.picture.model_copy(update={"data": b""}),
            info=case.info,
            model=model,
            toolset=toolset,
            hint=hint,
            seed=seed,
            runs=tuple(f"{job_id}-{number}" for number in range(n)),
        )
        self._jobs[job.id] = job
        self._owner |= dict.fromkeys(job.runs, job.id)
        self._put(job)
        task = asyncio.create_task(self._work(job, Case(case.picture, case.info, hint)))
        self._tasks[job.id] = task
        task.add_done_callback(lambda _done: self._tasks.pop(job.id, None))
        return self._jobs[job.id]

    async def _work(self, job: Job, case: Case) -> None:
        try:
            async with self._admission.turn():
                self._live |= {run: [] for run in job.runs}
                self._put(job, state=State.RUNNING)
                decided = await decide(
                    job,
                    case,
                    self.choices,
                    out=self.directory,
                    slots=self._slots,
                    watch=self._heard,
                    on_delta=self.drafts.add,
                )
            self._put(job, state=State.DONE, decided=decided)
        except asyncio.CancelledError:
            if job.id in self._jobs:
                self._put(job, state=State.CANCELLED)
        except WheretakenError as error:
            self._put(job, state=State.FAILED, detail=str(error))
        finally:
            if self._jobs.get(job.id, job).state in OPEN and job.id in self._jobs:
                self._put(job, state=State.FAILED, detail="the program has a bug here; its log tells more")
            for run in job.runs:
                self._live.pop(run, None)
                self.drafts.forget(run)

    def _heard(self, event: Event) -> None:
        self.drafts.heard(event)
        self._live[event.run].append(event.model_dump_json().encode())
        self._tell()

    async def cancel(self, job: Job) -> Job:
        """Stop a job that waits or runs; what its runs said so far stays on record."""
        if task := self._tasks.get(job.id):
            task.cancel()
            await asyncio.wait([task])
        return self.find(job.id)

    async def remove(self, job: Job) -> None:
        """Delete a job with its photo and everything that was made of it."""
        await self.cancel(job)
        del self._jobs[job.id]
        self._owner = {run: owner for run, owner in self._owner.items() if owner != job.id}
        await asyncio.to_thread(self._store.remove, job, self.jobs)
        self._version += 1
        self._tell()

    def correct(self, job: Job, correction: Correction | None) -> Job:
        """Note where a person says that the photo was taken; None takes it back."""
        return self._put(job, correction=correction)

    async def aclose(self) -> None:
        """Stop what runs."""
        for task in list(self._tasks.values()):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tell()

    def _put(self, job: Job, **changes: Any) -> Job:
        job = self._jobs[job.id].model_copy(update=changes)
        try:
            self._store.save(job)
        except OSError as error:
            raise UserError(f"cannot write below {self.directory}: {error.strerror}") from error
        self._jobs[job.id] = job
        self._version += 1
        self._versions[job.id] = self._version
        self._tell()
        return job

    def _tell(self) -> None:
        """Wake all who wait; those who come later wait for the next news."""
        news, self._news = self._news, asyncio.Event()
        news.set()


def read_log(directory: Path, run: str) -> list[bytes]:
    """Return the events of a recorded run as JSON, without the half line that a kill may leave.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        text = (directory / "events" / f"{run}.jsonl").read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DataError(f"the log of {run} cannot be read: {error.strerror}") from error
    return text.split(b"\n")[:-1]
