"""Difficulty by agreement: a photo is easy when several runs find it, and each run is scored on both tiers.

The split of "Thinking with Map" (arXiv 2601.05432), Table 3: easy is what at least two of three models place
within 10 km.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from wheretaken.errors import UserError
from wheretaken.evals.joining import check_truth
from wheretaken.scoring import label
from wheretaken.scoring.tally import Score, Tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.evals.joining import File, PhotoRuns


class Tier(BaseModel):
    """The photos of one difficulty, and how each file does on them."""

    model_config = ConfigDict(frozen=True)

    tier: Literal["easy", "hard"]
    n: int
    """Photos."""
    files: tuple[Score, ...]


class Lacking(BaseModel):
    """Photos that others have and a file does not; they count as failed in its scores."""

    model_config = ConfigDict(frozen=True)

    file: str
    n: int


class Split(BaseModel):
    """The JSON of `eval split`."""

    model_config = ConfigDict(frozen=True)

    at: str
    agree: int
    n: int
    """Photos in all."""
    tiers: tuple[Tier, ...]
    lacking: tuple[Lacking, ...]


def split(files: Sequence[File], *, at_km: float, agree: int) -> Split:
    """Split photos into those that at least `agree` files place nearer than `at_km`, and the others.

    Where a file has several runs of a photo it places it when at least half of them do.

    Raises:
        UserError: fewer files than must agree.
        DataError: the files are not about the same photos.
    """
    if agree > len(files):
        raise UserError(f"{agree} of {len(files)} files cannot agree: name more files, or a smaller --agree")
    check_truth([file.name for file in files], [file.photos for file in files])
    photos = dict.fromkeys(name for file in files for name in file.photos)
    easy = {name for name in photos if sum(_places(file.photos.get(name), at_km) for file in files) >= agree}
    return Split(
        at=label(at_km),
        agree=agree,
        n=len(photos),
        tiers=(
            _tier("easy", [name for name in photos if name in easy], files),
            _tier("hard", [name for name in photos if name not in easy], files),
        ),
        lacking=tuple(
            Lacking(file=file.name, n=len(photos) - len(file.photos))
            for file in files
            if len(file.photos) < len(photos)
        ),
    )


def _places(runs: PhotoRuns | None, at_km: float) -> bool:
    return runs is not None and 2 * sum(km < at_km for km in runs.km) >= len(runs.km)


def _tier(name: Literal["easy", "hard"], photos: Sequence[str], files: Sequence[File]) -> Tier:
    return Tier(tier=name, n=len(photos), files=tuple(_score(file, photos) for file in files))


def _score(file: File, photos: Sequence[str]) -> Score:
    tally = Tally()
    for name in photos:
        runs = file.photos.get(name)
        if runs is None:
            tally.add([float("inf")], ["failed"])
        else:
            tally.add(runs.km, runs.statuses)
    return tally.score(file.name)
