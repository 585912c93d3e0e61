"""Several runs side by side, while they happen: a lane each, and what they agree on so far.

```
 2 of 4 runs ended, 2 agree within 25 km · 14 s · 31,204 tokens
 1  ✓ Lisbon, Portugal  38.7101, -9.1365 · 14,020 tokens
 2  turn 3 · 17,184 tokens  Lisbon 60 %, Porto 20 %  search_places query="Rua Augusta"
```

A display is fed by the events of the runs, and by the deltas of models that stream; it knows nothing else of
them. Where there is no terminal, the same is told in lines.
"""

from __future__ import annotations

import re
import termios
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.live import Live
from rich.table import Table
from rich.text import Text

from wheretaken.agent.events import (
    MessageAdded,
    RunEnded,
    RunStarted,
    Status,
    StopReason,
    ToolEnded,
    ToolStarted,
)
from wheretaken.cli import consoles, showing
from wheretaken.geo import LatLon, distance_km
from wheretaken.messages import Usage
from wheretaken.sampling.calibration import AGREE_KM

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

    from wheretaken.agent import Delta, Event
    from wheretaken.answers import Answer

_PER_SECOND = 8
_TAIL = 400
"""Characters of a turn being written that are kept: more than any line shows."""
_NARROW = 60
"""Columns, below which a lane has no room for what it costs."""
_HYPOTHESIS = re.compile(
    r"(?<!\w)([^\W\d_a-z][^;:.,()\n%]{0,40}(?:, [^\W\d_a-z][^;:.,()\n%]{0,30})?) ?[(:] ?(\d{1,3}) ?%"
)
"""A place and how likely it is, as models write it on the way: `Lisbon (60 %)`, `Porto: 20%`."""
_MOST_HYPOTHESES = 3
_ENDS = {Status.ANSWERED: ("✓", "green"), Status.REFUSED: ("–", "yellow"), Status.UNPARSED: ("?", "yellow")}


@dataclass
class _Lane:
    """What is known of one run."""

    number: int
    turn: int = 0
    doing: str = "waiting"
    thought: str = ""
    writing: str = ""
    pictures: int = 1
    usage: Usage = field(default_factory=Usage)
    ended: RunEnded | None = None

    def add(self, event: Event) -> None:
        """Take note of an event."""
        if isinstance(event, RunStarted):
            self.doing = "looking at the photo"
        elif isinstance(event, MessageAdded):
            self._message(event)
        elif isinstance(event, ToolStarted):
            self.turn, self.doing = event.turn, f"{event.tool} {showing.brief(event.arguments)}"
        elif isinstance(event, ToolEnded):
            self.pictures += len(event.pictures)
            if event.error:
                self.doing = f"{event.tool}: {event.error}"
            elif event.pictures:
                self.doing = f"looking at picture {self.pictures - 1} ({event.tool})"
        else:
            self.ended, self.usage = event, event.usage

    def _message(self, event: MessageAdded) -> None:
        self.turn = event.turn
        if event.message.role == "assistant":
            self.writing = ""
            self.usage += event.message.usage
            self.thought = " ".join(event.message.text.split("\n{", 1)[0].split()) or self.thought
        elif event.message.role in {"user", "tool"}:
            self.doing = "thinking"

    @property
    def answer(self) -> Answer | None:
        """Its answer, if it has come to one."""
        return self.ended.answer if self.ended else None

    def line(self, width: int) -> Text:
        """Return the lane in one line of so many columns; of what is being written it has the newest."""
        text = Text(f"{self.number:>2}  ", no_wrap=True, overflow="ellipsis")
        if self.ended is None:
            text.append(f"turn {self.turn}" if self.turn else "", "bold")
            text.append(self._cost(width), "dim")
            text.append("  " if self.turn else "")
            tail = consoles.plain(" ".join(self.writing.split()))
            if tail:
                return text.append(newest(tail, width - text.cell_len))
            hypotheses = hypothesised(self.thought)
            text.append(f"{consoles.plain(hypotheses)}  " if hypotheses else "")
            text.append(consoles.plain(self.doing), "cyan")
            if self.thought and not hypotheses:
                text.append(f"  {consoles.plain(self.thought)}", "dim")
            return text
        if self.ended.stop_reason in {StopReason.ENOUGH, StopReason.CANCELLED}:
            return text.append(f"· {consoles.plain(self.ended.detail)}", "dim")
        sign, colour = _ENDS.get(self.ended.status, ("✗", "red"))
        text.append(f"{sign} ", colour)
        if (found := self.ended.answer) is None:
            return text.append(f"{self.ended.status}: {consoles.plain(self.ended.detail)}", "dim")
        name = ", ".join(part for part in (found.city, found.country) if part) or "unnamed place"
        text.append(f"{consoles.plain(name)}  {found.lat:.4f}, {found.lon:.4f}")
        text.append(self._cost(width), "dim")
        others = ", ".join(other.city or other.country for other in found.candidates[:_MOST_HYPOTHESES])
        return text.append(f"  or {consoles.plain(others)}" if others else "", "dim")

    def _cost(self, width: int) -> str:
        spent = showing.spent(self.usage).removeprefix(", ")
        return f" · {spent}" if spent and width >= _NARROW else ""


def hypothesised(thought: str) -> str:
    """Return the places that a thought weighs, the likeliest first; empty when it states none."""
    found = [(place.strip(), int(share)) for place, share in _HYPOTHESIS.findall(thought)]
    likeliest = sorted(found, key=lambda one: -one[1])[:_MOST_HYPOTHESES]
    return ", ".join(f"{place} {share} %" for place, share in likeliest)


def newest(text: str, width: int) -> str:
    """Return the end of a text that fits so many columns, in which some letters take two."""
    if cell_len(text) <= width:
        return text
    left = width - 1
    for start in range(len(text) - 1, -1, -1):
        left -= cell_len(text[start])
        if left < 0:
            return "…" + text[start + 1 :]
    return text


class Lanes:
    """The lanes of the runs of one photo, in the order in which they began. Renders itself with rich."""

    def __init__(self, planned: int) -> None:
        """Show `planned` lanes, those of runs that have not begun as waiting."""
        self._planned = planned
        self._lanes: dict[str, _Lane] = {}
        self._began = time.monotonic()
        self._lock = threading.Lock()  # rich draws in a thread of its own

    def show(self, event: Event) -> None:
        """Take note of an event of any of the runs."""
        with self._lock:
            self._lane(event.run).add(event)

    def write(self, delta: Delta) -> None:
        """Take note of what a model is writing."""
        with self._lock:
            lane = self._lane(delta.run)
            lane.turn, lane.writing = delta.turn, (lane.writing + delta.text)[-_TAIL:]

    def _lane(self, run: str) -> _Lane:
        return self._lanes.setdefault(run, _Lane(len(self._lanes) + 1))

    def header(self) -> str:
        """Return how far the runs are, in one line."""
        lanes = list(self._lanes.values())
        ended = sum(lane.ended is not None for lane in lanes)
        spent = showing.spent(sum((lane.usage for lane in lanes), Usage())).removeprefix(", ")
        agree = agreeing([lane.answer for lane in lanes])
        parts = [f"{ended} of {self._planned} runs ended"]
        if agree > 1:
            parts[0] += f", {agree} agree within {AGREE_KM:g} km"
        parts.append(f"{time.monotonic() - self._began:.0f} s")
        return " · ".join([*parts, spent] if spent else parts)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the header and the lanes, as many as fit the height of the terminal."""
        with self._lock:
            lines = [lane.line(options.max_width) for lane in self._lanes.values()]
            header = Text(self.header(), "bold", no_wrap=True, overflow="ellipsis")
        waiting = self._planned - len(lines)
        most = max((options.height or console.height) - 3, 1)
        table = Table.grid(expand=True)
        for line in (header, *lines[:most]):
            table.add_row(line)
        rest = ((waiting, "waiting"), (max(len(lines) - most, 0), "not shown"))
        if told := ", ".join(f"{number} {what}" for number, what in rest if number):
            table.add_row(Text(f"    {told}", "dim"))
        yield table


def agreeing(answers: Sequence[Answer | None]) -> int:
    """Return how many answers lie within 25 km of the one that most lie near to."""
    places = [LatLon(one.lat, one.lon) for one in answers if one]
    return max((sum(distance_km(one, other) < AGREE_KM for other in places) for one in places), default=0)


class _Lines:
    """Tells of several runs in lines, each with the number of its run."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._numbers: dict[str, _Lane] = {}

    def show(self, event: Event) -> None:
        """Print an event, if people care for it."""
        lane = self._numbers.setdefault(event.run, _Lane(len(self._numbers) + 1))
        before = lane.doing
        lane.add(event)
        if isinstance(event, RunEnded):
            self._console.print(lane.line(self._console.width), soft_wrap=True)
        elif isinstance(event, ToolStarted) and lane.doing != before:
            self._console.print(
                f"{lane.number:>2}  turn {event.turn}  {lane.doing}", markup=False, soft_wrap=True
            )

    def write(self, delta: Delta) -> None:
        """Print nothing: pieces of several turns would mix."""


class _Transcript:
    """Tells of a single run as it happens, with what its model is writing where that is known."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = showing.Progress(console)
        self._written = False

    def show(self, event: Event) -> None:
        """Print an event, but no thought that was printed while it was written."""
        if self._written:
            self._console.print()
            self._written = False
            if isinstance(event, MessageAdded):
                return
        self._progress.show(event)

    def write(self, delta: Delta) -> None:
        """Print a piece; calls follow as events."""
        if delta.kind != "call":
            style = "dim" if delta.kind == "reasoning" else None
            self._console.print(Text(delta.text, style or ""), end="", soft_wrap=True)
            self._written = True


@contextmanager
def display(
    console: Console, planned: int, *, silent: bool = False
) -> Generator[Lanes | _Lines | _Transcript | None]:
    """Show the runs of a photo while they happen; nothing where it is to be silent."""
    if silent:
        yield None
    elif planned == 1:
        yield _Transcript(console)
    elif not console.is_terminal:
        yield _Lines(console)
    else:
        lanes = Lanes(planned)
        with (
            _unechoed_controls(console),
            Live(lanes, console=console, refresh_per_second=_PER_SECOND, transient=True),
        ):
            yield lanes


@contextmanager
def _unechoed_controls(console: Console) -> Generator[None]:
    """Keep the terminal from writing `^C` into the lanes, which would push the first of them out of place."""
    try:
        terminal = console.file.fileno()
        before = termios.tcgetattr(terminal)
    except (OSError, ValueError, termios.error):  # no terminal after all, such as one that a test plays
        yield
        return
    quiet = [*before]
    quiet[3] &= ~termios.ECHOCTL
    termios.tcsetattr(terminal, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSANOW, before)
