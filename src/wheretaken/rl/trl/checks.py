"""Everything that can be wrong with a training and can be found before a model is loaded."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from wheretaken.errors import MissingExtraError, UserError
from wheretaken.rl import checks, data
from wheretaken.rl.checkpoints import checkpoints
from wheretaken.rl.trl import weights
from wheretaken.rl.trl.versions import check_versions

if TYPE_CHECKING:
    from pathlib import Path

    from wheretaken.rl.lengths import Fit
    from wheretaken.rl.settings import ModelSettings, TrainSettings, TrlSettings

WARM, FINAL = "warm", "final"
"""Directories of a training's own."""
_REPLY_SECONDS = 10.0
_FORWARD = 4
"""Rollouts of one forward pass on a GPU, where nothing is said."""

Vllm = Literal["off", "colocate", "server"]


@dataclass(frozen=True)
class Plan:
    """What a training will do."""

    photos: int
    val_photos: int
    steps: int
    """Of the optimiser."""
    micro_batch: int
    """Rollouts of one forward pass in one process."""
    accumulation: int
    """Forward passes of one optimiser step."""
    passes: int
    """Forward passes of one batch of rollouts."""
    vllm: Vllm
    checkpoint: Path | None
    """From which it goes on."""
    step: int
    """After which that was written; 0 without one."""
    warm: bool
    """Whether it begins with a warm start."""
    gpu: bool
    fits: tuple[Fit, ...] = ()
    """Which photos are used: of those that are trained on, and of the validation set if there is one; nothing
    until prompts are measured, for which the tools are needed."""

    @property
    def left_out(self) -> list[str]:
        """What people are told of photos that are left out."""
        return [one.said for one in self.fits if one.said]


def check(settings: TrainSettings) -> Plan:
    """Check all settings but for the tools, which are asked where they are opened.

    Raises:
        UserError: something cannot work; the message says what to do.
        MissingExtraError: a library is missing.
    """
    check_versions()
    checks.check_engine(settings, "trl")
    photos = data.check(settings.data.train)
    val = settings.data.val
    val_photos = data.check(val) if val else 0
    checks.check_model(settings.model.path, "TRL", weights.FAMILIES)
    if settings.model.lora is not None and importlib.util.find_spec("peft") is None:
        raise MissingExtraError("training adapters", "trl", "peft")
    _check_loggers(settings.trl)
    found = checkpoints(settings)
    step = max(found, default=0)
    checkpoint = found.get(step)
    warm = settings.trl.warm_start is not None
    if checkpoint is not None:
        weights.check_checkpoint(checkpoint, begun_from(settings))
    checks.check_output(settings.output)
    gpu = _has_gpu()
    if settings.trl.warm_start and not settings.trl.warm_start.runs.is_dir():
        raise UserError(f"trl.warm_start.runs: no directory {settings.trl.warm_start.runs}")
    micro, accumulation, passes = _shares(settings, gpu=gpu)
    return Plan(
        photos=photos,
        val_photos=val_photos,
        steps=steps(settings, photos),
        micro_batch=micro,
        accumulation=accumulation,
        passes=passes,
        vllm=_vllm(settings.trl, gpu=gpu),
        checkpoint=checkpoint,
        step=step,
        warm=warm,
        gpu=gpu,
    )


def begun_from(settings: TrainSettings) -> ModelSettings:
    """Return the weights that GRPO begins with: those of the warm start, where there is one."""
    if settings.trl.warm_start is None:
        return settings.model
    return settings.model.model_copy(update={"path": str(settings.output / WARM)})


def is_first() -> bool:
    """Tell whether this is the first of the processes that train together, which speaks for all."""
    return os.environ.get("RANK", "0") == "0"


def processes() -> int:
    """Return how many processes train together, as `torchrun` and `accelerate` tell them."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def _shares(settings: TrainSettings, *, gpu: bool) -> tuple[int, int, int]:
    """Return rollouts of a forward pass, passes of an optimiser step, and passes of a batch of rollouts."""
    recipe, world = settings.recipe, processes()
    rollouts, updates = recipe.batch * recipe.group, recipe.batch // (recipe.mini_batch or recipe.batch)
    if recipe.batch % (recipe.mini_batch or recipe.batch):
        raise UserError(f"recipe.mini_batch ({recipe.mini_batch}) must divide recipe.batch ({recipe.batch})")
    if rollouts % (world * updates):
        raise UserError(
            f"{rollouts} rollouts (recipe.batch x recipe.group) are not to be shared by {world} processes "
            f"and {updates} updates: choose another batch"
        )
    share = rollouts // world
    micro = settings.trl.micro_batch or (min(_FORWARD, share // updates) if gpu else share // updates)
    if share // updates % micro:
        raise UserError(
            f"trl.micro_batch ({micro}) must divide the {share // updates} rollouts that a process has in an "
            "update"
        )
    return micro, share // updates // micro, share // micro


def steps(settings: TrainSettings, photos: int) -> int:
    """Return how many steps of the optimiser so many photos are trained on."""
    recipe = settings.recipe
    checks.check_batch(settings, photos)
    updates = recipe.batch // (recipe.mini_batch or recipe.batch)
    return recipe.steps or recipe.epochs * (photos // recipe.batch) * updates


def _check_loggers(settings: TrlSettings) -> None:
    for name in settings.log_to:
        if importlib.util.find_spec(name) is None:
            if name == "tensorboard":
                raise MissingExtraError("logging to TensorBoard", "trl", name)
            raise UserError(f"trl.log_to: {name} is not installed: run  pip install {name}")


def _has_gpu() -> bool:
    import torch  # noqa: PLC0415 - takes seconds

    return bool(torch.cuda.is_available())


def _vllm(settings: TrlSettings, *, gpu: bool) -> Vllm:
    """Return who generates.

    Raises:
        UserError: vLLM was asked for and is not there.
    """
    installed = importlib.util.find_spec("vllm") is not None
    if settings.vllm == "auto":
        return "colocate" if installed and gpu else "off"
    if settings.vllm == "off":
        return "off"
    if not installed:
        raise UserError(
            f"trl.vllm is {settings.vllm}, and vLLM is not installed: run  pip install 'trl[vllm]'  or set "
            "it to off"
        )
    if settings.vllm == "server":
        _check_vllm_server(settings.vllm_url)
    return settings.vllm


def _check_vllm_server(url: str) -> None:
    import httpx2  # noqa: PLC0415 - optional

    if not url:
        raise UserError("trl.vllm is server: say in trl.vllm_url where  trl vllm-serve  runs")
    try:
        reply = httpx2.get(f"{url.rstrip('/')}/health/", timeout=_REPLY_SECONDS, trust_env=False)
        reply.raise_for_status()
    except httpx2.HTTPError as error:
        raise UserError(
            f"no vLLM server answers at {url} ({type(error).__name__}): start one with  trl vllm-serve "
            "--model MODEL  and check trl.vllm_url"
        ) from None
