"""What a report consists of, before it is written as a page or as Markdown.

Everything that is text here is plain text: `page` and `markdown` escape it for their format. Numbers are put
into words once, in `Cell`, so that both formats show the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from wheretaken.answers import Answer
    from wheretaken.evals.health import Finding
    from wheretaken.evals.model import Result
    from wheretaken.evals.report.habits import Habits
    from wheretaken.scoring.tally import Score


@dataclass(frozen=True, slots=True)
class Run:
    """One directory or file of results, with what is told about it."""

    name: str
    """Unique in the report."""
    results: Sequence[Result]
    km: npt.NDArray[np.float64]
    """Distance of each result in kilometres, infinite where there is no answer."""
    score: Score
    findings: Sequence[Finding]
    habits: Habits
    """Empty when there are no trajectories."""
    directory: Path | None = None
    """Where its trajectories and pictures are; None for a file of results."""
    settings: str = ""
    """Model, toolset and so on in a few words."""

    def worst(self, most: int) -> list[tuple[float, Result, Answer]]:
        """Return the results that have an answer, with distance and answer, the farthest first."""
        found = [
            (km, result, result.answer)
            for km, result in zip(self.km.tolist(), self.results, strict=True)
            if result.answer is not None
        ]
        return sorted(found, key=lambda one: -one[0])[:most]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table."""

    text: str
    value: float | None = None
    """By which rows are sorted; the text when None."""
    note: str = ""
    """Smaller, below: an interval, a count."""
    link: str = ""
    """Address of a page about it; nothing loads it by itself."""
    picture: str = ""
    """A `data:` URL that is shown above the text, where pictures can be."""
    size: tuple[int, int] = (0, 0)
    """Width and height of the picture in pixels."""


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column."""

    title: str
    words: bool = False
    """It holds words, which may be folded, not numbers."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose first column names its rows."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """An entry of a legend: a line or a dot in the style of some CSS classes."""

    text: str
    classes: str
    dot: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing."""

    title: str
    svg: str
    """Finished mark-up."""
    caption: str
    key: Sequence[Key] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report under its own heading."""

    id: str
    title: str
    texts: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()
    terms: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is shown."""

    title: str
    subtitle: str
    runs: Sequence[Key]
    findings: Sequence[tuple[str, Finding]]
    """With the names of the runs."""
    checked: str
    """What the health checks looked for."""
    sections: Sequence[Section]


def columns(*titles: str, words: Iterable[int] = ()) -> list[Column]:
    """Return columns; `words` are the indexes of those that hold words, the first always does."""
    worded = {0, *words}
    return [Column(title, at in worded) for at, title in enumerate(titles)]


def percent(share: float, interval: tuple[float, float] | None = None) -> Cell:
    """Return a share as `23.4 %`, its 95 % interval below."""
    note = f"{interval[0] * 100:.1f}–{interval[1] * 100:.1f}" if interval else ""
    return Cell(f"{share * 100:.1f} %", share, note)


def kilometres(km: float | None) -> Cell:
    """Return a distance in a unit that suits it; None and infinity are a dash, which sorts last."""
    if km is None or math.isinf(km):
        return Cell("–", 1e9)
    return Cell(distance(km), km)


def distance(km: float) -> str:
    """Return a distance as a person writes it: `430 m`, `3.2 km`, `1,240 km`."""
    if km < 0.9995:
        return f"{km * 1000:.0f} m"
    return f"{km:.1f} km" if km < 99.95 else f"{km:,.0f} km"


def count(number: float) -> Cell:
    """Return a whole number with separators."""
    return Cell(f"{number:,.0f}", number)


NOTHING = Cell("–", -1.0)
"""What was not measured; sorts before everything that was."""
