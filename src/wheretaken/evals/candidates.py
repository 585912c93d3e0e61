"""Several files of answers as parallel candidates for the same photos.

The model: every line is a ballot, cast by the model that its file names, or by the file itself where it
names none or the same as another. Files are joined by the photos' ids, over all photos that any of them has;
where a file has no line about a photo it casts a ballot without a position. One file may hold several lines
about a photo; what the set lists as two rows is two photos (`joining`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wheretaken.errors import UserError
from wheretaken.evals.crossfit import Case
from wheretaken.evals.joining import by_row, check_truth
from wheretaken.evals.results import read_results
from wheretaken.sampling.model import Ballot

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wheretaken.evals.model import Result, Truth
    from wheretaken.evals.results import Reading


@dataclass(frozen=True, slots=True)
class Photo:
    """What each file says about one photo."""

    id: str
    truth: Truth
    results: tuple[list[Result], ...]
    """By file; empty where the file has no line about the photo."""
    km: tuple[list[float], ...]
    """How far each of the results is from the truth; infinite where there is no answer."""

    def flat(self) -> list[Result | None]:
        """Return the results in the order of the ballots; None for a file without a line."""
        return [result for own in self.results for result in (own or [None])]


@dataclass(frozen=True, slots=True)
class Candidates:
    """All photos, and who says something about them."""

    files: tuple[str, ...]
    voters: tuple[str, ...]
    """Who votes in each file: weights belong to it."""
    photos: tuple[Photo, ...]
    """In the order in which they first appear."""

    def cases(self) -> list[Case]:
        """Return every photo as a case to vote on."""
        return [self._case(photo) for photo in self.photos]

    def lacking(self) -> list[int]:
        """Return how many photos each file has no line about."""
        return [sum(not photo.results[k] for photo in self.photos) for k in range(len(self.files))]

    def _case(self, photo: Photo) -> Case:
        ballots: list[Ballot] = []
        km: list[float] = []
        for voter, own, own_km in zip(self.voters, photo.results, photo.km, strict=True):
            ballots += [_ballot(voter, result) for result in own] or [Ballot(voter)]
            km += own_km or [float("inf")]
        return Case(photo.id, tuple(ballots), tuple(km))


def read_candidates(paths: Sequence[Path], *, reading: Reading = "tolerant") -> Candidates:
    """Read files of answers about the same photos.

    Raises:
        UserError: a file is named twice.
        DataError: a file cannot be used, has no photo in common with the others, or two disagree about where
            a photo was taken.
    """
    files = tuple(str(path) for path in paths)
    repeated = next((path for k, path in enumerate(paths) if path in paths[:k]), None)
    if repeated is not None:
        raise UserError(f"{repeated} is named twice: its answers would agree with themselves; name it once")
    said = [_read(path, reading) for path in paths]
    check_truth(files, said)
    truths = {name: own.truth for photos in said for name, own in photos.items()}
    models = [next((r.model for own in rows.values() for r in own.results if r.model), "") for rows in said]
    found = tuple(
        Photo(
            name,
            truth,
            tuple(own[name].results if name in own else [] for own in said),
            tuple(own[name].km if name in own else [] for own in said),
        )
        for name, truth in truths.items()
    )
    return Candidates(files, _voters(paths, models), found)


@dataclass(frozen=True, slots=True)
class _Said:
    """What one file says about one photo."""

    truth: Truth
    results: list[Result] = field(default_factory=list["Result"])
    km: list[float] = field(default_factory=list[float])

    def add(self, result: Result, km: float) -> None:
        self.results.append(result)
        self.km.append(km)


def _read(path: Path, reading: Reading) -> dict[str, _Said]:
    return by_row(read_results(path, reading=reading), lambda result: _Said(result.truth), _Said.add)


def _ballot(voter: str, result: Result) -> Ballot:
    answer = result.answer
    if answer is None:
        return Ballot(voter)
    return Ballot(voter, answer.lat, answer.lon, answer.confidence, answer.radius_km)


def _voters(paths: Sequence[Path], models: Sequence[str]) -> tuple[str, ...]:
    """Return who votes in each file: one model in two files (with and without tools) is two voters."""
    names = tuple(path.resolve().name.removesuffix(".gz").removesuffix(".jsonl") for path in paths)
    by_model = tuple(model or name for model, name in zip(models, names, strict=True))
    by_path = tuple(str(path) for path in paths)
    return next((found for found in (by_model, names) if len(set(found)) == len(found)), by_path)
