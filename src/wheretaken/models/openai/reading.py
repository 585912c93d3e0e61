"""A message out of whatever an OpenAI-compatible server sends, whole or in pieces.

Servers differ in where they put thinking, in whether arguments are text or an object, and in what they leave
out. What is missing is taken as empty; only a reply without any choice is no reply.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast

from wheretaken.errors import ModelError
from wheretaken.messages import Message, TextPart, ToolCall, Usage
from wheretaken.models.base import Piece

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from wheretaken.models.settings import Price

_THINKING = re.compile(r"\A\s*(?:<think(?:ing)?>)?(.*?)</think(?:ing)?>\s*", re.DOTALL)
_UNFINISHED = re.compile(r"\A\s*<think(?:ing)?>(.*)\Z", re.DOTALL)
_MOST_QUOTED = 200
"""Characters of a server's words that are repeated to people."""

Json = dict[str, Any]


def message_of(reply: Any, price: Price) -> Message:
    """Read a whole reply.

    Raises:
        ModelError: it holds no message.
    """
    body = as_object(reply)
    if body.get("error"):
        raise ModelError(f"it replied with an error: {quoted(body['error'])}", reason="reply")
    choices = body.get("choices")
    choice = as_object(cast("list[Any]", choices)[0]) if isinstance(choices, list) and choices else {}
    if not isinstance(choice.get("message"), dict):
        raise ModelError("it replied with no message (`choices` is empty)", reason="reply")
    said = cast("Json", choice["message"])
    reasoning, text = _apart(_text(said.get("content")))
    apart = _text(said.get("reasoning_content")) or _text(said.get("reasoning"))
    refusal = _text(said.get("refusal"))
    return Message(
        role="assistant",
        parts=tuple(TextPart(text=part) for part in (text, refusal) if part),
        reasoning="\n".join(filter(None, (apart, reasoning))),
        tool_calls=_calls(said),
        usage=usage_of(body.get("usage"), price),
        stop=_stop(choice.get("finish_reason"), refused=bool(refusal)),
    )


def _stop(finish_reason: Any, *, refused: bool) -> Literal["end", "length", "refused"]:
    if refused or finish_reason == "content_filter":
        return "refused"
    return "length" if finish_reason == "length" else "end"


def _apart(text: str) -> tuple[str, str]:
    """Split thinking from the text; its first mark may be missing, as templates put it into the prompt."""
    if match := _THINKING.match(text):
        return match[1].strip(), text[match.end() :]
    if match := _UNFINISHED.match(text):
        return match[1].strip(), ""
    return "", text


def _text(content: Any) -> str:
    """Return the text of a content, which may be a text, parts, or nothing."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(_text(part) for part in cast("list[Any]", content))
    if isinstance(content, dict):
        part = cast("Json", content)
        return _text(part.get("text") or part.get("content") or part.get("refusal"))
    return ""


def _calls(said: Json) -> tuple[ToolCall, ...]:
    listed: Any = said.get("tool_calls")
    calls = cast("list[Any]", listed) if isinstance(listed, list) else []
    if not calls and isinstance(said.get("function_call"), dict):
        calls = [{"function": said["function_call"]}]
    made: list[ToolCall] = []
    for entry in calls:
        call = as_object(entry)
        function = as_object(call.get("function")) or call
        name, arguments = function.get("name"), function.get("arguments")
        made.append(
            ToolCall(
                id=str(call.get("id") or ""),
                name=name if isinstance(name, str) else "",
                arguments=_written(arguments),
            )
        )
    return tuple(made)


def _written(arguments: Any) -> str:
    if isinstance(arguments, str):
        return arguments
    return "{}" if arguments is None else json.dumps(arguments, ensure_ascii=False)


def usage_of(usage: Any, price: Price) -> Usage:
    """Read what a turn took, and what that costs; a server that names the cost itself is believed."""
    counts = as_object(usage)
    prompt, completion = _count(counts.get("prompt_tokens")), _count(counts.get("completion_tokens"))
    cached = min(_count(as_object(counts.get("prompt_tokens_details")).get("cached_tokens")), prompt)
    thought = _count(as_object(counts.get("completion_tokens_details")).get("reasoning_tokens"))
    per_cached = price.prompt if price.cached is None else price.cached
    cost = ((prompt - cached) * price.prompt + cached * per_cached + completion * price.completion) / 1e6
    named = counts.get("cost")
    if not cost and isinstance(named, int | float) and 0 < named < float("inf"):
        cost = float(named)
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        cost=cost,
        cached_tokens=cached,
        reasoning_tokens=thought,
    )


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def as_object(value: Any) -> Json:
    """Return a JSON object as it is, and anything else as an empty one."""
    return cast("Json", value) if isinstance(value, dict) else {}


def quoted(words: Any) -> str:
    """Return what a server said, in one line that is short enough for a person."""
    if isinstance(words, dict):
        said = cast("Json", words)
        words = said.get("message") or said.get("detail") or said.get("error") or said
    line = " ".join(str(words).split())
    return line if len(line) <= _MOST_QUOTED else f"{line[:_MOST_QUOTED]}…"


class Pieces:
    """Puts a streamed reply together again; `whole` has the shape of one that was not streamed."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._said: dict[str, list[str]] = {"content": [], "reasoning_content": [], "refusal": []}
        self._calls: list[Json] = []
        self._by_index: dict[Any, Json] = {}
        self._usage: Any = None
        self._finish: Any = None
        self._begun = False

    @property
    def ended(self) -> bool:
        """Whether the server said that the turn is over."""
        return self._finish is not None

    def add(self, chunk: Any) -> Iterator[Piece]:
        """Take one chunk, and tell what it added.

        Raises:
            ModelError: the chunk is an error.
        """
        body = as_object(chunk)
        if body.get("error"):
            raise ModelError(f"it broke off with an error: {quoted(body['error'])}", reason="reply")
        self._usage = body.get("usage") or self._usage
        choices = body.get("choices")
        if not isinstance(choices, list) or not choices:
            return
        self._begun = True
        choice = as_object(cast("list[Any]", choices)[0])
        self._finish = choice.get("finish_reason") or self._finish
        delta = as_object(choice.get("delta")) or as_object(choice.get("message"))
        thought = _text(delta.get("reasoning_content")) or _text(delta.get("reasoning"))
        for kind, field, text in (
            ("reasoning", "reasoning_content", thought),
            ("text", "content", _text(delta.get("content"))),
            ("text", "refusal", _text(delta.get("refusal"))),
        ):
            if text:
                self._said[field].append(text)
                yield Piece("reasoning" if kind == "reasoning" else "text", text)
        listed: Any = delta.get("tool_calls")
        for entry in cast("list[Any]", listed) if isinstance(listed, list) else []:
            if text := self._add_call(as_object(entry)):
                yield Piece("call", text)

    def _add_call(self, entry: Json) -> str:
        """Add a piece of a call; one without an index belongs to the last call, unless it has an id."""
        index, function = entry.get("index"), as_object(entry.get("function"))
        call = self._by_index.get(index)
        if index is None:
            call = self._calls[-1] if self._calls and not entry.get("id") else None
        elif call is not None and entry.get("id") and function.get("name") and call["id"] != entry["id"]:
            call = None  # some servers give every call the index 0
        if call is None:
            call = {
                "id": str(entry.get("id") or ""),
                "function": {"name": "", "arguments": ""},
            }
            self._calls.append(call)
            self._by_index[index] = call
        so_far, added = cast("dict[str, str]", call["function"]), ""
        for field in ("name", "arguments"):
            if value := function.get(field):
                text = value if isinstance(value, str) else _written(value)
                so_far[field] += text
                added += text
        return added

    @property
    def whole(self) -> Json:
        """All of it, as a reply that was not streamed."""
        if not self._begun:
            return {"choices": [], "usage": self._usage}
        said: Json = {field: "".join(texts) for field, texts in self._said.items()}
        message = said | {"role": "assistant", "tool_calls": self._calls}
        return {"choices": [{"message": message, "finish_reason": self._finish}], "usage": self._usage}
