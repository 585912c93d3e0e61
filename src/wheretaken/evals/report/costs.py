"""What runs cost, why they stopped, and which tools they used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wheretaken.evals.report.model import NOTHING, Cell, Section, Table, columns, count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wheretaken.evals.model import Result
    from wheretaken.evals.report.model import Run

    Measure = Callable[[Result], float | None]


def section(runs: Sequence[Run]) -> Section:
    """Return the part of the report about tokens, time, money, stop reasons and tools."""
    spent = [row for run in runs for row in _spent(run)]
    tables: list[Table] = []
    texts: list[str] = []
    if spent:
        head = columns("run", "per photo", "photos", "mean", "median", "95 % below", "total", words=[1])
        note = "Several runs of a photo are added up."
        tables.append(Table("Tokens, time and money", head, spent, note))
    else:
        texts.append("The files say nothing about tokens, time or money.")
    watched = [run for run in runs if run.habits.runs]
    if watched:
        tables += [_stops(watched), *_tools(watched)]
    return Section("costs", "Cost and conduct", texts, tables=tables)


_MEASURES: tuple[tuple[str, Measure, Callable[[float], str]], ...] = (
    ("prompt tokens", lambda r: r.usage.prompt_tokens if r.usage else None, lambda v: f"{v:,.0f}"),
    ("answer tokens", lambda r: r.usage.completion_tokens if r.usage else None, lambda v: f"{v:,.0f}"),
    ("seconds", lambda r: r.seconds, lambda v: f"{v:,.2f} s" if v < 1000 else f"{v:,.0f} s"),
    ("US dollars", lambda r: r.usage.cost if r.usage else None, lambda v: f"${v:,.4f}"),
)


def _spent(run: Run) -> list[list[Cell]]:
    """Return a row for each thing that a run spent any of."""
    rows: list[list[Cell]] = []
    for title, measure, written in _MEASURES:
        known = np.array(
            [value for value in map(measure, run.results) if value is not None], dtype=np.float64
        )
        if not known.any():
            continue
        numbers = (known.mean(), np.median(known), np.quantile(known, 0.95), known.sum())
        cells = [Cell(written(float(number)), float(number)) for number in numbers]
        rows.append([Cell(run.name), Cell(title), count(len(known)), *cells])
    return rows


def _stops(runs: Sequence[Run]) -> Table:
    reasons = sorted({reason for run in runs for reason in run.habits.stops})
    rows = [
        [
            Cell(run.name),
            count(run.habits.runs),
            Cell(f"{run.habits.turns / run.habits.runs:.1f}", run.habits.turns / run.habits.runs),
            *(count(run.habits.stops[reason]) for reason in reasons),
        ]
        for run in runs
    ]
    titles = [reason.replace("_", " ") for reason in reasons]
    return Table("Why runs stopped", columns("run", "trajectories", "turns each", *titles), rows)


def _tools(runs: Sequence[Run]) -> list[Table]:
    rows: list[list[Cell]] = []
    for run in runs:
        for name, use in sorted(run.habits.tools.items(), key=lambda item: (-item[1].calls, item[0])):
            mean = Cell(f"{use.seconds / use.calls:.3f} s", use.seconds / use.calls) if use.calls else NOTHING
            share = use.runs / run.habits.runs
            used = Cell(f"{share * 100:.0f} %", share)
            rows.append([Cell(run.name), Cell(name), count(use.calls), used, count(use.errors), mean])
    head = columns("run", "tool", "calls", "trajectories using it", "errors", "mean time", words=[1])
    return [Table("Tools", head, rows)] if rows else []
