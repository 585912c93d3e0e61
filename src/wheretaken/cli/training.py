"""`wheretaken train export`, `train island`, `train inspect`, `train merge` and `train export-hf`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wheretaken.cli import consoles
from wheretaken.cli.datasets import SetOptions, counting, opened
from wheretaken.cli.main import OK
from wheretaken.cli.scoring import kilometres
from wheretaken.errors import UserError
from wheretaken.evals.datasets import open_dataset
from wheretaken.paths import atomic_path
from wheretaken.rl.difficulty import Band, pass_rates
from wheretaken.rl.export import Exported, Wanted, export
from wheretaken.rl.presets import USUAL, preset
from wheretaken.rl.settings import ToolSettings, TrainSettings, parsed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wheretaken.rl.export import Engine


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What the command line says."""

    data: str
    engine: Engine
    toolset: str
    preset: str = ""
    model: str = ""
    tools_config: Path | None = None
    server: str = ""
    val: str = ""
    val_share: float = 0.05
    against: Sequence[str] = ()
    pass_rates: Sequence[Path] = ()
    within: str = "10km"
    least: float = 0.05
    most: float = 0.95
    limit: int | None = None
    reading: SetOptions = field(default_factory=SetOptions)


def write(options: ExportOptions, out: Path) -> int:
    """Export a training."""
    if options.least > options.most:
        raise UserError(f"--min-rate {options.least:g} is above --max-rate {options.most:g}: swap them")
    tools = {"toolset": options.toolset, "config": options.tools_config, "server": options.server}
    data = opened(options.data, options.reading)
    band = None
    notices = consoles.notices()
    for note in data.notes:
        notices.print(note, markup=False)
    if options.pass_rates:
        rates = pass_rates(options.pass_rates, data, kilometres(options.within))
        band = Band(rates, options.least, options.most)
    wanted = Wanted(
        data=data,
        engine=options.engine,
        preset=preset(options.preset or USUAL[options.engine]),
        tools=parsed(ToolSettings, tools, "the command line"),
        model=options.model,
        val=open_dataset(options.val) if options.val else None,
        val_share=options.val_share,
        against=[open_dataset(path) for path in options.against],
        difficulty=band,
        limit=options.limit,
    )
    with counting("preparing photos") as progress:
        done = export(wanted, out, progress)
    notices.print(_said(done), markup=False)
    consoles.results().print(str(out), markup=False)
    return OK


def island(out: Path, *, steps: int, photos: int, seed: int) -> int:
    """Make a training on the island."""
    from wheretaken.rl import exercise  # noqa: PLC0415 - the export needs none of this

    notices = consoles.notices()
    done = exercise.write(
        out, steps=steps, photos=photos, seed=seed, tell=lambda line: notices.print(line, markup=False)
    )
    notices.print(_said(done), markup=False)
    consoles.results().print(str(out), markup=False)
    return OK


def _said(done: Exported) -> str:
    parts = [f"{done.train.written:,} photos to train on"]
    if done.val:
        parts.append(f"{done.val.written:,} to validate with")
    left = done.left_out + done.train.problems
    kept = {"duplicate"}
    reasons = ", ".join(f"{count:,} {kind}" for kind, count in left.items() if kind not in kept)
    return ", ".join(parts) + (f"; left out: {reasons}" if reasons else "")


def look(directories: Sequence[Path], out: Path | None) -> int:
    """Draw what trainings did."""
    from wheretaken.evals.report import to_html  # noqa: PLC0415 - the export needs none of this
    from wheretaken.rl.inspect import findings, read, report  # noqa: PLC0415 - as above
    from wheretaken.rl.inspect.png import draw  # noqa: PLC0415 - as above

    trainings = [
        read(directory, name) for directory, name in zip(directories, _names(directories), strict=True)
    ]
    target = out or directories[0] / "inspect"
    page = to_html(report(trainings)).encode("utf-8", errors="replace")
    try:
        with atomic_path(target / "index.html") as temporary:
            temporary.write_bytes(page)
            temporary.chmod(0o644)
        draw(trainings, target / "curves.png")
    except OSError as error:
        raise UserError(f"{target} cannot be written: {error.strerror}; choose another with -o") from error
    for training in trainings:
        for finding in findings(training):
            consoles.notices().print(f"{finding.severity}: {training.name}: {finding.title}", markup=False)
    for name in ("index.html", "curves.png"):
        consoles.results().print(str(target / name), markup=False)
    return OK


def merge(config: Path, out: Path, step: int | None) -> int:
    """Make weights of a checkpoint, and print the commands that use them."""
    from wheretaken.rl import weights  # noqa: PLC0415 - as above

    settings = TrainSettings.load(config)
    done = weights.merge(settings, out.resolve(), step)
    consoles.notices().print(f"{out}: the weights of step {done}; they are used with", markup=False)
    consoles.results().print(weights.commands(settings, out.resolve()), markup=False, soft_wrap=True)
    return OK


def _names(directories: Sequence[Path]) -> list[str]:
    """Return names that tell trainings apart: the directories' own, or as much of their paths as it takes."""
    paths = [directory.resolve() for directory in directories]
    own = [path.parent.name if path.name == "run" else path.name for path in paths]
    return own if len(set(own)) == len(own) else [str(directory) for directory in directories]
