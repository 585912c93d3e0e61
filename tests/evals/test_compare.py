"""Comparing two files: joined by photo, paired, and honest about what cannot be said."""

import math

import pytest

from wheretaken.agent.events import Status
from wheretaken.answers import Answer
from wheretaken.errors import DataError
from wheretaken.evals.compare import MEASURES, compare
from wheretaken.evals.joining import by_photo
from wheretaken.evals.model import Result, Truth
from wheretaken.geo import LatLon, destination

ORIGIN = Truth(lat=10, lon=20)


def result(name: str, km: float | None, *, truth: Truth = ORIGIN, index: str = "") -> Result:
    if km is None:
        return Result(id=name, index=index, truth=truth, status=Status.REFUSED)
    place = destination(LatLon(truth.lat, truth.lon), 77, km)
    answer = Answer(lat=place.lat, lon=place.lon)
    return Result(id=name, index=index, truth=truth, status=Status.ANSWERED, answer=answer)


def file(name: str, km: dict[str, float | None]):
    return by_photo(name, [result(photo, distance) for photo, distance in km.items()])


def test_the_difference_is_that_of_the_shared_photos():
    a = file("A", {"p": 0.1, "q": 100, "r": None, "only a": 0.1})
    b = file("B", {"only b": None, "r": 0.1, "q": 5, "p": 0.1})
    found = compare(a, b)
    assert (found.a, found.b, found.n) == ("A", "B", 3)
    assert (found.only_in_a, found.only_in_b) == (("only a",), ("only b",))
    assert tuple(found.differences) == MEASURES
    near = found.differences["500m"]
    assert (near.a, near.b, near.difference) == pytest.approx((1 / 3, 2 / 3, 1 / 3))
    assert found.differences["score"].difference == pytest.approx((1.0 + 0.6 - 0.2) / 3)
    assert found.differences["750km"].a == pytest.approx(2 / 3)
    # Three photos, one of which B alone gets: a resample without it has no difference, and that is 8 of 27.
    assert near.b_better == pytest.approx(19 / 27, abs=0.02)
    assert near.p == pytest.approx(2 * 8 / 27, abs=0.03)
    assert near.ci95 == (0, 1)


def test_where_they_differ_most():
    found = compare(file("A", {"p": 1, "q": None, "r": 2000}), file("B", {"p": 1, "q": 0.2, "r": 1000}))
    assert [(one.id, one.a_km) for one in found.most_different] == [
        ("q", None),
        ("r", pytest.approx(2000)),
    ]
    assert found.most_different[0].b_km == pytest.approx(0.2)


def test_the_same_file_twice_differs_in_nothing():
    a = file("A", {str(i): i**3 / 2 for i in range(40)})
    found = compare(a, a)
    assert found.most_different == ()
    for measure in found.differences.values():
        assert (measure.difference, measure.ci95, measure.b_better, measure.p) == (0, (0, 0), 0, 1)


def test_the_order_of_lines_and_the_direction_of_comparing_change_nothing():
    one = {str(i): 0.1 * 1.5**i for i in range(30)}
    two = {str(i): 0.1 * 1.4 ** (i + i % 3) for i in range(30)}
    forth = compare(file("A", one), file("B", two), seed=3)
    back = compare(file("B", two), file("A", one), seed=3)
    again = compare(file("A", one), file("B", dict(reversed(two.items()))), seed=3)
    assert forth == again
    for measure in MEASURES:
        f, b = forth.differences[measure], back.differences[measure]
        assert f.difference == pytest.approx(-b.difference)
        assert f.ci95 == pytest.approx((-b.ci95[1], -b.ci95[0]))
        assert f.p == pytest.approx(b.p)


def test_several_runs_of_a_photo_count_as_their_mean():
    a = by_photo("A", [result("p", 0.1), result("p", None), result("q", 0.1)])
    found = compare(a, file("B", {"p": 0.1, "q": 0.1}))
    assert found.n == 2
    assert found.differences["500m"].a == pytest.approx(0.75)
    assert found.most_different[0].a_km is None


def test_one_picture_in_two_rows_of_the_set_stays_two_photos():
    there = Truth(lat=50, lon=60)
    rows = [
        result("p", 1, index="7"),
        result("p", math.pi, truth=there, index="9"),
        result("q", 1, index="1"),
    ]
    file_ = by_photo("A", rows)
    assert list(file_.photos) == ["p#7", "p#9", "q"]
    assert by_photo("A", reversed(rows)).photos == file_.photos


def test_files_about_different_things_are_refused():
    with pytest.raises(DataError, match="A and B have no photo in common"):
        compare(file("A", {"p": 1}), file("B", {"q": 1}))
    moved = by_photo("B", [result("p", 1, truth=Truth(lat=10, lon=20.005))])
    with pytest.raises(DataError, match=r"disagree about where 'p' was taken, by 0\.548 km"):
        compare(file("A", {"p": 1}), moved)
