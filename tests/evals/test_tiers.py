"""Tiers by agreement."""

import math

import pytest

from wheretaken.agent.events import Status
from wheretaken.errors import DataError, UserError
from wheretaken.evals.joining import File, PhotoRuns
from wheretaken.evals.model import Truth
from wheretaken.evals.tiers import split

ORIGIN = Truth(lat=10, lon=20)


def file(name: str, **photos: list[float]) -> File:
    """Distances of the runs of each photo; infinity is a refusal."""
    return File(
        name,
        {
            photo: PhotoRuns(
                ORIGIN, km, [Status.ANSWERED if math.isfinite(one) else Status.REFUSED for one in km]
            )
            for photo, km in photos.items()
        },
    )


def test_easy_is_what_enough_files_place():
    a = file("A", p=[1.0], q=[10.0], r=[9.0], s=[math.inf])
    b = file("B", p=[2.0], q=[3.0], r=[9.9], s=[1.0])
    found = split([a, b], at_km=10, agree=2)
    assert (found.at, found.agree, found.n, found.lacking) == ("10km", 2, 4, ())
    easy, hard = found.tiers
    assert (easy.tier, easy.n, hard.tier, hard.n) == ("easy", 2, "hard", 2)  # 10 km is not within 10 km
    assert [score.file for score in easy.files] == ["A", "B"]
    assert easy.files[0].acc["10km"] == 1
    assert hard.files[0].acc["10km"] == 0
    assert (hard.files[0].refused, hard.files[1].answered) == (1, 2)
    one_is_enough = split([a, b], at_km=10, agree=1)
    assert one_is_enough.tiers[0].n == 4
    assert one_is_enough.tiers[1].files[0].n == 0


def test_a_photo_that_a_file_lacks_is_reported_and_counts_as_failed():
    a, b = file("A", p=[1.0], q=[1.0]), file("B", q=[1.0], r=[99.0])
    found = split([a, b], at_km=10, agree=1)
    assert [(one.file, one.n) for one in found.lacking] == [("A", 1), ("B", 1)]
    assert [(tier.n, [score.n for score in tier.files]) for tier in found.tiers] == [(2, [2, 2]), (1, [1, 1])]
    assert found.tiers[0].files[1].failed == 1
    assert found.tiers[0].files[1].acc["10km"] == 0.5


def test_of_several_runs_half_must_be_right():
    a, b = file("A", p=[1.0, 99.0], q=[1.0, 99.0, 99.0]), file("B", p=[1.0], q=[1.0])
    easy, hard = split([a, b], at_km=10, agree=2).tiers
    assert (easy.n, hard.n) == (1, 1)
    assert (easy.files[0].n, hard.files[0].n) == (2, 3)


def test_more_agreement_than_files_and_files_about_different_things_are_refused():
    a, b = file("A", p=[1.0]), file("B", q=[1.0])
    with pytest.raises(UserError, match="3 of 2 files cannot agree"):
        split([a, b], at_km=10, agree=3)
    with pytest.raises(DataError, match="no photo in common"):
        split([a, b], at_km=10, agree=2)
