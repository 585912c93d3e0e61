"""An OpenAI-compatible server that says what it was told to say, whole or as a stream, on a real port.

Its turns are those of `wheretaken.testing.scripted`, or replies of any shape, since real servers send odd
ones; what happens on the way is a mishap as for every fake (`half_body` cuts a stream in the middle). It
remembers what it was
asked:

    service = ChatService([call(("zoom", {"bbox_2d": [0, 0, 500, 500]})), say(answer)])
    with serve(service) as url:
        model = open_models("openai:scripted", base_url=f"{url}/v1")(seed)
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wheretaken.messages import Message
from wheretaken.testing.services.fake import FakeService, Reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from wheretaken.testing.services.fake import Asked
    from wheretaken.testing.services.mishaps import Mishap

Turn = Message | Reply | Callable[[dict[str, Any]], "Message | Reply"]
"""What is said, or what says it from the request's JSON."""

_PIECE = 7
"""Characters of a piece of a stream."""


class ChatService(FakeService):
    """Plays turns in their order, also to several clients; the last one is repeated if wanted."""

    def __init__(
        self,
        script: Iterable[Turn],
        mishaps: Iterable[Mishap | None] = (),
        *,
        models: Sequence[str] = ("scripted",),
        repeat_last: bool = False,
    ) -> None:
        """Serve these turns under these model names."""
        super().__init__(self._reply, mishaps)
        self._script = iter(script)
        self._models = models
        self._repeat = repeat_last
        self._last: Turn | None = None
        self._turns_lock = threading.Lock()

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The JSON of every request for a turn, in order."""
        return [asked.json for asked in self.asked if asked.method == "POST"]

    def _reply(self, asked: Asked) -> Reply:
        if asked.method == "GET":
            listed = [{"id": name, "object": "model"} for name in self._models]
            return Reply.json({"object": "list", "data": listed})
        with self._turns_lock:
            turn = next(self._script, self._last if self._repeat else None)
            self._last = turn
        if turn is None:
            return failure(500, "the script is over")
        body = asked.json
        said = turn(body) if callable(turn) else turn
        if isinstance(said, Reply):
            return said
        return streamed(said) if body.get("stream") else whole(said)


def failure(status: int, message: str, code: str = "", headers: Mapping[str, str] | None = None) -> Reply:
    """Return an error as OpenAI-compatible servers write it."""
    return Reply.json({"error": {"message": message, "type": code, "code": code}}, status, headers)


def whole(message: Message) -> Reply:
    """Write a turn as one reply."""
    return Reply.json(completion(message))


def completion(message: Message) -> dict[str, Any]:
    """Return a turn as the JSON of a reply."""
    return {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "choices": [{"index": 0, "message": _said(message), "finish_reason": _finish(message)}],
        "usage": _usage(message),
    }


def streamed(message: Message) -> Reply:
    """Write a turn as server-sent events, in pieces of a few characters."""
    events = [json.dumps(chunk, ensure_ascii=False) for chunk in chunks(message)]
    body = "".join(f"data: {event}\n\n" for event in (*events, "[DONE]"))
    return Reply(body.encode(), "text/event-stream")


def chunks(message: Message) -> Iterator[dict[str, Any]]:
    """Yield a turn as the chunks of a stream."""
    yield _chunk({"role": "assistant", "content": ""})
    for field, text in (("reasoning_content", message.reasoning), ("content", message.text)):
        for start in range(0, len(text), _PIECE):
            yield _chunk({field: text[start : start + _PIECE]})
    for index, call in enumerate(message.tool_calls):
        opened = {"name": call.name, "arguments": ""}
        yield _chunk(
            {"tool_calls": [{"index": index, "id": call.id, "type": "function", "function": opened}]}
        )
        for start in range(0, len(call.arguments), _PIECE):
            added = {"arguments": call.arguments[start : start + _PIECE]}
            yield _chunk({"tool_calls": [{"index": index, "function": added}]})
    yield _chunk({}, _finish(message))
    yield {"object": "chat.completion.chunk", "choices": [], "usage": _usage(message)}


def _chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "chatcmpl-scripted", "object": "chat.completion.chunk", "choices": [choice]}


def _said(message: Message) -> dict[str, Any]:
    said: dict[str, Any] = {"role": "assistant", "content": message.text or None}
    if message.reasoning:
        said["reasoning_content"] = message.reasoning
    if message.tool_calls:
        said["tool_calls"] = [
            {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
            for c in message.tool_calls
        ]
    return said


def _finish(message: Message) -> str:
    ends = {"length": "length", "refused": "content_filter", "end": "stop"}
    return "tool_calls" if message.tool_calls else ends[message.stop]


def _usage(message: Message) -> dict[str, Any]:
    prompt, completed = message.usage.prompt_tokens, message.usage.completion_tokens
    return {"prompt_tokens": prompt, "completion_tokens": completed, "total_tokens": prompt + completed}
