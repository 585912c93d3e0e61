"""One tool call, from what a model wrote to what it is told: the same in the loop and in training."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheretaken.arguments import mended
from wheretaken.errors import ToolError
from wheretaken.tools import ToolContext, ToolResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.maps import MapProvider
    from wheretaken.messages import Picture
    from wheretaken.tools import Toolset


@dataclass(frozen=True)
class Done:
    """What came of a call."""

    result: ToolResult
    error: str
    """What the model is told instead of the result; empty when there is one."""
    seconds: float

    @classmethod
    def refused(cls, error: str, seconds: float = 0.0) -> Done:
        """Return what came of a call without a result."""
        return cls(ToolResult({}), error, seconds)

    @property
    def text(self) -> str:
        """What the model reads."""
        return f"error: {self.error}" if self.error else self.result.text


async def called(
    toolset: Toolset, maps: MapProvider, name: str, arguments: str, seen: Sequence[Picture]
) -> Done:
    """Run a call as a model wrote it, on pictures of its own: calls of one turn do not depend on each other.

    Args:
        toolset: What may be called.
        maps: What the tools ask.
        name: Of the tool.
        arguments: JSON text, or what was meant to be it.
        seen: The pictures that there were when the turn began, the photo first.

    Raises:
        ServiceError: a service that the tool needs failed.
    """
    began = time.monotonic()
    try:
        context = ToolContext(maps, list(seen))
        result = await toolset.find(name).call(context, mended(arguments))
    except ToolError as problem:
        return Done.refused(str(problem), time.monotonic() - began)
    return Done(result, "", time.monotonic() - began)
