"""`wheretaken locate`: photos in; place, radius and evidence out."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wheretaken import api
from wheretaken.agent import Limits, Status, StopReason, Trajectory
from wheretaken.agent.events import ToolEnded
from wheretaken.agent.trajectory import FILE
from wheretaken.cli import consoles, lanes, showing
from wheretaken.cli.main import NO_ANSWER, OK, SERVICE, STOPPED, USAGE
from wheretaken.cli.offline import offline_maps
from wheretaken.cli.options import RunOptions
from wheretaken.errors import PhotoError, UserError
from wheretaken.paths import atomic_path
from wheretaken.sampling.early import EarlyStop
from wheretaken.sampling.parallel import DIRECT
from wheretaken.sampling.solving import attempts, solve
from wheretaken.sampling.verifiers import open_verifier

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from wheretaken.agent import Case
    from wheretaken.maps import MapProvider
    from wheretaken.models.base import ChatModel
    from wheretaken.sampling.parallel import Verifier
    from wheretaken.sampling.solution import Solution
    from wheretaken.tools import Toolset


@dataclass(frozen=True)
class Options(RunOptions):
    """The options of the command, as the user gave them."""

    out: Path | None = None
    as_json: bool = False
    tools_config: Path | None = None
    stream: bool = False
    hint: str = ""
    max_tokens: int | None = None
    max_seconds: float | None = None
    max_money: float | None = None

    @property
    def limits(self) -> Limits:
        """What each run may spend."""
        return Limits(
            turns=self.max_turns, tokens=self.max_tokens, seconds=self.max_seconds, money=self.max_money
        )

    @property
    def silent(self) -> bool:
        """Whether nothing is shown while it happens."""
        return self.quiet or self.as_json


@dataclass
class _Means:
    """What all photos of one command are located with; the maps are opened for the first that can be read."""

    options: Options
    model: Callable[[int], ChatModel]
    verifier: Verifier
    given: MapProvider | None
    offer: tuple[MapProvider, Toolset] | None = None
    stopped: bool = False
    """The user has had enough."""

    def offered(self) -> tuple[MapProvider, Toolset]:
        if self.offer is None:
            console = None if self.options.quiet else consoles.notices()
            asked = self.options
            name = asked.toolset if asked.n else DIRECT.name
            self.offer = api.offered(
                name, asked.tools_config, maps=self.given, offline=lambda: offline_maps(console)
            )
        return self.offer


def locate(
    paths: Sequence[Path],
    options: Options,
    *,
    model: ChatModel | None = None,
    maps: MapProvider | None = None,
) -> int:
    """Locate every photo; one that cannot be read does not keep the others from being located.

    Args:
        paths: The photos.
        options: What the user asked for.
        model: Used for every run instead of the one that the options name.
        maps: Used instead of the offline maps.

    Returns:
        The exit code: the gravest over all photos, in the order stopped, unreadable, service failed, no
        answer.

    Raises:
        UserError: there is no such model, toolset or verifier, the extra `offline` is missing, or `--out`
        cannot be written to.
    """
    api.counted(options.n, options.direct)
    make, called = api.models(model or options.model, base_url=options.base_url)
    verifier = open_verifier(options.verifier, called, make, seed=options.seed)
    if options.out:
        _make(options.out)
    means = _Means(options, make, verifier, maps)
    codes: set[int] = set()
    for path in paths:
        codes.add(_one(path, means))
        if means.stopped:
            break
    return next((code for code in (STOPPED, USAGE, SERVICE, NO_ANSWER) if code in codes), OK)


def _one(path: Path, means: _Means) -> int:
    options, notices = means.options, consoles.notices()
    try:
        case = api.read_case(path, options.hint)
    except PhotoError as error:
        notices.print(f"wheretaken: {error}", markup=False)
        if options.as_json:
            _print_json(_blank(api.named(path)) | {"detail": str(error)})
        return USAGE
    means.offered()
    found = asyncio.run(_solve(case, means))
    kept = _chosen(found)
    files = _kept(kept, path, options.out) if options.out and kept else None
    if means.stopped and not found.answer:
        pass  # there is nothing to show
    elif options.as_json:
        _print_json(as_data(found, files))
    elif kept and found.planned == 1:
        showing.answer(consoles.results(), kept, files)
    else:
        showing.solution(consoles.results(), found, files)
    if means.stopped:
        notices.print("wheretaken: stopped", markup=False)
        return STOPPED
    if found.answer:
        return OK
    failed = all(run.stop_reason in {StopReason.MODEL_ERROR, StopReason.SERVICE_ERROR} for run in found.runs)
    return SERVICE if failed else NO_ANSWER


async def _solve(case: Case, means: _Means) -> Solution:
    """Make the runs, shown as they happen; Ctrl-C ends them with what is known, a second one at once."""
    options = means.options
    maps, toolset = means.offered()
    made = attempts(means.model, toolset, n=options.n, direct=options.direct, seed=options.seed)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def interrupted() -> None:
        means.stopped = True
        loop.remove_signal_handler(signal.SIGINT)  # the next one ends the process as usual
        stop.set()

    if threading.current_thread() is threading.main_thread():
        loop.add_signal_handler(signal.SIGINT, interrupted)
    try:
        with lanes.display(consoles.notices(), len(made), silent=options.silent) as shown:
            return await solve(
                case,
                made,
                maps,
                verifier=means.verifier,
                early_stop=EarlyStop() if options.early_stop else None,
                limits=options.limits,
                out=options.out,
                watch=shown.show if shown else None,
                on_delta=shown.write if shown and options.stream else None,
                stop=stop,
            )
    finally:
        if threading.current_thread() is threading.main_thread():
            loop.remove_signal_handler(signal.SIGINT)


def _chosen(found: Solution) -> Trajectory | None:
    """Return the run whose answer it is, or the only one that there is."""
    if found.verdict.chosen is not None:
        return found.trajectories[found.verdict.chosen]
    return found.trajectories[0] if found.trajectories else None


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write to --out {directory}: {error.strerror}") from error
    if not os.access(directory, os.W_OK):
        raise UserError(f"cannot write to --out {directory}: you lack the permission")


def _kept(trajectory: Trajectory, path: Path, out: Path) -> showing.Files:
    """Write the last map that the model looked at beside the record, under the photo's name."""
    drawn = [
        picture
        for tool in trajectory.tools
        if isinstance(tool, ToolEnded) and tool.tool == "road_map"
        for picture in tool.pictures
    ]
    if not drawn:
        return showing.Files(out / FILE, None)
    target = out / f"{path.stem}-{trajectory.id}-map.png"
    with atomic_path(target) as temporary:
        temporary.write_bytes(drawn[-1].data)
    return showing.Files(out / FILE, target)


def as_data(found: Solution, files: showing.Files | None) -> dict[str, Any]:
    """Return what `--json` prints for one photo."""
    run = _chosen(found)
    reason = str(run.stop_reason) if run else None
    data = _blank(found.photo.path) | {
        "status": str(found.status),
        "stop_reason": reason,
        "detail": found.detail,
        "seconds": round(max((one.seconds for one in found.trajectories), default=0.0), 2),
        "agree": found.verdict.agree,
        "of": found.verdict.of,
        "verifier": found.verifier,
        "source": found.source,
        "note": found.verdict.note,
        "usage": found.usage.model_dump(mode="json"),
        "runs": [one.model_dump(mode="json") for one in found.runs],
        "runners_up": [one.model_dump(mode="json") for one in found.runners_up],
        "grounding": found.grounding.model_dump(mode="json"),
    }
    if answer := found.answer:
        fields = {"lat", "lon", "city", "country", "radius_km", "confidence"}
        data["answer"] = answer.model_dump(mode="json", include=fields)
        data["candidates"] = [candidate.model_dump(mode="json") for candidate in answer.candidates]
        data["evidence"] = [
            showing.evidence_data(item, answer, found.evidence[k] if found.evidence else None)
            for k, item in enumerate(answer.evidence)
        ]
    if files and run:
        drawn = api.named(files.drawn) if files.drawn else None
        data["trajectory"] = {"file": api.named(files.record), "id": run.id, "map": drawn}
    return data


def _blank(photo: str) -> dict[str, Any]:
    """All keys that `--json` prints, as they are for a photo that could not be read."""
    return {
        "photo": photo,
        "status": str(Status.FAILED),
        "answer": None,
        "candidates": [],
        "evidence": [],
        "stop_reason": None,
        "detail": "",
        "trajectory": None,
        "seconds": 0.0,
        "agree": 0,
        "of": 0,
        "verifier": "",
        "source": "candidate",
        "note": "",
        "usage": None,
        "runs": [],
        "runners_up": [],
        "grounding": None,
    }


def _print_json(data: dict[str, Any]) -> None:
    """Print one JSON object on one line, at once: a reader need not wait for the next photo."""
    consoles.write_json(data)
    sys.stdout.flush()
