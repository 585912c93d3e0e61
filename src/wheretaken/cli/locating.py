"""`wheretaken locate`: photos in; place, radius and evidence out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from wheretaken import photos
from wheretaken.agent import Case, Limits, PhotoInfo, Status, StopReason, Trajectory, record
from wheretaken.agent.trajectory import FILE
from wheretaken.cli import showing
from wheretaken.cli.main import NO_ANSWER, OK, SERVICE, USAGE
from wheretaken.cli.offline import offline_maps
from wheretaken.errors import PhotoError, UserError
from wheretaken.messages import Picture
from wheretaken.tools.worldwide import WORLDWIDE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wheretaken.models.base import ChatModel


@dataclass(frozen=True)
class Options:
    """The options of the command, as the user gave them."""

    model: str
    out: Path | None
    as_json: bool
    max_turns: int
    quiet: bool


def locate(paths: Sequence[Path], options: Options) -> int:
    """Locate every photo; one that cannot be read does not keep the others from being located.

    Returns:
        The exit code: the gravest over all photos, in the order unreadable, service failed, no answer.
    """
    model = _model(options.model)
    errors = Console(stderr=True, highlight=False)
    codes: set[int] = set()
    for path in paths:
        try:
            photo = photos.load(path)
        except PhotoError as error:
            errors.print(f"wheretaken: {escape(str(error))}")
            codes.add(USAGE)
            continue
        case = Case(
            Picture.encode(photo.image, "image/png" if photo.format == "PNG" else "image/jpeg"),
            PhotoInfo(sha256=photo.sha256, width=photo.width, height=photo.height, path=str(path)),
        )
        codes.add(_one(case, model, options, errors))
    return next((code for code in (USAGE, SERVICE, NO_ANSWER) if code in codes), OK)


def _one(case: Case, model: ChatModel, options: Options, errors: Console) -> int:
    progress = None if options.quiet or options.as_json else showing.Progress(errors)
    maps = offline_maps(None if options.quiet else errors)
    trajectory = asyncio.run(
        record(
            case,
            model,
            WORLDWIDE,
            maps,
            limits=Limits(turns=options.max_turns),
            out=options.out,
            watch=progress.show if progress else None,
        )
    )
    if options.as_json:
        print_json(trajectory, options.out)
    else:
        showing.answer(Console(highlight=False), trajectory, options.out)
    if trajectory.stop_reason in {StopReason.MODEL_ERROR, StopReason.SERVICE_ERROR}:
        return SERVICE
    return OK if trajectory.status == Status.ANSWERED else NO_ANSWER


def print_json(trajectory: Trajectory, out: Path | None) -> None:
    """Print one JSON object on one line."""
    import json  # noqa: PLC0415 - used here only
    import sys  # noqa: PLC0415 - used here only

    sys.stdout.write(json.dumps(as_data(trajectory, out), ensure_ascii=False) + "\n")
    sys.stdout.flush()


def as_data(trajectory: Trajectory, out: Path | None) -> dict[str, Any]:
    """Return what `--json` prints for one photo."""
    answer = trajectory.answer
    fields = {"lat", "lon", "city", "country", "radius_km", "confidence"}
    return {
        "photo": trajectory.photo.path,
        "status": str(trajectory.status),
        "answer": answer.model_dump(mode="json", include=fields) if answer else None,
        "candidates": [c.model_dump(mode="json") for c in answer.candidates] if answer else [],
        "evidence": [showing.evidence_data(e, answer) for e in answer.evidence] if answer else [],
        "stop_reason": str(trajectory.stop_reason),
        "detail": trajectory.detail,
        "trajectory": {"file": str(out / FILE), "id": trajectory.id} if out else None,
        "seconds": round(trajectory.seconds, 2),
    }


def _model(name: str) -> ChatModel:
    """Return the model of this name.

    Raises:
        UserError: there is none.
    """
    if name == "reader":
        from wheretaken.models.reader.reader import Reader  # noqa: PLC0415 - loads the OCR's types

        return Reader()
    raise UserError(f"no model named {name!r}; there is: reader")
