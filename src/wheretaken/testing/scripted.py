"""A model that says what it was told to say, and keeps what it was asked.

It is strict: a conversation longer than the script is an error, and so is a call to a tool that was not
offered, unless the script says so on purpose.
"""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

from wheretaken.errors import ModelError
from wheretaken.messages import Message, ToolCall, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wheretaken.messages import ToolSpec


def say(text: str, *, tokens: int = 0, cost: float = 0.0) -> Message:
    """A turn of text, which ends a run when it holds an answer."""
    return Message.of("assistant", text, usage=Usage(completion_tokens=tokens, cost=cost))


def call(*calls: tuple[str, dict[str, Any] | str], text: str = "", tokens: int = 0) -> Message:
    """A turn that calls tools: `call(("zoom", {"bbox_2d": [0, 0, 500, 500]}))`; a string is sent as it is."""
    numbered = tuple(
        ToolCall(id=f"call-{n}", name=name, arguments=a if isinstance(a, str) else json.dumps(a))
        for n, (name, a) in enumerate(calls)
    )
    return Message.of("assistant", text, tool_calls=numbered, usage=Usage(completion_tokens=tokens))


class ScriptedModel:
    """Plays a list of turns; an exception in the list is raised in its place."""

    def __init__(
        self,
        script: Iterable[Message | Exception],
        *,
        name: str = "scripted",
        pictures_in_tool_results: bool = True,
        strict: bool = True,
    ) -> None:
        """Take the turns in order; `strict=False` allows calls to tools that were not offered."""
        self.name = name
        self.pictures_in_tool_results = pictures_in_tool_results
        self._script = iter(script)
        self._strict = strict
        self._numbers = itertools.count()
        self.asked: list[tuple[Message, ...]] = []
        """The conversation of every request, in order."""
        self.offered: list[tuple[ToolSpec, ...]] = []
        """The tools of every request, in order."""

    async def complete(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        """Return the next turn.

        Raises:
            ModelError: the script is over.
            AssertionError: a strict script calls a tool that was not offered.
        """
        self.asked.append(tuple(messages))
        self.offered.append(tuple(tools))
        turn = next(self._script, None)
        if turn is None:
            raise ModelError(f"the script of {self.name} is over after {len(self.asked) - 1} turns")
        if isinstance(turn, Exception):
            raise turn
        names = {tool.name for tool in tools}
        unknown = [c.name for c in turn.tool_calls if c.name not in names]
        assert not (self._strict and unknown), f"script calls tools that were not offered: {unknown}"
        unique = tuple(c.model_copy(update={"id": f"{c.id}-{next(self._numbers)}"}) for c in turn.tool_calls)
        return turn.model_copy(update={"tool_calls": unique})
