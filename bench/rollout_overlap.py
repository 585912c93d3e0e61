"""How much of the waiting for tools is hidden behind generation, in verl's own worker of agent loops.

    .venv-verl/bin/python bench/rollout_overlap.py [--rollouts 64] [--places 16] [--calls 2] [--wait 1.0]

Rollouts call a map tool and answer; a scripted server writes so many turns at the same time, each at the pace
of a token in 10 ms, and the tools take the given seconds in the mean (log-normal, seeded). All else is real:
verl's worker, tokens, pictures, reward. Measured are

- "tools at once": the tools take no time: nothing there is to hide;
- "one place a rollout", the baseline: only as many rollouts run as can write, so that a place of the engine
  stands still while its rollout waits, as in a loop that runs its rollouts one after the other in each place;
- "all at once": all rollouts run at the same time, as verl's worker runs them.

Hidden is the share of what the baseline lost to waiting that is not lost when all run at once.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import logging
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wheretaken.evals.datasets import open_dataset
from wheretaken.rl.export import Wanted, export
from wheretaken.rl.presets import preset
from wheretaken.rl.settings import FILE, ToolSettings, TrainSettings
from wheretaken.rl.toolbox import LocalToolbox
from wheretaken.rl.verl import shared
from wheretaken.rl.verl.rehearsal import rehearse
from wheretaken.testing.toy_model.world import PLACES, TOYS, ToyMaps, drawn
from wheretaken.testing.verl_cpu.model import toy_model
from wheretaken.testing.verl_cpu.scripted import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable

SEED, PACE_S, SPREAD = 7, 0.01, 0.5
PLACE = PLACES["red"]


class Slow(ToyMaps):
    """Maps that take their time."""

    def __init__(self, mean: float) -> None:
        super().__init__()
        self._chance = random.Random(SEED)
        self._mean = mean
        self.waited = 0.0

    async def road_map(self, *arguments: Any, **options: Any) -> Any:
        """Draw a map, after a while."""
        if self._mean:
            # The mean of a log-normal is exp(mu + sigma^2 / 2).
            seconds = self._mean * self._chance.lognormvariate(-(SPREAD**2) / 2, SPREAD)
            self.waited += seconds
            await asyncio.sleep(seconds)
        return await super().road_map(*arguments, **options)


class Held(ScriptedServer):
    """Gives a place to a rollout, which keeps it until it ends."""

    def __init__(self, *arguments: Any, places: int, turns: int, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._free, self._turns_each = asyncio.Semaphore(places), turns
        self._written: dict[str, int] = {}

    async def generate(self, request_id: str, **asked: Any) -> Any:
        """Write the next turn of a rollout."""
        turn = self._written[request_id] = self._written.get(request_id, 0) + 1
        if turn == 1:
            await self._free.acquire()
        made = await super().generate(request_id, **asked)
        if turn == self._turns_each:
            self._free.release()
        return made


def script(calls: int) -> Callable[[Any, int], str]:
    look = json.dumps({"name": "road_map", "arguments": {"lat": PLACE.lat, "lon": PLACE.lon}})
    answer = json.dumps({"lat": PLACE.lat, "lon": PLACE.lon, "city": PLACE.name, "country": PLACE.country})
    return lambda _photo, turn: f"<tool_call>\n{look}\n</tool_call>" if turn < calls else answer


def settings(folder: Path, model: Path, turns: int) -> TrainSettings:
    drawn("red").save(folder / "photo.png")
    row = {"id": "1", "image": "photo.png", "lat": PLACE.lat, "lon": PLACE.lon}
    (folder / "set.jsonl").write_text(json.dumps(row) + "\n")
    wanted = Wanted(
        data=open_dataset(str(folder / "set.jsonl")),
        engine="verl",
        preset=preset("toy"),
        tools=ToolSettings(),
        model=str(model),
        val_share=0.0,
    )
    export(wanted, folder / "training")
    made = TrainSettings.load(folder / "training" / FILE)
    # Room for all turns: a rollout that is cut short earns nothing.
    room = {"turns": turns, "response_tokens": turns * made.recipe.response_tokens}
    recipe = made.recipe.model_copy(update={"samples": 0} | room)
    return made.model_copy(update={"recipe": recipe})


def measure(
    made: TrainSettings, rollouts: int, server: Callable[[Any], Any], wait: float
) -> tuple[float, float]:
    """Return seconds of all rollouts, and seconds that tools took in them together."""
    maps, began = Slow(wait), 0.0

    def starting(tokenizer: Any) -> Any:
        nonlocal began
        began = time.perf_counter()
        return server(tokenizer)

    shared.open_toolbox = lambda _settings: LocalToolbox(TOYS, maps)
    for cached in (shared.settings, shared.specs, shared.datum, shared.recorder):
        cached.cache_clear()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        done = asyncio.run(rehearse(made, starting, [0] * rollouts))
    seconds = time.perf_counter() - began
    assert all(done.score(row) == 1.0 for row in range(rollouts))
    return seconds, maps.waited


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rollouts", type=int, default=64)
    parser.add_argument("--places", type=int, default=16)
    parser.add_argument("--calls", type=int, default=2)
    parser.add_argument("--wait", type=float, default=1.0)
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as directory:
        told, turns = script(asked.calls), asked.calls + 1
        made = settings(Path(directory), toy_model(), turns)
        pace = {"seconds_per_token": PACE_S, "places": asked.places}
        runs = {
            "tools at once": (lambda t: ScriptedServer(t, told, **pace), 0.0),
            "one place a rollout": (lambda t: Held(t, told, turns=turns, **pace), asked.wait),
            "all at once": (lambda t: ScriptedServer(t, told, **pace), asked.wait),
        }
        measure(made, asked.places, *runs["tools at once"])  # everything is loaded then
        found = {name: measure(made, asked.rollouts, server, wait) for name, (server, wait) in runs.items()}
    least, baseline, real = (found[name][0] for name in runs)
    print(
        f"{asked.rollouts} rollouts of {asked.calls} calls, {asked.places} places, "
        f"load {os.getloadavg()[0]:.1f}\n"
    )
    print(f"{'':22}{'seconds':>10}{'tools, s':>10}{'x':>8}{'hidden':>9}")
    for name, (seconds, waited) in found.items():
        hidden = 1 - (seconds - least) / (baseline - least) if waited else float("nan")
        share = f"{hidden:.0%}" if waited else "-"
        print(f"{name:22}{seconds:10.2f}{waited:10.1f}{baseline / seconds:8.2f}{share:>9}")
    sys.exit(0 if real < baseline else 1)


if __name__ == "__main__":
    main()
