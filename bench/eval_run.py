"""What running a data set costs beyond the model: scheduling, photos, records.

    python bench/eval_run.py [--photos 256] [--concurrency 64] [--delay 0.05] [--turns 6] [--size 640x480]

A scripted model waits `delay` seconds a turn and calls a tool in every turn but the last. The ideal is the
waiting alone, `ceil(photos / concurrency) * turns * delay`. Baselines in the same run: the bare loop with the
same concurrency, photos decoded before and nothing recorded; and one photo after the other, with records,
measured on the first 16 and extrapolated. Photos are JPEG files of noise over a gradient, which compress like
photographs; decoding, re-encoding and hashing them are part of ours.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import math
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from wheretaken import photos
from wheretaken.agent import Case, PhotoInfo, record
from wheretaken.evals.model import Row, Truth
from wheretaken.evals.running import Settings, run
from wheretaken.maps import Place
from wheretaken.messages import Picture
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.scripted import ScriptedModel, call, say
from wheretaken.tools.worldwide import WORLDWIDE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wheretaken.messages import Message, ToolSpec

ANSWER = '{"lat": 60.17, "lon": 24.94, "city": "Helsinki", "country": "Finland"}'
PLACES = [Place(id="t:1", name="Helsinki", kind="city", lat=60.17, lon=24.94, population=650_000)]
ASKED = (
    ("search_places", {"query": "Helsinki"}),
    ("place_details", {"id": "t:1"}),
)


class Waiting(ScriptedModel):
    """A scripted model that takes its time."""

    def __init__(self, script: Sequence[Message], delay: float) -> None:
        super().__init__(script)
        self._delay = delay

    async def complete(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        """Wait, then return the next turn."""
        await asyncio.sleep(self._delay)
        return await super().complete(messages, tools)


def turns_of(number: int) -> list[Message]:
    """Return so many turns, of which the last answers and the others call a tool each."""
    return [*(call(ASKED[turn % len(ASKED)]) for turn in range(number - 1)), say(ANSWER)]


@dataclass(frozen=True)
class Folder:
    """A data set of the photos in a folder."""

    path: Path
    name: str = "noise"
    notes: tuple[str, ...] = ()

    def rows(self) -> Iterator[Row]:
        """Yield a row for every file."""
        for line, file in enumerate(sorted(self.path.glob("*.jpg")), 1):
            yield Row(file.stem, file.name, file, Truth(lat=60.2, lon=24.9), line)


def draw(folder: Path, number: int, size: tuple[int, int]) -> int:
    """Write the photos; return their mean size in bytes."""
    rng = np.random.default_rng(1)
    width, height = size
    light = np.linspace(40, 200, width)[None, :, None] * np.linspace(0.6, 1.2, height)[:, None, None]
    total = 0
    for n in range(number):
        pixels = light + rng.normal(0, 8, (height, width, 1)) + rng.uniform(-20, 20, 3)
        buffer = io.BytesIO()
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=85)
        (folder / f"{n:04}.jpg").write_bytes(buffer.getvalue())
        total += len(buffer.getvalue())
    return total // number


def ours(folder: Path, concurrency: int, turns: int, delay: float, limit: int | None = None) -> float:
    """Run the set as `eval run` does; return seconds."""
    settings, script = Settings(concurrency=concurrency, limit=limit), turns_of(turns)
    with tempfile.TemporaryDirectory() as out:
        began = time.perf_counter()
        work = run(
            Folder(folder),
            lambda _: Waiting(script, delay),
            WORLDWIDE,
            FewPlaces(PLACES),
            Path(out),
            settings,
        )
        summary = asyncio.run(work)
        seconds = time.perf_counter() - began
    assert summary.statuses["answered"] == summary.rows
    return seconds


def bare(folder: Path, concurrency: int, turns: int, delay: float) -> float:
    """The loop and a semaphore, with nothing recorded and the photos made ready before; return seconds."""

    def case(path: Path) -> Case:
        photo = photos.load(path)
        return Case(Picture.encode(photo.image), PhotoInfo(sha256=photo.sha256, width=1, height=1))

    script = turns_of(turns)
    cases = [case(path) for path in sorted(folder.glob("*.jpg"))]

    async def work() -> None:
        slots = asyncio.Semaphore(concurrency)

        async def one(case: Case) -> None:
            async with slots:
                await record(case, Waiting(script, delay), WORLDWIDE, FewPlaces(PLACES))

        await asyncio.gather(*(one(case) for case in cases))

    began = time.perf_counter()
    asyncio.run(work())
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=256)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--delay", type=float, default=0.05)
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--rounds", type=int, default=5)
    o = parser.parse_args()
    width, height = map(int, o.size.split("x"))
    ideal = math.ceil(o.photos / o.concurrency) * o.turns * o.delay
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mean = draw(folder, o.photos, (width, height))
        ours(folder, 16, o.turns, 0.0, 16)  # loads what is loaded once
        cpu = time.process_time()
        bares, runs = [], []
        for _ in range(o.rounds):
            bares.append(bare(folder, o.concurrency, o.turns, o.delay))
            cpu = time.process_time()
            runs.append(ours(folder, o.concurrency, o.turns, o.delay))
            cpu = time.process_time() - cpu
        single = ours(folder, 1, o.turns, o.delay, 16) / min(16, o.photos) * o.photos
    print(f"{o.photos} photos, {width}x{height}, {mean / 1000:.0f} kB; {o.turns} turns of {o.delay:g} s")
    print(f"concurrency {o.concurrency}, {os.cpu_count()} cores, CPU of the last run {cpu:.2f} s")
    print(f"{'':44} {'p50 s':>7} {'max s':>7}   x ideal")
    for title, seconds in (
        ("ideal: the model's waiting alone", [ideal]),
        ("eval run", runs),
        ("bare loop, nothing recorded (baseline)", bares),
        ("one after the other, extrapolated (baseline)", [single]),
    ):
        middle = statistics.median(seconds)
        print(f"{title:44} {middle:7.2f} {max(seconds):7.2f}   {middle / ideal:7.2f}")


if __name__ == "__main__":
    main()
