"""Missing, broken, duplicate and leaking photos are counted and listed."""

import random
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wheretaken.evals.datasets import open_dataset
from wheretaken.evals.datasets.checks import Watch, examine
from wheretaken.evals.datasets.ledger import Places, Seen
from wheretaken.evals.datasets.survey import survey
from wheretaken.geo import LatLon, destination, distance_km


def test_missing_and_broken_photos_are_told_apart(make_set):
    more = [
        {"image": "images/none.jpg", "lat": 1, "lon": 2},
        {"image": "images/cut.jpg", "lat": 1, "lon": 2},
        {"image": "images/text.jpg", "lat": 1, "lon": 2},
    ]
    table = make_set(3, more=more)
    images = table.parent / "images"
    (images / "cut.jpg").write_bytes((images / "1.jpg").read_bytes()[:700])
    (images / "text.jpg").write_text("<html>")
    found = survey(open_dataset(table))
    assert (found.photos, found.found, found.missing, found.broken) == (6, 3, 1, 2)
    assert [(problem.kind, problem.id, problem.line) for problem in found.problems] == [
        ("missing", "images/none.jpg", 4),
        ("broken", "images/cut.jpg", 5),
        ("broken", "images/text.jpg", 6),
    ]
    assert "does not exist" in found.problems[0].detail
    assert "truncated or damaged" in found.problems[1].detail
    assert found.leaks is None


def test_rows_come_out_in_order_whatever_takes_longer(make_set, photo):
    table = make_set(0, more=[{"image": f"{n}.jpg", "lat": n, "lon": n} for n in range(30)])
    for n in range(30):
        size = (800, 600) if n % 7 == 0 else (32, 24)
        (table.parent / f"{n}.jpg").write_bytes(photo(n, size=size))
    rows = list(open_dataset(table).rows())
    assert [item.row for item in examine(rows, workers=4)] == rows


def test_only_a_few_photos_are_read_ahead(make_set):
    rows = list(open_dataset(make_set(3)).rows())
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield rows[taken % 3]

    results = examine(endless(), workers=2)
    for _ in range(50):
        next(results)
    results.close()
    assert taken <= 50 + 2 * 4 + 1


def test_duplicates_by_bytes_and_by_picture(make_set, photo):
    table = make_set(2, more=[{"image": f"{name}.jpg", "lat": 1, "lon": 2} for name in ("copy", "again")])
    (table.parent / "copy.jpg").write_bytes((table.parent / "images/0.jpg").read_bytes())
    (table.parent / "again.jpg").write_bytes(photo(1, lat=1.0, lon=2.0))  # the same picture, another position
    found = survey(open_dataset(table))
    assert found.duplicates == 2
    assert [(p.id, p.other, p.detail.partition(" as ")[0]) for p in found.problems] == [
        ("copy.jpg", "images/0.jpg", "the same file"),
        ("again.jpg", "images/1.jpg", "the same picture with other metadata"),
    ]


def test_leaks_by_picture_and_by_place(make_set, photo):
    test = make_set(3, "test")
    near = destination(LatLon(11.0, 21.0), 70, 0.049)
    far = destination(LatLon(11.0, 21.0), 70, 0.051)
    more = [
        {"image": "near.jpg", "lat": near.lat, "lon": near.lon},
        {"image": "far.jpg", "lat": far.lat, "lon": far.lon},
        {"image": "same.jpg", "lat": -40, "lon": -40},
        {"image": "gone.jpg", "lat": 12.0, "lon": 22.0},
    ]
    train = make_set(1, "train", more=more, first_seed=50)
    for seed, name in ((60, "near"), (61, "far"), (0, "same")):
        (train.parent / f"{name}.jpg").write_bytes(photo(seed, lat=5.0))
    (test.parent / "images/1.jpg").unlink()  # its place is known all the same
    found = survey(open_dataset(train), against=open_dataset(test))
    assert (found.leaks, found.against, found.against_unread) == (3, "photos", 1)
    leaks = [(p.id, p.other, p.detail) for p in found.problems if p.kind == "leak"]
    assert leaks == [
        ("near.jpg", "images/1.jpg", "49 m from images/1.jpg in photos"),
        ("same.jpg", "images/0.jpg", "the same picture as images/0.jpg in photos"),
        ("gone.jpg", "images/2.jpg", "0 m from images/2.jpg in photos"),
    ]


@settings(max_examples=200, deadline=None)
@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(0, 360), st.floats(0, 0.12))
@example(0.0, 180.0, 90.0, 0.049)
@example(89.9999, 10.0, 0.0, 0.04)
@example(-90.0, 0.0, 0.0, 0.01)
@example(71.00049, -179.99999, 270.0, 0.0499)
def test_a_place_is_found_exactly_when_it_is_near(lat, lon, bearing, km):
    start = LatLon(lat, lon)
    end = destination(start, bearing, km)
    with Places() as places:
        places.add(start.lat, start.lon, "start")
        found = places.nearest(end.lat, end.lon)
    true = distance_km(start, end)
    if abs(true - 0.05) > 1e-6:
        assert (found is not None) == (true < 0.05)
    if found:
        assert found[0] == "start"
        assert found[1] == pytest.approx(true, abs=1e-6)


def test_of_many_places_the_nearest_is_named():
    rng = random.Random(1)
    with Places() as places:
        for n in range(2000):
            places.add(60 + rng.random() / 100, 24.9 + rng.random() / 100, str(n))
        places.add(60.005, 24.905, "here")
        assert places.nearest(60.005, 24.905) == ("here", 0.0)
        assert places.nearest(61.0, 24.905) is None


def test_the_first_bearer_of_a_key_is_remembered():
    with Seen() as seen:
        assert seen.first("key", "a") is None
        assert seen.first("other", "b") is None
        assert seen.first("key", "c") == "a"
        assert seen.find("key") == "a"
        assert seen.find("\udcff odd") is None


def test_a_watch_without_another_set_sees_no_leaks(make_set):
    rows = open_dataset(make_set(2)).rows()
    with Watch() as watch:
        assert [watch.problems(item) for item in examine(rows)] == [[], []]


def test_what_a_set_holds_is_counted(make_set):
    more = [
        {"image": "images/0.jpg", "id": "x", "lat": -60, "lon": 170, "country": "NZ", "split": "train"},
        {"image": "images/1.jpg", "id": "y", "lat": 5, "lon": -170, "country": "NZ", "split": "test"},
        {"image": "images/2.jpg", "id": "z", "lat": 5, "lon": 0, "country": "TG", "split": "test"},
    ]
    table = make_set(0, more=more)
    source = make_set(3, "source")
    found = survey(open_dataset(table, images=source.parent))
    assert found.countries == {"NZ": 2, "TG": 1}
    assert found.splits == {"test": 2, "train": 1}
    assert found.box
    assert found.box.model_dump() == {"south": -60.0, "west": -170.0, "north": 5.0, "east": 170.0}
    assert found.bytes == sum(Path(path).stat().st_size for path in (source.parent / "images").iterdir())
    assert (found.smallest, found.largest) == ((64, 48), (64, 48))
