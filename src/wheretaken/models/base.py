"""What a chat model is: anything that continues a conversation.

The loop does not know which model it drives. The embedded reader, a hosted vision-language model, a scripted
double and a replayed trajectory are all this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.messages import Message, ToolSpec


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
