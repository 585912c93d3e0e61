"""A tiny Qwen3-VL that has learned to see the island from experts, and how unsure it is.

Its tokenizer has every text that stands in all prompts as one token: a rollout is some sixty tokens long, of
which the model writes a dozen.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wheretaken import agent
from wheretaken.agent import prompts
from wheretaken.models.openai.wire import tools_of
from wheretaken.models.templates import conversation
from wheretaken.testing.island import experts
from wheretaken.testing.island.world import ISLAND
from wheretaken.testing.toy_model.warm import kept, learn, lesson

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheretaken.testing.toy_model.warm import Lesson

STEPS, DOUBTS = 180, 60
"""Of learning from experts who know, and from those who often guess."""
SKILL = 0.6
"""Of the latter."""
_LESSONS, _LARGE = 10, 64
"""How many lessons there are, and how many runs are in each."""
_DIRECT = 5
"""Every so many lessons is one without tools."""
_PHRASES = (
    *("user\n", "assistant\n", prompts.QUESTION, '\n{"name": "road_map", "arguments": {"lat": '),
    *('.5, "lon": ', ".5}}\n", '{"lat": ', '.4, "lon": ', '.6, "lon": ', ".4}", ".6}"),
    *('<data>\n{"image":1,"zoom":15.0,"south":', '.0,"west":', '.0,"north":', '.0,"east":', ".0}\n</data>"),
)


def warmed(*, skill: float = SKILL) -> Path:
    """Return the directory of a model that has learned from experts, made now if it was not made before.

    Args:
        skill: Of the last experts it learned from: with 1, it knows; with less, it is as unsure as they
            are, and GRPO has something to find out.
    """
    base = [str(warmed(skill=1.0))] if skill < 1.0 else []
    return kept(
        f"island-{skill:.0%}-{_version()}",
        lambda out: ["wheretaken.testing.island", str(out), str(skill), *base],
    )


def _version() -> str:
    """Name what decides about the model."""
    digest = hashlib.sha256(importlib.metadata.version("transformers").encode())
    here = Path(__file__).parent
    files = (*here.glob("*.py"), *here.with_name("toy_model").glob("*.py"))
    for file in (*sorted(files), Path(agent.__file__).with_name("prompts.py")):
        digest.update(file.read_bytes())
    digest.update(repr(tools_of(ISLAND.specs)).encode())
    return digest.hexdigest()[:16]


def make(directory: Path, *, seed: int = 0) -> float:
    """Build a model, let it learn from experts who know, and return its last loss."""
    from wheretaken.testing.toy_model.build import Size, build  # noqa: PLC0415 - takes seconds
    from wheretaken.testing.toy_model.libraries import torch  # noqa: PLC0415 - as above

    phrases = texts()
    size = Size(vision_hidden=64, vocabulary=512, picture_tokens=1)
    build(directory, phrases, phrases=phrases, size=size, seed=seed)
    torch.manual_seed(seed)
    return _learned(directory, 1.0, STEPS, 2e-3)


def doubt(directory: Path, base: Path, *, skill: float) -> float:
    """Let a model that knows learn from experts who often guess, and return its last loss."""
    shutil.copytree(base, directory)
    return _learned(directory, skill, DOUBTS, 5e-4)


def _learned(directory: Path, skill: float, steps: int, rate: float) -> float:
    from wheretaken.testing.toy_model.libraries import torch, transformers  # noqa: PLC0415 - takes seconds

    torch.set_num_threads(1)
    processor = transformers.AutoProcessor.from_pretrained(directory)
    model = transformers.AutoModelForImageTextToText.from_pretrained(directory, dtype=torch.float32)
    model.train()
    loss = learn(torch, model, list(_lessons(processor, skill)), steps, rate=rate, decay=True)
    model.save_pretrained(directory)
    return loss


def texts() -> list[str]:
    """Return the texts that rollouts there are made of, from which a tokenizer can be made."""
    return [*_PHRASES, *systems()]


def systems() -> list[str]:
    """Return the system's turns, with tools and without."""
    from wheretaken.testing.toy_model.build import template  # noqa: PLC0415 - takes seconds
    from wheretaken.testing.toy_model.libraries import tokenizers, transformers  # noqa: PLC0415 - as above

    bare = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizers.Tokenizer(tokenizers.models.BPE())
    )
    bare.chat_template = template()
    said = [{"role": "system", "content": prompts.system(ISLAND)}]
    written = [
        bare.apply_chat_template(said, tools=tools, tokenize=False)
        for tools in (tools_of(ISLAND.specs), None)
    ]
    return [text.removeprefix("<|im_start|>").split("<|im_end|>")[0] for text in written]


def _lessons(processor: Any, skill: float) -> Iterator[Lesson]:
    for number in range(_LESSONS):
        tools = number % _DIRECT != _DIRECT - 1
        runs = [experts.run(number * _LARGE + n, skill=skill, tools=tools) for n in range(_LARGE)]
        pairs = [conversation(run.messages) for run in runs]
        pictures = [shown.open() for _, shown_there in pairs for shown in shown_there]
        dialogs = [written for written, _ in pairs]
        yield lesson(processor, dialogs, pictures, tools_of(ISLAND.specs) if tools else None)


def main(directory: str, skill: str, base: str = "") -> None:
    """Make a model."""
    out = Path(directory)
    loss = doubt(out, Path(base), skill=float(skill)) if base else make(out)
    sys.stderr.write(f"island model of skill {skill}: loss {loss:.4f}\n")
