import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from wheretaken.maps.offline.render.coast import sea_polygons

FRAME = {"south": 60.0, "west": 24.0, "north": 61.0, "east": 25.0}


def sea(*coasts: LineString) -> BaseGeometry:
    return shapely.union_all(
        [shapely.from_wkb(part) for part in sea_polygons(map(shapely.to_wkb, coasts), **FRAME)]
    )


def test_land_is_on_the_left_of_a_coast_that_crosses_the_frame():
    northward = LineString([(24.5, 59.5), (24.5, 61.5)])
    assert sea(northward).equals(shapely.box(24.5, 60, 25, 61))
    assert sea(northward.reverse()).equals(shapely.box(24, 60, 24.5, 61))


def test_ways_are_joined_and_an_island_is_a_hole():
    south, north = LineString([(24.2, 59.0), (24.2, 60.4)]), LineString([(24.2, 60.4), (24.2, 62.0)])
    island = LineString([(24.6, 60.4), (24.8, 60.4), (24.8, 60.6), (24.6, 60.6), (24.6, 60.4)])
    water = sea(north, south, island)
    assert water.contains(Point(24.4, 60.5))
    assert not water.intersects(Point(24.7, 60.5))
    assert not water.intersects(Point(24.1, 60.5))
    assert isinstance(water, Polygon)
    assert len(water.interiors) == 1


def test_a_clockwise_ring_is_a_harbour_in_the_land():
    harbour = LineString([(24.6, 60.4), (24.6, 60.6), (24.8, 60.6), (24.8, 60.4), (24.6, 60.4)])
    assert sea(harbour).equals(shapely.box(24.6, 60.4, 24.8, 60.6))


def test_a_coast_that_ends_inside_the_frame_is_led_out_to_its_nearest_side():
    broken = LineString([(24.5, 59.0), (24.5, 60.9)])  # the way on to the north is missing
    assert sea(broken).equals(shapely.box(24.5, 60, 25, 61))


def test_one_backward_way_does_not_flood_the_land():
    good = LineString([(24.5, 59.5), (24.5, 60.9)])
    backward = LineString([(24.5, 61.5), (24.5, 60.9)])
    water = sea(good, backward)
    assert water.contains(Point(24.9, 60.3))
    assert not water.intersects(Point(24.1, 60.3))


def test_without_a_coast_in_the_frame_nothing_is_claimed():
    assert sea_polygons([], **FRAME) == []
    assert sea_polygons([shapely.to_wkb(LineString([(30, 0), (31, 0)]))], **FRAME) == []


@given(st.lists(st.floats(60.01, 60.99), min_size=2, max_size=30))
def test_a_wiggly_coast_parts_the_frame_whatever_its_shape(heights: list[float]):
    step = 1.2 / (len(heights) - 1)
    coast = LineString([(23.9 + index * step, height) for index, height in enumerate(heights)])  # eastward
    water = sea(coast)
    assert water.intersects(Point(24.5, 60.0))
    assert not water.intersects(Point(24.5, 61.0))
    land = shapely.box(24, 60, 25, 61).difference(water)
    assert land.intersection(water).area == 0
