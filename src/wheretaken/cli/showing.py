"""How people are shown a run: what happens while it happens, then the answer and why."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from wheretaken.agent.events import MessageAdded, RunEnded, ToolEnded, ToolStarted
from wheretaken.geo import LatLon, distance_km, rounded_up_km

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from wheretaken.agent import Event, Trajectory
    from wheretaken.answers import Answer, Evidence
    from wheretaken.messages import Usage
    from wheretaken.sampling.grounding import Support
    from wheretaken.sampling.solution import Solution

LONGEST_THOUGHT = 500
LONGEST_ARGUMENTS = 90


@dataclass(frozen=True)
class Files:
    """What a run left below `--out`."""

    record: Path
    """The file of trajectories."""
    drawn: Path | None
    """The picture of the last map that the model looked at, if it looked at one."""


class Progress:
    """Prints thoughts and tool calls as they happen."""

    def __init__(self, console: Console) -> None:
        """Print to this console, which is stderr for the command."""
        self._console = console

    def show(self, event: Event) -> None:
        """Print one event, if people care for it."""
        if isinstance(event, MessageAdded) and event.message.role == "assistant":
            thought = event.message.text.split("\n{", 1)[0].strip()
            if thought:
                shown = thought[:LONGEST_THOUGHT] + ("…" if len(thought) > LONGEST_THOUGHT else "")
                self._console.print(f"[bold]{event.turn}[/] {escape(shown)}")
        elif isinstance(event, ToolStarted):
            self._console.print(f"  [cyan]{escape(event.tool)}[/] [dim]{escape(brief(event.arguments))}[/]")
        elif isinstance(event, ToolEnded) and event.error:
            self._console.print(f"  [red]{escape(event.error)}[/]")
        elif isinstance(event, RunEnded) and event.detail:
            self._console.print(f"[red]{escape(event.detail)}[/]")


def answer(console: Console, trajectory: Trajectory, files: Files | None) -> None:
    """Print the answer with its evidence, or why there is none."""
    found = trajectory.answer
    console.print(f"\n[bold]{escape(printable(trajectory.photo.path))}[/]", soft_wrap=True)
    if found is None:
        console.print(f"  no answer ({trajectory.status}): {escape(trajectory.detail)}")
    else:
        _place(console, found)
        for item in found.evidence:
            console.print(f"  • {escape(evidence_line(item, found))}", soft_wrap=True)
        console.print(f"  {osm_link(found)}", soft_wrap=True)
    if sources := map_sources(trajectory):
        console.print(f"  [dim]map data: {escape(' · '.join(sources))}[/]", soft_wrap=True)
    console.print(f"  [dim]{trajectory.seconds:.1f} s, {trajectory.model}, {trajectory.stop_reason}[/]")
    _left(console, files)


def solution(console: Console, found: Solution, files: Files | None) -> None:
    """Print what several runs came to: the answer, who agrees, what it rests on, what else was said."""
    answered = found.answer
    console.print(f"\n[bold]{escape(printable(found.photo.path))}[/]", soft_wrap=True)
    if answered is None:
        console.print(f"  no answer ({found.status}): {escape(found.detail)}")
    else:
        _place(console, answered)
        agree, of = found.verdict.agree, found.verdict.of
        if of > 1:
            console.print(f"  {agree} of {of} runs agree within 25 km, decided by {escape(found.verifier)}")
        else:
            console.print("  only one run had ended: nobody agrees or differs")
        if found.source == "verifier":
            console.print("  [yellow]no run gave this place: it is the verifier's own[/]")
        elif found.grounding.kind == "none":
            console.print("  [yellow]nothing that a map told supports this position[/]")
        for k, item in enumerate(answered.evidence):
            support = found.evidence[k] if found.evidence else None
            line = evidence_line(item, answered) + _told_by(support)
            console.print(f"  • {escape(line)}", soft_wrap=True)
        console.print(f"  {osm_link(answered)}", soft_wrap=True)
    for other in found.runners_up:
        name = ", ".join(part for part in (other.city, other.country) if part) or "unnamed place"
        runs = f"{len(other.runs)} run{'s' if len(other.runs) > 1 else ''}"
        console.print(f"  [dim]or {escape(name)}  {other.lat:.5f}, {other.lon:.5f} ({runs})[/]")
    if found.verdict.note:
        console.print(f"  [dim]{escape(found.verdict.note)}[/]", soft_wrap=True)
    if sources := sorted({name for run in found.trajectories for name in map_sources(run)}):
        console.print(f"  [dim]map data: {escape(' · '.join(sources))}[/]", soft_wrap=True)
    counts = Counter(str(run.stop_reason) for run in found.runs)
    ends = ", ".join(f"{number} {reason}" for reason, number in counts.items())
    console.print(f"  [dim]{len(found.runs)} of {found.planned} runs: {ends}{spent(found.usage)}[/]")
    _left(console, files)


def spent(usage: Usage) -> str:
    """Return the tokens and the money that were spent, behind a comma; nothing where nothing was."""
    tokens = usage.prompt_tokens + usage.completion_tokens
    money = f", ${usage.cost:.4f}" if usage.cost else ""
    return f", {tokens:,} tokens{money}" if tokens else money


def _told_by(support: Support | None) -> str:
    """Name the call that told of the place."""
    if support is None or support.call is None:
        return ""
    return f" (turn {support.call.turn}: {support.call.tool} {brief(support.call.arguments)})"


def _left(console: Console, files: Files | None) -> None:
    """Say what was written."""
    if files:
        if files.drawn:
            console.print(f"  [dim]map in {escape(printable(str(files.drawn)))}[/]", soft_wrap=True)
        console.print(f"  [dim]recorded in {escape(printable(str(files.record)))}[/]", soft_wrap=True)


def map_sources(trajectory: Trajectory) -> list[str]:
    """Whose map data the tools answered with, as the licences want it said."""
    ended = (tool for tool in trajectory.tools if isinstance(tool, ToolEnded) and tool.tool != "read_clue")
    return sorted({name for tool in ended for name in re.split("; | · ", tool.source) if name})


def printable(path: str) -> str:
    """The path, with codes instead of characters that would steer a terminal."""
    return path if path.isprintable() else ascii(path)


def _place(console: Console, found: Answer) -> None:
    name = ", ".join(part for part in (found.city, found.country) if part) or "unnamed place"
    console.print(f"  [bold green]{escape(name)}[/]  {found.lat:.5f}, {found.lon:.5f}")
    sure: list[str] = []
    if found.radius_km is not None:
        sure.append(f"within {rounded_up_km(found.radius_km):g} km with 80 % probability")
    if found.confidence is not None:
        sure.append(f"confidence {found.confidence:.2f}")
    if sure:
        console.print(f"  {', '.join(sure)}")


def evidence_line(item: Evidence, found: Answer) -> str:
    """One line: what is read, what it names, and how far that is from the answer."""
    km = _apart(item, found)
    where = "" if km is None else f", {_distance(km)} from the answer"
    return f"reads “{item.reads}” → {item.place}{where}"


def evidence_data(item: Evidence, found: Answer, support: Support | None = None) -> dict[str, Any]:
    """The same as JSON, with the call that told of the place and whether one did."""
    km = _apart(item, found)
    data = item.model_dump(mode="json") | {"distance_km": None if km is None else round(km, 3)}
    if support is not None:
        call = support.call.model_dump(mode="json") if support.call else None
        data |= {"told_by": call, "holds": support.holds}
    return data


def osm_link(found: Answer) -> str:
    """A link that shows the answer on openstreetmap.org at a zoom that fits its radius."""
    radius = found.radius_km or 1.0
    zoom = next((z for z, km in ((17, 0.3), (14, 3), (11, 25), (8, 200), (6, 800)) if radius <= km), 4)
    lat, lon = f"{found.lat:.5f}", f"{found.lon:.5f}"
    return f"https://www.openstreetmap.org/?mlat={lat}&mlon={lon}#map={zoom}/{lat}/{lon}"


def _apart(item: Evidence, found: Answer) -> float | None:
    if item.lat is None or item.lon is None:
        return None
    return distance_km(LatLon(item.lat, item.lon), LatLon(found.lat, found.lon))


def _distance(km: float) -> str:
    if km < 0.01:
        return "0 m"
    return f"{km * 1000:.0f} m" if km < 1 else f"{km:.1f} km"


def brief(arguments: str) -> str:
    """Return the arguments of a call in a line of at most `LONGEST_ARGUMENTS` characters."""
    try:
        values = json.loads(arguments)
    except json.JSONDecodeError:
        return arguments[:LONGEST_ARGUMENTS]
    text = ", ".join(f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in dict(values).items())
    return text[:LONGEST_ARGUMENTS] + ("…" if len(text) > LONGEST_ARGUMENTS else "")
