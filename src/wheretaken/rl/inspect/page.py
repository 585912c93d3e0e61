"""The plots as a report, which `evals.report` writes as one page that needs nothing else."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from wheretaken import __version__
from wheretaken.evals.report.model import Cell, Figure, Key, Report, Section, Table, columns
from wheretaken.evals.report.svg import Drawing, Scale, dots, frame, line
from wheretaken.rl.inspect.curves import Plot, Series, plots, reward, window
from wheretaken.rl.inspect.findings import CHECKED, findings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.rl.inspect.records import Training

_WIDTH, _HEIGHT = 480.0, 300.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 16.0, 14.0, 44.0
_STEPS = (1, 2, 2.5, 5, 10)
_OPTIMISER = frozenset({"entropy", "kl", "loss", "grad_norm", "learning_rate", "step_s", "tokens_s"})


def report(trainings: Sequence[Training]) -> Report:
    """Return the report about one training, or several side by side."""
    found = [(one.name, finding) for one in trainings for finding in findings(one)]
    sections = [_together(trainings)] if len(trainings) > 1 else []
    for number, one in enumerate(trainings):
        sections += _sections(one, f"{number}-" if len(trainings) > 1 else "")
    steps = ", ".join(f"{len(one.rollouts.get('train', {})):,} steps" for one in trainings)
    return Report(
        title=f"Training {trainings[0].name}" if len(trainings) == 1 else "Trainings side by side",
        subtitle=f"{steps}. Drawn by wheretaken {__version__}.",
        runs=[Key(one.name, f"line s{at % 6}") for at, one in enumerate(trainings)]
        if len(trainings) > 1
        else [],
        findings=sorted(found, key=lambda item: item[1].severity != "error"),
        checked=CHECKED,
        sections=sections,
    )


def _together(trainings: Sequence[Training]) -> Section:
    curves = [Series(one.name, (curve := reward(one, "train")).steps, curve.values) for one in trainings]
    plot = Plot("together", "Mean reward", "Of all rollouts of a step.", curves)
    return Section("together", "Side by side", figures=[figure(plot)])


def _sections(training: Training, prefix: str) -> list[Section]:
    name = f" of {training.name}" if prefix else ""
    made = plots(training)
    parts = {
        "answers": ("What is earned and found", [p for p in made if _part(p) == "answers"]),
        "tools": ("How rollouts go", [p for p in made if _part(p) == "tools"]),
        "optimiser": ("The engine", [p for p in made if _part(p) == "optimiser"]),
    }
    sections = [
        Section(f"{prefix}{id_}", f"{title}{name}", figures=[figure(plot) for plot in own])
        for id_, (title, own) in parts.items()
        if own
    ]
    texts = ["The rollouts themselves are in the directory samples, by step: wheretaken web run/samples/STEP"]
    return [*sections, Section(f"{prefix}table", f"First and last{name}", texts, tables=[_table(made)])]


def _part(plot: Plot) -> str:
    if plot.id in _OPTIMISER:
        return "optimiser"
    told = plot.id == "reward" or plot.id.removeprefix("val-") != plot.id
    return "answers" if told or plot.id.endswith(("acc", "earned", "status", "passk")) else "tools"


def _table(made: Sequence[Plot]) -> Table:
    rows: list[list[Cell]] = []
    for plot in made:
        for series in plot.series:
            if series.values:
                name = series.name if series.name not in {plot.title, plot.id} else ""
                first, last = series.smooth[0], series.smooth[-1]
                cells = [Cell(_said(value, plot), value) for value in (first, last, last - first)]
                rows.append(
                    [Cell(plot.title), Cell(name), Cell(f"{len(series.steps):,}", len(series.steps)), *cells]
                )
    return Table(
        "Where each curve begins and ends",
        columns("", "curve", "steps", "first", "last", "change", words=[1]),
        rows,
    )


def _said(value: float, plot: Plot) -> str:
    return f"{value * 100:.1f} %" if plot.unit == "share" else f"{value:.4g}"


def figure(plot: Plot) -> Figure:
    """Draw a plot as SVG."""
    shown = [series for series in plot.series if series.values]
    low, high = plot.bounds
    yticks = ticks(low, high)
    low, high = min(low, yticks[0]), max(high, yticks[-1])
    every = [step for series in shown for step in series.steps]
    first, last = min(every), max(every)
    last = last if last > first else first + 1
    drawing = Drawing(_WIDTH, _HEIGHT, plot.title)
    x = Scale((first, last), (_LEFT, _WIDTH - _RIGHT))
    y = Scale((low, high), (_HEIGHT - _BOTTOM, _TOP))
    xticks = [tick for tick in ticks(first, last) if first <= tick <= last and float(tick).is_integer()]
    frame(
        drawing,
        x,
        y,
        xticks=[(tick, f"{tick:,.0f}") for tick in xticks],
        yticks=[(tick, _tick(tick, plot)) for tick in yticks],
    )
    drawing.text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8, "step", "mid")
    for number, series in enumerate(shown):
        points = [(x(step), y(value)) for step, value in zip(series.steps, series.smooth, strict=True)]
        style = f"s{number % 6}"
        drawing.path(f"line {style}", line(points), series.name)
        if len(points) == 1:
            drawing.path(f"point {style}", dots(points), series.name)
    widest = max(window(len(series.values)) for series in shown)
    caption = plot.caption + (f" Means over {widest} steps." if widest > 1 else "")
    key = [Key(series.name, f"line s{number % 6}") for number, series in enumerate(shown)]
    return Figure(plot.title, drawing.render(), caption.strip(), key if len(key) > 1 else ())


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round numbers that a range lies between, in equal steps."""
    span = max(high - low, 1e-12)
    power = 10 ** math.floor(math.log10(span / most))
    step = next(factor * power for factor in _STEPS if span / (factor * power) <= most)
    start, end = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(start, end + 1)]


def _tick(value: float, plot: Plot) -> str:
    if plot.unit == "share":
        return f"{value * 100:.0f} %"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{round(value, 10):.4g}"
