"""Sea polygons from the coastline ways of a street extract.

OpenStreetMap has no polygon for the sea: it has `natural=coastline` ways with land on the left of their
direction and water on the right (https://wiki.openstreetmap.org/wiki/Tag:natural=coastline). An extract
cuts them anywhere. So the coast and the frame of the extract are cut into faces, and the coast votes for
each face beside it: sea where it lies on the right, land where it lies on the left. Majority, because a
single way drawn backwards must not flood a town.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken.maps.offline.render.shapes import joined

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shapely.geometry import LineString, Polygon

PROBE = 1e-7
"""How far beside the coast a vote is cast, degrees (about 1 cm): less than any real gap between coasts."""


def sea_polygons(
    coastlines: Iterable[bytes], *, south: float, west: float, north: float, east: float
) -> list[bytes]:
    """Return the sea inside a frame.

    Args:
        coastlines: WKB line strings, lon/lat WGS-84 degrees, land on the left; they may end anywhere.
        south: the frame's lower edge, degrees; the frame must not cross the 180th meridian.
        west: its left edge.
        north: its upper edge.
        east: its right edge.

    Returns:
        WKB polygons, lon/lat degrees, with holes for islands; empty when no coastline enters the frame
        (the ways alone cannot say then whether the frame is all land or all sea).

    Raises:
        ValueError: the frame is empty or the wrong way round.
    """
    import shapely  # noqa: PLC0415 - imports of extracts need it, pictures do not

    if not (south < north and west < east):
        raise ValueError(f"the frame {south},{west},{north},{east} is not south,west,north,east")
    frame = shapely.box(west, south, east, north)
    chains = _chains(coastlines, frame)
    if not chains:
        return []
    edges = shapely.union_all([*chains, frame.exterior])
    faces = list(shapely.get_parts(shapely.polygonize([edges])))
    sea = [face for face, votes in zip(faces, _votes(faces, chains), strict=True) if votes > 0]
    return [shapely.to_wkb(part) for part in shapely.get_parts(shapely.union_all(sea))]


def _chains(coastlines: Iterable[bytes], frame: Polygon) -> list[LineString]:
    """Join the ways end to end, cut them at the frame, and lead loose ends out to the nearest side of it.

    A loose end is where the extract lost the rest of the coast; without the extension the water on both
    sides of the gap would be one face with the land.
    """
    import shapely  # noqa: PLC0415

    ways = [way for way in map(shapely.from_wkb, coastlines) if isinstance(way, shapely.LineString)]
    # Cutting keeps a line's direction, which carries the meaning; cutting can also split at self-crossings.
    cut = shapely.intersection(shapely.MultiLineString(joined(ways)), frame)
    pieces = [part for part in shapely.get_parts(cut) if isinstance(part, shapely.LineString)]
    return [_led_out(piece, frame) for piece in joined(pieces)]


def _led_out(chain: LineString, frame: Polygon) -> LineString:
    """Return the chain with each loose end joined to the nearest point of the frame's outline."""
    import shapely  # noqa: PLC0415

    if chain.is_closed:
        return chain
    points = [(float(x), float(y)) for x, y in shapely.get_coordinates(chain)]
    for end in (0, -1):
        tip = shapely.Point(points[end])
        if frame.exterior.distance(tip) > PROBE:
            way_out = frame.exterior.interpolate(frame.exterior.project(tip))
            points.insert(0 if end == 0 else len(points), (way_out.x, way_out.y))
    return shapely.LineString(points)


def _votes(faces: list[Polygon], chains: list[LineString]) -> list[float]:
    """Return for each face the coast length (degrees) that calls it sea less that which calls it land."""
    import numpy as np  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    votes = np.zeros(len(faces))
    tree = shapely.STRtree(faces)
    for chain in chains:
        points = shapely.get_coordinates(chain)
        step = np.diff(points, axis=0)
        length = np.hypot(step[:, 0], step[:, 1])
        step, middle, length = (
            step[length > 0],
            ((points[:-1] + points[1:]) / 2)[length > 0],
            length[length > 0],
        )
        right = np.column_stack([step[:, 1], -step[:, 0]]) / length[:, None] * PROBE
        for side, sign in ((right, 1.0), (-right, -1.0)):
            at, face = tree.query(shapely.points(middle + side), predicate="within")
            np.add.at(votes, face, sign * length[at])
    return [float(vote) for vote in votes]
