r"""A conversation as JSON for `/chat/completions`.

What tools returned is marked as data, and no text from outside can end the mark or pass for a control token
of a chat template: every `<` in it is written as JSON's `\u003c`, which reads the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wheretaken.arguments import is_object, mended
from wheretaken.messages import PicturePart, TextPart
from wheretaken.models import hermes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from wheretaken.messages import Message, ToolCall, ToolSpec
    from wheretaken.models.openai.budget import Place
    from wheretaken.models.settings import ModelSettings

Json = dict[str, Any]


def tools_of(specs: Iterable[ToolSpec]) -> list[Json]:
    """Write the tools that are offered."""
    return [{"type": "function", "function": spec.model_dump(mode="json")} for spec in specs]


class Writer:
    """Writes the messages of one request."""

    def __init__(
        self, settings: ModelSettings, urls: Mapping[str, str], dropped: Collection[Place] = ()
    ) -> None:
        """Write for a server with these abilities.

        Args:
            settings: What it can do.
            urls: The pictures, by their `sha256`.
            dropped: Places of pictures that are left out, and named in words instead.
        """
        self._settings = settings
        self._urls = urls
        self._dropped = dropped

    def messages(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> list[Json]:
        """Write a conversation; a server that is told of tools in text gets all of it in text."""
        written = [self.message(index, message) for index, message in enumerate(messages)]
        if self._settings.calls == "text" and tools:
            told = hermes.offer(tools)
            if written and written[0]["role"] == "system":
                written[0]["content"] = f"{written[0]['content']}\n\n{told}"
            else:
                written.insert(0, {"role": "system", "content": told})
        return written

    def message(self, index: int, message: Message) -> Json:
        """Write one message, which stands at this place of the conversation."""
        write = self._as_text if self._settings.calls == "text" else self._native
        return write(index, message)

    def _native(self, index: int, message: Message) -> Json:
        written: Json = {"role": message.role, "content": self._content(index, message)}
        if message.role == "tool":
            written["tool_call_id"] = message.tool_call_id
        elif message.tool_calls:
            text = hermes.without_calls(message.text)
            written["content"] = text or None
            written["tool_calls"] = [_call(call) for call in message.tool_calls]
        return written

    def _as_text(self, index: int, message: Message) -> Json:
        content = self._content(index, message)
        if message.role == "tool":
            if isinstance(content, str):
                return {"role": "user", "content": hermes.result(content)}
            for part in content:
                if part["type"] == "text":
                    part["text"] = hermes.result(part["text"])
            return {"role": "user", "content": content}
        if message.tool_calls and "<tool_call>" not in message.text:
            calls = "\n".join(hermes.call(call) for call in message.tool_calls)
            content = f"{message.text}\n{calls}".strip()
        return {"role": message.role, "content": content}

    def _content(self, index: int, message: Message) -> str | list[Json]:
        """Write the parts; text alone as a string, which every server takes."""
        parts: list[Json] = []
        for number, part in enumerate(message.parts):
            if isinstance(part, TextPart):
                text = self._data(part.text) if message.role == "tool" else part.text
                parts.append({"type": "text", "text": text})
            else:
                parts.append(self._picture(part, left_out=(index, number) in self._dropped))
        if all(part["type"] == "text" for part in parts):
            return "\n".join(part["text"] for part in parts)
        return parts

    def _picture(self, part: PicturePart, *, left_out: bool) -> Json:
        if left_out:
            return {"type": "text", "text": "(an older picture, left out to save room)"}
        return {"type": "image_url", "image_url": {"url": self._urls[part.picture.sha256]}}

    def _data(self, text: str) -> str:
        return as_data(text, delimit=self._settings.delimit)


def as_data(text: str, *, delimit: bool = True) -> str:
    """Return what a tool returned as a model reads it: marked, and unable to end the mark."""
    safe = text.replace("<", "\\u003c")
    return f"<data>\n{safe}\n</data>" if delimit else safe


def _call(call: ToolCall) -> Json:
    """Write a call; servers whose templates read the arguments of old calls fail on what is no object."""
    arguments = mended(call.arguments)
    function = {"name": call.name or "unknown", "arguments": arguments if is_object(arguments) else "{}"}
    return {"id": call.id, "type": "function", "function": function}
