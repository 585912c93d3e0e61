"""`run`: a model over a data set, into a directory, resumable.

```
rows ──► survey: manifest with hashes ──► ledger: what is finished ──► results of finished rows, at once
                                               │
   workers pull row after row  ◄───────────────┘   (one for each run at a time, and a few that hold the
      │ thread: read, check, decode, strip             next photo: so much is in memory, whatever the set)
      ▼
   sampling.solve: the missing runs, bounded by one semaphore ──► verifier ──► a line in results.jsonl
```

Truth goes from the manifest into results, and nowhere else: a worker hands on pixels and run names only.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import itertools
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import wheretaken
from wheretaken.agent import Case, Status, Trajectory
from wheretaken.agent.writer import Writer
from wheretaken.errors import DataError, PhotoError, UserError, raise_first
from wheretaken.evals.running import manifest, verdict
from wheretaken.evals.running.ledger import Ledger, run_id
from wheretaken.evals.running.settings import Config, DataConfig, Settings
from wheretaken.paths import atomic_path
from wheretaken.sampling import solution
from wheretaken.sampling.early import EarlyStop
from wheretaken.sampling.parallel import DIRECT, Attempt, Verifier, Vote
from wheretaken.sampling.solving import decided, solve

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from io import FileIO
    from pathlib import Path

    from wheretaken.evals.model import DataSet, Result, Row
    from wheretaken.evals.running.manifest import Entry
    from wheretaken.maps import MapProvider
    from wheretaken.models.base import ChatModel
    from wheretaken.tools import Toolset

    ModelFactory = Callable[[int], ChatModel]
    """Makes the model of one run from the run's seed."""

RESULTS = "results.jsonl"
LOCK = ".lock"
_AHEAD = 64
"""Workers beyond the runs at a time; each holds an encoded photo that waits for its turn."""


@dataclass(frozen=True)
class Progress:
    """How far it has come."""

    stage: Literal["reading", "reusing", "running"]
    done: int
    total: int | None
    """None as long as the set is being read."""
    result: Result | None = None
    """The row that was just done, if one was."""


@dataclass
class Summary:
    """What became of the rows."""

    rows: int
    """Of the manifest."""
    reused: int = 0
    """Rows whose runs were finished before."""
    statuses: dict[Status, int] = field(default_factory=lambda: dict.fromkeys(Status, 0))
    unreadable: int = 0
    """Rows whose photo could not be used; they count as failed as well."""

    @property
    def done(self) -> int:
        """Rows with a result."""
        return sum(self.statuses.values())


async def run(
    data: DataSet,
    model: ModelFactory,
    toolset: Toolset,
    maps: MapProvider,
    out: Path,
    settings: Settings | None = None,
    *,
    verifier: Verifier | None = None,
    resume: bool = False,
    retry_failed: bool = False,
    watch: Callable[[Progress], None] | None = None,
) -> Summary:
    """Run a model over a data set; see the package for what `out` holds afterwards.

    Args:
        data: Photos and truth.
        model: Makes the model of a run from its seed. Called once more, for the name.
        toolset: What the model may call.
        maps: What the tools ask.
        out: The directory; made when missing.
        settings: How many runs, seeds, limits.
        verifier: Who decides between several runs of a photo; by default a vote.
        resume: Go on with what `out` holds, if anything.
        retry_failed: When going on, do runs again that failed for good.
        watch: Called while photos are hashed, from a thread, when the runs begin, and after every row.

    A photo that cannot be used and a run that failed are results with status `failed`. When the task is
    cancelled, what was finished is kept, and `resume` goes on from there.

    Raises:
        UserError: `out` is in use, holds something else, or cannot be written to; the set has no rows; a
            photo can be run by nobody, as when an extra is missing.
        DataError: a row of the set cannot be used, or a file in `out` is damaged.
    """
    settings, verifier = settings or Settings(), verifier or Vote()
    plan = _Plan(model(settings.seed).name, toolset.name, verifier.name, settings)
    stopped = threading.Event()
    with _locked(out):
        try:
            survey = await asyncio.to_thread(
                _prepare, data, plan, out, resume=resume, watch=watch, stopped=stopped
            )
        finally:
            stopped.set()  # when this task is cancelled, the thread goes on until it is told
        ledger = await asyncio.to_thread(Ledger.open, out, retry_failed=retry_failed)
        session = _Session(data, model, toolset, maps, out, settings, verifier, survey, ledger, watch)
        await session.reuse()
        await session.run_rest()
    return session.summary


@contextlib.contextmanager
def _locked(out: Path) -> Generator[None]:
    """Hold a directory; the lock ends with the process, however that ends."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        file = (out / LOCK).open("a+")
    except OSError as error:
        raise UserError(f"cannot write to {out}: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip()
            raise UserError(
                f"{out} is in use by process {holder}: wait for it, or choose another directory"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


@dataclass(frozen=True)
class _Plan:
    """What is to be run, by name."""

    model: str
    toolset: str
    verifier: str
    settings: Settings

    def config(self, data: DataConfig) -> Config:
        """Return what is saved of it."""
        settings = self.settings
        return Config(
            wheretaken=wheretaken.__version__,
            model=self.model,
            toolset=self.toolset,
            n=settings.n,
            direct=settings.direct,
            verifier=self.verifier,
            early_stop=settings.early_stop,
            seed=settings.seed,
            limits=settings.limits,
            concurrency=settings.concurrency,
            limit=settings.limit,
            data=data,
        )


def _prepare(
    data: DataSet,
    plan: _Plan,
    out: Path,
    *,
    resume: bool,
    watch: Callable[[Progress], None] | None,
    stopped: threading.Event,
) -> manifest.Survey:
    """Write manifest and configuration, in this order, once both fit what the directory holds."""
    settings = plan.settings
    about = DataConfig(name=data.name, path=settings.data_path, rows=0, fingerprint="")
    before = Config.read(out)
    plan.config(about).check(before, out, resume=resume)  # before photos are read, which may take long
    if before is None:
        (out / manifest.MANIFEST).unlink(missing_ok=True)  # of a run that was killed before it began
    rows = itertools.islice(_until(stopped, data.rows()), settings.limit)
    survey = manifest.write(
        out, rows, watch=(lambda done: watch(Progress("reading", done, None))) if watch else None
    )
    if not survey.rows:
        raise UserError(f"{settings.data_path or data.name} has no photos: choose another data set")
    found = {"rows": survey.rows, "fingerprint": survey.fingerprint, "notes": tuple(data.notes)}
    plan.config(about.model_copy(update=found)).write(out)
    return survey


def _until(stopped: threading.Event, rows: Iterable[Row]) -> Iterator[Row]:
    for row in rows:
        if stopped.is_set():
            raise asyncio.CancelledError
        yield row


@dataclass(frozen=True)
class _Ready:
    """A row whose turn has come."""

    entry: Entry
    case: Case | None = None
    problem: str = ""
    """Why the photo cannot be used."""
    finished: tuple[Trajectory, ...] = ()
    """Its runs that were made before."""
    repeats: bool = False
    """Whether an earlier row has the same photo, whose result then is this row's."""


@dataclass
class _Session:
    """The state of one call of `run`."""

    data: DataSet
    model: ModelFactory
    toolset: Toolset
    maps: MapProvider
    out: Path
    settings: Settings
    verifier: Verifier
    survey: manifest.Survey
    ledger: Ledger
    watch: Callable[[Progress], None] | None
    writer: Writer = field(init=False)
    """Writes records and results, in this order: a result is there only when its runs are."""

    def __post_init__(self) -> None:
        self.summary = Summary(self.survey.rows)
        settings = self.settings
        self.seeds = range(settings.seed, settings.seed + settings.n + settings.direct)
        self.early_stop = EarlyStop() if settings.early_stop else None
        # A vote is repeated when one goes on; what a model decided is not asked, and paid for, again.
        solutions = () if isinstance(self.verifier, Vote) else solution.read_solutions(self.out)
        self.solutions = {found.photo.sha256: found for found in solutions}
        loop = asyncio.get_running_loop()
        self.firsts = {sha256: loop.create_future() for sha256 in self.survey.repeated}
        """The results of photos that are in several rows."""
        self.begun: set[str] = set()
        """Those of them whose first row has been taken."""
        self.taking = threading.Lock()
        self.waiting = self._unfinished()
        self.slots = asyncio.Semaphore(self.settings.concurrency)

    async def reuse(self) -> None:
        """Write the results of all rows whose runs are finished, in place of those that were there."""
        with (
            atomic_path(self.out / RESULTS) as temporary,
            temporary.open("wb", buffering=0) as file,
            Writer() as self.writer,
        ):
            for entry in manifest.read(self.out):
                if self._is_finished(entry):
                    repeats = self._repeats(entry)
                    runs = () if repeats else await asyncio.to_thread(self._finished, entry)
                    await self._finish(_Ready(entry, finished=tuple(runs), repeats=repeats), file, "reusing")
        self.summary.reused = self.summary.done

    async def run_rest(self) -> None:
        """Run the other rows, the first ones first, and append their results as they come."""
        if self.watch:
            self.watch(Progress("running", self.summary.done, self.survey.rows))
        left = self.survey.rows - self.summary.done
        number = min(left, self.settings.concurrency + min(self.settings.concurrency, _AHEAD))
        with (
            (self.out / RESULTS).open("ab", buffering=0) as file,
            Writer() as self.writer,
            ThreadPoolExecutor(min(os.cpu_count() or 1, 8), "photos") as pool,
        ):
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(number):
                        group.create_task(self._work(pool, file))
            except BaseExceptionGroup as several:
                raise_first(several)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    async def _work(self, pool: ThreadPoolExecutor, file: FileIO) -> None:
        loop = asyncio.get_running_loop()
        while ready := await loop.run_in_executor(pool, self._take):
            await self._finish(ready, file, "running")

    def _take(self) -> _Ready | None:
        """Take the next row and make its photo ready; runs in a thread."""
        with self.taking:
            pair = next(self.waiting, None)
            if pair is None:
                return None
            row, entry = pair
            repeats = self._repeats(entry)
        if repeats:
            return _Ready(entry, repeats=True)
        try:
            case = Case.of(row.read(), row.image)
        except PhotoError as error:
            return _Ready(entry, problem=f"{row.image}: {error}")
        if case.info.sha256 != entry.sha256:
            return _Ready(entry, problem=f"{row.image} has changed since the run began: --resume runs it")
        return _Ready(entry, case, finished=tuple(self._finished(entry)))

    def _unfinished(self) -> Iterator[tuple[Row, Entry]]:
        rows = itertools.islice(self.data.rows(), self.survey.rows)
        for row, entry in zip(rows, manifest.read(self.out), strict=True):
            if row.id != entry.id:
                raise DataError(
                    f"row {row.id!r} of the data set was {entry.id!r} before: run it while nobody edits it"
                )
            if not self._is_finished(entry):
                yield row, entry

    def _is_finished(self, entry: Entry) -> bool:
        return bool(entry.sha256) and not self.ledger.missing(entry.sha256, self.seeds)

    def _finished(self, entry: Entry) -> list[Trajectory]:
        # A vote looks at no picture.
        return self.ledger.read(entry.sha256, self.seeds, pictures=not isinstance(self.verifier, Vote))

    def _repeats(self, entry: Entry) -> bool:
        """Tell whether an earlier row had this photo, and note that this one has."""
        if entry.sha256 not in self.survey.repeated:
            return False
        again = entry.sha256 in self.begun
        self.begun.add(entry.sha256)
        return again

    async def _finish(self, ready: _Ready, file: FileIO, stage: Literal["reusing", "running"]) -> None:
        """Run what is missing of a row, and write its result."""
        entry, first = ready.entry, self.firsts.get(ready.entry.sha256)
        if ready.repeats and first is not None:
            result = verdict.repeat(entry, await first)
        else:
            result = await self._result(ready)
            if first is not None:
                first.set_result(result)
        self.writer.do(lambda: file.write(result.model_dump_json().encode() + b"\n"))
        self.summary.statuses[result.status] += 1
        self.summary.unreadable += not result.runs
        if self.watch:
            self.watch(Progress(stage, self.summary.done, self.survey.rows, result))

    async def _result(self, ready: _Ready) -> Result:
        entry = ready.entry
        if ready.problem:
            return verdict.unreadable(entry, ready.problem, self.data.name)
        finished = ready.finished
        if ready.case:
            found = await solve(
                ready.case,
                [self._attempt(entry, seed) for seed in self.ledger.missing(entry.sha256, self.seeds)],
                self.maps,
                verifier=self.verifier,
                early_stop=self.early_stop,
                limits=self.settings.limits,
                out=self.out,
                writer=self.writer,
                slots=self.slots,
                finished=finished,
            )
            return verdict.result(entry, found, found.runs[0].model, self.data.name)
        kept = self.solutions.get(entry.sha256)
        if kept is None or {run.id for run in kept.runs} != {run.id for run in finished}:
            kept = found = await decided(finished[0].photo, finished, verifier=self.verifier)
            if not isinstance(self.verifier, Vote):
                self.writer.do(lambda: solution.write(self.out, found))
        return verdict.result(entry, kept, finished[0].model, self.data.name)

    def _attempt(self, entry: Entry, seed: int) -> Attempt:
        toolset = self.toolset if seed < self.settings.seed + self.settings.n else DIRECT
        return Attempt(seed, self.model(seed), toolset, run_id(entry.sha256, seed))
