"""What a chat model is: anything that continues a conversation.

The loop does not know which model it drives. The embedded reader, a hosted vision-language model, a scripted
double and a replayed trajectory are all this. A model that can tell what it writes while it writes it is a
`StreamingModel` as well; nobody has to ask it for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from wheretaken.messages import Message, ToolSpec

ASKER_ADDS = "The person who asks adds: "
"""Stands before what a person knows of the photo already, in the message that shows it."""


class ChatModel(Protocol):
    """A source of assistant messages."""

    @property
    def name(self) -> str:
        """What trajectories and reports call this model."""
        ...

    @property
    def pictures_in_tool_results(self) -> bool:
        """Whether `tool` messages may hold pictures; else the loop sends them in a `user` message after."""
        ...

    async def complete(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        """Continue the conversation; with `tools` empty the model has to answer in text.

        Raises:
            ModelError: the model's side failed for good (the model owns its retries).
        """
        ...


@dataclass(frozen=True)
class Piece:
    """A little of a turn that is still being written."""

    kind: Literal["text", "reasoning", "call"]
    """What it belongs to: the text, the thinking, or a tool call (its name, then its arguments)."""
    text: str


@runtime_checkable
class StreamingModel(Protocol):
    """A chat model that tells what it writes while it writes it."""

    def stream(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec]
    ) -> AsyncGenerator[Piece | Message]:
        """Continue the conversation like `complete`: yield pieces, then the whole message, which is the last.

        Raises:
            ModelError: as `complete`.
        """
        ...
