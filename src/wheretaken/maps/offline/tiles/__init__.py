"""Vector tiles of the loaded regions and of the world: what browsers draw maps from.

```
world file, region files (SQLite)
  -> layers   which features go into which layer from which zoom   (data: class and subclass -> OpenMapTiles)
  -> shapes   degrees to tile units, clipped, simplified            (shapely, whole columns at a time)
  -> encode   a layer's features as Mapbox Vector Tile
  -> maker    `TileMaker`: z, x, y -> bytes, and the TileJSON that describes them
style: a MapLibre style; glyphs: its letters; export: all tiles of an area in one file
```

Layer and attribute names are those of the OpenMapTiles schema (https://openmaptiles.org/schema/), so that
styles written for it work. Format: https://github.com/mapbox/vector-tile-spec/tree/master/2.1
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wheretaken.maps.offline.tiles.maker import TileMaker

__all__ = ["TileMaker"]


def __getattr__(name: str) -> Any:
    """Import `TileMaker` when it is asked for: it loads shapely."""
    if name in __all__:
        from wheretaken.maps.offline.tiles.maker import TileMaker  # noqa: PLC0415

        return TileMaker
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
