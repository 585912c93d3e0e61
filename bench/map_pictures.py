"""How long a map picture and a vector tile take, beside a headless browser that draws the same area.

Three tables:

- pictures: 500x500 PNG once the style is loaded. The baseline is mapnik drawing the same layers from the
  same data with the spatial index switched off: every layer then reads its whole table, as it would from the
  extract itself.
- tiles: every tile of the built-in region from zoom 11 to 16, none of them kept from before. The baseline is
  `mapbox_vector_tile.encode`, the usual library, given the same features already clipped and in tile units.
- browser: the same views as a screenshot of headless Chromium, which draws the same features (as SVG, without
  words or icons) and so does less. It is started for each picture, as the command line does that.

    python bench/map_pictures.py [rounds]
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mapbox_vector_tile
import shapely

from wheretaken.geo import LatLon
from wheretaken.maps.offline import region, world
from wheretaken.maps.offline.render import Renderer, palette, renderer
from wheretaken.maps.offline.render.style import to_xml
from wheretaken.maps.offline.tiles import TileMaker, shapes
from wheretaken.maps.offline.tiles.grid import covering

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
IN_A_BROWSER = ("Helsinki, quarter", "Helsinki, streets", "Helsinki, POIs")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SCREENSHOT = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"),
    *("--force-device-scale-factor=1", "--window-size=500,500"),
)
COLOURS = {
    "water": palette.WATER, "landcover": palette.GRASS, "landuse": palette.BUILT_UP, "park": palette.PARK,
    "building": palette.BUILDING, "transportation": palette.STREET_EDGE, "waterway": palette.WATER,
}  # fmt: skip


def timed(draw: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return p50 and p95 in milliseconds, after one call that loads what is needed."""
    draw()
    return spread([_once(draw) for _ in range(rounds)])


def spread(taken: Sequence[float]) -> tuple[float, float]:
    return statistics.median(taken), statistics.quantiles(taken, n=20)[-1]


def _once(draw: Callable[[], object]) -> float:
    start = time.perf_counter()
    draw()
    return (time.perf_counter() - start) * 1000


def unindexed(layers: Sequence[Layer], faces: Sequence[str]) -> str:
    xml = to_xml(layers, faces)
    return xml.replace(
        '<Parameter name="key_field">',
        '<Parameter name="use_spatial_index">false</Parameter><Parameter name="key_field">',
    )


def pictures(files: tuple[Path, list[Path]], rounds: int) -> dict[str, float]:
    ours, plain = Renderer(*files), Renderer(*files)
    print(f"500x500 PNG, {rounds} rounds after one for loading; ratio = baseline p50 / ours p50")
    print(f"{'view':20} {'zoom':>4} {'p50 ms':>8} {'p95 ms':>8} {'no index p50':>13} {'ratio':>6}")
    found: dict[str, float] = {}
    for name, (centre, zoom) in VIEWS.items():
        p50, p95 = timed(lambda c=centre, z=zoom: ours.render(c, zoom=z), rounds)
        found[name] = p50
        renderer.to_xml = unindexed  # the one seam between our layers and mapnik
        base, _ = timed(lambda c=centre, z=zoom: plain.render(c, zoom=z), max(2, rounds // 3))
        renderer.to_xml = to_xml
        print(f"{name:20} {zoom:4} {p50:8.0f} {p95:8.0f} {base:13.0f} {base / p50:6.1f}")
    print(f"{'all views':20} {'':4} {statistics.median(found.values()):8.0f}")
    return found


def tiles(files: tuple[Path, list[Path]]) -> None:
    maker = TileMaker(*files)
    info = maker.regions[0]
    area = (info.south, info.west, info.north, info.east)
    maker.tile(14, *next(covering(*area, (14, 14)))[1:])
    print("\nvector tiles of the built-in region, not compressed; ratio = baseline p50 / ours p50")
    print(f"{'zoom':>4} {'tiles':>6} {'p50 ms':>8} {'p95 ms':>8} {'KB':>5} {'library p50':>12} {'ratio':>6}")
    every: list[float] = []
    for zoom in range(11, 17):
        ours: list[float] = []
        base: list[float] = []
        sizes: list[int] = []
        for tile in covering(*area, (zoom, zoom)):
            made: list[bytes] = []
            ours.append(_once(lambda t=tile, m=made: m.append(maker.tile(*t) or b"")))
            sizes.append(len(made[0]))
            features = _decoded(made[0])
            base.append(_once(lambda f=features: mapbox_vector_tile.encode(f)))
        every += ours
        p50, p95 = spread(ours) if len(ours) > 1 else (ours[0], ours[0])
        library = statistics.median(base)
        size = statistics.median(sizes) / 1000
        print(
            f"{zoom:4} {len(ours):6} {p50:8.1f} {p95:8.1f} {size:5.0f} {library:12.1f} {library / p50:6.1f}"
        )
    p50, p95 = spread(every)
    print(f"{'all':>4} {len(every):6} {p50:8.1f} {p95:8.1f}")


def _decoded(data: bytes) -> list[dict[str, Any]]:
    found = mapbox_vector_tile.decode(data, default_options={"y_coord_down": True}) if data else {}
    return [
        {
            "name": name,
            "features": [
                {"geometry": shapely.geometry.shape(one["geometry"]), "properties": one["properties"]}
                for one in layer["features"]
            ],
        }
        for name, layer in found.items()
    ]


def browser(files: tuple[Path, list[Path]], drawn: dict[str, float], rounds: int) -> None:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    print("\nscreenshot of the same area in headless Chromium; ratio = baseline p50 / ours p50")
    if program is None:
        print("not measured: there is no chromium on this machine")
        return
    print(f"{'view':20} {'ours p50':>9} {'browser p50':>12} {'p95':>6} {'page KB':>8} {'ratio':>6}")
    maker = TileMaker(*files)
    with tempfile.TemporaryDirectory() as folder:
        for name in IN_A_BROWSER:
            page = Path(folder, "map.html")
            page.write_text(_page(maker, *VIEWS[name]))
            shot = Path(folder, "map.png")
            command = (program, *SCREENSHOT, f"--user-data-dir={folder}/profile", f"--screenshot={shot}")

            def run(command: tuple[str, ...] = command, page: Path = page) -> None:
                subprocess.run([*command, page.as_uri()], check=True, capture_output=True)  # noqa: S603

            p50, p95 = timed(run, rounds)
            size = page.stat().st_size / 1000
            print(f"{name:20} {drawn[name]:9.0f} {p50:12.0f} {p95:6.0f} {size:8.0f} {p50 / drawn[name]:6.1f}")


def _page(maker: TileMaker, centre: LatLon, zoom: int) -> str:
    """Return a page with the features of the view as SVG, moved to where the picture has them."""
    level = min(zoom, 16)
    scale = 256 * 2 ** (zoom - level) / shapes.EXTENT
    reach = 500 / 256 / 2**zoom * 180
    parts: list[str] = []
    box = (centre.lat - reach / 2, centre.lon - reach, centre.lat + reach / 2, centre.lon + reach)
    middle = next(covering(centre.lat, centre.lon, centre.lat, centre.lon, (level, level)))
    for tile in covering(*box, (level, level)):
        offset = [(at - here) * shapes.EXTENT for at, here in zip(tile[1:], middle[1:], strict=True)]
        for layer in _decoded(maker.tile(*tile) or b""):
            for feature in layer["features"]:
                shape = shapely.affinity.translate(feature["geometry"], *offset)
                if layer["name"] in COLOURS:
                    parts.append(shape.svg(scale_factor=8, opacity=1))
    drawn = "".join(parts)
    return (
        '<!doctype html><body style="margin:0"><svg width="500" height="500">'
        f'<g transform="scale({scale})">{drawn}</g></svg>'
    )


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    files = world.ensure(), [region.builtin()]
    drawn = pictures(files, rounds)
    tiles(files)
    browser(files, drawn, max(3, rounds // 3))


if __name__ == "__main__":
    main()
