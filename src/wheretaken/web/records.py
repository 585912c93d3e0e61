"""Runs that were recorded elsewhere: directories of `eval run` and `locate --out`, named at the start.

Nothing else on the disk is read, whatever a browser asks for: names from requests are looked up in an index
of what is there, and never made into paths.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from wheretaken.agent import trajectory
from wheretaken.agent.trajectory import FILE, Trajectory
from wheretaken.errors import DataError
from wheretaken.evals.distances import measured
from wheretaken.evals.results import read_results
from wheretaken.evals.results.runs import is_run
from wheretaken.sampling.grounding import ground, supports
from wheretaken.sampling.solution import read_solutions
from wheretaken.web.desk import read_log

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from wheretaken.answers import Answer
    from wheretaken.evals.model import Truth

_ID = re.compile(rb'"id":"([^"\\]{1,100})"')
SHA256 = re.compile("[0-9a-f]{64}")


class Recorded:
    """One directory."""

    def __init__(self, name: str, directory: Path) -> None:
        """Read `directory`, which users know as `name`."""
        self.name = name
        self.directory = directory
        self._lines: dict[str, tuple[int, int]] = {}
        self._indexed = -1

    def log(self, run: str) -> list[bytes]:
        """Return a run: its events as JSON, or its one trajectory where it left no log; else nothing.

        Raises:
            DataError: a file cannot be read.
        """
        if run in self._logs():
            return read_log(self.directory, run)
        line = self._line(run)
        return [line] if line else []

    def rested(self, run: str) -> dict[str, Any] | None:
        """Return what the answer of a run rests on, and which of its evidence holds.

        None where there is no answer, or no whole record of how it came about. The keys are those that the
        decision of a job has for it (`jobs.Decided`).
        """
        try:
            made = Trajectory.model_validate_json(self._line(run))
        except ValidationError:  # nothing, or damaged: the table of the directory says so
            return None
        if made.answer is None:
            return None
        return {"grounding": ground(made).kind, "holds": [one.holds for one in supports(made)]}

    def _line(self, run: str) -> bytes:
        """Return the trajectory of a run as JSON; nothing where there is none."""
        self._index()
        if run not in self._lines:
            return b""
        start, size = self._lines[run]
        with (self.directory / FILE).open("rb") as file:
            file.seek(start)
            return file.read(size)

    def _logs(self) -> frozenset[str]:
        return frozenset(path.stem for path in (self.directory / "events").glob("*.jsonl"))

    def _index(self) -> None:
        """Find the lines of trajectories, anew when the file has grown."""
        path = self.directory / FILE
        size = path.stat().st_size if path.exists() else 0
        if size == self._indexed:
            return
        self._lines.clear()
        self._indexed = size
        if not size:
            return
        start = 0
        with path.open("rb") as file:
            for line in file:
                if found := _ID.search(line[:200]):
                    self._lines[found[1].decode()] = (start, len(line))
                start += len(line)

    def table(self) -> dict[str, Any]:
        """Return the results as columns, which cost a third of rows in JSON.

        Of runs that nobody knows the truth of, such as those of `locate --out`, there are the answers alone.

        Raises:
            DataError: there are no runs, or a file is damaged.
        """
        rows = self._measured() if is_run(self.directory) else self._answered()
        rested = self._rested()
        answers = [row.answer for row in rows]
        return {
            "name": self.name,
            "id": [row.id for row in rows],
            "image": [row.image for row in rows],
            "status": [row.status for row in rows],
            "detail": [row.detail for row in rows],
            "km": [None if row.km is None or np.isinf(row.km) else round(row.km, 4) for row in rows],
            "truth": [[row.truth.lat, row.truth.lon] if row.truth else None for row in rows],
            "truth_name": [_named(row.truth) for row in rows],
            "answer": [[a.lat, a.lon] if a else None for a in answers],
            "answer_name": [_named(a) for a in answers],
            "radius_km": [a.radius_km if a else None for a in answers],
            "grounding": [_grounding(row, rested) for row in rows],
            "runs": [list(row.runs) for row in rows],
        }

    def _measured(self) -> list[Shown]:
        return [
            Shown(r.id, r.image, str(r.status), r.detail, r.answer, r.runs, r.truth, km)
            for r, km in measured(read_results(self.directory))
        ]

    def _answered(self) -> list[Shown]:
        found = [
            Shown(run.id, run.photo.path, str(run.status), run.detail, run.answer, (run.id,))
            for run in trajectory.read(self.directory)
        ]
        if not found:
            raise DataError("there are no runs in this directory yet")
        return found

    def _rested(self) -> dict[str, Rested]:
        """Return what the answers of runs rest on, as solutions say, or else the runs themselves."""
        known = {
            run.id: Rested(run.lat, run.lon, run.grounding.kind)
            for solution in read_solutions(self.directory)
            for run in solution.runs
        }
        self._index()
        if any(run not in known for run in self._lines):
            for run in trajectory.read(self.directory):
                if run.answer and run.id not in known:
                    known[run.id] = Rested(run.answer.lat, run.answer.lon, ground(run).kind)
        return known


class Shown(NamedTuple):
    """A row of the table."""

    id: str
    image: str
    status: str
    detail: str
    answer: Answer | None
    runs: tuple[str, ...]
    truth: Truth | None = None
    km: float | None = None
    """From the answer to the truth; infinite without an answer."""


class Rested(NamedTuple):
    """Where a run says that a photo was taken (WGS-84 degrees), and what that rests on."""

    lat: float | None
    lon: float | None
    kind: str


def recorded(directories: Sequence[Path]) -> dict[str, Recorded]:
    """Return the directories by the names that users see: the last part of their path, made unique.

    Raises:
        DataError: one is no directory.
    """
    found: dict[str, Recorded] = {}
    for directory in directories:
        if not directory.is_dir():
            raise DataError(f"{directory} is no directory of runs: check the path")
        base = directory.resolve().name or "runs"
        name, number = base, 1
        while name in found:
            number += 1
            name = f"{base}-{number}"
        found[name] = Recorded(name, directory)
    return found


def _grounding(result: Shown, known: Mapping[str, Rested]) -> str | None:
    """Return what an answer rests on; None where there is none, or no record of how it came about.

    The answer is that of one of the runs. Where it is a verifier's own, it rests on nothing that was asked.
    """
    runs = [known[run] for run in result.runs if run in known]
    if result.answer is None or not runs:
        return None
    at = (result.answer.lat, result.answer.lon)
    return next((run.kind for run in runs if (run.lat, run.lon) == at), "none")


def _named(place: Answer | Truth | None) -> str:
    return ", ".join(part for part in (place.city, place.country) if part) if place else ""
