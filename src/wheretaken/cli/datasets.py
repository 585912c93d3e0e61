"""`wheretaken data info` and `data prepare`."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from wheretaken.cli import consoles
from wheretaken.cli.main import OK
from wheretaken.errors import UserError
from wheretaken.evals.datasets import open_dataset
from wheretaken.evals.datasets.columns import asked
from wheretaken.evals.datasets.prepare import prepare as write
from wheretaken.evals.datasets.prepare import problems_file
from wheretaken.evals.datasets.survey import survey

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from rich.console import Console

    from wheretaken.cli.choices import Purpose
    from wheretaken.evals.datasets import Table
    from wheretaken.evals.datasets.prepare import Prepared
    from wheretaken.evals.datasets.survey import Survey

_SHOWN = 10
"""Countries, and problems of a kind, that are shown; JSON has all."""


@dataclass(frozen=True, slots=True)
class SetOptions:
    """How a data set is to be read, as the options say."""

    images: Path | None = None
    columns: Sequence[str] = field(default_factory=list[str])
    """`FIELD=NAME` options."""
    datum: str = ""


def opened(path: str, options: SetOptions) -> Table:
    """Open a data set with the options of the command line.

    Raises:
        UserError: see `open_dataset`.
    """
    return open_dataset(path, images=options.images, columns=asked(options.columns), datum=options.datum)


def info(path: str, options: SetOptions, *, against: str, as_json: bool) -> int:
    """Print what is in a data set."""
    data = opened(path, options)
    other = _other(against, path, options)
    with counting("looking at photos") as progress:
        found = survey(data, against=other, progress=progress)
    if as_json:
        consoles.write_json(found.model_dump(mode="json"))
    else:
        _show(consoles.results(), found)
    return OK


def prepare(
    path: str, output: Path, options: SetOptions, *, purpose: Purpose, against: str, limit: int | None
) -> int:
    """Write a data set as Parquet."""
    if output.suffix.lower() != ".parquet":
        raise UserError(
            f"the output is a Parquet file; give -o a name such as {output.stem or 'out'}.parquet"
        )
    if output.resolve() == Path(path).resolve():
        raise UserError(f"-o {output} is the data set itself: choose another name")
    data = opened(path, options)
    other = _other(against, path, options)
    notices = consoles.notices()
    for note in data.notes:
        notices.print(note, markup=False)
    with counting("preparing photos") as progress:
        done = write(
            data, output, purpose.value, against=[other] if other else (), limit=limit, progress=progress
        )
    _tell(notices, done, output)
    consoles.results().print(str(output), markup=False)
    return OK


def _other(against: str, path: str, options: SetOptions) -> Table | None:
    """Open the set to look for leaks in; it is read by what it says itself."""
    if not against:
        return None
    other = open_dataset(against)
    if options.datum and "datum" not in other.columns:
        text = f"--datum is for {path}; {against} does not name its datum, and is taken as WGS-84"
        consoles.notices().print(text, markup=False)
    return other


def _tell(notices: Console, done: Prepared, output: Path) -> None:
    left = {kind: done.problems[kind] for kind in ("missing", "broken", "leak") if done.problems[kind]}
    reasons = ", ".join(f"{count} {_NAMED[kind]}" for kind, count in left.items())
    notices.print(
        f"{done.written} of {done.read} photos written" + (f"; left out: {reasons}" if left else "")
    )
    if twice := done.problems["duplicate"]:
        notices.print(f"{twice} {_NAMED['duplicate']} (kept)")
    if done.against_unread:
        notices.print(
            f"{done.against_unread} photos of the other set cannot be read: only places were compared"
        )
    if done.problems:
        notices.print(f"listed in {problems_file(output)}", markup=False)


_NAMED = {
    "missing": "missing",
    "broken": "broken",
    "duplicate": "duplicates",
    "leak": "leaks (in the other set as well, or within 50 m)",
}


@contextlib.contextmanager
def counting(what: str) -> Generator[Callable[[int], None]]:
    """Show on stderr how many photos are done, and how quickly; nothing when it is not a terminal."""
    console = consoles.notices()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    speed = TextColumn("{task.fields[rate]}")
    with Progress(*columns, speed, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None, rate="")

        def show(done: int) -> None:
            rate = bar.tasks[0].speed
            bar.update(task, completed=done, rate=f"{rate:.0f}/s" if rate else "")

        yield show


def _show(console: Console, found: Survey) -> None:
    """Print a survey for people."""
    table = consoles.table("", "")
    rows = {"name": found.name, "photos": f"{found.photos:,}"}
    rows["of them"] = f"{found.found:,} found, {found.missing:,} missing, {found.broken:,} broken"
    if found.splits:
        rows["splits"] = ", ".join(f"{name} {count:,}" for name, count in found.splits.items())
    if found.countries:
        rows["countries"] = _countries(found.countries)
    if box := found.box:
        rows["latitude"] = f"{box.south:.4f} to {box.north:.4f}"
        rows["longitude"] = f"{box.west:.4f} to {box.east:.4f}"
    if found.smallest and found.largest:
        small, large = ("x".join(map(str, side)) for side in (found.smallest, found.largest))
        rows["size"] = f"{found.bytes / 1e6:,.1f} MB, {small} to {large} pixels"
    rows["duplicates"] = f"{found.duplicates:,}"
    if found.leaks is not None:
        rows["leaks"] = f"{found.leaks:,} in {found.against} as well, or within 50 m of one there"
    if found.against_unread:
        rows["leaks"] += f" ({found.against_unread:,} photos there cannot be read: only places were compared)"
    for name, text in rows.items():
        table.add_row(name, text)
    for note in found.notes:
        console.print(note, markup=False)
    console.print(table, markup=False)
    _list(console, found)


def _countries(countries: dict[str, int]) -> str:
    shown = ", ".join(f"{name} {count:,}" for name, count in list(countries.items())[:_SHOWN])
    return shown if len(countries) <= _SHOWN else f"{shown}, and {len(countries) - _SHOWN} more"


def _list(console: Console, found: Survey) -> None:
    """Print the first problems of each kind."""
    for kind in ("missing", "broken", "duplicate", "leak"):
        listed = [problem for problem in found.problems if problem.kind == kind]
        for problem in listed[:_SHOWN]:
            console.print(f"{kind}: line {problem.line}, {problem.id}: {problem.detail}", markup=False)
        if len(listed) > _SHOWN:
            console.print(f"{kind}: and {len(listed) - _SHOWN:,} more, see --json", markup=False)
