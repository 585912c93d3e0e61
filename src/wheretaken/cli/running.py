"""`wheretaken eval run`: a model over a data set, with progress for people.

Exit code 0 when the set was run, whatever came of it: failures are results. Only a run in which every photo
failed is an error: 4 when models or services failed, 2 when no photo could be read.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

from wheretaken import api
from wheretaken.agent import Limits, Status
from wheretaken.cli import consoles
from wheretaken.cli.main import OK, SERVICE, STOPPED, USAGE
from wheretaken.cli.offline import offline_maps
from wheretaken.cli.options import RunOptions
from wheretaken.evals import running
from wheretaken.evals.datasets import open_dataset
from wheretaken.evals.distances import result_distances_km
from wheretaken.models.opening import open_models
from wheretaken.sampling.parallel import DIRECT
from wheretaken.sampling.verifiers import open_verifier
from wheretaken.scoring import ACC_KM, label

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Self

    from rich.console import Console

    from wheretaken.evals.model import DataSet, Result
    from wheretaken.maps import MapProvider
    from wheretaken.models.base import ChatModel

_SHOWN_KM = (0.5, 25.0)
"""The distances of the running accuracy."""
_EVERY_SECONDS = 10.0
"""How often a line is written where there is no terminal."""
_MOST_COMPLAINTS = 5


@dataclass(frozen=True)
class Options(RunOptions):
    """The options of the command, as the user gave them."""

    data: Path
    out: Path
    concurrency: int = 4
    limit: int | None = None
    resume: bool = False
    retry_failed: bool = False
    images: Path | None = None
    datum: str = ""


def run(
    options: Options,
    *,
    model: Callable[[int], ChatModel] | None = None,
    maps: MapProvider | None = None,
    data: DataSet | None = None,
) -> int:
    """Run a model over a data set and return the exit code.

    Args:
        options: What the user asked for.
        model: Used instead of the one that the options name; makes the model of a run from its seed.
        maps: Used instead of the offline maps.
        data: Used instead of the set that the options name.

    Raises:
        UserError: there is no such model, toolset or verifier, the set cannot be read, or the directory is in
            use or holds something else.
    """
    api.counted(options.n, options.direct)
    api.named_toolset(options.toolset)
    model = model or open_models(options.model, base_url=options.base_url)
    verifier = open_verifier(options.verifier, options.model, model, seed=options.seed)
    data = data or open_dataset(options.data, images=options.images, datum=options.datum)
    notices = consoles.notices()
    for note in data.notes if not options.quiet else ():
        notices.print(f"wheretaken: {escape(note)}")
    console = None if options.quiet else notices
    asked, toolset = api.offered(
        options.toolset if options.n else DIRECT.name, maps=maps, offline=lambda: offline_maps(console)
    )
    board = _Board()
    try:
        with _Display(None if options.quiet else notices, board) as display:
            summary = asyncio.run(
                running.run(
                    data,
                    model,
                    toolset,
                    asked,
                    options.out,
                    _settings(options),
                    verifier=verifier,
                    resume=options.resume,
                    retry_failed=options.retry_failed,
                    watch=display.show,
                )
            )
    except KeyboardInterrupt:
        notices.print(f"wheretaken: stopped after {board.progress}; the same command with --resume goes on")
        return STOPPED
    _report(summary, board, options, notices)
    if summary.statuses[Status.FAILED] < summary.rows:
        return OK
    return USAGE if summary.unreadable == summary.rows else SERVICE


def _settings(options: Options) -> running.Settings:
    return running.Settings(
        n=options.n,
        direct=options.direct,
        early_stop=options.early_stop,
        seed=options.seed,
        concurrency=options.concurrency,
        limit=options.limit,
        limits=Limits(turns=options.max_turns),
        data_path=str(options.data),
    )


@dataclass
class _Board:
    """What has come of the set so far, and how fast."""

    done: int = 0
    total: int = 0
    reused: int = 0
    failed: int = 0
    within: Counter[float] = field(default_factory=Counter[float])
    complaints: list[str] = field(default_factory=list[str])
    began: float = 0.0
    """When the first row came that was not reused."""

    def add(self, seen: running.Progress) -> None:
        """Take note of how far it has come, and of the row that was done."""
        self.done, self.total = seen.done, seen.total or seen.done
        if seen.stage == "reusing":
            self.reused = seen.done
        if seen.result is not None:
            self._count(seen.result)

    def _count(self, result: Result) -> None:
        km = float(result_distances_km([result])[0])
        self.within.update(limit for limit in ACC_KM if km < limit)
        if result.status == Status.FAILED:
            self.failed += 1
            if len(self.complaints) < _MOST_COMPLAINTS:
                named = "" if result.image in result.detail else f"{result.image}: "
                self.complaints.append(f"{named}{result.detail}")

    def accuracy(self, limit: float) -> str:
        """Return `Acc@...` over the rows that are done."""
        return f"Acc@{label(limit)} {self.within[limit] / max(self.done, 1):.1%}"

    @property
    def progress(self) -> str:
        """How many of how many."""
        return f"{self.done} of {self.total} photos" if self.total else "0 photos"

    def line(self, now: float) -> str:
        """Return all of it in one line."""
        parts = [self.progress]
        fresh, seconds = self.done - self.reused, now - self.began
        if fresh and seconds > 0:
            parts += [
                f"{fresh / seconds:.2g}/s",
                f"{_spoken((self.total - self.done) * seconds / fresh)} left",
            ]
        parts += [self.accuracy(limit) for limit in _SHOWN_KM]
        if self.failed:
            parts.append(f"{self.failed} failed")
        return ", ".join(parts)


class _Display:
    """Shows the board: a bar on a terminal, a line every so often elsewhere, nothing without a console."""

    def __init__(self, console: Console | None, board: _Board) -> None:
        self._console = console
        self._board = board
        self._shown = time.monotonic()
        self._task: TaskID | None = None
        self._bars: Bars | None = None
        if console is not None and console.is_terminal:
            columns = (BarColumn(bar_width=30), TextColumn("{task.description}"))
            self._bars = Bars(*columns, console=console, transient=True)

    def __enter__(self) -> Self:
        if self._bars:
            self._bars.start()
            self._task = self._bars.add_task("", total=None)
        return self

    def __exit__(self, *_error: object) -> None:
        if self._bars:
            self._bars.stop()

    def show(self, seen: running.Progress) -> None:
        """Take note of some progress, and show it when it is time."""
        now, board = time.monotonic(), self._board
        board.began = board.began if seen.stage == "running" and board.began else now
        if seen.stage != "reading":
            board.add(seen)
        if self._console is None:
            return
        text = f"reading the set: {seen.done} photos" if seen.stage == "reading" else board.line(now)
        if self._bars and self._task is not None:
            self._bars.update(self._task, description=text, completed=seen.done, total=seen.total)
        elif not self._bars and now - self._shown >= _EVERY_SECONDS:
            self._shown = now
            self._console.print(text, markup=False)


def _report(summary: running.Summary, board: _Board, options: Options, notices: Console) -> None:
    """Say what came of it: numbers on stdout, what went wrong on stderr."""
    counts = ", ".join(f"{number} {status}" for status, number in summary.statuses.items())
    reused = f" ({summary.reused} of them run before)" if summary.reused else ""
    results = consoles.results()
    results.print(f"{summary.rows} photos{reused}: {counts}", markup=False)
    results.print("  ".join(board.accuracy(limit) for limit in ACC_KM))
    results.print(f"results in {options.out}: see  wheretaken eval score {options.out}", markup=False)
    for complaint in board.complaints:
        notices.print(f"wheretaken: failed: {complaint}", markup=False)
    if (more := board.failed - len(board.complaints)) > 0:
        notices.print(f"wheretaken: {more} more failed; the reasons are in {options.out}", markup=False)


def _spoken(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
