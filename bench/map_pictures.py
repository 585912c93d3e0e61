"""How long a 500x500 map picture takes once the style is loaded, and how much the region file's index saves.

The baseline is mapnik drawing the same street layers from the same data with the spatial index switched off:
every layer then reads its whole table, as it would from the extract itself.

    python bench/map_pictures.py [rounds]
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import TYPE_CHECKING

from wheretaken.geo import LatLon
from wheretaken.maps.offline import region, world
from wheretaken.maps.offline.render import Renderer, renderer
from wheretaken.maps.offline.render.style import to_xml

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wheretaken.maps.offline.render.style import Layer

VIEWS = {
    "world": (LatLon(20, 0), 1),
    "Europe": (LatLon(50, 12), 4),
    "Japan": (LatLon(36, 138), 6),
    "Georgia": (LatLon(42, 43.5), 7),
    "Fiji, across 180°": (LatLon(-17.5, 179.8), 7),
    "Thailand, towns": (LatLon(13.1, 99.9), 10),
    "Helsinki": (LatLon(60.1699, 24.945), 12),
    "Helsinki, centre": (LatLon(60.1699, 24.945), 14),
    "Helsinki, quarter": (LatLon(60.1699, 24.945), 15),
    "Helsinki, streets": (LatLon(60.1699, 24.945), 16),
    "Helsinki, POIs": (LatLon(60.1699, 24.945), 17),
    "Helsinki, numbers": (LatLon(60.1699, 24.942), 18),
}


def timed(draw: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return p50 and p95 in milliseconds, after one call that loads what is needed."""
    draw()
    taken: list[float] = []
    for _ in range(rounds):
        start = time.perf_counter()
        draw()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken), statistics.quantiles(taken, n=20)[-1]


def unindexed(layers: Sequence[Layer], faces: Sequence[str]) -> str:
    xml = to_xml(layers, faces)
    return xml.replace(
        '<Parameter name="key_field">',
        '<Parameter name="use_spatial_index">false</Parameter><Parameter name="key_field">',
    )


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    files = world.ensure(), [region.builtin()]
    ours = Renderer(*files)
    plain = Renderer(*files)
    print(f"500x500 PNG, {rounds} rounds after one for loading; ratio = baseline p50 / ours p50")
    print(f"{'view':20} {'zoom':>4} {'p50 ms':>8} {'p95 ms':>8} {'baseline p50':>13} {'ratio':>6}")
    for name, (centre, zoom) in VIEWS.items():
        p50, p95 = timed(lambda c=centre, z=zoom: ours.render(c, zoom=z), rounds)
        renderer.to_xml = unindexed  # the one seam between our layers and mapnik
        base, _ = timed(lambda c=centre, z=zoom: plain.render(c, zoom=z), max(2, rounds // 3))
        renderer.to_xml = to_xml
        print(f"{name:20} {zoom:4} {p50:8.0f} {p95:8.0f} {base:13.0f} {base / p50:6.1f}")


if __name__ == "__main__":
    main()
