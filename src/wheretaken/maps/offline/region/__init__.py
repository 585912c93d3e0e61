"""Street regions: an OpenStreetMap extract, imported once into one SQLite file, drawn and searched from it.

```
extract (.osm.pbf, .osm, .osm.gz)
  -> read     features with their tags and WKB geometry           (osmium)
  -> tags     what a feature is: class, kind, names, address      (pure functions)
  -> write    `area`, `line`, `point` to draw; `thing`, `alias`, `gram` to search (SQLite)
  -> search   `Region`: names, addresses, what is around a point
library: which regions this machine has (the built-in one and the user's); adding: a new one; basemap
```

The tables are written down in `schema`; the map renderer reads the same file. Positions are WGS-84 degrees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wheretaken.maps.offline.region.basemap import Basemap, basemaps
    from wheretaken.maps.offline.region.extract import import_extract
    from wheretaken.maps.offline.region.info import RegionInfo, read_info
    from wheretaken.maps.offline.region.library import builtin, own_files, regions
    from wheretaken.maps.offline.region.search import Region

__all__ = [
    "Basemap",
    "Region",
    "RegionInfo",
    "basemaps",
    "builtin",
    "import_extract",
    "own_files",
    "read_info",
    "regions",
]

_HOME = {
    "Region": "search",
    "RegionInfo": "info",
    "Basemap": "basemap",
    "basemaps": "basemap",
    "builtin": "library",
    "own_files": "library",
    "read_info": "info",
    "import_extract": "extract",
    "regions": "library",
}


def __getattr__(name: str) -> object:
    """Load a public name from its module on first use (PEP 562), so that listing regions loads no osmium."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - only needed on the first use of a name

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
