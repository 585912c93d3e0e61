"""Which runs are finished, as a directory has it after any kill.

`Ledger.open` mends what a kill can leave: half a last line, a finished log whose trajectory was not written
yet, a log that just ends, a picture that was being written. Runs that are to be done again - killed,
cancelled, on request failed - leave `trajectories.jsonl`, and their logs go to `events/abandoned/`.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from wheretaken.agent import Status, StopReason, Trajectory, read_log
from wheretaken.agent.events import RunEnded
from wheretaken.agent.trajectory import FILE, append, with_pictures
from wheretaken.errors import DataError
from wheretaken.paths import atomic_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

ABANDONED = "abandoned"
_UNFINISHED = {StopReason.CANCELLED, StopReason.KILLED}


def run_id(sha256: str, seed: int) -> str:
    """Return what the run of a photo with a seed is called."""
    return f"{sha256[:20]}-{seed}"


class _Line(BaseModel):
    """What decides whether a trajectory counts."""

    id: str
    status: Status
    stop_reason: StopReason


@dataclass(frozen=True)
class Ledger:
    """The finished runs of a directory, at the moment it was opened."""

    directory: Path
    offsets: dict[str, int]
    """Where in `trajectories.jsonl` the line of a run begins; the trajectories themselves stay on disk."""

    @classmethod
    def open(cls, directory: Path, *, retry_failed: bool = False) -> Ledger:
        """Mend a directory that nobody writes to, and return what is finished in it.

        Raises:
            DataError: a whole line is damaged, which no kill does.
        """
        for leftover in (*directory.glob(".*.json*.tmp"), *(directory / "media").glob(".*.tmp")):
            leftover.unlink()
        offsets, clean = _scan(directory, retry_failed=retry_failed)
        if not clean:
            _rewrite(directory, sorted(offsets.values()))
            offsets, _ = _scan(directory, retry_failed=retry_failed)
        recovered = [log for log in sorted((directory / "events").glob("*.jsonl")) if log.stem not in offsets]
        for log in recovered:
            _recover(directory, log, retry_failed=retry_failed)
        if recovered:
            offsets, _ = _scan(directory, retry_failed=retry_failed)
        return cls(directory, offsets)

    def missing(self, sha256: str, seeds: Sequence[int]) -> list[int]:
        """Return the seeds with which a photo still has to be run."""
        return [seed for seed in seeds if run_id(sha256, seed) not in self.offsets]

    def read(self, sha256: str, seeds: Sequence[int], *, pictures: bool = False) -> list[Trajectory]:
        """Return the finished runs of a photo with some seeds, on request with their pictures' bytes."""
        wanted = [self.offsets.get(run_id(sha256, seed)) for seed in seeds]
        found: list[Trajectory] = []
        if any(offset is not None for offset in wanted):
            with (self.directory / FILE).open("rb") as file:
                for offset in wanted:
                    if offset is not None:
                        file.seek(offset)
                        found.append(Trajectory.model_validate_json(file.readline()))
        return [with_pictures(self.directory, run) for run in found] if pictures else found


def _scan(directory: Path, *, retry_failed: bool) -> tuple[dict[str, int], bool]:
    """Return where the lines of finished runs begin, and whether the file holds nothing else."""
    offsets: dict[str, int] = {}
    clean, offset = True, 0
    for number, line in enumerate(_lines(directory / FILE), 1):
        if not line.endswith(b"\n"):
            return offsets, False
        try:
            head = _Line.model_validate_json(line)
        except ValidationError as error:
            raise DataError(
                f"{directory / FILE}:{number} is damaged: remove this line and --resume, to do its run again"
            ) from error
        if head.id not in offsets and _counts(head.status, head.stop_reason, retry_failed=retry_failed):
            offsets[head.id] = offset
        else:
            clean = False
        offset += len(line)
    return offsets, clean


def _lines(path: Path) -> Iterator[bytes]:
    if path.exists():
        with path.open("rb") as file:
            yield from file


def _counts(status: Status, stop_reason: StopReason, *, retry_failed: bool) -> bool:
    if stop_reason is StopReason.ENOUGH:
        return True  # it was ended because it was not needed
    return stop_reason not in _UNFINISHED and not (retry_failed and status == Status.FAILED)


def _rewrite(directory: Path, offsets: list[int]) -> None:
    """Keep the lines that begin at `offsets`; a kill in between leaves the file as it was."""
    target = directory / FILE
    with target.open("rb") as old, atomic_path(target) as temporary, temporary.open("wb") as new:
        for offset in offsets:
            old.seek(offset)
            new.write(old.readline())


def _recover(directory: Path, log: Path, *, retry_failed: bool) -> None:
    """Write the trajectory of a log that has an end; put one aside whose run has to be done again."""
    events = read_log(log)
    end = events[-1] if events else None
    if isinstance(end, RunEnded) and _counts(end.status, end.stop_reason, retry_failed=retry_failed):
        append(directory, Trajectory.fold(events))
        return
    folder = log.parent / ABANDONED
    folder.mkdir(exist_ok=True)
    names = (folder / f"{log.stem}.{number}.jsonl" for number in itertools.count(1))
    log.rename(next(name for name in names if not name.exists()))
