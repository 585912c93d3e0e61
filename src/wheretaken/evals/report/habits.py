"""What a run's trajectories tell beyond its results: stop reasons, tools, turns, and the pictures shown."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wheretaken.agent.events import ToolStarted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheretaken.agent.trajectory import Trajectory


@dataclass(slots=True)
class ToolUse:
    """How one tool was used."""

    calls: int = 0
    errors: int = 0
    """Calls that the model was told an error of."""
    seconds: float = 0.0
    runs: int = 0
    """Runs that called it."""


@dataclass(slots=True)
class Habits:
    """Counts over trajectories, which are looked at once and not kept."""

    runs: int = 0
    turns: int = 0
    stops: Counter[str] = field(default_factory=Counter[str])
    tools: defaultdict[str, ToolUse] = field(default_factory=lambda: defaultdict(ToolUse))
    pictures: dict[str, str] = field(default_factory=dict[str, str])
    """By run: the first picture that was shown, as a path in the directory of runs."""

    def watch(self, trajectories: Iterable[Trajectory]) -> Iterator[Trajectory]:
        """Pass trajectories on and count them."""
        for trajectory in trajectories:
            self._add(trajectory)
            yield trajectory

    def _add(self, trajectory: Trajectory) -> None:
        self.runs += 1
        self.turns += sum(message.role == "assistant" for message in trajectory.messages)
        self.stops[trajectory.stop_reason.value] += 1
        for tool in {event.tool for event in trajectory.tools}:
            self.tools[tool].runs += 1
        for event in trajectory.tools:
            use = self.tools[event.tool]
            if isinstance(event, ToolStarted):
                use.calls += 1
            else:
                use.errors += bool(event.error)
                use.seconds += event.seconds
        shown = next((picture for message in trajectory.messages for picture in message.pictures), None)
        if shown:
            self.pictures[trajectory.id] = shown.reference
