"""What the conversation so far holds: the photo, the calls that were made, and what came back.

The reader keeps no state between turns: like any other model it has only the messages. That is what makes
its runs repeatable and its trajectories complete.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from wheretaken.errors import ModelError
from wheretaken.maps import Place
from wheretaken.models.reader.hints import hint_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wheretaken.messages import Message, Picture


@dataclass(frozen=True)
class Done:
    """A tool call and its outcome."""

    id: str
    tool: str
    arguments: dict[str, Any]
    result: dict[str, Any]
    """Empty when the call failed."""
    pictures: tuple[Picture, ...] = ()

    @property
    def places(self) -> list[Place]:
        """The places in the result."""
        return places_in(cast("list[Any]", self.result.get("results", [])))


def places_in(entries: Sequence[Any]) -> list[Place]:
    """Return the places among the entries of a result."""
    found: list[Place] = []
    for entry in entries:
        try:
            found.append(Place.model_validate(entry))
        except ValidationError:  # another provider's extra entry is not worth a failed run
            continue
    return found


@dataclass
class Notes:
    """The conversation as the reader understands it."""

    photo: Picture
    hint: str = ""
    """What the person who asks knows already."""
    done: list[Done] = field(default_factory=list[Done])
    turns: int = 0
    """Assistant turns so far."""

    def of(self, tool: str) -> Iterator[Done]:
        """Yield the calls of one tool, in order."""
        return (call for call in self.done if call.tool == tool)

    def has(self, tool: str, **arguments: Any) -> bool:
        """Tell whether a call with these arguments was made."""
        return any(all(d.arguments.get(k) == v for k, v in arguments.items()) for d in self.of(tool))


def take(messages: Sequence[Message]) -> Notes:
    """Read the notes off a conversation.

    Raises:
        ModelError: no message holds a picture.
    """
    photo = next((picture for message in messages for picture in message.pictures), None)
    if photo is None:
        raise ModelError("the conversation has no picture to look at")
    notes = Notes(photo, hint_in(messages))
    answers = {message.tool_call_id: message for message in messages if message.role == "tool"}
    for message in messages:
        if message.role != "assistant":
            continue
        notes.turns += 1
        for call in message.tool_calls:
            if answer := answers.get(call.id):
                arguments, result = _json(call.arguments), _json(answer.text)
                notes.done.append(Done(call.id, call.name, arguments, result, answer.pictures))
    return notes


def _json(text: str) -> dict[str, Any]:
    """Read a JSON object; anything else, such as an error told in words, is an empty one."""
    try:
        value: object = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
