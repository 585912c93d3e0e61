"""Teacher forcing on the conversations of the toy world, until the model locates its photos.

python -m wheretaken.testing.toy_model DIRECTORY [--moe]
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wheretaken import agent, paths
from wheretaken.models.templates import by_assistant
from wheretaken.testing.toy_model import world

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Lesson = tuple[dict[str, Any], Any, Any]

STEPS = 200
"""Of each stage, at most."""
_RATE = 3e-3
_WARM_UP = 10
_LEARNED = 0.008
"""Nats a token below which all is known by heart."""


def trained(*, moe: bool = False) -> Path:
    """Return the directory of a warmed model, made now if it was not made before by this code.

    It is trained in a process of its own, so that whoever asks need not load torch; takes about a minute of
    one core.

    Raises:
        subprocess.CalledProcessError: the training failed; its output says why.
    """
    command = ["wheretaken.testing.toy_model", *(["--moe"] if moe else [])]
    return kept(f"{'moe' if moe else 'dense'}-{_version()}", lambda out: [*command, str(out)])


def kept(name: str, command: Callable[[Path], list[str]]) -> Path:
    """Return a directory on the shelf of models, made now by a module of ours if it is not there.

    Args:
        name: Of the directory; it must tell versions apart.
        command: The module, and its arguments for writing into a directory.

    Raises:
        subprocess.CalledProcessError: the module failed.
    """
    shelf = paths.cache_dir() / "toy-model"
    shelf.mkdir(exist_ok=True)
    target = shelf / name
    with (shelf / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            unfinished = target.with_suffix(".part")
            shutil.rmtree(unfinished, ignore_errors=True)
            subprocess.run([sys.executable, "-m", *command(unfinished)], check=True)  # noqa: S603 - our own module
            unfinished.rename(target)
    return target


def _version() -> str:
    """Name what decides about the model: this package, prompts and tools that it reads, transformers."""
    digest = hashlib.sha256(importlib.metadata.version("transformers").encode())
    here = Path(__file__).parent
    for file in (*sorted(here.glob("*.py")), Path(agent.__file__).with_name("prompts.py")):
        digest.update(file.read_bytes())
    digest.update(repr(world.tools()).encode())
    return digest.hexdigest()[:16]


def warm(directory: Path, *, steps: int = STEPS, seed: int = 0) -> float:
    """Train the model of a directory in place, and return its last loss.

    It learns to see on dialogs without their long system prompt, which take a tenth of the time, and then
    where it finds the same in whole ones.
    """
    from wheretaken.testing.toy_model.libraries import torch, transformers  # noqa: PLC0415 - takes seconds

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    processor = transformers.AutoProcessor.from_pretrained(directory)
    model = transformers.AutoModelForImageTextToText.from_pretrained(directory, dtype=torch.float32)
    model.train()
    learn(torch, model, [_batch(processor, whole=False)], steps)
    loss = learn(torch, model, [_batch(processor, whole=True)], steps)
    model.save_pretrained(directory)
    return loss


def learn(
    torch: Any, model: Any, lessons: Sequence[Lesson], steps: int, *, rate: float = _RATE, decay: bool = False
) -> float:
    """Repeat lessons until all is known by heart, for so many steps at most; return the last loss.

    Args:
        torch: The library.
        model: Trained in place.
        lessons: Taken in turn.
        steps: At most.
        rate: Of learning, after a warm-up.
        decay: Whether it falls to nothing.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.0)
    loss = float("nan")
    for step in range(steps):
        batch, places, targets = lessons[step % len(lessons)]
        share = 1.0 - step / steps if decay else 1.0
        optimizer.param_groups[0]["lr"] = rate * min(1.0, (step + 1) / _WARM_UP) * share
        # Logits of the taught tokens only: those of all others would take most of the time.
        hidden = model.model(**batch).last_hidden_state[places]
        found = torch.nn.functional.cross_entropy(model.lm_head(hidden), targets)
        found.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        loss = float(found.detach())
        if loss < _LEARNED:
            break
    return loss


def _batch(processor: Any, *, whole: bool) -> Lesson:
    """Return all dialogs."""
    dialogs = [world.dialog(colour) for colour in world.COLOURS]
    messages = [dialog.messages if whole else dialog.messages[1:] for dialog in dialogs]
    pictures = [shown for dialog in dialogs for shown in dialog.pictures]
    return lesson(processor, messages, pictures, world.tools() if whole else None)


def lesson(
    processor: Any, dialogs: Sequence[list[dict[str, Any]]], pictures: Sequence[Any], tools: Any
) -> Lesson:
    """Return dialogs, encoded, with the places before the taught tokens, and these tokens."""
    texts = [processor.apply_chat_template(dialog, tools=tools, tokenize=False) for dialog in dialogs]
    batch = dict(processor(text=texts, images=list(pictures), padding=True, return_tensors="pt"))
    ids = batch["input_ids"]
    taught = ids.new_tensor(by_assistant(processor.tokenizer, ids.tolist()))
    rows, columns = taught.nonzero(as_tuple=True)
    return batch, (rows, columns - 1), ids[rows, columns]


def main() -> None:
    """Build and warm a model into a directory."""
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--moe", action="store_true")
    parser.add_argument("--steps", type=int, default=STEPS)
    asked = parser.parse_args()
    from wheretaken.testing.toy_model.build import build  # noqa: PLC0415 - takes seconds

    build(asked.directory, _corpus(), moe=asked.moe)
    loss = warm(asked.directory, steps=asked.steps)
    sys.stderr.write(f"toy model: loss {loss:.4f} after {asked.steps} steps\n")


def _corpus() -> list[str]:
    """Return what the model will read, several times, so that its tokenizer learns whole words."""
    texts = [str(m["content"]) for colour in world.COLOURS for m in world.dialog(colour).messages]
    return [*texts, str(world.tools()).replace("'", '"')] * 4
