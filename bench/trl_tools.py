"""How long rollouts in TRL wait for tools that take their time: all calls of a turn at once, or one by one.

The baseline is plain TRL with an environment whose tool does the same: it runs the calls of one rollout after
those of another. TRL generates turn by turn for the whole batch, so that in both cases nothing is written
while tools work; what differs is for how long.

    python bench/trl_tools.py [--rollouts 64] [--delay 0.1] [--steps 3]

On one thread: two that wait for each other on a busy machine take many times as long. The first step is left
out, for both.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from statistics import fmean
from typing import Any

from learning import recipe, rows

from wheretaken.models.openai.wire import tools_of
from wheretaken.rl.lengths import Fit
from wheretaken.rl.records import read_metrics
from wheretaken.rl.settings import DataSettings, ModelSettings, TrainSettings
from wheretaken.rl.toolbox import LocalToolbox
from wheretaken.rl.trl import checks, training, weights
from wheretaken.rl.trl.libraries import expected_warnings, templates, torch, transformers, trl
from wheretaken.rl.trl.rows import load
from wheretaken.testing import island
from wheretaken.testing.island.world import IslandMaps, sheet


class SlowMaps(IslandMaps):
    """The island's map, from far away."""

    def __init__(self, delay: float) -> None:
        super().__init__()
        self.delay = delay

    async def road_map(self, *arguments: Any, **options: Any) -> Any:
        """Wait, and draw."""
        await asyncio.sleep(self.delay)
        return await super().road_map(*arguments, **options)


def ours(settings: TrainSettings, delay: float) -> tuple[float, float]:
    """Return the seconds a step, and those of them in which tools were waited for."""
    training.train(settings, toolbox=LocalToolbox(island.ISLAND, SlowMaps(delay)))
    steps = [line.values for line in read_metrics(settings.output)][1:]
    return fmean(step["step_time"] for step in steps), fmean(step["tools_wait_s"] for step in steps)


def plain(settings: TrainSettings, delay: float) -> tuple[float, float]:
    """Return the same for TRL as it is."""
    waited: list[float] = []
    first: list[int] = []
    """How many calls the first step made."""
    picture = sheet(island.towns()[0])

    class Environment:
        def reset(self, **_row: Any) -> None:
            """Begin."""

        def road_map(self, lat: float, lon: float) -> list[dict[str, Any]]:
            """Draw a map.

            Args:
                lat: Latitude.
                lon: Longitude.
            """
            began = time.perf_counter()
            time.sleep(delay)
            waited.append(time.perf_counter() - began)
            return [{"type": "text", "text": f"{lat} {lon}"}, {"type": "image", "image": picture}]

    def rewards(completions: list[Any], **_: Any) -> list[float]:
        first.append(len(waited))
        return [float(number % 2) for number in range(len(completions))]

    processor = templates.add_response_schema(weights.processor(settings.model))
    plan = checks.check(settings)
    every = Fit(tuple(range(plan.photos)))
    options = training.arguments(settings, plan, processor)
    with expected_warnings():
        trainer = trl.GRPOTrainer(
            model=settings.model.path,
            reward_funcs=rewards,
            args=trl.GRPOConfig(**options),
            train_dataset=load(settings.data.train, every, island.ISLAND),
            processing_class=processor,
            environment_factory=Environment,
        )
        trainer.remove_callback(transformers.PrinterCallback)
        # What the model was taught is another description than that of a method here.
        trainer._env_tools = {None: tools_of(island.ISLAND.specs)}  # noqa: SLF001 - it only knows this one
        trainer.train()
    steps = [entry["step_time"] for entry in trainer.state.log_history if "step_time" in entry]
    return fmean(steps[1:]), sum(waited[first[0] :]) / (len(steps) - 1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rollouts", type=int, default=64)
    parser.add_argument("--delay", type=float, default=0.1)
    parser.add_argument("--steps", type=int, default=3)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        train = rows(root / "photos", 64, seed=0)
        usual = recipe(asked.steps, 0, eval_first=False)
        settings = TrainSettings(
            engine="trl",
            data=DataSettings(train=train),
            model=ModelSettings(path=str(island.warmed())),
            output=root / "ours",
            recipe=usual.model_copy(update={"batch": asked.rollouts // usual.group}),
        )
        found = {
            "one rollout after another (plain TRL)": plain(
                settings.model_copy(update={"output": root / "plain"}), asked.delay
            ),
            "all of a turn at once": ours(settings, asked.delay),
        }
    base = next(iter(found.values()))
    print(f"{asked.rollouts} rollouts, a tool of {asked.delay:g} s; seconds a step")
    print(f"{'':40} step   waiting for tools   ratio   share of the step")
    for name, (step, waiting) in found.items():
        print(f"{name:40} {step:4.1f}   {waiting:17.2f}   {base[1] / waiting:5.1f}   {waiting / step:17.0%}")


if __name__ == "__main__":
    main()
