"""Features as a Mapbox Vector Tile layer.

The messages are those of `mapbox_vector_tile`; its own encoder visits every coordinate in Python, which takes
longer than a tile may. Here the coordinates of a whole layer are rounded and made into differences at once.

Format: https://github.com/mapbox/vector-tile-spec/tree/master/2.1 (4.3 geometry, 4.4 attributes)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from wheretaken.errors import MissingExtraError
from wheretaken.maps.offline.tiles import shapes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Value: TypeAlias = str | int | float
    Geometry: TypeAlias = Literal["point", "line", "area"]

_MOVE, _LINE, _CLOSE = 1, 2, 15  # commands; closing has the count 1 built in
_TYPES = {"point": (1, 0), "line": (2, 1), "area": (3, 3)}
"""Type of geometry: in the format, and in shapely."""


def new_tile() -> Any:
    """Return an empty tile message.

    Raises:
        MissingExtraError: the library is not installed.
    """
    try:
        messages = import_module("mapbox_vector_tile.Mapbox.vector_tile_pb2")
    except ModuleNotFoundError as error:
        raise MissingExtraError("vector tiles", "offline", "mapbox-vector-tile") from error
    return messages.tile()


def add_layer(
    tile: Any, name: str, kind: Geometry, geometries: Any, attributes: Sequence[Mapping[str, Value]]
) -> None:
    """Add a layer with one feature for each geometry that is left after rounding.

    Args:
        tile: as `new_tile` makes it.
        name: of the layer.
        kind: of the features; parts of another kind, as cutting leaves them, are dropped.
        geometries: shapely geometries in tile units.
        attributes: of each, in the same order; empty texts are left out.
    """
    commands = _commands(kind, geometries)
    if not any(commands):
        return
    found = next((one for one in tile.layers if one.name == name), None)
    layer: Any = found or tile.layers.add(name=name, version=2, extent=shapes.EXTENT)
    keys: dict[str, int] = {key: at for at, key in enumerate(layer.keys)}
    values: dict[Value, int] = {_value(value): at for at, value in enumerate(layer.values)}
    for command, properties in zip(commands, attributes, strict=True):
        if not command:
            continue
        feature = layer.features.add(type=_TYPES[kind][0])
        feature.geometry.extend(command)
        tags: list[int] = []
        for key, value in properties.items():
            if value == "":
                continue
            if key not in keys:
                keys[key] = len(keys)
                layer.keys.append(key)
            if value not in values:
                values[value] = len(values)
                _set(layer.values.add(), value)
            tags += (keys[key], values[value])
        feature.tags.extend(tags)


def _set(message: Any, value: Value) -> None:
    if isinstance(value, str):
        message.string_value = value
    elif isinstance(value, int):
        message.sint_value = value
    else:
        message.double_value = value


def _value(message: Any) -> Value:
    return message.ListFields()[0][1]


def _commands(kind: Geometry, geometries: Any) -> list[list[int]]:
    """Return the command integers of each geometry, empty where nothing is left of it."""
    import numpy as np  # noqa: PLC0415 - with shapely

    shapely = shapes.lib()
    found: list[list[int]] = [[] for _ in geometries]
    parts, owner = _parts(kind, geometries)
    if not len(parts):
        return found
    if kind == "area":
        parts = shapely.orient_polygons(
            parts, exterior_cw=False
        )  # as y goes south, this is clockwise to the eye
        parts, ring_of = shapely.get_rings(parts, return_index=True)
        owner = owner[ring_of]
    points, ring = shapely.get_coordinates(parts, return_index=True)
    points = np.rint(points).astype(np.int64)
    if kind != "point":
        first = np.concatenate([[True], ring[1:] != ring[:-1]])
        keep = first | np.concatenate([[True], (points[1:] != points[:-1]).any(axis=1)])
        points, ring = points[keep], ring[keep]
    ends = np.searchsorted(ring, np.arange(len(parts)), side="right")
    starts = np.concatenate([[0], ends[:-1]])
    if kind == "area":  # the closing point is not written
        ends = ends - 1
    least = {"point": 1, "line": 2, "area": 3}[kind]
    whole = ends - starts >= least
    return _written(found, kind, points, [part[whole] for part in (starts, ends, owner)])


def _parts(kind: Geometry, geometries: Any) -> tuple[Any, Any]:
    """Return the single parts of the wanted kind, and the number of the geometry that each comes from."""
    shapely = shapes.lib()
    parts, owner = shapely.get_parts(geometries, return_index=True)
    deeper, outer = shapely.get_parts(parts, return_index=True)  # parts of a collection may have parts
    wanted = (shapely.get_type_id(deeper) == _TYPES[kind][1]) & ~shapely.is_empty(deeper)
    return deeper[wanted], owner[outer][wanted]


def _written(found: list[list[int]], kind: Geometry, points: Any, runs: Sequence[Any]) -> list[list[int]]:
    """Write runs of points: each as the difference to the point written before it in the same feature."""
    import numpy as np  # noqa: PLC0415

    starts, ends, owner = runs
    if not len(starts):
        return found
    lengths = ends - starts
    # The numbers of all points of all runs: counted on from each start.
    skipped: Any = np.repeat(starts - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
    picked = np.add(np.arange(int(lengths.sum())), skipped)
    chosen = points[picked]
    of = np.repeat(owner, lengths)
    before = np.zeros_like(chosen)
    before[1:] = np.where((of[1:] == of[:-1])[:, None], chosen[:-1], 0)
    step = chosen - before
    zigzag = ((step << 1) ^ (step >> 63)).ravel().tolist()
    at = 0
    feature: int
    count: int
    for feature, count in zip(owner.tolist(), lengths.tolist(), strict=True):
        out = found[feature]
        out.append(1 << 3 | _MOVE)
        out += zigzag[at : at + 2]
        if count > 1:
            out.append((count - 1) << 3 | _LINE)
            out += zigzag[at + 2 : at + 2 * count]
        if kind == "area":
            out.append(_CLOSE)
        at += 2 * count
    return found
