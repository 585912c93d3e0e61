"""The world place index: 235,000 settlements, first-level divisions and countries, in every script.

`ensure` builds one SQLite file in the cache, once; `path` says where; `WorldIndex` reads it. `schema` states
what the file holds, for the search here and for the map renderer, which draws the same file.
"""

from wheretaken.maps.offline.world.cached import ensure, path
from wheretaken.maps.offline.world.index import Country, WorldIndex

__all__ = ["Country", "WorldIndex", "ensure", "path"]
