"""How difficult photos are, by how often a model was right about them.

A group whose rollouts all earn the same teaches nothing: a photo that is always found, and one that never is.
What recorded runs of a model say of each photo chooses those in between.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheretaken.agent.trajectory import FILE
from wheretaken.errors import UserError
from wheretaken.evals.distances import measured
from wheretaken.evals.results import read_results
from wheretaken.evals.results.register import MISSING, Register
from wheretaken.evals.results.runs import read_trajectories

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from wheretaken.evals.model import DataSet, Result, Row


@dataclass(frozen=True)
class Rate:
    """How often runs were right about a photo."""

    right: int
    runs: int

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.right / self.runs


@dataclass(frozen=True)
class Band:
    """Which photos are wanted."""

    rates: Mapping[str, Rate]
    """By the id of the row."""
    least: float = 0.05
    most: float = 0.95
    """With up to twenty runs, the two leave out what is never and what is always right."""

    def wants(self, row: Row) -> bool:
        """Tell whether a photo lies between the two, themselves counted; what was never run does not."""
        rate = self.rates.get(row.id)
        return rate is not None and self.least <= rate.share <= self.most


def pass_rates(runs: Sequence[Path], data: DataSet, within_km: float) -> dict[str, Rate]:
    """Count how often each photo of a data set was answered within a distance.

    Args:
        runs: directories of `eval run` or of training samples, every run of which counts, or result files.
        data: the set.
        within_km: near enough to be right.

    Raises:
        DataError: a file is damaged, or is about photos that are not in the set.
        UserError: none of the photos was run.
    """
    right, count = defaultdict[str, int](int), defaultdict[str, int](int)
    for path in runs:
        for result, km in measured(_each(path, data)):
            count[result.id] += 1
            right[result.id] += km < within_km
    if not count:
        raise UserError(f"{', '.join(map(str, runs))}: no photo of {data.name} was run there")
    return {photo: Rate(right[photo], number) for photo, number in count.items()}


def _each(path: Path, data: DataSet) -> Iterator[Result]:
    """Yield every run, with the ids of the set; photos that were not run are passed over."""
    if path.is_dir() and any((path / name).exists() for name in (FILE, "events")):
        found = read_trajectories(path, data)
    else:
        found = Register.of(data).complete(read_results(path), path)
    return (result for result in found if result.detail != MISSING)
