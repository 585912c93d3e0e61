"""The records of one training, by split and step."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheretaken.errors import DataError
from wheretaken.rl.records import METRICS, SCORES, read_metrics, read_scores

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from wheretaken.rl.records import Line, Numbers, Split


@dataclass(frozen=True)
class Training:
    """What was recorded."""

    name: str
    rollouts: Mapping[Split, Mapping[int, Sequence[Line]]]
    """By split and step, in the order of the steps."""
    numbers: Mapping[Split, Mapping[int, Numbers]]

    @property
    def steps(self) -> Sequence[int]:
        """The steps of which anything is known."""
        known = {
            step for parts in (self.rollouts, self.numbers) for steps in parts.values() for step in steps
        }
        return sorted(known)


def read(directory: Path, name: str = "") -> Training:
    """Read a training's directory, or the directory of its settings.

    Raises:
        DataError: there is no record of a training, or a line is damaged.
    """
    place = next(
        (
            place
            for place in (directory, directory / "run")
            if any((place / file).exists() for file in (METRICS, SCORES))
        ),
        None,
    )
    if place is None:
        raise DataError(
            f"{directory} has no record of a training ({METRICS}, {SCORES}): name the output of "
            "wheretaken train trl  or  wheretaken train verl"
        )
    rollouts: dict[Split, dict[int, list[Line]]] = {}
    for line in read_scores(place):
        rollouts.setdefault(line.split, defaultdict(list))[line.step].append(line)
    numbers: dict[Split, dict[int, Numbers]] = {}
    for one in read_metrics(place):
        earlier = numbers.setdefault(one.split, {}).get(one.step)
        # An engine may write the numbers of a step in several lines.
        numbers[one.split][one.step] = one if earlier is None else earlier.model_copy(update=dict(one.values))
    return Training(name or directory.resolve().name, rollouts, numbers)
