"""What a rollout costs beside the model: calls of tools, and rewards.

    python bench/rollout_tools.py [--rollouts 64] [--calls 40] [--rewards 2000]

Rollouts call a search and a map of a `wheretaken serve` that has all answers in its cache, one call after the
other, all rollouts at once. "episode" is what training uses: arguments checked, deadline, numbered and
fetched pictures, a log. The baseline is the same requests, pictures included, sent by the bare HTTP client,
whose answers nobody looks at. "CPU" is the processor's time of the client alone, as what a call takes on the
wall is the server's and the machine's, too; "x" is the baseline's CPU time beside it.

Rewards are of answers as models write them, with some words before the JSON. The baseline reads the last
braces with `json.loads` and takes the great circle on a sphere: it misses what is written any other way, and
is off by up to 0.5 %.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import math
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
from PIL import Image

from wheretaken.agent import Case
from wheretaken.geo import LatLon
from wheretaken.rl.episode import Episode
from wheretaken.rl.reward import Outcome, score
from wheretaken.rl.settings import RewardSettings, ToolSettings
from wheretaken.rl.toolbox import open_toolbox
from wheretaken.scoring import reward
from wheretaken.testing.served import Served

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from wheretaken.messages import Picture

CALLS = (
    ("search_places", {"query": "Helsinki"}),
    ("road_map", {"lat": 60.17, "lon": 24.94, "zoom": 5}),
    ("reverse_geocode", {"lat": 60.17, "lon": 24.94}),
    ("search_places", {"query": "Espoo"}),
)
EARTH_KM = 6371.0088


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rollouts", type=int, default=64)
    parser.add_argument("--calls", type=int, default=40)
    parser.add_argument("--rewards", type=int, default=2000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        _ready()
        server = Served(Path(directory))
        try:
            asyncio.run(tools(server.url, options.rollouts, options.calls))
        finally:
            server.stop()
    rewards(options.rewards)


def _ready() -> None:
    """Build the place index, whose making would count as the server's start."""
    toolbox = open_toolbox(ToolSettings())

    async def check() -> None:
        await toolbox.check()
        await toolbox.aclose()

    asyncio.run(check())


async def tools(url: str, rollouts: int, calls: int) -> None:
    print(f"{rollouts} rollouts at once, {calls} calls each")
    print(f"{'':28} {'calls/s':>9} {'CPU ms':>7} {'x':>6}")
    settings = ToolSettings(server=url)
    toolbox = open_toolbox(settings)
    photo = _photo()
    async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
        for number in range(len(CALLS)):  # into the cache
            await _bare(client, number)
        base = await _timed(rollouts, calls, lambda number, _: _bare(client, number))
        _row("bare client (baseline)", rollouts * calls, base, base)
        episodes = [Episode(toolbox, photo, settings) for _ in range(rollouts)]
        took = await _timed(rollouts, calls, lambda number, rollout: _called(episodes[rollout], number))
        _row("episode, served tools", rollouts * calls, took, base)
        assert all(one.reply.use.ok for episode in episodes for one in episode.log)
    await toolbox.aclose()


async def _timed(
    rollouts: int, calls: int, call: Callable[[int, int], Awaitable[None]]
) -> tuple[float, float]:
    """Return seconds on the wall, and of the processor."""

    async def work(rollout: int) -> None:
        for number in range(calls):
            await call(number, rollout)

    began, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*map(work, range(rollouts)))
    return time.perf_counter() - began, time.process_time() - used


async def _bare(client: httpx2.AsyncClient, number: int) -> None:
    name, arguments = CALLS[number % len(CALLS)]
    reply = await client.post(f"/tools/{name}", json=arguments)
    for image in reply.json()["images"]:
        await client.get(image["url"])


async def _called(episode: Episode, number: int) -> None:
    await episode.call(*CALLS[number % len(CALLS)])


def _row(name: str, calls: int, took: tuple[float, float], base: tuple[float, float]) -> None:
    print(f"{name:28} {calls / took[0]:9.0f} {1000 * took[1] / calls:7.3f} {base[1] / took[1]:5.2f}x")


def _photo() -> Picture:
    buffer = io.BytesIO()
    Image.effect_noise((640, 360), 60).convert("RGB").save(buffer, "JPEG")
    return Case.of(buffer.getvalue()).picture


def rewards(count: int) -> None:
    truth, settings = LatLon(60.17, 24.94), RewardSettings()
    texts = [
        f'The sign says HELSINKI.\n{{"lat": {60 + n / 997:.4f}, "lon": 24.9, "city": "H", "country": "F"}}'
        for n in range(count)
    ]
    print(f"\n{'':28} {'rewards/s':>9} {'CPU ms':>7} {'x':>6}")
    began, used = time.perf_counter(), time.process_time()
    naive = [reward(_km(json.loads(text[text.rindex("{") :]), truth)) for text in texts]
    base = time.perf_counter() - began, time.process_time() - used
    began, used = time.perf_counter(), time.process_time()
    ours = [score(Outcome(text), truth, settings).score for text in texts]
    took = time.perf_counter() - began, time.process_time() - used
    _row("json and a sphere (baseline)", count, base, base)
    _row("reward", count, took, base)
    print(f"the same reward for {sum(a == b for a, b in zip(naive, ours, strict=True)) / count:.1%}")


def _km(answer: dict[str, float], truth: LatLon) -> float:
    a, b = math.radians(answer["lat"]), math.radians(truth.lat)
    east = math.radians(answer["lon"] - truth.lon)
    half = math.sin((a - b) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(east / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(half))


if __name__ == "__main__":
    main()
