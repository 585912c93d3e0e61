"""Offline map pictures, every zoom from the world to house numbers.

```
world file, region files (SQLite)
  -> view         what area a picture shows: Web Mercator, zoom, the antimeridian
  -> world_map,   declarative layers: which features, in which order, how they look from which zoom
     street_map     (street_tables, world_names and palette are their data)
  -> style        layers as mapnik XML; fonts: every script
  -> renderer     `Renderer`: loaded maps, painting, PNG; furniture: pins, circle, scale bar, attribution
coast: sea polygons from coastline ways, for the import of regions
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wheretaken.maps.offline.render.renderer import Renderer

__all__ = ["Renderer"]


def __getattr__(name: str) -> Any:
    """Import `Renderer` when it is asked for: `coast` must not cost an import of everything else."""
    if name in __all__:
        from wheretaken.maps.offline.render.renderer import Renderer  # noqa: PLC0415

        return Renderer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
