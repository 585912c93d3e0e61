"""The loop: a model and its tools take turns until there is an answer or a limit.

`run` is an async generator of events; who wants a file, a display or a trajectory consumes it. It knows no
model, no provider and no file. Errors that a model can mend go back to it as text; failures of the model or
of a service end the run as a record; anything else is a bug and is raised.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from wheretaken import answers, photos
from wheretaken.agent import hermes, prompts
from wheretaken.agent.datums import in_wgs84
from wheretaken.agent.events import (
    Event,
    Limits,
    MessageAdded,
    PhotoInfo,
    RunEnded,
    RunStarted,
    Status,
    StopReason,
    ToolEnded,
    ToolStarted,
)
from wheretaken.errors import ModelError, ServiceError, ToolError
from wheretaken.messages import Message, Picture, ToolCall, Usage
from wheretaken.tools import ToolContext, ToolResult

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator

    from wheretaken.maps import MapProvider
    from wheretaken.models.base import ChatModel
    from wheretaken.tools import Toolset

E_ = TypeVar("E_", bound=Event)


@dataclass(frozen=True)
class Case:
    """One photo to locate: its pixels for the model, and what people call it for the record."""

    picture: Picture
    """Stripped of metadata."""
    info: PhotoInfo

    @classmethod
    def of(cls, source: str | os.PathLike[str] | bytes, path: str = "") -> Case:
        """Read a photo from a file or from its bytes; `path` is what the record calls it.

        Raises:
            PhotoError: it cannot be used.
        """
        bare = photos.strip(source)
        info = PhotoInfo(sha256=bare.source_sha256, width=bare.width, height=bare.height, path=path)
        return cls(Picture.wrap(bare.data, bare.mime, bare.width, bare.height), info)


@dataclass
class _Run:
    """The state of one run, and the numbering of its events."""

    id: str
    limits: Limits
    context: ToolContext
    began: float = field(default_factory=time.monotonic)
    number: int = 0
    turn: int = 0
    messages: list[Message] = field(default_factory=list[Message])
    usage: Usage = field(default_factory=Usage)

    def event(self, kind: type[E_], **values: Any) -> E_:
        """Stamp the next event."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        made = kind(run=self.id, number=self.number, at=at, elapsed=round(self.elapsed, 3), **values)
        self.number += 1
        return made

    def say(self, message: Message) -> MessageAdded:
        """Add a message to the conversation."""
        self.messages.append(message)
        return self.event(MessageAdded, turn=self.turn, index=len(self.messages) - 1, message=message)

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.began

    def overspent(self) -> StopReason | None:
        """Return the budget that is used up, if any."""
        limits, spent = self.limits, self.usage
        if limits.tokens is not None and spent.prompt_tokens + spent.completion_tokens >= limits.tokens:
            return StopReason.TOKENS
        if limits.seconds is not None and self.elapsed >= limits.seconds:
            return StopReason.SECONDS
        if limits.money is not None and spent.cost >= limits.money:
            return StopReason.MONEY
        return None


async def run(
    case: Case,
    model: ChatModel,
    toolset: Toolset,
    maps: MapProvider,
    *,
    limits: Limits | None = None,
    seed: int = 0,
    run_id: str = "",
) -> AsyncGenerator[Event]:
    """Locate one photo, yielding every event as it happens.

    The first event is `RunStarted`, the last `RunEnded`; closing the generator early just stops the run.
    """
    state = _Run(run_id or uuid.uuid4().hex[:12], limits or Limits(), ToolContext(maps, [case.picture]))
    yield state.event(
        RunStarted,
        photo=case.info,
        model=model.name,
        toolset=toolset.name,
        datum=toolset.datum,
        limits=state.limits,
        seed=seed,
    )
    yield state.say(Message.of("system", prompts.system(toolset.datum)))
    yield state.say(Message.of("user", case.picture, prompts.QUESTION))
    try:
        async with aclosing(_turns(state, model, toolset)) as events:
            async for event in events:
                yield event
    except (ModelError, ServiceError) as error:
        stop = StopReason.MODEL_ERROR if isinstance(error, ModelError) else StopReason.SERVICE_ERROR
        yield state.event(
            RunEnded, status=Status.FAILED, stop_reason=stop, detail=str(error), usage=state.usage
        )


async def _turns(state: _Run, model: ChatModel, toolset: Toolset) -> AsyncGenerator[Event]:
    """Model turn, tool calls, model turn, ...; ends with `RunEnded`."""
    stop: StopReason | None = None
    reminded = False
    while True:
        state.turn += 1
        if stop is None and state.turn >= state.limits.turns:
            stop = StopReason.TURNS
        if stop is not None and state.turn > 1:
            yield state.say(Message.of("user", prompts.ANSWER_NOW))
        message = await _complete(state, model, toolset, may_call=stop is None)
        state.usage += message.usage
        yield state.say(message)
        if message.tool_calls and stop is None:
            async for event in _call_tools(state, model, toolset, message.tool_calls):
                yield event
            stop = state.overspent()
            continue
        parsed = answers.parse(message.text)
        if isinstance(parsed, answers.Answer):
            parsed = in_wgs84(parsed, toolset.datum)
        unread = isinstance(parsed, answers.NoAnswer) and parsed.reason == "unparsed"
        if unread and not reminded and state.turn < state.limits.turns and state.overspent() is None:
            reminded = True
            yield state.say(Message.of("user", prompts.NO_JSON))
            continue
        yield _end(state, parsed, stop or state.overspent() or StopReason.FINISHED)
        return


async def _complete(state: _Run, model: ChatModel, toolset: Toolset, *, may_call: bool) -> Message:
    """Ask the model, within what is left of the time budget."""
    left = None
    if state.limits.seconds is not None:
        # The last turn always gets some time, or a run that spent its budget could never answer.
        left = max(state.limits.seconds - state.elapsed, state.limits.seconds / 4)
    try:
        async with asyncio.timeout(left):
            message = await model.complete(state.messages, toolset.specs if may_call else [])
    except TimeoutError as error:
        raise ModelError(f"{model.name} gave no reply within the time limit") from error
    return message if message.tool_calls else hermes.with_calls(message)


def _end(state: _Run, parsed: answers.Answer | answers.NoAnswer, stop: StopReason) -> RunEnded:
    if isinstance(parsed, answers.Answer):
        return state.event(
            RunEnded, status=Status.ANSWERED, stop_reason=stop, answer=parsed, usage=state.usage
        )
    status = Status.REFUSED if parsed.reason == "refused" else Status.UNPARSED
    return state.event(RunEnded, status=status, stop_reason=stop, detail=parsed.detail, usage=state.usage)


async def _call_tools(
    state: _Run, model: ChatModel, toolset: Toolset, calls: tuple[ToolCall, ...]
) -> AsyncGenerator[Event]:
    """Run a turn's calls one after the other, so that picture numbers are the same in every run."""
    shown: list[Picture] = []
    for position, call in enumerate(calls):
        yield state.event(
            ToolStarted, turn=state.turn, call_id=call.id, tool=call.name, arguments=call.arguments
        )
        began = time.monotonic()
        result, error = ToolResult({}), ""
        if position >= state.limits.calls_per_turn:
            error = prompts.too_many_calls(state.limits.calls_per_turn)
        else:
            try:
                result = await toolset.find(call.name).call(state.context, call.arguments)
            except ToolError as problem:
                error = str(problem)
        state.context.pictures.extend(result.pictures)
        yield state.event(
            ToolEnded,
            turn=state.turn,
            call_id=call.id,
            tool=call.name,
            seconds=round(time.monotonic() - began, 4),
            error=error,
            pictures=result.pictures,
            source=result.source,
        )
        content = [f"error: {error}" if error else result.text]
        inline = result.pictures if model.pictures_in_tool_results else ()
        shown.extend(() if inline else result.pictures)
        yield state.say(Message.of("tool", *content, *inline, tool_call_id=call.id))
    if shown:
        yield state.say(Message.of("user", *shown, "The pictures that the tools returned, in order."))
