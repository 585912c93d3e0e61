"""What happens in a run, as a discriminated union on `type`.

The log of these events is the run: the live display, the stored trajectory and a later replay all read it.
Events are numbered from 0 and appended the moment they happen.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from wheretaken.answers import Answer
from wheretaken.geo import Datum
from wheretaken.messages import Message, Picture, Usage


class Status(StrEnum):
    """How a run counts in every metric; exactly one applies."""

    ANSWERED = "answered"
    """A position was given."""
    REFUSED = "refused"
    """The model said that it cannot tell."""
    UNPARSED = "unparsed"
    """The model said something that is no answer."""
    FAILED = "failed"
    """The run broke off: a service or the model failed, or it was killed or cancelled."""


class StopReason(StrEnum):
    """Why a run ended."""

    FINISHED = "finished"
    """The model ended by itself."""
    TURNS = "turns"
    """The turns ran out; the model was asked once for its answer."""
    TOKENS = "tokens"
    """The token budget was spent."""
    SECONDS = "seconds"
    """The time budget was spent."""
    MONEY = "money"
    """The cost budget was spent."""
    MODEL_ERROR = "model_error"
    """The model failed for good."""
    SERVICE_ERROR = "service_error"
    """A service that a tool needs failed."""
    CANCELLED = "cancelled"
    """The user stopped the run."""
    ENOUGH = "enough"
    """Other runs of the photo agreed before this one ended: it was not needed, which is no failure."""
    KILLED = "killed"
    """The log ends without an end: the process was killed."""


class Limits(BaseModel):
    """What a run may spend; each limit ends it with a stop reason of its own."""

    model_config = ConfigDict(frozen=True)

    turns: Annotated[int, Field(ge=1)] = 8
    """Model turns, the last of which has to answer."""
    calls_per_turn: Annotated[int, Field(ge=1)] = 16
    """Tool calls run per turn; what is above is refused to the model in words."""
    tokens: int | None = None
    """Prompt and completion tokens together."""
    seconds: float | None = None
    """Wall-clock seconds."""
    money: float | None = None
    """US dollars."""


class PhotoInfo(BaseModel):
    """Which photo a run was about. The path is for people: it never reaches a model or a tool."""

    model_config = ConfigDict(frozen=True)

    sha256: str
    width: int
    height: int
    path: str = ""


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True)

    run: str
    """The id of the run."""
    number: int
    """Position in the run's log, from 0."""
    at: str
    """UTC, ISO 8601 with milliseconds."""
    elapsed: float
    """Seconds since the run began."""


class RunStarted(_Event):
    """The first event of every run."""

    type: Literal["run_started"] = "run_started"
    schema_version: int = 1
    photo: PhotoInfo
    model: str
    toolset: str
    datum: Datum = Datum.WGS84
    """In which its tools take and give positions; the answer is in WGS-84 whatever it is."""
    limits: Limits
    seed: int


class MessageAdded(_Event):
    """The conversation grew by a message: a prompt, a model's turn, or a tool's result."""

    type: Literal["message"] = "message"
    turn: int
    index: int
    message: Message


class ToolStarted(_Event):
    """A tool call began."""

    type: Literal["tool_started"] = "tool_started"
    turn: int
    call_id: str
    tool: str
    arguments: str


class ToolEnded(_Event):
    """A tool call ended; what it returned is in the message that follows."""

    type: Literal["tool_ended"] = "tool_ended"
    turn: int
    call_id: str
    tool: str
    seconds: float
    error: str = ""
    """What the model was told instead of a result."""
    pictures: tuple[Picture, ...] = ()
    source: str = ""


class Delta(_Event):
    """A little of the turn that the model is writing: for displays only, and in no log or trajectory.

    It has the number of the event after it. The whole turn follows as a `MessageAdded`.
    """

    type: Literal["delta"] = "delta"
    turn: int
    kind: Literal["text", "reasoning", "call"]
    """What it belongs to: the text, the thinking, or a tool call."""
    text: str


class RunEnded(_Event):
    """The last event of every run that was not killed."""

    type: Literal["run_ended"] = "run_ended"
    status: Status
    stop_reason: StopReason
    answer: Answer | None = None
    detail: str = ""
    """Why there is no answer, for people."""
    usage: Usage = Usage()


Event = Annotated[RunStarted | MessageAdded | ToolStarted | ToolEnded | RunEnded, Field(discriminator="type")]
"""What a run's log holds."""

EVENTS: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads one line of an event log."""
