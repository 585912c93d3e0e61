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
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from wheretaken import answers, photos
from wheretaken.agent import prompts
from wheretaken.agent.calls import Done, called
from wheretaken.agent.datums import in_wgs84
from wheretaken.agent.events import (
    Delta,
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
from wheretaken.errors import ModelError, ServiceError
from wheretaken.messages import Message, Picture, ToolCall, Usage
from wheretaken.models import hermes
from wheretaken.models.base import StreamingModel
from wheretaken.tools import ToolContext

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator, Sequence

    from wheretaken.maps import MapProvider
    from wheretaken.models.base import ChatModel, Piece
    from wheretaken.tools import Toolset

E_ = TypeVar("E_", bound=Event | Delta)


@dataclass(frozen=True)
class Case:
    """One photo to locate: its pixels for the model, and what people call it for the record."""

    picture: Picture
    """Stripped of metadata."""
    info: PhotoInfo
    hint: str = ""
    """What the person who asks knows already, such as "it is in Portugal"; the model is told."""

    @classmethod
    def of(cls, source: str | os.PathLike[str] | bytes, path: str = "", *, hint: str = "") -> Case:
        """Read a photo from a file or from its bytes; `path` is what the record calls it.

        Raises:
            PhotoError: it cannot be used.
        """
        bare = photos.strip(source)
        info = PhotoInfo(sha256=bare.source_sha256, width=bare.width, height=bare.height, path=path)
        return cls(Picture.wrap(bare.data, bare.mime, bare.width, bare.height), info, hint)


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
    call_ids: set[str] = field(default_factory=set[str])

    def event(self, kind: type[E_], **values: Any) -> E_:
        """Stamp the next event."""
        made = self._stamped(kind, values)
        self.number += 1
        return made

    def delta(self, piece: Piece) -> Delta:
        """Tell of a piece; it takes no number, as no log holds it."""
        return self._stamped(Delta, {"turn": self.turn, "kind": piece.kind, "text": piece.text})

    def _stamped(self, kind: type[E_], values: dict[str, Any]) -> E_:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        return kind(run=self.id, number=self.number, at=at, elapsed=round(self.elapsed, 3), **values)

    def named(self, message: Message) -> Message:
        """Give an id of its own to every call that has none, or one that was used before in this run."""
        calls: list[ToolCall] = []
        for number, call in enumerate(message.tool_calls):
            fresh = call.id and call.id not in self.call_ids
            made = call if fresh else call.model_copy(update={"id": f"call-{self.turn}-{number}"})
            self.call_ids.add(made.id)
            calls.append(made)
        same = all(new is old for new, old in zip(calls, message.tool_calls, strict=True))
        return message if same else message.model_copy(update={"tool_calls": tuple(calls)})

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
    stream: bool = False,
) -> AsyncGenerator[Event | Delta]:
    """Locate one photo, yielding every event as it happens.

    The first event is `RunStarted`, the last `RunEnded`; closing the generator early just stops the run. With
    `stream`, a model that can tell what it is writing does so in `Delta`s, which are for displays only.
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
    yield state.say(Message.of("system", prompts.system(toolset)))
    yield state.say(Message.of("user", case.picture, prompts.question(case.hint)))
    try:
        async with aclosing(_turns(state, model, toolset, stream=stream)) as events:
            async for event in events:
                yield event
    except (ModelError, ServiceError) as error:
        stop = StopReason.MODEL_ERROR if isinstance(error, ModelError) else StopReason.SERVICE_ERROR
        yield state.event(
            RunEnded, status=Status.FAILED, stop_reason=stop, detail=str(error), usage=state.usage
        )


async def _turns(
    state: _Run, model: ChatModel, toolset: Toolset, *, stream: bool
) -> AsyncGenerator[Event | Delta]:
    """Model turn, tool calls, model turn, ...; ends with `RunEnded`."""
    stop: StopReason | None = None
    reminded = False
    while True:
        state.turn += 1
        if stop is None and state.turn >= state.limits.turns:
            stop = StopReason.TURNS
        if stop is not None and state.turn > 1:
            yield state.say(Message.of("user", prompts.ANSWER_NOW))
        async with aclosing(_turn(state, model, toolset, may_call=stop is None, stream=stream)) as events:
            async for event in events:
                yield event
        message = state.messages[-1]
        if message.tool_calls and stop is None:
            async with aclosing(_call_tools(state, model, toolset, message.tool_calls)) as events:
                async for event in events:
                    yield event
            stop = state.overspent()
            continue
        parsed = _parsed(message, toolset)
        unread = isinstance(parsed, answers.NoAnswer) and parsed.reason == "unparsed"
        if unread and not reminded and state.turn < state.limits.turns and state.overspent() is None:
            reminded = True
            yield state.say(Message.of("user", prompts.NO_JSON if message.stop == "end" else prompts.CUT_OFF))
            continue
        yield _end(state, parsed, stop or state.overspent() or StopReason.FINISHED)
        return


def _parsed(message: Message, toolset: Toolset) -> answers.Answer | answers.NoAnswer:
    """Read the answer in a turn, in WGS-84."""
    parsed = answers.parse(message.text)
    if isinstance(parsed, answers.Answer):
        return in_wgs84(parsed, toolset.datum)
    if message.stop == "refused":
        return answers.NoAnswer(reason="refused", detail=message.text or "the server withheld the reply")
    return parsed


async def _turn(
    state: _Run, model: ChatModel, toolset: Toolset, *, may_call: bool, stream: bool
) -> AsyncGenerator[Event | Delta]:
    """One turn of the model, within what is left of the time budget; its message is the last one then."""
    until = None
    if state.limits.seconds is not None:
        # The last turn always gets some time, or a run that spent its budget could never answer.
        left = max(state.limits.seconds - state.elapsed, state.limits.seconds / 4)
        until = asyncio.get_running_loop().time() + left
    specs = toolset.specs if may_call else ()
    message: Message | None = None
    try:
        if stream and isinstance(model, StreamingModel):
            async with aclosing(model.stream(state.messages, specs)) as pieces:
                # The time runs for the model only: who watches may take a break between two pieces.
                while message is None:
                    async with asyncio.timeout_at(until):
                        piece = await anext(pieces)
                    if isinstance(piece, Message):
                        message = piece
                    else:
                        yield state.delta(piece)
        else:
            async with asyncio.timeout_at(until):
                message = await model.complete(state.messages, specs)
    except TimeoutError as error:
        raise ModelError(f"{model.name} gave no reply within the time limit", reason="late") from error
    state.usage += message.usage
    yield state.say(state.named(message if message.tool_calls else hermes.with_calls(message)))


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
    """Run a turn's calls at the same time, and tell of them in their order, as in every run.

    Each call works on the pictures that were there when the turn began; the one that it returns gets its
    number when its turn comes.
    """
    seen = tuple(state.context.pictures)
    tasks: list[asyncio.Task[Done]] = []
    shown: list[Picture] = []
    try:
        for position, call in enumerate(calls):
            refused = position >= state.limits.calls_per_turn
            tasks.append(asyncio.create_task(_call(state, toolset, call, seen, refused=refused)))
            yield state.event(
                ToolStarted, turn=state.turn, call_id=call.id, tool=call.name, arguments=call.arguments
            )
        for call, task in zip(calls, tasks, strict=True):
            done = await task
            result = done.result.numbered(len(state.context.pictures))
            state.context.pictures.extend(result.pictures)
            yield state.event(
                ToolEnded,
                turn=state.turn,
                call_id=call.id,
                tool=call.name,
                seconds=round(done.seconds, 4),
                error=done.error,
                pictures=result.pictures,
                source=result.source,
            )
            text = replace(done, result=result).text
            inline = result.pictures if model.pictures_in_tool_results else ()
            shown.extend(() if inline else result.pictures)
            yield state.say(Message.of("tool", text, *inline, tool_call_id=call.id))
    finally:
        await _ended(tasks)
    if shown:
        yield state.say(Message.of("user", *shown, prompts.PICTURES))


async def _call(
    state: _Run, toolset: Toolset, call: ToolCall, seen: Sequence[Picture], *, refused: bool
) -> Done:
    if refused:
        return Done.refused(prompts.too_many_calls(state.limits.calls_per_turn))
    return await called(toolset, state.context.maps, call.name, call.arguments, seen)


async def _ended(tasks: Sequence[asyncio.Task[Done]]) -> None:
    """Stop what still runs when a run is stopped or a service failed, and wait for it."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
