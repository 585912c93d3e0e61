import sqlite3

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheretaken.maps.offline.world import rtree

SOME = "SELECT pkid FROM idx_t_geometry WHERE xmax >= ? AND xmin <= ? AND ymax >= ? AND ymin <= ?"
DEGREES = st.floats(-180, 180)


def filled(boxes: np.ndarray, ids: list[int]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    rtree.create(connection, "t")
    rtree.fill(connection, "t", ids, boxes)
    return connection


@pytest.mark.parametrize("count", [0, 1, 51, 52, 51 * 51, 51 * 51 + 1])
def test_sqlite_approves_of_the_tree(count: int):
    random = np.random.default_rng(count)
    west, south = random.uniform(-180, 180, count), random.uniform(-90, 90, count)
    boxes = np.stack([west, west + 1, south, south + 1], axis=1)
    ids = (random.permutation(count) * 7 + 3).tolist()
    connection = filled(boxes, ids)
    assert connection.execute("SELECT rtreecheck('idx_t_geometry')").fetchone() == ("ok",)
    met = (boxes[:, 1] >= 10) & (boxes[:, 0] <= 40) & (boxes[:, 3] >= -20) & (boxes[:, 2] <= 5)
    found = [row[0] for row in connection.execute(SOME, (10, 40, -20, 5))]
    assert sorted(found) == sorted(np.array(ids)[met].tolist())
    # A tree that was filled at once still takes single boxes.
    connection.execute("INSERT INTO idx_t_geometry VALUES (1, 0, 1, 0, 1)")
    assert connection.execute("SELECT rtreecheck('idx_t_geometry')").fetchone() == ("ok",)
    connection.close()


@given(st.lists(st.tuples(DEGREES, DEGREES), min_size=1, max_size=60))
def test_no_point_is_lost_to_rounding(points: list[tuple[float, float]]):
    boxes = np.array([(x, x, y, y) for x, y in points])
    connection = filled(boxes, list(range(len(points))))
    for at, (x, y) in enumerate(points):
        assert (at,) in connection.execute(SOME, (x, x, y, y)).fetchall()
    connection.close()
