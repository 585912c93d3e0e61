"""`wheretaken locate`: photos in; place, radius and evidence out."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wheretaken.agent import Case, Limits, Status, StopReason, Trajectory, record
from wheretaken.agent.events import ToolEnded
from wheretaken.agent.trajectory import FILE
from wheretaken.cli import consoles, showing
from wheretaken.cli.main import NO_ANSWER, OK, SERVICE, USAGE
from wheretaken.cli.offline import offline_maps
from wheretaken.errors import PhotoError, UserError
from wheretaken.models.opening import open_models
from wheretaken.paths import atomic_path
from wheretaken.tools.worldwide import WORLDWIDE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wheretaken.maps import MapProvider
    from wheretaken.models.base import ChatModel


@dataclass(frozen=True)
class Options:
    """The options of the command, as the user gave them."""

    model: str
    out: Path | None
    as_json: bool
    max_turns: int
    quiet: bool


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
        model: Used instead of the one that the options name.
        maps: Used instead of the offline maps.

    Returns:
        The exit code: the gravest over all photos, in the order unreadable, service failed, no answer.

    Raises:
        UserError: there is no such model, the extra `offline` is missing, or `--out` cannot be written to.
    """
    model = model or open_models(options.model)(0)
    if options.out:
        _make(options.out)
    codes = {_one(path, model, maps, options) for path in paths}
    return next((code for code in (USAGE, SERVICE, NO_ANSWER) if code in codes), OK)


def _one(path: Path, model: ChatModel, maps: MapProvider | None, options: Options) -> int:
    notices = consoles.notices()
    try:
        case = Case.of(path, _named(path))
    except PhotoError as error:
        notices.print(f"wheretaken: {error}", markup=False)
        if options.as_json:
            _print_json(_blank(_named(path)) | {"detail": str(error)})
        return USAGE
    maps = maps or offline_maps(None if options.quiet else notices)
    trajectory = asyncio.run(
        record(
            case,
            model,
            WORLDWIDE,
            maps,
            limits=Limits(turns=options.max_turns),
            out=options.out,
            watch=None if options.quiet or options.as_json else showing.Progress(notices).show,
        )
    )
    files = _kept(trajectory, path, options.out) if options.out else None
    if options.as_json:
        _print_json(as_data(trajectory, files))
    else:
        showing.answer(consoles.results(), trajectory, files)
    if trajectory.stop_reason in {StopReason.MODEL_ERROR, StopReason.SERVICE_ERROR}:
        return SERVICE
    return OK if trajectory.status == Status.ANSWERED else NO_ANSWER


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write to --out {directory}: {error.strerror}") from error
    if not os.access(directory, os.W_OK):
        raise UserError(f"cannot write to --out {directory}: you lack the permission")


def _named(path: Path) -> str:
    """The path as text; bytes that are not UTF-8, which neither JSON nor a record can hold, as codes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


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


def as_data(trajectory: Trajectory, files: showing.Files | None) -> dict[str, Any]:
    """Return what `--json` prints for one photo."""
    data = _blank(trajectory.photo.path) | {
        "status": str(trajectory.status),
        "stop_reason": str(trajectory.stop_reason),
        "detail": trajectory.detail,
        "seconds": round(trajectory.seconds, 2),
    }
    if answer := trajectory.answer:
        fields = {"lat", "lon", "city", "country", "radius_km", "confidence"}
        data["answer"] = answer.model_dump(mode="json", include=fields)
        data["candidates"] = [candidate.model_dump(mode="json") for candidate in answer.candidates]
        data["evidence"] = [showing.evidence_data(item, answer) for item in answer.evidence]
    if files:
        drawn = _named(files.drawn) if files.drawn else None
        data["trajectory"] = {"file": _named(files.record), "id": trajectory.id, "map": drawn}
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
    }


def _print_json(data: dict[str, Any]) -> None:
    """Print one JSON object on one line, at once: a reader need not wait for the next photo."""
    consoles.write_json(data)
    sys.stdout.flush()
