"""The island: a task that a tiny model can master, in which one look at the right map tells the answer.

```
world    ─► towns, their photos, and the map with a sheet for every town
experts  ─► scripted experts of any skill, their runs, and data sets of photos
model    ─► a tiny Qwen3-VL that learned to see from them, and is as unsure as they are
```
Vision is really needed: on blank photos nobody can do better than guess.
"""

from wheretaken.testing.island.experts import dataset, expert, run
from wheretaken.testing.island.model import warmed
from wheretaken.testing.island.world import ISLAND, IslandMaps, Town, photo, towns

__all__ = ["ISLAND", "IslandMaps", "Town", "dataset", "expert", "photo", "run", "towns", "warmed"]
