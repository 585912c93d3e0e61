"""Synthetic scenes: photo-like pictures of signs at real places, with the truth, from a seed.

```
street_targets / town_targets   which places, and what their signs say          (streets, towns, contacts,
                                                                                languages, manners)
  -> plates                     text on boards, with the place of its ink       (plates, distractors)
  -> street_scene / town_scene  boards on a house front or beside a road        (street_views, town_views,
  backdrops) -> camera                     perspective, things in front, light, lens, JPEG (camera)
  -> Scene                      picture, truth, marks                           (scene)
```

The same target, seed and difficulty give the same bytes with the same versions of Pillow, numpy, OpenCV and
the fonts. What the signs say is what stands on such signs, whether or not some reader can read it. Needs the
`offline` extra; nothing heavy is imported before the first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wheretaken.testing.scenes.manners import MANNERS, Manners
    from wheretaken.testing.scenes.scene import Difficulty, Mark, Scene
    from wheretaken.testing.scenes.street_views import example_scene, street_scene
    from wheretaken.testing.scenes.streets import District, StreetTarget, street_targets
    from wheretaken.testing.scenes.town_views import town_scene
    from wheretaken.testing.scenes.towns import Town, town_targets

__all__ = [
    "MANNERS",
    "Difficulty",
    "District",
    "Manners",
    "Mark",
    "Scene",
    "StreetTarget",
    "Town",
    "example_scene",
    "street_scene",
    "street_targets",
    "town_scene",
    "town_targets",
]

_HOME = {
    "MANNERS": "manners",
    "Difficulty": "scene",
    "District": "streets",
    "Manners": "manners",
    "Mark": "scene",
    "Scene": "scene",
    "StreetTarget": "streets",
    "Town": "towns",
    "example_scene": "street_views",
    "street_scene": "street_views",
    "street_targets": "streets",
    "town_scene": "town_views",
    "town_targets": "towns",
}


def __getattr__(name: str) -> object:
    """Load a public name from its module on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - only needed on the first use of a name

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
