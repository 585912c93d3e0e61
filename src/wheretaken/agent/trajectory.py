"""A run as a file: appended event by event, folded into one line when it ends.

A directory of runs holds
- `events/<run>.jsonl`: one event a line, written before the run waits again; `kill -9` can only harm the
  last lines;
- `media/<sha256>.<ext>`: every picture once, named by its content;
- `trajectories.jsonl`: one finished trajectory a line.

`read` yields finished trajectories and, for logs without an end, what is left of killed runs.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from wheretaken.agent.events import (
    EVENTS,
    Event,
    Limits,
    MessageAdded,
    PhotoInfo,
    RunEnded,
    RunStarted,
    Status,
    StopReason,
    ToolEnded,
    ToolStarted,
)
from wheretaken.answers import Answer
from wheretaken.errors import DataError
from wheretaken.geo import Datum
from wheretaken.messages import Message, Picture, PicturePart, Usage
from wheretaken.paths import atomic_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from io import FileIO
    from pathlib import Path

    from wheretaken.agent.writer import Writer

FILE = "trajectories.jsonl"


class Trajectory(BaseModel):
    """Everything one run did, said and found."""

    model_config = ConfigDict(frozen=True)

    schema_version: int = 1
    id: str
    photo: PhotoInfo
    model: str
    toolset: str
    datum: Datum = Datum.WGS84
    """In which its tools took and gave positions."""
    limits: Limits
    seed: int
    started: str
    """UTC, ISO 8601."""
    seconds: float
    messages: tuple[Message, ...]
    tools: tuple[ToolStarted | ToolEnded, ...]
    usage: Usage
    status: Status
    stop_reason: StopReason
    answer: Answer | None
    detail: str

    @classmethod
    def fold(cls, events: Iterable[Event]) -> Self:
        """Fold a log into a trajectory; one without an end was killed.

        Raises:
            DataError: the log does not begin with `run_started`.
        """
        log = list(events)
        if not log or not isinstance(log[0], RunStarted):
            raise DataError("an event log must begin with run_started")
        start, last = log[0], log[-1]
        end = last if isinstance(last, RunEnded) else None
        return cls(
            id=start.run,
            photo=start.photo,
            model=start.model,
            toolset=start.toolset,
            datum=start.datum,
            limits=start.limits,
            seed=start.seed,
            started=start.at,
            seconds=last.elapsed,
            messages=tuple(e.message for e in log if isinstance(e, MessageAdded)),
            tools=tuple(e for e in log if isinstance(e, ToolStarted | ToolEnded)),
            usage=end.usage if end else spent(log),
            status=end.status if end else Status.FAILED,
            stop_reason=end.stop_reason if end else StopReason.KILLED,
            answer=end.answer if end else None,
            detail=end.detail if end else "the run was killed",
        )


def spent(events: Iterable[Event]) -> Usage:
    """Return what the turns in a log cost, for a run whose end does not tell."""
    return sum((e.message.usage for e in events if isinstance(e, MessageAdded)), Usage())


class Recorder:
    """Writes one run into a directory of runs while it happens; a context manager that closes its log.

    Whenever the run waits for a model or a tool, all its events are in the log, or with the writer.
    """

    def __init__(self, directory: Path, writer: Writer | None = None) -> None:
        """Write below `directory`, which is made when missing; with a writer, in its thread."""
        self._directory = directory
        self._writer = writer
        self._events: list[Event] = []
        self._log: FileIO | None = None
        self._held: list[Event] = []
        if not (directory / "events").is_dir():
            (directory / "events").mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._flush()
        self._do(self._close)

    def add(self, event: Event) -> None:
        """Append one event to the log; the last one also writes the trajectory's line.

        Raises:
            FileExistsError: there is a log of this run already.
        """
        self._events.append(event)
        self._held.append(event)
        if not _goes_on(event):
            self._flush()
        if isinstance(event, RunEnded):
            self._do(lambda: append(self._directory, Trajectory.fold(self._events)))

    def _do(self, work: Callable[[], object]) -> None:
        if self._writer is None:
            work()
        else:
            self._writer.do(work)

    def _flush(self) -> None:
        if self._held:
            events, self._held = self._held, []
            self._do(lambda: self._write(events))

    def _write(self, events: Sequence[Event]) -> None:
        for event in events:
            for picture in _pictures(event):
                keep(self._directory, picture)
        if self._log is None:
            # Unbuffered: what was written is safe from a kill.
            self._log = (self._directory / "events" / f"{events[0].run}.jsonl").open("xb", buffering=0)
        self._log.write(b"".join(event.model_dump_json().encode() + b"\n" for event in events))

    def _close(self) -> None:
        if self._log is not None:
            self._log.close()


def keep(directory: Path, picture: Picture) -> None:
    """Write a picture into a directory of runs, unless it is there."""
    target = directory / picture.reference
    if not target.exists():
        with atomic_path(target) as temporary:
            temporary.write_bytes(picture.data)


def append(directory: Path, trajectory: Trajectory) -> None:
    """Add a trajectory's line to those of a directory; the event log of a half line's run still has it."""
    append_line(directory / FILE, trajectory.model_dump_json())


def append_line(path: Path, line: str) -> None:
    """Add a line to a file that others may append to; a half line that a killed process left is cut off."""
    with path.open("ab+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
            if file.read(1) != b"\n":
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)
        file.write(line.encode() + b"\n")


def read(directory: Path) -> Iterator[Trajectory]:
    """Yield the finished trajectories of a directory in file order, then what is left of killed runs.

    A half-written last line, which a killed process leaves, is passed over.

    Raises:
        DataError: there is no such directory, or a line in the middle of a file is damaged.
    """
    if not directory.is_dir():
        raise DataError(f"no directory of runs at {directory}")
    finished: set[str] = set()
    for line in whole_lines(directory / FILE):
        try:
            trajectory = Trajectory.model_validate_json(line)
        except ValidationError as error:
            raise DataError(
                f"{directory / FILE} has a line that is no trajectory: {_first(error)}"
            ) from error
        finished.add(trajectory.id)
        yield trajectory
    for log in sorted((directory / "events").glob("*.jsonl")):
        if log.stem not in finished and (events := read_log(log)):
            yield Trajectory.fold(events)


def with_pictures(directory: Path, trajectory: Trajectory) -> Trajectory:
    """Return a trajectory that was read back with the bytes of its pictures, as far as they are there.

    A file that is not what its name says was damaged or exchanged, and counts as lost.
    """
    loaded: dict[str, Picture] = {}

    def load(picture: Picture) -> Picture:
        if picture.sha256 not in loaded:
            path = directory / picture.reference
            data = b"" if picture.data or not path.is_file() else path.read_bytes()
            known = hashlib.sha256(data).hexdigest() == picture.sha256
            loaded[picture.sha256] = picture.model_copy(update={"data": data}) if known else picture
        return loaded[picture.sha256]

    def seen(message: Message) -> Message:
        parts = tuple(
            part.model_copy(update={"picture": load(part.picture)}) if isinstance(part, PicturePart) else part
            for part in message.parts
        )
        return message.model_copy(update={"parts": parts})

    tools = tuple(
        tool.model_copy(update={"pictures": tuple(map(load, tool.pictures))})
        if isinstance(tool, ToolEnded)
        else tool
        for tool in trajectory.tools
    )
    return trajectory.model_copy(update={"messages": tuple(map(seen, trajectory.messages)), "tools": tools})


def read_log(path: Path) -> list[Event]:
    """Read one event log, without the half line that a kill may have left at its end.

    Raises:
        DataError: a whole line is no event.
    """
    try:
        return [EVENTS.validate_json(line) for line in whole_lines(path)]
    except ValidationError as error:
        raise DataError(f"{path} has a line that is no event: {_first(error)}") from error


def whole_lines(path: Path) -> Iterator[str]:
    """Yield the whole lines of a file, if there is one.

    A line without its line break was being written when the process died.
    """
    if not path.exists():
        return
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            if line.endswith("\n") and line != "\n":
                yield line


def _goes_on(event: Event) -> bool:
    """Whether the loop says more before it waits again; one write for both costs half as much."""
    if isinstance(event, MessageAdded):
        return event.message.role in {"system", "assistant"}
    return isinstance(event, RunStarted | ToolEnded)


def _pictures(event: Event) -> tuple[Picture, ...]:
    if isinstance(event, MessageAdded):
        return event.message.pictures
    return event.pictures if isinstance(event, ToolEnded) else ()


def _first(error: ValidationError) -> str:
    problem = error.errors()[0]
    return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
