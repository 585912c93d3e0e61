"""`wheretaken eval vote`: tables for people or the same numbers as JSON, answers and weights as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.markup import escape

from wheretaken.cli import consoles
from wheretaken.errors import UserError
from wheretaken.evals import voting
from wheretaken.evals.candidates import read_candidates
from wheretaken.evals.crossfit import Weighting
from wheretaken.paths import atomic_path
from wheretaken.scoring import ACC_KM, label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel

    from wheretaken.cli.choices import Reading
    from wheretaken.evals.voting import Rates, VoteReport


def vote(files: Sequence[Path], *, weights: str, output: Path | None, reading: Reading, as_json: bool) -> int:
    """Vote on every photo of the files; return the exit code."""
    if output is not None and any(output.resolve() == path.resolve() for path in files):
        raise UserError(f"{output} is one of the files that vote: write the answers somewhere else")
    how = _weighting(weights)
    candidates = read_candidates(files, reading=reading.value)
    if not candidates.photos:
        raise UserError("there are no photos in these files: name files with at least one answer")
    found = voting.vote(candidates, how)
    if output is not None:
        _write(output, found.results)
        if weights == "crossfit" and found.report.weighting is not None:
            _write(output.with_name(f"{output.stem}.weights.json"), [found.report.weighting])
    if as_json:
        consoles.write_json(found.report.model_dump(mode="json"))
    else:
        _show(found.report, weights)
    for file in found.report.files:
        if file.lacking:
            consoles.note(
                f"{file.file} lacks {file.lacking} of {found.report.n} photos; there it votes for nothing"
            )
    if isinstance(how, Weighting) and voting.knows(how, candidates):
        consoles.note(
            f"{weights} was fitted on these very photos: these numbers flatter it; use crossfit for fair ones"
        )
    return 0


def _weighting(weights: str) -> Literal["none", "crossfit"] | Weighting:
    if weights == "none":
        return "none"
    return "crossfit" if weights == "crossfit" else voting.read_weighting(Path(weights))


def _write(path: Path, lines: Sequence[BaseModel]) -> None:
    try:
        with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
            for line in lines:
                file.write(line.model_dump_json() + "\n")
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}): choose another -o") from error


def _show(report: VoteReport, weights: str) -> None:
    console = consoles.results()
    console.print(f"[bold]{report.n} photos, {len(report.files)} files: score, and Acc@d in percent[/]")
    table = consoles.numbers("", "score", *(label(km) for km in ACC_KM))
    rows: list[tuple[str, Rates]] = [
        ("vote", report.vote),
        (f"best single: {report.best_single.file}", report.best_single),
        ("mean single", report.mean_single),
        ("oracle: best candidate", report.oracle),
    ]
    for name, rates in rows:
        table.add_row(
            escape(name), f"{rates.score:.4f}", *(f"{100 * share:.1f}" for share in rates.acc.values())
        )
    console.print(table)
    console.print("\n[bold]how many candidates agree within 25 km[/]")
    table = consoles.numbers("agree", "photos", "right within 25 km")
    for group in report.agreement:
        table.add_row(f"{group.agree} of {group.of}", str(group.n), f"{100 * group.acc_25km:.1f} %")
    console.print(table)
    if (kept := report.reliability) is not None:
        console.print(
            f"\n{kept.radius_holds:.1%} of the places lie within the stated radius (80 % are promised); the"
            f" stated confidence is off by {kept.ece_25km:.3f} in the mean"
        )
    if report.halves:
        console.print("\n[bold]weights, fitted on the other half of the photos[/]")
        _show_weights(report, {"half 1": report.halves[0], "half 2": report.halves[1]})
    elif report.weighting is not None:
        console.print(f"\n[bold]weights of {escape(weights)}[/]")
        _show_weights(report, {"weight": report.weighting.weights})


def _show_weights(report: VoteReport, columns: Mapping[str, Mapping[str, float]]) -> None:
    table = consoles.numbers("voter", *columns)
    for voter in dict.fromkeys(file.voter for file in report.files):
        table.add_row(escape(voter), *(f"{weights.get(voter, 1.0):.3f}" for weights in columns.values()))
    consoles.results().print(table)
