"""What a server can do, found out with a few cheap requests, each within a deadline.

Whether a model sees pictures is asked with a canary: a picture of digits that were drawn at random, which
only one who sees it can name. A weak model may see and still not read; what it said is part of the report.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from wheretaken.errors import ModelError
from wheretaken.messages import Message, Picture, ToolCall, ToolSpec
from wheretaken.models import hermes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from wheretaken.models.openai.chat import Server

EVERYTHING = {"pictures_in_tool_results": True, "takes_seed": True, "retries": 0}
"""Settings with which a server is asked for all that it may be able to do."""
_DIGITS = 4
_SIDE = 64
"""Pixels of a digit's cell."""

NAME_PLACE = ToolSpec(
    name="name_place",
    description="Look up a place by its name.",
    parameters={
        "type": "object",
        "properties": {"name": {"type": "string", "description": "The name of the place."}},
        "required": ["name"],
    },
)


class Finding(StrEnum):
    """What came of a check."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"
    """It went through, and shows neither."""
    FAILED = "failed"
    """The request failed."""
    SKIPPED = "skipped"
    """What it builds on does not work."""


@dataclass(frozen=True)
class Check:
    """One thing that a server can do, or not."""

    name: str
    finding: Finding
    detail: str
    seconds: float = 0.0


@dataclass
class Report:
    """What was found out about a server."""

    model: str
    base_url: str
    checks: list[Check] = field(default_factory=list[Check])
    tokens: int = 0
    cost: float = 0.0

    def __getitem__(self, name: str) -> Finding:
        """Return what came of the check of this name."""
        return next((check.finding for check in self.checks if check.name == name), Finding.SKIPPED)

    @property
    def usable(self) -> bool:
        """Whether photos can be located with it: it replies, and sees pictures or may."""
        return self["replies"] == Finding.YES and self["sees pictures"] in {Finding.YES, Finding.UNCLEAR}

    @property
    def settings(self) -> dict[str, Any]:
        """Return the abilities that differ from what is assumed, as settings of the model."""
        found: dict[str, Any] = {
            "pictures_in_tool_results": self["pictures in tool results"] == Finding.YES,
            "takes_seed": self["seed"] in {Finding.YES, Finding.UNCLEAR},
        }
        if self["tools"] in {Finding.NO, Finding.FAILED}:
            found["calls"] = "text"
        if self["usage in streams"] == Finding.FAILED:
            found["stream_usage"] = False
        return found

    def toml(self, name: str) -> str:
        """Return the settings as a table for `wheretaken.toml`."""
        lines = [f"[models.{name}]", f"base_url = {json.dumps(self.base_url)}"]
        lines += [f"model = {json.dumps(self.model)}"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in self.settings.items()]
        return "\n".join(lines)


@dataclass(frozen=True)
class Canary:
    """A picture whose content cannot be guessed."""

    digits: str
    picture: Picture

    @classmethod
    def drawn(cls, dice: random.Random) -> Canary:
        """Draw digits, large and black on white."""
        from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415 - only this draws

        digits = "".join(dice.choice("23456789") for _ in range(_DIGITS))
        image = Image.new("RGB", (_SIDE * (_DIGITS + 1), _SIDE * 2), "white")
        font = ImageFont.load_default(_SIDE)
        for place, digit in enumerate(digits):
            ImageDraw.Draw(image).text((_SIDE * (place + 0.7), _SIDE * 0.5), digit, "black", font)
        return cls(digits, Picture.encode(image, "image/png"))

    def named(self, text: str) -> bool:
        """Tell whether a text has the digits, in their order."""
        return self.digits in "".join(character for character in text if character.isdigit())


class _Checker:
    """Asks one server, one thing after the other."""

    def __init__(self, server: Server, deadline: float, seed: int) -> None:
        self._server = server
        self._chat = server.chat(seed=1)
        self._deadline = deadline
        self._dice = random.Random(seed)  # noqa: S311 - a riddle, not a secret
        self.report = Report(server.settings.model, server.settings.base_url)

    async def run(self) -> Report:
        """Make all checks; what builds on something that does not work is skipped."""
        await self._check("reachable", self._reachable)
        await self._check("replies", self._replies)
        if self.report["replies"] != Finding.YES:
            return self.report
        await self._check("sees pictures", self._sees)
        await self._check("tools", self._tools)
        if self.report["tools"] == Finding.YES:
            await self._check("parallel calls", self._parallel)
        if self.report["sees pictures"] == Finding.YES:
            await self._check("pictures in tool results", self._sees_in_results)
        else:
            self._add("pictures in tool results", Finding.SKIPPED, "it sees no pictures")
        await self._check("streams", self._streams)
        await self._check("seed", self._seed)
        return self.report

    def _add(self, name: str, finding: Finding, detail: str, seconds: float = 0.0) -> None:
        self.report.checks.append(Check(name, finding, " ".join(detail.split())[:160], round(seconds, 2)))

    async def _check(self, name: str, ask: Callable[[], Awaitable[tuple[Finding, str]]]) -> None:
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._deadline):
                finding, detail = await ask()
        except TimeoutError:
            finding, detail = Finding.FAILED, f"no reply within {self._deadline:g} s"
        except ModelError as error:
            finding, detail = Finding.FAILED, str(error).partition(f"{self._server.settings.base_url}: ")[2]
        self._add(name, finding, detail, time.monotonic() - began)

    async def _ask(self, *messages: Message, tools: Sequence[ToolSpec] = ()) -> Message:
        said = await self._chat.complete(messages, tools)
        self.report.tokens += said.usage.prompt_tokens + said.usage.completion_tokens
        self.report.cost += said.usage.cost
        return said

    async def _reachable(self) -> tuple[Finding, str]:
        try:
            served = await self._server.served()
        except ModelError as error:
            if error.reason == "network":
                raise
            return Finding.UNCLEAR, f"it lists no models ({error.reason})"
        wanted = self._server.settings.model
        self.report.model = wanted or (served[0] if len(served) == 1 else "")
        if served and wanted and wanted not in served:
            return Finding.UNCLEAR, f"it does not list {wanted!r}, but {', '.join(served[:5])}"
        return Finding.YES, f"{len(served)} models" if served else "it lists no models"

    async def _replies(self) -> tuple[Finding, str]:
        said = await self._ask(Message.of("user", "Say hello."))
        counted = said.usage.prompt_tokens > 0
        self._add(
            "reports usage", Finding.YES if counted else Finding.NO, f"{said.usage.prompt_tokens} tokens"
        )
        self._add("thinks apart", Finding.YES if said.reasoning else Finding.NO, said.reasoning)
        return (Finding.YES if said.text or said.reasoning else Finding.UNCLEAR), said.text

    async def _sees(self) -> tuple[Finding, str]:
        canary = Canary.drawn(self._dice)
        said = await self._ask(Message.of("user", canary.picture, "Which digits does the picture show?"))
        return self._judged(canary, said)

    def _judged(self, canary: Canary, said: Message) -> tuple[Finding, str]:
        finding = Finding.YES if canary.named(said.text) else Finding.NO
        return finding, f"it shows {canary.digits}, the model says: {said.text}"

    async def _tools(self) -> tuple[Finding, str]:
        asked = "Look up Paris with the tool name_place."
        said = await self._ask(Message.of("user", asked), tools=[NAME_PLACE])
        if said.tool_calls:
            made = said.tool_calls[0]
            return Finding.YES if made.name == NAME_PLACE.name else Finding.UNCLEAR, made.arguments
        if hermes.with_calls(said).tool_calls:
            return (
                Finding.NO,
                "it writes calls into the text; turn the server's tool parser on, or leave it so",
            )
        return Finding.UNCLEAR, f"it did not call: {said.text}"

    async def _parallel(self) -> tuple[Finding, str]:
        asked = "Look up Paris, Rome and Oslo with the tool name_place, all in one turn."
        said = await self._ask(Message.of("user", asked), tools=[NAME_PLACE])
        number = len(said.tool_calls)
        return Finding.YES if number > 1 else Finding.UNCLEAR, f"{number} calls in a turn"

    async def _sees_in_results(self) -> tuple[Finding, str]:
        canary = Canary.drawn(self._dice)
        call = ToolCall(id="call0", name=NAME_PLACE.name, arguments='{"name": "Paris"}')
        said = await self._ask(
            Message.of("user", "Look up Paris, then say which digits the picture in the result shows."),
            Message.of("assistant", tool_calls=(call,)),
            Message.of("tool", '{"picture": 1}', canary.picture, tool_call_id=call.id),
            tools=[NAME_PLACE],
        )
        return self._judged(canary, said)

    async def _streams(self) -> tuple[Finding, str]:
        pieces, tokens = 0, 0
        async for piece in self._chat.stream([Message.of("user", "Count from one to ten.")], ()):
            if isinstance(piece, Message):
                tokens = piece.usage.prompt_tokens
            else:
                pieces += 1
        found = Finding.YES if tokens else Finding.NO
        self._add("usage in streams", found, f"{tokens} tokens")
        return Finding.YES if pieces > 1 else Finding.UNCLEAR, f"{pieces} pieces"

    async def _seed(self) -> tuple[Finding, str]:
        asked = Message.of("user", "Make up a short name of a town that does not exist.")
        first, second = [await self._ask(asked) for _ in range(2)]
        same = first.text == second.text
        return (
            Finding.YES if same else Finding.NO,
            "twice the same" if same else "two seeds alike, two replies",
        )


async def check(server: Server, *, deadline: float = 60.0, seed: int | None = None) -> Report:
    """Find out what a server can do, with about ten short requests.

    Args:
        server: Whom to ask; `EVERYTHING` says with which settings.
        deadline: Seconds for each request.
        seed: Of the canaries; by default they differ each time.
    """
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    return await _Checker(server, deadline, seed).run()
