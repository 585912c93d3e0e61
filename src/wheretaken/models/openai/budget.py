"""Which pictures a conversation is sent without, so that it fits the server's context.

The length is estimated: bytes of text and pixels of pictures, by rates that are on the safe side. The photo
itself always stays; of the others, the oldest go first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken.messages import PicturePart, TextPart
from wheretaken.models.openai.pictures import size_within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.messages import Message, ToolSpec
    from wheretaken.models.settings import ModelSettings

_BYTES_PER_TOKEN = 3.0
_PER_MESSAGE = 8
"""Tokens that a message costs beside its content."""
_REPLY = 2048
"""Tokens that are kept free for the reply where no limit on it is given."""

Place = tuple[int, int]
"""Of a part: index of its message, index in it."""


def left_out(
    messages: Sequence[Message], tools: Sequence[ToolSpec], settings: ModelSettings
) -> frozenset[Place]:
    """Return the pictures that do not fit, by their places."""
    if settings.context_tokens is None:
        return frozenset()
    room = settings.context_tokens - (settings.max_tokens or _REPLY)
    used = sum(len(tool.model_dump_json()) for tool in tools) / _BYTES_PER_TOKEN
    pictures: list[tuple[Place, float]] = []
    for index, message in enumerate(messages):
        used += _PER_MESSAGE + sum(len(call.arguments) for call in message.tool_calls) / _BYTES_PER_TOKEN
        for number, part in enumerate(message.parts):
            if isinstance(part, TextPart):
                used += len(part.text.encode()) / _BYTES_PER_TOKEN
            else:
                tokens = _tokens(part, settings)
                used += tokens
                pictures.append(((index, number), tokens))
    dropped: set[Place] = set()
    for place, tokens in pictures[1:]:
        if used <= room:
            break
        dropped.add(place)
        used -= tokens
    return frozenset(dropped)


def _tokens(part: PicturePart, settings: ModelSettings) -> float:
    picture = part.picture
    width, height = size_within(picture.width, picture.height, settings.min_pixels, settings.max_pixels)
    return width * height / settings.pixels_per_token


def note(messages: Sequence[Message], dropped: frozenset[Place]) -> str:
    """Say in the record which pictures the model was not shown; empty when it saw all."""
    if not dropped:
        return ""
    numbers = [place for place in _places(messages) if place in dropped]
    order = {place: number for number, place in enumerate(_places(messages))}
    told = ", ".join(str(order[place]) for place in numbers)
    return f"sent without picture {told}: the conversation had become longer than the server's context"


def _places(messages: Sequence[Message]) -> list[Place]:
    """Return the places of all pictures in the order of their numbers."""
    return [
        (index, number)
        for index, message in enumerate(messages)
        for number, part in enumerate(message.parts)
        if isinstance(part, PicturePart)
    ]
