"""Tool calls written as text: `<tool_call>{"name": ..., "arguments": {...}}</tool_call>` (the Hermes form).

Models trained with it, such as the Qwen family behind servers without a tool parser, use it instead of native
calls. `with_calls` reads them; `offer`, `result` and `without_calls` write a conversation for such a server.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast

from wheretaken.answers.quoting import unquoted
from wheretaken.messages import ToolCall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.messages import Message, ToolSpec

_CALL = re.compile(r"<tool_call>\s*(.*?)\s*(?:</tool_call>|(?=<tool_call>)|\Z)", re.DOTALL)
_TOLD = re.compile(r"<tool_response>.*?</tool_response>", re.DOTALL)
"""What a model writes of a result, which only a tool can give; its words are not the model's."""

_OFFER = """\
# Tools

You may call one or more functions to assist with the user query.

The functions are described within <tools></tools>, one JSON object a line:
<tools>
%s
</tools>

For each function call, return a JSON object with the function's name and arguments within \
<tool_call></tool_call>:
<tool_call>
{"name": <name>, "arguments": <object>}
</tool_call>"""


def with_calls(message: Message) -> Message:
    """Return the message with calls found in its text added as native ones.

    A call whose JSON is broken becomes a call with an empty name, so that the model is told instead of the
    call being lost. A call that stands in the strings of an object, or in what a tool is said to have
    returned, is quoted and not made.
    """
    found = [_read(message.text[made.start(1) : made.end(1)]) for made in _made(message.text)]
    return message.model_copy(update={"tool_calls": tuple(found)}) if found else message


def without_calls(text: str) -> str:
    """Return the text without the calls in it, for a server that gets them as native ones."""
    kept, seen = list[str](), 0
    for made in _made(text):
        kept.append(text[seen : made.start()])
        seen = made.end()
    return "".join([*kept, text[seen:]]).strip() if kept else text


def offer(tools: Sequence[ToolSpec]) -> str:
    """Describe tools to a model that writes its calls, in the words of the Qwen family's chat template."""
    return _OFFER % "\n".join(
        json.dumps({"type": "function", "function": tool.model_dump(mode="json")}, ensure_ascii=False)
        for tool in tools
    )


def call(made: ToolCall) -> str:
    """Write a call."""
    name = json.dumps(made.name, ensure_ascii=False)
    return f'<tool_call>\n{{"name": {name}, "arguments": {made.arguments}}}\n</tool_call>'


def result(text: str) -> str:
    """Write what a call returned."""
    return f"<tool_response>\n{text}\n</tool_response>"


def _made(text: str) -> list[re.Match[str]]:
    """Return where calls stand that are made and not only quoted."""
    if "<tool_call>" not in text:
        return []
    bare = _TOLD.sub(lambda told: " " * len(told[0]), unquoted(text))
    return list(_CALL.finditer(bare))


def _read(body: str) -> ToolCall:
    from wheretaken.arguments import mended  # noqa: PLC0415 - few models write calls

    broken = ToolCall(id="", name="", arguments=body)
    try:
        value: Any = json.loads(mended(body))
    except json.JSONDecodeError:
        return broken
    if not isinstance(value, dict):
        return broken
    made = cast("dict[str, Any]", value)
    arguments, name = made.get("arguments", {}), made.get("name", "")
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return ToolCall(id="", name=name if isinstance(name, str) else "", arguments=text)
