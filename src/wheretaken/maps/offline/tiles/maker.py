"""`TileMaker`: from a tile's address to its bytes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from wheretaken.errors import DataError
from wheretaken.maps.offline.region.info import read_info
from wheretaken.maps.offline.render.renderer import WORLD_ATTRIBUTION
from wheretaken.maps.offline.tiles import layers
from wheretaken.maps.offline.tiles.encode import new_tile
from wheretaken.maps.offline.tiles.grid import MAX_ZOOM, Tile
from wheretaken.maps.offline.tiles.streets import BUILDINGS_FROM, FROM_ZOOM, NUMBERS_FROM, Streets
from wheretaken.maps.offline.tiles.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wheretaken.maps.offline.region.info import RegionInfo

_NAMED = dict.fromkeys(
    ("name", "name_en", "name_int", "name:latin", *(f"name:{code}" for code in layers.LANGUAGES)), "String"
)
_SORTED = {"class": "String", "subclass": "String"}
FIELDS: dict[str, tuple[int, dict[str, str]]] = {
    "water": (0, _SORTED),
    "waterway": (FROM_ZOOM, _SORTED),
    "landcover": (FROM_ZOOM, _SORTED),
    "landuse": (FROM_ZOOM, _SORTED),
    "park": (FROM_ZOOM, _SORTED),
    "boundary": (0, {"admin_level": "Number", "maritime": "Number", "disputed": "Number"}),
    "aeroway": (FROM_ZOOM, _SORTED),
    "transportation": (
        FROM_ZOOM,
        _SORTED | {"oneway": "Number", "ramp": "Number", "brunnel": "String"},
    ),
    "building": (BUILDINGS_FROM, {}),
    "water_name": (FROM_ZOOM, {"class": "String"} | _NAMED),
    "transportation_name": (12, {"class": "String", "ref": "String", "ref_length": "Number"} | _NAMED),
    "place": (
        0,
        {"class": "String", "rank": "Number", "population": "Number", "from_zoom": "Number"} | _NAMED,
    ),
    "housenumber": (NUMBERS_FROM, {"housenumber": "String"}),
    "poi": (12, _SORTED | {"rank": "Number", "religion": "String"} | _NAMED),
}
"""The layers, from which zoom, and what their features say."""


class TileMaker:
    """Makes vector tiles from a world file and any number of region files. Safe to use from many threads.

    Args:
        world: the world file (`wheretaken.maps.offline.world.ensure`).
        regions: region files.

    Raises:
        DataError: a file is missing or damaged.
    """

    def __init__(self, world: Path, regions: Sequence[Path] = ()) -> None:
        if not world.is_file():
            raise DataError(f"there is no world map {world}: it is built when the place index is first used")
        self._world = World(world)
        self._streets = [Streets(read_info(path)) for path in regions]
        stamps = [(path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in (world, *regions)]
        self.version = hashlib.sha256(repr((1, stamps)).encode()).hexdigest()[:12]
        """Changes whenever a map file does: tiles of one version never change."""

    def tile(self, zoom: int, column: int, row: int) -> bytes | None:
        """Return a tile, not compressed: b"" where nothing is, None where the grid has none.

        Raises:
            DataError: a map file is damaged.
            MissingExtraError: a library is not installed.
        """
        tile = Tile(zoom, column, row)
        if not tile.exists:
            return None
        message = new_tile()
        self._world.add(message, tile, [streets.info for streets in self._streets])
        for streets in self._streets:
            streets.add(message, tile)
        return bytes(message.SerializeToString())

    @property
    def regions(self) -> list[RegionInfo]:
        """The regions that tiles are made of."""
        return [streets.info for streets in self._streets]

    @property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """South, west, north, east of all regions, degrees; None when there are none."""
        infos = [streets.info for streets in self._streets]
        if not infos:
            return None
        return (
            min(info.south for info in infos),
            min(info.west for info in infos),
            max(info.north for info in infos),
            max(info.east for info in infos),
        )

    def describe(self, tiles: str) -> dict[str, Any]:
        """Return the TileJSON 3.0 (https://github.com/mapbox/tilejson-spec) for tiles at a URL template."""
        attributions = dict.fromkeys(streets.info.attribution for streets in self._streets)
        first = self._streets[0].info if self._streets else None
        centre = [(first.west + first.east) / 2, (first.south + first.north) / 2, 14] if first else [0, 20, 2]
        return {
            "tilejson": "3.0.0",
            "name": "wheretaken",
            "version": "1.0.0",
            "scheme": "xyz",
            "tiles": [tiles],
            "minzoom": 0,
            "maxzoom": MAX_ZOOM,
            "bounds": [-180.0, -85.0511, 180.0, 85.0511],
            "center": centre,
            "attribution": " · ".join([*attributions, WORLD_ATTRIBUTION]),
            "vector_layers": [
                {"id": name, "minzoom": first, "maxzoom": MAX_ZOOM, "fields": fields}
                for name, (first, fields) in FIELDS.items()
            ],
        }
