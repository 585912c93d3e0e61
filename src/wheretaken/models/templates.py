"""A conversation as chat templates of transformers take it, which is how it is trained on.

It is written by what also writes it for servers, so that a model reads in training what it reads afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from wheretaken.messages import PicturePart
from wheretaken.models.openai.wire import Writer
from wheretaken.models.settings import ModelSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wheretaken.messages import Message, Picture

_NOWHERE = "http://127.0.0.1/v1"
"""Settings of a server need an address; nothing is asked here."""


def conversation(messages: Sequence[Message]) -> tuple[list[dict[str, Any]], list[Picture]]:
    """Return a conversation, in which pictures are placeholders, and its pictures in their order."""
    pictures = [part.picture for m in messages for part in m.parts if isinstance(part, PicturePart)]
    settings = ModelSettings.model_validate({"base_url": _NOWHERE})
    written = Writer(settings, {shown.sha256: "" for shown in pictures}).messages(messages, ())
    for message in written:
        content: Any = message["content"]
        if isinstance(content, list):
            parts = cast("list[dict[str, Any]]", content)
            message["content"] = [{"type": "image"} if p["type"] == "image_url" else p for p in parts]
        elif content is None:
            # Servers take it for nothing said; transformers before 5.17 does not.
            message["content"] = ""
    return written, pictures


def by_assistant(tokenizer: Any, ids: Sequence[Sequence[int]]) -> list[list[bool]]:
    """Tell of each token of conversations whether the assistant wrote it: its turns, with what ends them.

    Chat templates of Qwen's kind are read: a turn begins with `<|im_start|>assistant` and a line break, and
    ends with `<|im_end|>`. What tools return cannot hold these marks (`models.openai.wire.as_data`).

    Args:
        tokenizer: Of transformers, with these marks as tokens.
        ids: The tokens of each conversation, padded or not.
    """
    start, end = (tokenizer.convert_tokens_to_ids(name) for name in ("<|im_start|>", "<|im_end|>"))
    role = tokenizer("assistant\n", add_special_tokens=False).input_ids
    # The line break may be one token with others that the assistant wrote after it.
    opening = [start, *(role[:-1] or role)]
    skipped = len(role) + 1
    return [list(_turns(list(row), opening, skipped, end)) for row in ids]


def _turns(tokens: list[int], opening: list[int], skipped: int, end: int) -> Iterator[bool]:
    begins = -1
    for place, token in enumerate(tokens):
        if token == opening[0] and tokens[place : place + len(opening)] == opening:
            begins = place + skipped
        inside = 0 <= begins <= place
        yield inside
        if inside and token == end:
            begins = -1
