"""Geometry on a patch of the Earth small enough to be flat, and the one place that talks to shapely.

Shapes come as WKB in WGS-84 degrees (x = longitude, y = latitude) and are measured in kilometres with the
length of a degree at their own latitude. Over a street or a park the error is far below a metre per
kilometre; distances between places that a user is told are geodesic (`wheretaken.geo`).
"""

from __future__ import annotations

import math
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from wheretaken.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


_LINE_HEAD, _POINT = 9, 16
"""Bytes of WKB: what is before the points of a line, and each point."""


class Spot(NamedTuple):
    """A position inside a shape and how far the shape reaches from it, in kilometres."""

    lat: float
    lon: float
    extent_km: float


class Polygon(NamedTuple):
    """What the tables keep of an area."""

    spot: Spot
    m2: float
    west: float
    east: float
    south: float
    north: float


def km_per_degree(lat: float) -> tuple[float, float]:
    """Return the length of one degree of latitude and of longitude at a latitude, in kilometres (WGS-84).

    The usual series in the latitude, as in NIMA TR8350.2: within a metre per degree.
    """
    phi = math.radians(lat)
    north = 111.13295 - 0.55982 * math.cos(2 * phi) + 0.00117 * math.cos(4 * phi)
    east = 111.41284 * math.cos(phi) - 0.0935 * math.cos(3 * phi) + 0.00012 * math.cos(5 * phi)
    return north, max(east, 1e-9)


def box_around(lat: float, lon: float, km: float) -> tuple[float, float, float, float]:
    """Return (west, east, south, north) in degrees of the square around a circle with a radius of `km`."""
    north, east = km_per_degree(lat)
    return lon - km / east, lon + km / east, lat - km / north, lat + km / north


def flat_km(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Return the distance of two positions that are at most some kilometres apart."""
    north, east = km_per_degree((lat + other_lat) / 2)
    return math.hypot((other_lat - lat) * north, (other_lon - lon) * east)


def apart_km(
    lats: Sequence[float], lons: Sequence[float], spots: Sequence[tuple[float, float]]
) -> list[float]:
    """Return for each position how far the nearest of some spots is from it."""
    import numpy as np  # noqa: PLC0415 - shapely, which is not loaded before it is needed, brings it

    north, east = km_per_degree(spots[0][0])
    found = np.full(len(lats), np.inf)
    at = np.array([lats, lons])
    for lat, lon in spots:
        np.minimum(found, np.hypot((at[0] - lat) * north, (at[1] - lon) * east), out=found)
    return found.tolist()


def boxes(wkbs: Sequence[bytes]) -> list[tuple[float, float, float, float]]:
    """Return the box of each shape: xmin, xmax, ymin, ymax."""
    shapely = _shapely()
    return [tuple(row) for row in shapely.bounds(shapely.from_wkb(wkbs))[:, [0, 2, 1, 3]].tolist()]


def measure(wkbs: Sequence[bytes]) -> list[Polygon]:
    """Return of each (multi)polygon a point inside, if that is inside its centroid, its area and its box."""
    import numpy as np  # noqa: PLC0415 - as above

    shapely = _shapely()
    shapes = shapely.from_wkb(wkbs)
    middles = shapely.centroid(shapes)
    outside = np.flatnonzero(~shapely.contains(shapes, middles))
    middles[outside] = shapely.point_on_surface(shapes[outside])
    at = shapely.get_coordinates(middles).tolist()
    found: list[Polygon] = []
    rows = zip(at, shapely.bounds(shapes).tolist(), shapely.area(shapes).tolist(), strict=True)
    for (lon, lat), (west, south, east, north), square in rows:
        lat_km, lon_km = km_per_degree(lat)
        half_diagonal = math.hypot((east - west) * lon_km, (north - south) * lat_km) / 2
        spot = Spot(lat, lon, half_diagonal)
        found.append(Polygon(spot, square * lat_km * lon_km * 1e6, west, east, south, north))
    return found


def middles(groups: Sequence[Sequence[bytes]]) -> list[Spot]:
    """Return for each group of lines the point on it nearest to its centroid, and how far its ends are."""
    import numpy as np  # noqa: PLC0415 - as above

    shapely = _shapely()
    lines = shapely.from_wkb([line for group in groups for line in group])
    owners = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    shapes = shapely.multilinestrings(lines, indices=owners)
    points = shapely.get_point(shapely.shortest_line(shapes, shapely.centroid(shapes)), 0)
    at = shapely.get_coordinates(points)
    scale = np.array([km_per_degree(lat) for lat in at[:, 1].tolist()])[:, ::-1]
    ends, of = shapely.get_coordinates(shapes, return_index=True)
    away = np.hypot(*((ends - at[of]) * scale[of]).T)
    farthest = np.maximum.reduceat(away, np.flatnonzero(np.diff(of, prepend=-1)))
    return [Spot(lat, lon, extent) for (lon, lat), extent in zip(at.tolist(), farthest.tolist(), strict=True)]


def connected(lines: Sequence[bytes], gap_km: float) -> list[list[int]]:
    """Return groups of indexes of lines that are joined by gaps of at most about `gap_km`."""
    if len(lines) == 1:
        return [[0]]
    parent = list(range(len(lines)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    # Most ways of a street meet at their ends, which takes no geometry to see.
    met: dict[bytes, int] = {}
    for i, line in enumerate(lines):
        for end in (line[_LINE_HEAD : _LINE_HEAD + _POINT], line[-_POINT:]):
            parent[root(met.setdefault(end, i))] = root(i)
    groups = [root(i) for i in range(len(parent))]
    if len(set(groups)) > 1:
        for first, second in _close(lines, groups, gap_km):
            parent[root(first)] = root(second)
    found: dict[int, list[int]] = {}
    for i in range(len(parent)):
        found.setdefault(root(i), []).append(i)
    return list(found.values())


def _close(lines: Sequence[bytes], groups: Sequence[int], gap_km: float) -> Iterable[tuple[int, int]]:
    """Return the pairs of lines of two groups that come within the gap of each other."""
    import numpy as np  # noqa: PLC0415 - as above

    shapely = _shapely()
    shapes = shapely.from_wkb(list(lines))
    gap = gap_km / km_per_degree(shapes[0].bounds[1])[0]
    around = shapely.box(*np.add(shapely.bounds(shapes), (-gap, -gap, gap, gap)).T)
    one, other = shapely.STRtree(shapes).query(around)
    of = np.array(groups)
    apart = of[one] < of[other]  # each pair once
    one, other = one[apart], other[apart]
    shapely.prepare(shapes[one])
    near = shapely.dwithin(shapes[one], shapes[other], gap)
    return zip(one[near].tolist(), other[near].tolist(), strict=True)


def meeting(one: Sequence[bytes], other: Sequence[bytes]) -> tuple[float, float, float]:
    """Return where two groups of lines meet: latitude, longitude, and how far apart they are there in km.

    Where they cross more than once, as two carriageways do, it is the middle of these points.
    """
    shapely = _shapely()
    first, second = (shapely.multilinestrings(shapely.from_wkb(list(lines))) for lines in (one, other))
    lat_km, lon_km = km_per_degree(first.bounds[1])
    common = shapely.intersection(first, second)
    if not common.is_empty:
        # A stretch that both share counts as the point in its middle.
        middle_point = common.centroid
        return middle_point.y, middle_point.x, 0.0
    gap = shapely.get_coordinates(shapely.shortest_line(first, second))
    (west, south), (east, north) = gap.tolist()
    apart = math.hypot((east - west) * lon_km, (north - south) * lat_km)
    return (south + north) / 2, (west + east) / 2, apart


def along(lines: Sequence[bytes], step_km: float) -> list[tuple[float, float]]:
    """Return (latitude, longitude) of points on a group of lines, at most `step_km` apart."""
    shapely = _shapely()
    shapes = shapely.from_wkb(list(lines))
    step = step_km / km_per_degree(shapes[0].bounds[1])[0]
    points = shapely.get_coordinates(shapely.segmentize(shapes, step))
    return [(lat, lon) for lon, lat in points.tolist()]


def nearest(wkb: bytes, lat: float, lon: float) -> Spot:
    """Return the point of a shape that is nearest to a position; `extent_km` is its distance in kilometres.

    Degrees of longitude are first shrunk to the length of those of latitude, so "nearest" is meant in metres.
    """
    shapely = _shapely()
    lat_km, lon_km = km_per_degree(lat)
    ratio = lon_km / lat_km

    def shrunk(degrees: Any) -> Any:
        return degrees * (ratio, 1.0)

    flat = shapely.transform(shapely.from_wkb(wkb), shrunk)
    line = shapely.shortest_line(flat, shapely.Point(lon * ratio, lat))
    point = shapely.get_point(line, 0)
    return Spot(point.y, point.x / ratio, line.length * lat_km)


def _shapely() -> Any:
    # Its stubs are partly unknown to a strict checker: what comes from it is annotated here, where it enters.
    try:
        return import_module("shapely")
    except ModuleNotFoundError as error:
        raise MissingExtraError("street regions", "offline", "shapely") from error
