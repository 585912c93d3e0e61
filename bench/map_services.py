"""What stitched map pictures and the router cost, beside the simplest ways to do without them.

Tiles come over real connections from a server on this machine that takes 60 ms for each, as distant ones do.
Their baseline fetches one tile after the other with urllib and pastes them with Pillow, as short scripts do.
The router's baseline is asking its provider directly.

    python bench/map_services.py [rounds]
"""

from __future__ import annotations

import asyncio
import io
import itertools
import math
import statistics
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from wheretaken.geo import LatLon
from wheretaken.maps import Place
from wheretaken.maps.router import Router
from wheretaken.maps.tiles import RoadTiles
from wheretaken.maps.web import Connection, Ledger, WebSettings
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.services import FakeService, serve, slow
from wheretaken.testing.services.osm import tiles

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from wheretaken.maps import MapProvider

HELSINKI = LatLon(60.1699, 24.9384)
SIZES = (500, 1000)
ZOOM = 15
LATENCY_SECONDS = 0.06
TILE = 256
CALLS = 2000


def one_by_one(url: str, centre: LatLon, size: int) -> bytes:
    """Return a picture like ours, without pins and scale, fetched tile by tile."""
    count = 2**ZOOM
    x = (centre.lon + 180) / 360 * count * TILE - size / 2
    y = (1 - math.asinh(math.tan(math.radians(centre.lat))) / math.pi) / 2 * count * TILE - size / 2
    picture = Image.new("RGB", (size, size))
    for column in range(int(x // TILE), int((x + size) // TILE) + 1):
        for row in range(int(y // TILE), int((y + size) // TILE) + 1):
            with urllib.request.urlopen(f"{url}/{ZOOM}/{column}/{row}.png") as reply:  # noqa: S310 - loopback
                tile = Image.open(io.BytesIO(reply.read()))
            picture.paste(tile, (round(column * TILE - x), round(row * TILE - y)))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def median_ms(seconds: Sequence[float]) -> float:
    return statistics.median(seconds) * 1000


async def pictures(url: str, ledger: Ledger, size: int, rounds: int) -> tuple[list[float], list[float]]:
    """Return the seconds of pictures whose tiles are new, and of the same ones again."""
    limits = {"per_second": 1e6, "burst": 1000}
    settings = WebSettings.model_validate(
        {"tiles": {"url": f"{url}/{{z}}/{{x}}/{{y}}.png", "limits": limits}}
    )
    provider = RoadTiles.connected(Connection(settings, ledger=ledger))
    new: list[float] = []
    again: list[float] = []
    for number, seconds in itertools.product(range(rounds), (new, again)):
        centre = LatLon(HELSINKI.lat, HELSINKI.lon + number)
        begun = time.perf_counter()
        await provider.road_map(centre, zoom=ZOOM, width=size, height=size, markers=[centre])
        seconds.append(time.perf_counter() - begun)
    await provider.aclose()
    return new, again


async def microseconds(ask: Callable[[], Awaitable[object]]) -> float:
    begun = time.perf_counter()
    for _ in range(CALLS):
        await ask()
    return (time.perf_counter() - begun) / CALLS * 1e6


async def routed() -> tuple[float, float]:
    """Return microseconds of a search through a router over five providers, and directly."""
    answer = FewPlaces([Place(id="few:1", name="X", kind="city", lat=1, lon=2)])
    several: list[MapProvider] = [answer, *(FewPlaces() for _ in range(4))]
    for provider, name in zip(several, ("google", "photon", "nominatim", "overpass", "offline"), strict=True):
        provider.name = name
    router = Router(several)
    through = await microseconds(lambda: router.search("X", near=HELSINKI))
    return through, await microseconds(lambda: answer.search("X", near=HELSINKI))


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    print(f"{'picture':34} {'p50 ms':>8} {'baseline ms':>12} {'ratio':>6}")
    fake = FakeService(tiles(), itertools.repeat(slow(LATENCY_SECONDS)))
    with serve(fake) as url, tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            with Ledger(Path(folder) / "ledger.sqlite") as ledger:
                new, again = asyncio.run(pictures(url, ledger, size, rounds))
            base: list[float] = []
            for number in range(max(2, rounds // 3)):
                begun = time.perf_counter()
                one_by_one(url, LatLon(HELSINKI.lat, HELSINKI.lon + number), size)
                base.append(time.perf_counter() - begun)
            for name, seconds in (("new tiles", new), ("the same tiles again", again)):
                ours, theirs = median_ms(seconds), median_ms(base)
                print(f"{f'{size}x{size}, {name}':34} {ours:8.0f} {theirs:12.0f} {theirs / ours:6.1f}")
    through, direct = asyncio.run(routed())
    print(f"{'a search through the router, µs':34} {through:8.0f} {direct:12.0f} {direct / through:6.1f}")


if __name__ == "__main__":
    main()
