"""The cache before the tools: `ToolCache` over memory and a store, one upstream call for identical requests.

`keys` says what makes two calls the same, `entries` what is kept of one, `policy` for how long; `memory`
is the layer of a process, `stores` what the shared ones (`sqlite`, `redis`) do, `cache` how all of it
works together. `opening` finds a store by its name, `upkeep` counts and removes, `transfer` reads and
writes files.
"""

from wheretaken.server.cache.cache import Tally, ToolCache
from wheretaken.server.cache.entries import Cached
from wheretaken.server.cache.keys import CacheKey
from wheretaken.server.cache.opening import opened
from wheretaken.server.cache.policy import Policy
from wheretaken.server.cache.stores import Store, StoreError

__all__ = ["CacheKey", "Cached", "Policy", "Store", "StoreError", "Tally", "ToolCache", "opened"]
