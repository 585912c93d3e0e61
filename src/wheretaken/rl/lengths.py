"""How long prompts are, and which photos are left out because theirs is longer than `recipe.prompt_tokens`.

A prompt is everything before the model's first turn: the words, the tools and the photo. Both engines leave
out, and refuse, by this one rule; a prompt that was cut would have lost tools, or the photo.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wheretaken.agent import prompts
from wheretaken.errors import UserError
from wheretaken.messages import Message, Picture
from wheretaken.models.openai.wire import tools_of
from wheretaken.models.templates import conversation
from wheretaken.rl.data import samples, size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from wheretaken.tools import Toolset

_ANY = Picture.wrap(b"", "image/png", 1, 1)


@dataclass(frozen=True)
class Fit:
    """Which photos of a file are used."""

    kept: tuple[int, ...]
    """Their numbers in the file, from 0."""
    said: str = ""
    """What people are told of those that are left out; empty if none is."""


@dataclass
class Ruler:
    """Measures prompts."""

    processor: Any
    """Of the model."""
    tools: Sequence[dict[str, Any]] = ()
    """As the chat template is given them."""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Of the pictures' reader, such as `max_pixels`."""
    _words: dict[str, int] = field(default_factory=dict[str, int])

    def words(self, messages: Sequence[dict[str, Any]]) -> int:
        """Return how many tokens a prompt has without its photo.

        Args:
            messages: As the chat template is given them, with one photo.
        """
        text: str = self.processor.apply_chat_template(
            messages, tools=list(self.tools) or None, tokenize=False, add_generation_prompt=True
        )
        if text not in self._words:  # the same in most prompts
            found = self.processor.tokenizer(text, add_special_tokens=False).input_ids
            self._words[text] = len(found) - 1  # one stands for the photo
        return self._words[text]

    def photo(self, size: tuple[int, int]) -> int:
        """Return how many tokens a photo is, of this width and height in pixels."""
        reader, (width, height) = self.processor.image_processor, size
        patches = int(reader.get_number_of_image_patches(height, width, dict(self.options)))
        return patches // reader.merge_size**2


def fitting(lengths: Sequence[int], most: int, where: str, least: int = 1) -> Fit:
    """Return which of some prompts are used.

    Args:
        lengths: Tokens of each.
        most: Tokens that one may have.
        where: What people call the photos.
        least: How many have to be left.

    Raises:
        UserError: too few are.
    """
    kept = tuple(number for number, length in enumerate(lengths) if length <= most)
    left_out = len(lengths) - len(kept)
    if not left_out:
        return Fit(kept)
    said = (
        f"{where}: {left_out} of {len(lengths)} photos have prompts longer than recipe.prompt_tokens "
        f"({most}); the longest has {max(lengths)} tokens"
    )
    if len(kept) < least:
        raise UserError(
            f"{said}, and {len(kept)} photos are too few: raise recipe.prompt_tokens, or make the pictures "
            "smaller with model.max_pixels"
        )
    return Fit(kept, f"{said}; they are left out")


def fit(
    file: Path,
    toolset: Toolset,
    processor: Any,
    most: int,
    least: int = 1,
    options: Mapping[str, Any] | None = None,
) -> Fit:
    """Return which photos of a file of `train export` are used.

    Args:
        file: Its rows.
        toolset: The tools that the model is told of.
        processor: Of the model.
        most: As for `fitting`.
        least: As for `fitting`.
        options: As for `Ruler`.

    Raises:
        UserError: too few are left.
        DataError: the file is no such file.
        PhotoError: a picture cannot be read.
    """
    told, _ = conversation(
        [Message.of("system", prompts.system(toolset)), Message.of("user", _ANY, prompts.question())]
    )
    ruler = Ruler(processor, tools_of(toolset.specs), options or {})
    words = ruler.words(told)
    lengths = [words + ruler.photo(size(sample.image)) for sample in samples(file)]
    return fitting(lengths, most, str(file), least)
