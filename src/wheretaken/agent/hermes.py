"""Tool calls written as text: `<tool_call>{"name": ..., "arguments": {...}}</tool_call>` (the Hermes form).

Models trained with it, such as the Qwen family behind servers without a tool parser, use it instead of
native calls.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast

from wheretaken.messages import ToolCall

if TYPE_CHECKING:
    from wheretaken.messages import Message

_CALL = re.compile(r"<tool_call>\s*(.*?)\s*(?:</tool_call>|\Z)", re.DOTALL)


def with_calls(message: Message) -> Message:
    """Return the message with calls found in its text added as native ones.

    A call whose JSON is broken becomes a call with an empty name, so that the model is told instead of the
    call being lost.
    """
    found = [_read(body, f"text-{n}") for n, body in enumerate(_CALL.findall(message.text))]
    return message.model_copy(update={"tool_calls": tuple(found)}) if found else message


def _read(body: str, call_id: str) -> ToolCall:
    try:
        value: Any = json.loads(body)
    except json.JSONDecodeError:
        return ToolCall(id=call_id, name="", arguments=body)
    if not isinstance(value, dict):
        return ToolCall(id=call_id, name="", arguments=body)
    call = cast("dict[str, Any]", value)
    arguments = call.get("arguments", {})
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return ToolCall(id=call_id, name=str(call.get("name", "")), arguments=text)
