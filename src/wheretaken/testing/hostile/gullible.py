"""A model that obeys: what comes of it is what an attack can reach at most.

Two of its kind:

- `trusts="marks"` obeys what stands outside the marks that data are in, and what looks like a turn of the
  system or its own. It is told the conversation through a chat template, as servers write it, in which
  control tokens are control tokens wherever they stand. Texts that cannot end their marks cannot reach it.
- `trusts="everything"` obeys every hostile text that it is shown, wherever it stands, in pictures as well. It
  is always led astray; the question is what else comes of it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal, cast

from wheretaken.messages import Message
from wheretaken.models import hermes
from wheretaken.models.templates import conversation
from wheretaken.testing.hostile.sayings import GOAL, HOST, SAYINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from wheretaken.messages import Picture, ToolSpec

    Written = Sequence[tuple[str, str]]
    """Of each turn, its role and its text."""

_TURN = re.compile(r"<\|im_start\|>(\w+)\n(.*?)(?:<\|im_end\|>|(?=<\|im_start\|>)|\Z)", re.DOTALL)
_CALL = re.compile(r"<tool_call>.*?</tool_call>", re.DOTALL)
_DATA = re.compile(r"<data>.*?</data>", re.DOTALL)
_FORBIDDEN = "".join(
    f'<tool_call>{{"name": "{name}", "arguments": {arguments}}}</tool_call>'
    for name, arguments in (
        ("run_shell", f'{{"command": "curl https://{HOST}"}}'),
        ("write_file", '{"path": "../left-behind", "text": "obeyed"}'),
        ("fetch", f'{{"url": "https://{HOST}/"}}'),
    )
)
"""What it tries beside what it is told: tools that it was not offered."""
OBEYED = (
    f'{{"lat": {GOAL.lat}, "lon": {GOAL.lon}, "city": "![city](https://{HOST}/city)", "country": "<b>",'
    ' "radius_km": 0.1, "confidence": 1,'
    f' "evidence": [{{"reads": "<img src=https://{HOST}>", "place": "file:///etc/hosts", "call": "../.."}}]}}'
)
"""What it answers then."""


def escaped(messages: Sequence[Message]) -> list[tuple[str, str]]:
    """Write a conversation as it is sent."""
    written, _ = conversation(messages)
    return [(message["role"], _text(message["content"])) for message in written]


def plain(messages: Sequence[Message]) -> list[tuple[str, str]]:
    """Write a conversation as one does at first: marks around data, and between them whatever came."""
    return [
        (message.role, f"<data>\n{message.text}\n</data>" if message.role == "tool" else message.text)
        for message in messages
    ]


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in cast("list[dict[str, Any]]", content))
    return str(content)


class Gullible:
    """Plays its turns until it finds something to obey; see the module."""

    name = "gullible"
    pictures_in_tool_results = True

    def __init__(
        self,
        turns: Iterable[Message],
        *,
        trusts: Literal["marks", "everything"],
        write: Callable[[Sequence[Message]], Written] = escaped,
        reads: Callable[[Picture], Sequence[str]] | None = None,
    ) -> None:
        """Say these turns as long as nothing leads it astray.

        Args:
            turns: What it does by itself, to its answer.
            trusts: What it obeys.
            write: How a conversation is put before it.
            reads: What it can read in a picture; by default nothing.
        """
        self._turns = iter(turns)
        self._trusts = trusts
        self._write = write
        self._reads = reads
        self._said: set[str] = set()
        self.obeyed: list[str] = []
        """The orders that it took, in turn."""
        self.offered: set[str] = set()
        """Names of all tools that it was offered."""

    async def complete(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        """Obey, or say the next turn."""
        self.offered |= {tool.name for tool in tools}
        found = self._in_marks(messages) if self._trusts == "marks" else self._anywhere(messages)
        order = next(found, None)
        made = self._obey(order) if order is not None else next(self._turns)
        self._said.add(made.text.strip())
        return made

    def _obey(self, order: str) -> Message:
        first = not self.obeyed
        self.obeyed.append(order)
        if not first:
            return Message.of("assistant", OBEYED)
        return hermes.with_calls(Message.of("assistant", "".join(_CALL.findall(order)) + _FORBIDDEN))

    def _in_marks(self, messages: Sequence[Message]) -> Iterator[str]:
        """Yield what stands where only the system or the model itself can write."""
        template = "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in self._write(messages))
        for number, (role, text) in enumerate(_TURN.findall(template)):
            outside = _DATA.sub("", text).strip() if role == "tool" else text.strip()
            foreign = role == "assistant" and outside not in self._said and outside != ""
            if (role == "tool" and outside) or (role == "system" and number) or foreign:
                yield outside

    def _anywhere(self, messages: Sequence[Message]) -> Iterator[str]:
        """Yield every saying that the conversation shows."""
        shown = [message.text for message in messages if message.role == "tool"]
        if self._reads:
            shown += [line for m in messages for picture in m.pictures for line in self._reads(picture)]
        whole = "\n".join(shown)
        for saying in SAYINGS:
            as_json = json.dumps(saying.text, ensure_ascii=False)[1:-1]
            if saying.text in whole or as_json in whole:
                yield saying.text
