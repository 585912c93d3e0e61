"""From a checkpoint of a training to a directory of weights that servers and transformers load.

A checkpoint of TRL's is such a directory already, or holds adapters; one of verl's is in pieces. What comes
of either is whole: weights, configuration, processor with its chat template, what the model was told of the
tools, and the commands that use all of it.
"""

from __future__ import annotations

import importlib
import json
import math
import shlex
import shutil
import struct
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wheretaken.errors import MissingExtraError, UserError
from wheretaken.rl.checkpoints import checkpoints
from wheretaken.rl.checks import config, differences
from wheretaken.rl.export import TOOLS
from wheretaken.rl.verl import shards

if TYPE_CHECKING:
    from collections.abc import Generator

    from wheretaken.rl.settings import TrainSettings

README = "README.md"
_ADAPTERS = "adapter_config.json"
_NOT_WEIGHTS = (
    "*.pt",
    "*.pth",
    "*.bin",
    "trainer_state.json",
    _ADAPTERS,
    "adapter_model.safetensors",
    README,
)
_TIED = frozenset({"lm_head.weight"})
"""Written or not, where it is the embedding again."""
_PICTURES = 32
"""That a conversation may have on a server."""
_FEATURE = "merging a checkpoint"


def merge(settings: TrainSettings, target: Path, step: int | None = None) -> int:
    """Make whole weights of a checkpoint, and return the step that it is of.

    Pieces of verl's are pickles: merge none of a training that you do not trust.

    Args:
        settings: Of the training.
        target: A new directory, which is there when all of it is.
        step: Of the checkpoint; the last one by default.

    Raises:
        UserError: there is no such checkpoint, it is damaged or of another model, or the target exists.
        MissingExtraError: a library is missing.
    """
    found = checkpoints(settings)
    if step is None and found:
        step = max(found)
    if step is None or step not in found:
        there = ", ".join(map(str, sorted(found))) or "none"
        asked = "" if step is None else f" of step {step}"
        raise UserError(f"{settings.output} has no checkpoint{asked} (there are: {there})")
    with _new(target) as unfinished:
        if settings.engine == "verl":
            _from_verl(found[step] / "actor", unfinished, settings)
        else:
            _from_trl(found[step], unfinished, settings)
        _check_tensors(unfinished, settings)
        if settings.tools.config:
            shutil.copyfile(settings.tools.config, unfinished / TOOLS)
        said = f"# {settings.model.path} after {step} steps\n\n```sh\n{commands(settings, target)}\n```\n"
        (unfinished / README).write_text(said, "utf-8")
    return step


def commands(settings: TrainSettings, weights: Path) -> str:
    """Return the commands that use weights: the tools as a server, the model as a server, and a photo.

    Of a training on the island only the model's: no server has that map.
    """
    recipe, tools = settings.recipe, settings.tools
    described = ["--tools-config", str(weights / TOOLS)] if tools.config else []
    name = weights.name
    serve = ["wheretaken", "serve", "--toolset", tools.toolset, *described]
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
    if tools.toolset == "island":
        return (
            f"# the island is known in trainings alone: measure there with --eval-only\n{shlex.join(model)}"
        )
    return "\n".join(map(shlex.join, ([serve] if tools.toolset != "direct" else []) + [model, locate]))


@contextmanager
def _new(target: Path) -> Generator[Path]:
    """Yield a directory that becomes the target when all went well, and is removed when it did not.

    Raises:
        UserError: the target exists, or cannot be made.
    """
    if target.exists():
        raise UserError(f"{target} exists: choose a new directory")
    unfinished = target.with_name(f".{target.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        unfinished.mkdir(parents=True)
        yield unfinished
        unfinished.rename(target)
    except OSError as error:
        raise UserError(f"cannot write to {target} ({error.strerror or error}): choose another") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _from_verl(actor: Path, target: Path, settings: TrainSettings) -> None:
    saved = shards.described(actor)
    _check_same(saved, settings)
    tied = bool(config(saved).get("tie_word_embeddings"))
    shards.merge(actor, target, strategy=settings.verl.strategy, tied=tied)
    if (target / shards.ADAPTERS).is_dir():
        _adapt(str(target), target / shards.ADAPTERS, target, settings.engine)
        shutil.rmtree(target / shards.ADAPTERS)


def _from_trl(checkpoint: Path, target: Path, settings: TrainSettings) -> None:
    shutil.copytree(checkpoint, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*_NOT_WEIGHTS))
    if (checkpoint / _ADAPTERS).is_file():
        _adapt(settings.model.path, checkpoint, target, settings.engine)
    else:
        _check_same(checkpoint, settings)


def _adapt(weights: str, adapters: Path, target: Path, extra: str) -> None:
    """Work adapters into the weights that they were trained on.

    Raises:
        UserError: they do not fit them.
        MissingExtraError: a library is missing.
    """
    from wheretaken.testing.toy_model.torchvision_on_cpu import prepare  # noqa: PLC0415 - loads torch

    try:
        prepare()
        transformers: Any = importlib.import_module("transformers")
        peft: Any = importlib.import_module("peft")
    except ModuleNotFoundError as error:
        raise MissingExtraError(_FEATURE, extra, error.name or "peft") from error
    try:
        model = transformers.AutoModelForImageTextToText.from_pretrained(weights, dtype="auto")
        merged = peft.PeftModel.from_pretrained(model, adapters).merge_and_unload()
    except (ValueError, RuntimeError, OSError) as error:
        why = " ".join(str(error).split())
        raise UserError(f"the adapters of {adapters} are not to be merged into {weights}: {why}") from error
    merged.save_pretrained(target)


def _check_same(saved: Path, settings: TrainSettings) -> None:
    """Make sure that a checkpoint is of the model that the settings name.

    Raises:
        UserError: it is of another one.
    """
    directory = Path(settings.model.path)
    if not directory.is_dir():
        return
    if said := differences(saved, directory):
        raise UserError(
            f"{saved} is of another model than {directory} ({said}): name the settings that it was trained "
            "with"
        )


def _check_tensors(made: Path, settings: TrainSettings) -> None:
    """Make sure that weights have everything that those have which were trained.

    Raises:
        UserError: they do not.
    """
    ours, theirs = _tensors(Path(settings.model.path)), _tensors(made)
    if not theirs:
        raise UserError(f"{settings.output}: the checkpoint has no weights in it; choose another --step")
    differing = {name for name, size in ours.items() if theirs.get(name) != size} - _TIED
    if differing:
        raise UserError(
            f"the checkpoint is not of {settings.model.path}: {len(differing)} tensors are missing or of "
            f"another size, such as {min(differing)}; name the settings that it was trained with"
        )


def _tensors(directory: Path) -> dict[str, int]:
    """Return the sizes of the tensors in a directory; none where it is the name of weights elsewhere.

    Sizes, as libraries write some matrices the other way round. The format is that of
    https://github.com/huggingface/safetensors: the length of a JSON header, and the header.
    """
    found: dict[str, int] = {}
    for file in sorted(directory.glob("*.safetensors")):
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            header: dict[str, Any] = json.loads(stream.read(length))
        header.pop("__metadata__", None)
        found |= {name: math.prod(entry["shape"]) for name, entry in header.items()}
    return found
