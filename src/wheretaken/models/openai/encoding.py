"""The bytes of a request: every message of a growing conversation is written once, and every picture once.

A conversation repeats itself in each turn. What was written of a message is kept as pieces of JSON with gaps
where its pictures go; the pictures' URLs are kept for all runs together, and only joined here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from wheretaken.models.openai.wire import Writer, tools_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from wheretaken.messages import Message, ToolSpec
    from wheretaken.models.openai.budget import Place
    from wheretaken.models.settings import ModelSettings

_GAP = re.compile(rb'(?<=\{"url":")([0-9a-f]{64})(?="\})')
"""Where a picture goes. In a text, whatever it says, every quotation mark would be escaped."""

_Pieces = list[bytes]
"""JSON and, at every odd place, the `sha256` of the picture between."""


class ToolsEncoder:
    """Writes the tools that are offered, which are the same in nearly every turn of every run."""

    def __init__(self) -> None:
        """Begin with nothing written."""
        self._tools: list[ToolSpec] = []
        self._written = b"[]"

    def written(self, tools: Sequence[ToolSpec]) -> bytes:
        """Return the tools as a JSON array."""
        offered = list(tools)
        if offered != self._tools:
            self._written, self._tools = to_json(tools_of(offered)), offered
        return self._written


class ConversationEncoder:
    """Writes the messages of one run."""

    def __init__(self, settings: ModelSettings) -> None:
        """Write for a server with these abilities."""
        self._settings = settings
        self._kept: dict[int, tuple[Message, frozenset[int], _Pieces]] = {}

    def written(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        urls: Mapping[str, bytes],
        dropped: Collection[Place] = (),
    ) -> bytes:
        """Return the conversation as a JSON array.

        Args:
            messages: It, from the beginning.
            tools: Those that are offered, which some servers are told of in the text.
            urls: The pictures, by their `sha256`.
            dropped: Places of pictures that are left out.
        """
        writer = Writer(self._settings, {key: key for key in urls}, dropped)
        # Where tools are told of in the text, the first message depends on them.
        first = 1 if tools and self._settings.calls == "text" else 0
        written = [_pieces(made) for made in writer.messages(messages[:first], tools)] if first else []
        written += [
            self._message(writer, index, messages[index], dropped) for index in range(first, len(messages))
        ]
        joined: list[bytes] = []
        for pieces in written:
            joined.append(b"," if joined else b"")
            joined += [urls[piece.decode()] if number % 2 else piece for number, piece in enumerate(pieces)]
        return b"".join((b"[", *joined, b"]"))

    def _message(self, writer: Writer, index: int, message: Message, dropped: Collection[Place]) -> _Pieces:
        left_out = frozenset(number for at, number in dropped if at == index)
        kept = self._kept.get(index)
        if kept and kept[0] is message and kept[1] == left_out:
            return kept[2]
        pieces = _pieces(writer.message(index, message))
        self._kept[index] = (message, left_out, pieces)
        return pieces


def request(fields: Mapping[str, Any], **written: bytes) -> bytes:
    """Return a request as JSON: values, and parts that are JSON already; the values go before these."""
    parts = [to_json(name) + b":" + to_json(value) for name, value in fields.items()]
    parts += [to_json(name) + b":" + part for name, part in written.items() if name not in fields]
    return b"{" + b",".join(parts) + b"}"


def _pieces(message: dict[str, Any]) -> _Pieces:
    return _GAP.split(to_json(message))
