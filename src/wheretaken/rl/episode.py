"""The tools' side of one rollout, for whichever engine writes the model's side.

An episode numbers pictures, runs calls and says what the model reads, as the agent loop does: the same calls
give the same texts and pictures. Two things are different, as a training must not stop for them: a call has a
deadline, and a service's failure is told to the model, and recorded, instead of ending the run.

Calls that an engine makes at the same time are one turn: each sees the pictures that were there when the turn
began, and pictures are numbered in the order of the calls, whichever ends first.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from wheretaken import answers
from wheretaken.agent import prompts
from wheretaken.agent.calls import Done
from wheretaken.agent.datums import in_wgs84
from wheretaken.answers import Answer
from wheretaken.errors import WheretakenError
from wheretaken.messages import Message, ToolCall
from wheretaken.models import hermes
from wheretaken.rl.reward import Outcome, ToolUse
from wheretaken.sampling.grounding import grounding, seen

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from wheretaken.messages import Picture
    from wheretaken.rl.settings import ToolSettings
    from wheretaken.rl.toolbox import Toolbox

GROUNDED = frozenset({"place", "map"})
"""What an answer has to rest on for the bonus; a clue that fits a country is too little."""
CUT = "\n[... {} characters left out ...]\n"


@dataclass(frozen=True)
class Reply:
    """What a call gave."""

    text: str
    """What the model reads."""
    pictures: tuple[Picture, ...]
    """What it sees, in this order."""
    use: ToolUse


@dataclass(frozen=True)
class Made:
    """A call of an episode, for the record."""

    turn: int
    """Of those with calls, from 1."""
    call: ToolCall
    reply: Reply
    whole: str
    """The text before it was cut."""
    source: str = ""
    """Who the data are from."""


class Episode:
    """One rollout of one photo."""

    def __init__(self, toolbox: Toolbox, photo: Picture, settings: ToolSettings) -> None:
        """Begin, with the photo as picture 0."""
        self._toolbox = toolbox
        self._settings = settings
        self._pictures: list[Picture] = [photo]
        self._turn = 0
        self._open = 0
        self._started = 0
        self._seen: tuple[Picture, ...] = ()
        self._previous: asyncio.Event | None = None
        self._log: list[Made] = []

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every picture that the model has seen, the photo first."""
        return tuple(self._pictures)

    @property
    def log(self) -> tuple[Made, ...]:
        """The calls, in their order."""
        return tuple(self._log)

    async def call(self, name: str, arguments: str | Mapping[str, Any]) -> Reply:
        """Run a call; whatever goes wrong with it is in the reply.

        Args:
            name: Of the tool, as the model wrote it.
            arguments: JSON text as the model wrote it, or what the engine read from it.
        """
        text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        with self._ticket() as (position, before):
            # All calls of a turn have their place before the first of them can end.
            await asyncio.sleep(0)
            done, fault = await self._run(name, text, self._seen, position)
            if before is not None:
                await before.wait()
            result = done.result.numbered(len(self._pictures))
            self._pictures.extend(result.pictures)
            made = ToolCall(id=f"call-{self._turn}-{position}", name=name, arguments=text)
            return self._keep(made, replace(done, result=result), fault)

    async def turn(self, calls: Sequence[tuple[str, str | Mapping[str, Any]]]) -> list[Reply]:
        """Run the calls of one turn at the same time; the replies are in their order."""
        return await asyncio.gather(*(self.call(name, arguments) for name, arguments in calls))

    def outcome(self, final: str, stop: str = "finished", *, tokens: int = 0, turns: int = 0) -> Outcome:
        """Say how the rollout ended.

        What is called in the last turn is no answer, whatever coordinates it has; unless the turns were up,
        there was no room for what the calls gave.

        Args:
            final: The text of the model's last turn.
            stop: Why it ended.
            tokens: That the model wrote.
            turns: Of the model.
        """
        if calls_in(final):
            final, stop = hermes.without_calls(final), "length" if stop == "finished" else stop
        uses = tuple(made.reply.use for made in self._log)
        return Outcome(final, stop, uses, tokens, turns, grounded=self._grounded(final))

    @contextmanager
    def _ticket(self) -> Generator[tuple[int, asyncio.Event | None]]:
        """Give a call its place in its turn, and what its predecessor there sets when it is done."""
        if self._open == 0:
            self._turn += 1
            self._started = 0
            self._seen = tuple(self._pictures)
            self._previous = None
        position, before, mine = self._started, self._previous, asyncio.Event()
        self._open += 1
        self._started += 1
        self._previous = mine
        try:
            yield position, before
        finally:
            self._open -= 1
            mine.set()

    async def _run(
        self, name: str, arguments: str, pictures: Sequence[Picture], position: int
    ) -> tuple[Done, str]:
        """Run a call, and return what came of it and, if a service failed, why."""
        if position >= self._settings.calls_per_turn:
            return Done.refused(prompts.too_many_calls(self._settings.calls_per_turn)), ""
        began = time.monotonic()
        timer = asyncio.timeout(self._settings.deadline_s)
        try:
            async with timer:
                return await self._toolbox.run(name, arguments, pictures), ""
        except TimeoutError:
            if not timer.expired():
                raise
            fault = f"no answer within {self._settings.deadline_s:g} s"
        except WheretakenError as error:  # what a model can mend has been told to it
            fault = str(error)
        return Done.refused(prompts.UNANSWERED, time.monotonic() - began), fault

    def _keep(self, call: ToolCall, done: Done, fault: str) -> Reply:
        use = ToolUse(
            name=call.name,
            ok=not done.error,
            fault=bool(fault),
            seconds=round(done.seconds, 4),
            pictures=len(done.result.pictures),
            error=fault or done.error,
        )
        reply = Reply(shortened(done.text, self._settings.longest_text_chars), done.result.pictures, use)
        self._log.append(Made(self._turn, call, reply, done.text, done.result.source))
        return reply

    def _grounded(self, final: str) -> bool:
        """Tell whether a tool told of, or showed, the place of the answer."""
        answer = answers.parse(final)
        if not isinstance(answer, Answer):
            return False
        said: list[Message] = []
        for made in self._log:
            said += [
                Message(role="assistant", tool_calls=(made.call,)),
                Message.of("tool", made.whole, tool_call_id=made.call.id),
            ]
        datum = self._toolbox.datum
        return grounding(in_wgs84(answer, datum), seen(said, datum)).kind in GROUNDED


def calls_in(text: str) -> tuple[ToolCall, ...]:
    """Return the calls that a turn makes, as the agent loop reads them; broken ones have no name."""
    return hermes.with_calls(Message.of("assistant", text)).tool_calls


def shortened(text: str, most: int) -> str:
    """Return at most so many characters of a text: head and tail, and between them how many are missing.

    Args:
        text: Any.
        most: At least 60.
    """
    if len(text) <= most:
        return text
    room = most - len(CUT.format(len(text)))
    tail = room // 4
    head = room - tail
    return text[:head] + CUT.format(len(text) - room) + text[len(text) - tail :]
