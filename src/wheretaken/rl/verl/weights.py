"""From a checkpoint of a training to a directory of weights that servers and transformers load."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wheretaken.errors import UserError
from wheretaken.rl.verl.checks import model_type
from wheretaken.rl.verl.libraries import check_versions, imported
from wheretaken.rl.verl.overrides import CHECKPOINTS

if TYPE_CHECKING:
    from wheretaken.rl.settings import TrainSettings

_STEP = "global_step_"
_ADAPTER = "lora_adapter"
_PICTURES = 32
"""That a conversation may have on a server."""


def checkpoints(settings: TrainSettings) -> dict[int, Path]:
    """Return the checkpoints of a training by their steps."""
    return {
        int(number): directory
        for directory in sorted((settings.output / CHECKPOINTS).glob(f"{_STEP}*"))
        if (number := directory.name.removeprefix(_STEP)).isdecimal() and (directory / "actor").is_dir()
    }


def merge(settings: TrainSettings, target: Path, step: int | None = None) -> int:
    """Merge the shards of a checkpoint, and adapters into what they adapt; return the step that it is of.

    Args:
        settings: Of the training.
        target: A new directory.
        step: Of the checkpoint; the last one by default.

    Raises:
        UserError: there is no such checkpoint, it is of another model, or the target exists.
        MissingExtraError: verl is not installed.
    """
    check_versions()
    found = checkpoints(settings)
    if step is None and found:
        step = max(found)
    if step is None or step not in found:
        there = ", ".join(map(str, sorted(found))) or "none"
        raise UserError(f"{settings.output} has no checkpoint of step {step} (there are: {there})")
    if target.exists():
        raise UserError(f"{target} exists: choose a new directory")
    actor = found[step] / "actor"
    _check_same(actor / "huggingface", settings)
    unfinished = target.with_name(f"{target.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    command = [
        *(sys.executable, "-m", "verl.model_merger", "merge"),
        *("--backend", settings.verl.strategy, "--local_dir", str(actor), "--target_dir", str(unfinished)),
        *(["--tie-word-embedding"] if settings.verl.strategy == "megatron" and _tied(actor) else []),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - verl's own module
    if done.returncode:
        shutil.rmtree(unfinished, ignore_errors=True)
        said = " ".join(done.stderr.split())[-500:]
        raise UserError(f"verl cannot merge {actor}: {said}")
    if (unfinished / _ADAPTER).is_dir():
        _adapt(unfinished)
    unfinished.rename(target)
    return step


def commands(settings: TrainSettings, weights: Path) -> str:
    """Return the commands that use weights: the tools as a server, the model as a server, and a photo."""
    recipe, tools = settings.recipe, settings.tools
    described = ["--tools-config", str(tools.config)] if tools.config else []
    name = weights.name
    serve = ["wheretaken", "serve", "--toolset", tools.toolset]
    model = [
        *("vllm", "serve", str(weights), "--served-model-name", name, "--port", "8000"),
        *("--max-model-len", str(recipe.prompt_tokens + recipe.response_tokens)),
        *("--limit-mm-per-prompt", json.dumps({"image": _PICTURES})),
        *("--enable-auto-tool-choice", "--tool-call-parser", "hermes"),
    ]
    locate = [
        *("wheretaken", "locate", "PHOTO", "--toolset", tools.toolset, *described),
        *("--model", f"vllm:{name}", "--base-url", "http://127.0.0.1:8000/v1"),
        *("--max-turns", str(recipe.turns)),
    ]
    return "\n".join(map(shlex.join, ([serve] if tools.toolset != "direct" else []) + [model, locate]))


def _check_same(saved: Path, settings: TrainSettings) -> None:
    """Make sure that a checkpoint is of the model that the settings name.

    Raises:
        UserError: it is of another one.
    """
    directory = Path(settings.model.path)
    if directory.is_dir() and _shape(directory) != _shape(saved):
        raise UserError(
            f"{saved.parent} is a checkpoint of another model than {directory}: name the settings that it "
            "was trained with"
        )


def _shape(directory: Path) -> tuple[Any, ...]:
    return (model_type(directory), *_sizes(directory))


def _sizes(directory: Path) -> tuple[Any, ...]:
    config: dict[str, Any] = json.loads((directory / "config.json").read_text("utf-8"))
    text: dict[str, Any] = config.get("text_config", config)
    return tuple(text.get(name) for name in ("hidden_size", "num_hidden_layers", "vocab_size"))


def _tied(actor: Path) -> bool:
    config: dict[str, Any] = json.loads((actor / "huggingface" / "config.json").read_text("utf-8"))
    return bool(config.get("tie_word_embeddings"))


def _adapt(directory: Path) -> None:
    """Work adapters into the weights beside them."""
    transformers, peft = imported("transformers"), imported("peft")
    loader = transformers.AutoModelForImageTextToText
    model = loader.from_pretrained(directory, dtype="auto")
    merged = peft.PeftModel.from_pretrained(model, directory / _ADAPTER).merge_and_unload()
    merged.save_pretrained(directory)
    shutil.rmtree(directory / _ADAPTER)
