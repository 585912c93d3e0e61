"""`wheretaken eval score`, `split` and `compare`: tables for people, or the same numbers as JSON."""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING

import numpy as np
from rich.markup import escape

from wheretaken.cli import consoles
from wheretaken.errors import UserError
from wheretaken.evals.compare import compare as compared
from wheretaken.evals.distances import score_results
from wheretaken.evals.joining import by_photo
from wheretaken.evals.results import read_results
from wheretaken.evals.tiers import split as tiers
from wheretaken.scoring import ACC_KM

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from rich.table import Table

    from wheretaken.cli.choices import Reading
    from wheretaken.evals.compare import Comparison
    from wheretaken.evals.model import DataSet, Result
    from wheretaken.scoring.tally import Score

_DISTANCE = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(m|km)?", re.IGNORECASE)
_MANY_UNREAD = 0.05
"""From this share on it is worth a note that texts could not be read: the numbers may say more about them."""


def score(
    files: Sequence[Path], *, reading: Reading, thresholds: str, data: Path | None, as_json: bool
) -> int:
    """Score files; return the exit code."""
    limits = tuple(sorted({kilometres(part) for part in thresholds.split(",")})) if thresholds else ACC_KM
    photos = None if data is None else _opened(data)
    scores: list[Score] = []
    for path in files:
        rows = array("q")
        results = _noting(rows, read_results(path, reading=reading.value, data=photos))
        scores.append(score_results(results, str(path), thresholds_km=limits))
        if (distinct := len(np.unique(rows))) < len(rows):
            consoles.note(
                f"{path}: {len(rows)} runs of {distinct} photos; the intervals take each run for a photo"
            )
    if as_json:
        consoles.write_json({"files": [found.model_dump(mode="json") for found in scores]})
    else:
        _show_scores(scores, _short(files))
    for found in scores:
        if found.unparsed > _MANY_UNREAD * found.n:
            consoles.note(
                f"{found.file}: {found.unparsed / found.n:.1%} of the texts could not be read as an answer"
            )
        if found.failed:
            consoles.note(f"{found.file}: {found.failed} of {found.n} failed; they count as wrong")
    return 0


def split(files: Sequence[Path], *, at: str, agree: int, reading: Reading, as_json: bool) -> int:
    """Score files on the photos that several of them find, and on the others; return the exit code."""
    read = [by_photo(str(path), read_results(path, reading=reading.value)) for path in files]
    found = tiers(read, at_km=kilometres(at), agree=agree)
    if as_json:
        consoles.write_json(found.model_dump(mode="json"))
    else:
        for tier in found.tiers:
            rule = "at least" if tier.tier == "easy" else "fewer than"
            title = f"{tier.tier}: {tier.n} of {found.n} photos, {rule} {agree} of {len(files)} files"
            consoles.results().print(f"[bold]{title} within {found.at}[/]")
            if tier.n:
                consoles.results().print(_accuracies(tier.files, _short(files)))
    for lacking in found.lacking:
        consoles.note(f"{lacking.file} lacks {lacking.n} of {found.n} photos; they count as failed")
    return 0


def compare(a: Path, b: Path, *, reading: Reading, seed: int, as_json: bool) -> int:
    """Compare two files on the photos that both have; return the exit code."""
    one, two = (by_photo(str(path), read_results(path, reading=reading.value)) for path in (a, b))
    found = compared(one, two, seed=seed)
    if as_json:
        consoles.write_json(found.model_dump(mode="json"))
    else:
        _show_comparison(found)
    for path, only in ((a, found.only_in_a), (b, found.only_in_b)):
        if only:
            some = ", ".join(only[:3]) + (", …" if len(only) > 3 else "")
            consoles.note(f"left out, as only {path} has them: {len(only)} ({some})")
    return 0


def kilometres(text: str) -> float:
    """Read a distance as people write it; a number alone is kilometres.

    Raises:
        UserError: it is none.
    """
    match = _DISTANCE.fullmatch(text.strip())
    km = float(match[1]) / (1000 if (match[2] or "km").lower() == "m" else 1) if match else 0.0
    if km <= 0:
        raise UserError(f"{text!r} is no distance: write 500m, 10km, or a number of kilometres")
    return km


def _noting(rows: array[int], results: Iterable[Result]) -> Iterator[Result]:
    """Pass results on, and keep 8 bytes of each that tell photos apart."""
    for result in results:
        rows.append(hash((result.id, result.index)))
        yield result


def _opened(path: Path) -> DataSet:
    from wheretaken.evals.datasets import open_dataset  # noqa: PLC0415 - few score against a data set

    data = open_dataset(path)
    for note in data.notes:
        consoles.note(f"{data.name}: {note}")
    return data


def _short(files: Sequence[Path]) -> list[str]:
    """The files' names without what every result file has, where that still tells them apart."""
    names = [path.name.removesuffix(".gz").removesuffix(".jsonl") for path in files]
    return names if len(set(names)) == len(names) else [str(path) for path in files]


def _show_scores(scores: Sequence[Score], names: Sequence[str]) -> None:
    table = consoles.numbers(
        "file", "n", "answered", "refused", "unparsed", "failed", "score", "median km", "GeoScore"
    )
    for found, name in zip(scores, names, strict=True):
        table.add_row(
            escape(name),
            *(str(count) for count in (found.n, found.answered, found.refused, found.unparsed, found.failed)),
            _within(found.score, found.ci95["score"], 3),
            _distance(found.median_km),
            _within(found.geoscore, found.ci95["geoscore"], 0),
        )
    consoles.results().print(table)
    consoles.results().print("\n[bold]Acc@d, percent, with the 95 % interval[/]")
    consoles.results().print(_accuracies(scores, names))


def _accuracies(scores: Sequence[Score], names: Sequence[str]) -> Table:
    table = consoles.numbers("file", *scores[0].acc)
    for found, name in zip(scores, names, strict=True):
        shares = (
            _within(100 * share, tuple(100 * end for end in found.ci95[distance]), 1)
            for distance, share in found.acc.items()
        )
        table.add_row(escape(name), *shares)
    return table


def _show_comparison(found: Comparison) -> None:
    console = consoles.results()
    console.print(f"A {escape(found.a)}\nB {escape(found.b)}\n{found.n} photos in both\n")
    table = consoles.numbers("", "A", "B", "B - A", "95 % interval", "B better", "p")
    for measure, row in found.differences.items():
        factor, digits = {"score": (1, 4), "geoscore": (1, 0)}.get(measure, (100, 2))
        low, high = (factor * end for end in row.ci95)
        table.add_row(
            f"Acc@{measure} %" if factor == 100 else measure,
            f"{factor * row.a:.{digits}f}",
            f"{factor * row.b:.{digits}f}",
            f"{factor * row.difference:+.{digits}f}",
            f"{low:+.{digits}f} … {high:+.{digits}f}",
            f"{row.b_better:.1%}",
            f"{row.p:.4f}",
        )
    console.print(table)
    if found.most_different:
        console.print("\n[bold]where they differ most[/]")
        worst = consoles.numbers("photo", "A km", "B km")
        for photo in found.most_different:
            worst.add_row(escape(photo.id), _distance(photo.a_km), _distance(photo.b_km))
        console.print(worst)


def _within(value: float, interval: tuple[float, ...], digits: int) -> str:
    """A value and its interval as one number: the side that reaches further."""
    reach = max(value - interval[0], interval[1] - value)
    return f"{value:.{digits}f} ±{reach:.{digits}f}"


def _distance(km: float | None) -> str:
    return "-" if km is None else f"{km:.3g}" if km < 100 else f"{km:.0f}"
