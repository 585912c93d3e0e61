"""Teacher forcing on the conversations of the toy world, until the model locates its photos.

python -m wheretaken.testing.toy_model DIRECTORY [--moe]
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib.metadata
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wheretaken import agent, paths
from wheretaken.testing.toy_model import world

if TYPE_CHECKING:
    from collections.abc import Iterator

STEPS = 160
_RATE = 4e-3
_BATCH = 4
_LEARNED = 0.003
"""Nats a token below which a batch is known by heart."""
_IN_A_ROW = 3
_IGNORED = -100
"""The label of tokens that the model is not taught to write."""


def trained(*, moe: bool = False) -> Path:
    """Return the directory of a warmed model, made now if it was not made before by this code.

    It is trained in a process of its own, so that whoever asks need not load torch; takes about a minute of
    one core.

    Raises:
        subprocess.CalledProcessError: the training failed; its output says why.
    """
    shelf = paths.cache_dir() / "toy-model"
    shelf.mkdir(exist_ok=True)
    target = shelf / f"{'moe' if moe else 'dense'}-{_version()}"
    with (shelf / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            unfinished = target.with_suffix(".part")
            shutil.rmtree(unfinished, ignore_errors=True)
            command = [
                sys.executable,
                "-m",
                "wheretaken.testing.toy_model",
                str(unfinished),
                *(["--moe"] if moe else []),
            ]
            subprocess.run(command, check=True)  # noqa: S603 - our own module
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
    """Train the model of a directory in place, for so many steps at most, and return its last loss."""
    from wheretaken.testing.toy_model.libraries import torch, transformers  # noqa: PLC0415 - takes seconds

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    processor = transformers.AutoProcessor.from_pretrained(directory)
    model = transformers.AutoModelForImageTextToText.from_pretrained(directory, dtype=torch.float32)
    optimizer = torch.optim.AdamW(model.parameters(), lr=_RATE, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps, pct_start=0.1)
    model.train()
    batches = _batches(processor, random.Random(seed))  # noqa: S311 - repeatable, not secret
    loss, learned = float("nan"), 0
    for _ in range(steps):
        found = model(**next(batches)).loss
        found.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        loss = float(found.detach())
        learned = learned + 1 if loss < _LEARNED else 0
        if learned == _IN_A_ROW:
            break
    model.save_pretrained(directory)
    return loss


def _batches(processor: Any, dice: random.Random) -> Iterator[dict[str, Any]]:
    """Yield encoded conversations without end: every colour once, in another order each time."""
    encoded = {colour: world.conversation(colour) for colour in world.COLOURS}
    colours = list(encoded)
    while True:
        dice.shuffle(colours)
        chosen = [encoded[colour] for colour in colours[:_BATCH]]
        texts = [rendered(processor, messages) for messages, _ in chosen]
        pictures = [shown for _, images in chosen for shown in images]
        batch = dict(processor(text=texts, images=pictures, padding=True, return_tensors="pt"))
        yield batch | {"labels": _labels(processor.tokenizer, batch["input_ids"])}


def rendered(processor: Any, messages: list[dict[str, Any]]) -> str:
    """Return a conversation as the model reads it, before pictures take their place."""
    return processor.apply_chat_template(messages, tools=world.tools(), tokenize=False)


def _labels(tokenizer: Any, ids: Any) -> Any:
    """Return the tokens that the assistant writes, each turn with its end; all others are ignored."""
    start, end = (tokenizer.convert_tokens_to_ids(name) for name in ("<|im_start|>", "<|im_end|>"))
    role = tokenizer("assistant\n", add_special_tokens=False).input_ids
    labels = ids.clone().fill_(_IGNORED)
    for row, tokens in enumerate(ids.tolist()):
        writing = False
        for place, token in enumerate(tokens):
            before = tokens[max(place - len(role) - 1, 0) : place]
            writing = writing or before == [start, *role]
            if writing:
                labels[row, place] = token
            writing = writing and token != end
    return labels


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
    texts = [str(message["content"]) for colour in world.COLOURS for message in world.conversation(colour)[0]]
    return [*texts, str(world.tools()).replace("'", '"')] * 4
