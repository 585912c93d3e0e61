"""What is checked of a training for either engine, before a model is loaded or a GPU taken."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from wheretaken.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.rl.settings import TrainSettings

_SIZES = ("hidden_size", "num_hidden_layers", "vocab_size")
_EXPERTS = ("num_experts", "num_local_experts")
"""Both are the same: versions of transformers write it under different names."""


def check_engine(settings: TrainSettings, engine: str) -> None:
    """Make sure that settings are for the engine that was started.

    Raises:
        UserError: they are for the other one.
    """
    if settings.engine != engine:
        raise UserError(f"these settings are for {settings.engine}: run  wheretaken train {settings.engine}")


def check_batch(settings: TrainSettings, photos: int) -> None:
    """Make sure that there are photos for a batch.

    Raises:
        UserError: there are too few.
    """
    if photos < settings.recipe.batch:
        raise UserError(
            f"{settings.data.train} has {photos} photos, fewer than recipe.batch ({settings.recipe.batch}): "
            "choose a smaller batch"
        )


def check_output(output: Path) -> None:
    """Make a training's output, and make sure that it can be written to.

    Raises:
        UserError: it cannot.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write to {output} ({error.strerror}): choose another output") from None
    if not os.access(output, os.W_OK):
        raise UserError(f"cannot write to {output}: choose another output")


def check_model(path: str, engine: str, families: Sequence[str]) -> None:
    """Make sure that there is a model that can be trained; a name of the hub is looked at when it is loaded.

    Args:
        path: A directory, or such a name.
        engine: As people call it.
        families: `model_type` of those that it trains here.

    Raises:
        UserError: there is none.
    """
    directory = Path(path)
    if not directory.is_dir():
        if directory.is_absolute() or path.startswith(".") or path.count("/") != 1:
            raise UserError(f"model.path: no directory {path}, nor is it a name such as ORGANISATION/NAME")
        return
    kind = config(directory).get("model_type")
    if kind not in families:
        raise UserError(f"{directory} is a {kind}: {engine} is trained here with {', '.join(families)}")
    for names in (("preprocessor_config.json", "processor_config.json"), ("tokenizer_config.json",)):
        if not any((directory / name).is_file() for name in names):
            raise UserError(f"{directory} has no {names[0]}: copy it from the model that this was made from")


def config(directory: Path) -> dict[str, Any]:
    """Return a model's configuration.

    Raises:
        UserError: it has none.
    """
    try:
        value: Any = json.loads((directory / "config.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{directory} has no config.json that can be read ({error})") from None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def differences(checkpoint: Path, model: Path) -> str:
    """Return in what sort and sizes a checkpoint differs from a model; empty if in nothing.

    Raises:
        UserError: one of them has no configuration.
    """
    theirs, ours = _shape(checkpoint), _shape(model)
    return ", ".join(
        f"{name} {theirs[name]} and not {ours[name]}" for name in ours if ours[name] != theirs[name]
    )


def _shape(directory: Path) -> dict[str, Any]:
    found = config(directory)
    text: dict[str, Any] = found.get("text_config", found)
    sizes = {name: text.get(name) for name in _SIZES}
    experts = next((text[name] for name in _EXPERTS if name in text), None)
    return {"model_type": found.get("model_type")} | sizes | {_EXPERTS[0]: experts}
