"""A job: one photo, how it is to be located, and what came of it; one small file each.

The directory of jobs is a directory of runs as well (`agent.trajectory`): the runs of a job are recorded
there exactly as the command line records them, and `jobs/<job>.json` says which belong together.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field, ValidationError

from wheretaken.agent.events import PhotoInfo
from wheretaken.agent.trajectory import FILE
from wheretaken.messages import Picture
from wheretaken.paths import atomic_path
from wheretaken.sampling.solution import FILE as SOLUTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_PICTURE = re.compile(rb'"sha256": ?"([0-9a-f]{64})"')


class State(StrEnum):
    """How far a job is."""

    QUEUED = "queued"
    """It waits for its turn."""
    RUNNING = "running"
    """Its runs are being made."""
    DONE = "done"
    """All of its runs have ended, with an answer or without."""
    CANCELLED = "cancelled"
    """The user stopped it."""
    FAILED = "failed"
    """It broke off; `detail` says why."""


class Decided(BaseModel):
    """What several runs say together."""

    run: str | None
    """Whose answer was chosen; None when no run has one."""
    agree: int
    """How many runs lie within 25 km of it, itself counted."""
    of: int
    radius_km: float | None = None
    confidence: float | None = None
    place: str = ""
    """City and country of the answer."""
    grounding: str = ""
    """What the answer rests on, as `sampling.grounding` says; empty for jobs of earlier versions."""
    holds: tuple[bool, ...] = ()
    """For each piece of evidence that the answer states, whether a call told of it."""


class Correction(BaseModel):
    """Where a person says that the photo was taken, WGS-84 degrees."""

    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]


class Job(BaseModel):
    """What a user asked for."""

    id: str
    created: str
    """UTC, ISO 8601."""
    name: str = ""
    """What the user's file is called; never told to a model."""
    picture: Picture
    """The photo without metadata; its bytes are in `media/`."""
    info: PhotoInfo
    model: str
    toolset: str
    hint: str = ""
    """What the user knows already; told to the model."""
    seed: int = 0
    runs: tuple[str, ...]
    """Ids of the runs, in their order."""
    state: State = State.QUEUED
    detail: str = ""
    decided: Decided | None = None
    correction: Correction | None = None


class JobStore:
    """The jobs on disk."""

    def __init__(self, directory: Path) -> None:
        """Keep them below `directory`, which is made when missing."""
        self.directory = directory
        self._jobs = directory / "jobs"
        self._jobs.mkdir(parents=True, exist_ok=True)

    def load(self) -> list[Job]:
        """Return all jobs, oldest first; a file that is no job is left alone."""
        jobs: list[Job] = []
        for path in self._jobs.glob("*.json"):
            try:
                jobs.append(Job.model_validate_json(path.read_bytes()))
            except ValidationError:  # of a later version, or damaged: not ours to remove
                continue
        return sorted(jobs, key=lambda job: (job.created, job.id))

    def save(self, job: Job) -> None:
        """Write a job, replacing what it was."""
        with atomic_path(self._path(job)) as temporary:
            temporary.write_text(job.model_dump_json(), "utf-8")

    def remove(self, job: Job, others: Iterable[Job]) -> None:
        """Remove a job with its runs and the pictures that no other job shows."""
        mine = {run: self._log(run) for run in job.runs}
        gone = {job.picture.sha256}.union(*(_pictures(path) for path in mine.values()))
        for other in others:
            gone -= {other.picture.sha256}.union(*(_pictures(self._log(run)) for run in other.runs))
        self._forget(mine)
        for path in mine.values():
            path.unlink(missing_ok=True)
        for sha256 in gone:
            for path in (self.directory / "media").glob(f"{sha256}.*"):
                path.unlink(missing_ok=True)
        self._path(job).unlink(missing_ok=True)

    def _forget(self, runs: Iterable[str]) -> None:
        """Take the lines that are about these runs out of the files of trajectories and solutions."""
        named = [f'"id":"{run}"'.encode() for run in runs]
        for path in (self.directory / FILE, self.directory / SOLUTIONS):
            if path.exists():
                with atomic_path(path) as temporary, path.open("rb") as old, temporary.open("wb") as new:
                    new.writelines(line for line in old if not any(name in line for name in named))

    def _log(self, run: str) -> Path:
        return self.directory / "events" / f"{run}.jsonl"

    def _path(self, job: Job) -> Path:
        return self._jobs / f"{job.id}.json"


def now() -> str:
    """Return the time as records have it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _pictures(log: Path) -> set[str]:
    """Return the hashes of the pictures that a log names."""
    return {found.decode() for found in _PICTURE.findall(log.read_bytes())} if log.exists() else set()
