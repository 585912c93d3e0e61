"""Several files of answers as parallel candidates for the same photos.

The model: every line is a ballot, cast by the model that its file names, or by the file itself where it
names none or the same as another. Files are joined by the photos' ids, over all photos that any of them has;
where a file has no line about a photo it casts a ballot without a position. One file may hold several lines
about a photo. A picture that the set lists at two places is two photos; one that it lists twice at one place
is one photo with more candidates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheretaken.errors import DataError, UserError
from wheretaken.evals.crossfit import Case
from wheretaken.evals.distances import measured
from wheretaken.evals.results import read_results
from wheretaken.geo import LatLon, distance_km
from wheretaken.sampling.model import Ballot

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wheretaken.evals.model import Result, Truth
    from wheretaken.evals.results import Reading

_SAME_KM = 0.1
"""Truths nearer than this are the same: rounding is far below, the shift of GCJ-02 far above (0.36 km)."""


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
        UserError: a file is named twice, or has no photo in common with the others.
        DataError: a file cannot be used, or two disagree about where a photo was taken.
    """
    files = tuple(str(path) for path in paths)
    models: list[str] = []
    photos: dict[str, list[Photo]] = {}
    for k, path in enumerate(paths):
        if path in paths[:k]:
            raise UserError(f"{path} is named twice: its answers would agree with themselves; name it once")
        model = ""
        for result, km in measured(read_results(path, reading=reading)):
            photo = _find(photos.setdefault(result.id, []), result, files, k)
            photo.results[k].append(result)
            photo.km[k].append(km)
            model = model or result.model
        models.append(model)
    found = tuple(photo for same in photos.values() for photo in same)
    for k, file in enumerate(files):
        shared = any(photo.results[k] and sum(map(bool, photo.results)) > 1 for photo in found)
        if len(files) > 1 and not shared:
            raise UserError(f"{file} has no photo in common with the other files: name files about one set")
    return Candidates(files, _voters(paths, models), found)


def _find(known: list[Photo], result: Result, files: Sequence[str], k: int) -> Photo:
    """Return the photo that a result of file `k` is about; `known` are the photos with its id."""
    for photo in known:
        if _same(photo.truth, result.truth):
            return photo
    earlier = [file for file, own in zip(files[:k], known[0].results, strict=False) if own] if known else []
    if earlier:
        one, two = known[0].truth, result.truth
        raise DataError(
            f"{earlier[0]} and {files[k]} disagree about where {result.id!r} was taken: {one.lat}, {one.lon}"
            f" and {two.lat}, {two.lon}; name files about one set, in one datum"
        )
    photo = Photo(result.id, result.truth, tuple([] for _ in files), tuple([] for _ in files))
    known.append(photo)
    return photo


def _same(one: Truth, two: Truth) -> bool:
    if (one.lat, one.lon) == (two.lat, two.lon):
        return True
    return distance_km(LatLon(one.lat, one.lon), LatLon(two.lat, two.lon)) < _SAME_KM


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
