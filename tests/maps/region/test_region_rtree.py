import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from wheretaken.maps.offline import rtree


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as opened:
        opened.execute("CREATE VIRTUAL TABLE packed USING rtree(pkid, xmin, xmax, ymin, ymax)")
        opened.execute("CREATE VIRTUAL TABLE grown USING rtree(pkid, xmin, xmax, ymin, ymax)")
        yield opened


@pytest.mark.parametrize("count", [0, 1, 51, 52, 51 * 51, 51 * 51 + 1, 9_000])
def test_a_packed_tree_is_sound_and_answers_like_one_that_grew(connection: sqlite3.Connection, count: int):
    chance = random.Random(count)
    builder = rtree.Builder(connection, "packed")
    exact: list[tuple[float, float, float, float]] = []
    for row in range(1, count + 1):
        west, south = chance.uniform(-180, 180), chance.uniform(-90, 90)
        box = (west, west + chance.expovariate(5), south, south + chance.expovariate(5))
        builder.add(box)
        exact.append(box)
        connection.execute("INSERT INTO grown VALUES (?, ?, ?, ?, ?)", (row, *box))
    builder.finish()
    assert connection.execute("SELECT rtreecheck('packed')").fetchone() == ("ok",)
    found = connection.execute("SELECT * FROM packed ORDER BY pkid").fetchall()
    assert [row[0] for row in found] == list(range(1, count + 1))
    for (_, west, east, south, north), box in zip(found, exact, strict=True):
        # Single precision, rounded outwards.
        assert west <= box[0]
        assert east >= box[1]
        assert south <= box[2]
        assert north >= box[3]
        assert (west, east, south, north) == pytest.approx(box, abs=2e-5)
    within = "SELECT pkid FROM {} WHERE xmax >= ? AND xmin <= ? AND ymax >= ? AND ymin <= ? ORDER BY 1"
    for _ in range(20):
        west, south = chance.uniform(-180, 180), chance.uniform(-90, 90)
        view = (west, west + 9, south, south + 9)
        assert (
            connection.execute(within.format("packed"), view).fetchall()
            == connection.execute(within.format("grown"), view).fetchall()
        )


def test_boxes_are_written_in_chunks(connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rtree, "CHUNK", 100)
    builder = rtree.Builder(connection, "packed")
    for row in range(1_000):
        builder.add((row, row + 1, 0, 1))
    builder.finish()
    assert connection.execute("SELECT rtreecheck('packed')").fetchone() == ("ok",)
    found = connection.execute("SELECT pkid FROM packed WHERE xmax >= 500.5 AND xmin <= 500.5").fetchall()
    assert found == [(501,)]


def test_a_packed_tree_can_be_changed_afterwards(connection: sqlite3.Connection):
    builder = rtree.Builder(connection, "packed")
    for row in range(200):
        builder.add((row, row + 1, 0, 1))
    builder.finish()
    connection.execute("INSERT INTO packed VALUES (999, 5, 6, 0, 1)")
    connection.execute("DELETE FROM packed WHERE pkid = 6")
    assert connection.execute("SELECT rtreecheck('packed')").fetchone() == ("ok",)
