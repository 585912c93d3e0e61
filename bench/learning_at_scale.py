"""GRPO on the island with a Qwen3-VL of tens of millions of parameters: bench/learning.py for a GPU.

The model is made here with random weights. It learns from runs of scripted experts by the trainer's own warm
start, first from experts who know and then from those who often guess, and begins GRPO as unsure as the
latter. The baseline of every number is that policy before the first step of GRPO; the controls are those of
bench/learning.py. But for the system's turn, which is one token, prompts and calls are texts here.

    python bench/learning_at_scale.py [--hidden 512] [--layers 8] [--seeds 0 1 2] [--results FILE.json]

With --minutes, no seed is begun that would not be ready by then. The results are written after every part;
without any seed, those of --results are shown again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from learning import blind, draw, recipe, rows, table, tools, trained

from wheretaken.rl.settings import (
    DataSettings,
    LoraSettings,
    ModelSettings,
    TrainSettings,
    TrlSettings,
    WarmStart,
)
from wheretaken.rl.trl import sft, training
from wheretaken.testing import island
from wheretaken.testing.island.model import SKILL, systems, texts
from wheretaken.testing.toy_model.build import Size, build

EVERY_RUN = 100_000
"""Numbers between the runs of one kind of expert and of the next."""
TINY = Size(hidden=128, layers=2, heads=4, vision_hidden=64, vocabulary=1024)
WAYS = {
    "all weights, 32 bits": {},
    "all weights, bf16": {"trl": {"bf16": True}},
    "adapters, bf16, checkpointed gradients": {
        "lora": {"rank": 8, "alpha": 16},
        "trl": {"bf16": True, "gradient_checkpointing": True},
    },
    "mixture of experts, bf16, divergence": {"moe": True, "kl": 0.01, "trl": {"bf16": True}},
}
"""To train."""


def told(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


def device() -> str:
    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    return f"{platform.machine()} CPU, {os.cpu_count()} cores, {threads} thread(s)"


def some_experts(out: Path, skill: float, numbers: range) -> None:
    for number in numbers:
        island.run(number, skill=skill, out=out)


def experts(out: Path, skill: float, count: int) -> None:
    """Write runs of experts, as many at a time as there are processors; before a GPU is touched."""
    first, cores = EVERY_RUN * round(skill * 10), os.cpu_count() or 1
    with get_context("fork").Pool(cores) as pool:
        pool.starmap(
            some_experts, [(out, skill, range(first + n, first + count, cores)) for n in range(cores)]
        )


def settings(root: Path, name: str, model: Path, **rest: Any) -> TrainSettings:
    return TrainSettings(
        engine="trl",
        data=DataSettings(train=root / "train.parquet", val=root / "val.parquet"),
        model=ModelSettings(path=str(model), lora=rest.pop("lora", None)),
        output=root / name,
        **rest,
    )


def made(root: Path, asked: argparse.Namespace, found: dict[str, Any]) -> Path:
    """Make a model that has learned from experts, and return its directory."""
    size = Size(
        hidden=asked.hidden,
        layers=asked.layers,
        heads=asked.hidden // 64,
        head_size=64,
        vision_hidden=asked.hidden // 2,
        vision_layers=asked.layers // 2,
        vocabulary=2048,
    )
    model = root / "random"
    build(model, texts() * 4, phrases=() if asked.whole else systems(), size=size)
    found["parameters"] = parameters(model)
    told(f"{found['parameters'] / 1e6:.1f} million parameters")
    # What is unsure is learned in fewer and smaller steps from where all is known.
    for skill, steps, rate in ((1.0, asked.warm, asked.rate), (SKILL, asked.warm // 4, asked.rate / 4)):
        began = time.perf_counter()
        runs = root / f"experts-{skill:.0%}"
        start = WarmStart(runs=runs, steps=steps, batch=asked.warm_batch, learning_rate=rate)
        one = TrlSettings(warm_start=start, micro_batch=asked.warm_batch, bf16=asked.bf16)
        model = sft.warm_start(settings(root, f"skill-{skill:.0%}", model, trl=one), tools(), told)
        took = time.perf_counter() - began
        found[f"warm start, experts of skill {skill:.0%}"] = {"steps": steps, "seconds": took}
        told(f"{steps} steps in {took:.1f} s")
    return model


def parameters(model: Path) -> int:
    """Count weights, those of the tied head once."""
    from safetensors import safe_open  # noqa: PLC0415 - only here

    with safe_open(model / "model.safetensors", "pt") as file:
        return sum(file.get_tensor(name).numel() for name in file.keys())  # noqa: SIM118 - it is no dictionary


def each_way(root: Path, found: dict[str, Any]) -> None:
    """Train two steps in every way, and note the seconds that each took."""
    spent: dict[str, float] = found.setdefault("ways", {})
    for number, (name, way) in enumerate(WAYS.items()):
        base = root / f"tiny-{number}"
        build(base, texts() * 4, size=TINY, moe=way.get("moe", False))
        start = WarmStart(runs=root / "few", steps=4, batch=16, learning_rate=1e-3)
        began = time.perf_counter()
        one = settings(
            root,
            f"way-{number}",
            base,
            recipe=recipe(2, 0, eval_every=2, kl=way.get("kl", 0.0), response_tokens=160),
            trl=TrlSettings(warm_start=start, micro_batch=16, **way.get("trl", {})),
            lora=LoraSettings(**way["lora"]) if "lora" in way else None,
        )
        training.train(one, toolbox=tools(), tell=told)
        spent[name] = time.perf_counter() - began
        told(f"{name}: {spent[name]:.1f} s")


def main() -> None:
    asked = arguments()
    found = measured(asked) if asked.seeds else json.loads(asked.results.read_text("utf-8"))
    show(json.loads(json.dumps(found)))
    if asked.picture:
        step = f"step of {found['asked']['batch']} photos with {found['asked']['group']} rollouts each"
        draw(found, asked.picture, step=step)


def measured(asked: argparse.Namespace) -> dict[str, Any]:
    """Do everything, and return what was measured; it is kept after every part."""
    began = time.perf_counter()
    found: dict[str, Any] = {"blind": blind(), "seeds": []}
    found["asked"] = {name: value for name, value in vars(asked).items() if not isinstance(value, Path)}

    def keep() -> None:
        if asked.results:
            asked.results.parent.mkdir(parents=True, exist_ok=True)
            asked.results.write_text(json.dumps(found, indent=1) + "\n", "utf-8")

    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        known, guessed = f"experts-{1:.0%}", f"experts-{SKILL:.0%}"
        for name, skill, count in ((known, 1.0, asked.runs), (guessed, SKILL, asked.runs), ("few", 1.0, 64)):
            experts(root / name, skill, count)
        told(f"{2 * asked.runs} runs of experts after {time.perf_counter() - began:.1f} s")
        found["device"] = device()
        rows(root / "train", asked.photos, seed=0)
        rows(root / "val", asked.val_photos, seed=1000)
        model = made(root, asked, found)
        keep()
        for seed in asked.seeds:
            start = time.perf_counter()
            found["seeds"].append(trained(grpo(root, asked, model, seed), root, asked.val_photos))
            if torch.cuda.is_available():
                found["gpu_memory_gb"] = torch.cuda.max_memory_allocated() / 1e9
            keep()
            took = time.perf_counter() - start
            told(f"seed {seed}: {took:.0f} s")
            if time.perf_counter() - began + took > asked.minutes * 60:
                break
        if asked.ways:
            each_way(root, found)
    keep()
    return found


def grpo(root: Path, asked: argparse.Namespace, model: Path, seed: int) -> TrainSettings:
    """Return the settings of a training with a seed."""
    wanted = recipe(
        asked.steps,
        seed,
        batch=asked.batch,
        group=asked.group,
        learning_rate=asked.grpo_rate,
        eval_every=max(asked.steps // 4, 1),
        response_tokens=160,
    )
    trl = TrlSettings(micro_batch=asked.micro, bf16=asked.bf16)
    return settings(root, f"run-{seed}", model, recipe=wanted, trl=trl)


def show(found: dict[str, Any]) -> None:
    table(found)
    for one in found["seeds"]:
        spent = one["spent"]
        step = spent["step_time"]
        print(
            f"seed {one['seed']}: {len(one['train']) / step:.2f} steps/s, {one['rollouts'] / step:,.0f} "
            f"rollouts/s, {one['tokens'] / step:,.0f} tokens/s of which {one['written_tokens'] / step:,.0f} "
            f"written; generation {spent['generate_s'] / step:.0%}, tools {spent['tools_wait_s'] / step:.0%} "
            "of the time"
        )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hidden", type=int, default=512)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--warm", type=int, default=240)
    parser.add_argument("--warm-batch", type=int, default=64)
    parser.add_argument("--runs", type=int, default=6000)
    parser.add_argument("--rate", type=float, default=6e-4)
    parser.add_argument("--photos", type=int, default=1024)
    parser.add_argument("--val-photos", type=int, default=256)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--group", type=int, default=16)
    parser.add_argument("--micro", type=int, default=256)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--grpo-rate", type=float, default=1e-4)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--whole", action="store_true", help="the system's text is not one token")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--ways", action="store_true", help="in the end a few steps in every way to train")
    parser.add_argument("--results", type=Path)
    parser.add_argument("--picture", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
