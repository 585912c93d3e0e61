"""The curves: share of photos by distance, and how often stated confidence and radius hold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from wheretaken.evals.report.model import Figure, Key
from wheretaken.evals.report.svg import Drawing, Scale, dots, frame, line
from wheretaken.scoring.ladder import ACC_KM, label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.evals.report.calibration import Band
    from wheretaken.evals.report.model import Run

_WIDTH, _HEIGHT = 480.0, 340.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 48.0, 30.0, 34.0, 48.0
_NEAREST_KM, _FARTHEST_KM = 0.01, 20_015.0
"""Ends of the distance axis: the precision of five decimals, and half the Earth's circumference."""
_DECADES = [
    *((0.01, "10 m"), (0.1, ""), (1.0, "1 km"), (10.0, "")),
    *((100.0, "100 km"), (1000.0, ""), (10_000.0, "10,000 km")),
]
"""Every decade has a line; more labels would touch each other."""
_STEPS = 240
_LINE_STYLES = 6
"""So many line styles the page has; a seventh run looks like the first."""
_SHARES = [(share / 5, f"{share * 20} %") for share in range(6)]


def style(number: int) -> str:
    """Return the CSS class of a run, by its place in the report."""
    return f"s{number % _LINE_STYLES}"


def run_keys(runs: Sequence[Run]) -> list[Key]:
    """Return the legend of the runs."""
    return [Key(run.name, f"line {style(number)}", note=run.settings) for number, run in enumerate(runs)]


def error_curve(runs: Sequence[Run]) -> Figure:
    """Draw which share of all photos is answered within each distance."""
    drawing, x, y = _plot("Share of photos answered within a distance", (_NEAREST_KM, _FARTHEST_KM), log=True)
    frame(drawing, x, y, xticks=_DECADES, yticks=_SHARES)
    for number, km in enumerate(ACC_KM):
        drawing.path("mark", line([(x(km), y(0)), (x(km), y(1))]))
        # The names of 10 and 25 km would touch on one line.
        drawing.text(x(km), 14 + 13 * (number % 2), _spaced(km), "mid")
    drawing.text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 10, "distance between answer and truth", "mid")
    limits = np.geomspace(_NEAREST_KM, _FARTHEST_KM, _STEPS)
    for number, run in enumerate(runs):
        if len(run.km):
            shares = np.searchsorted(np.sort(run.km), limits) / len(run.km)
            points = zip(map(x, limits.tolist()), map(y, shares.tolist()), strict=True)
            drawing.path(f"line {style(number)}", line(_corners(list(points))), run.name)
    return Figure(
        "Cumulative error",
        drawing.render(),
        "The higher the better. Dotted lines: the six distances of Acc. Photos without an answer are in the "
        "denominator, so that a curve ends at the share answered.",
        run_keys(runs) if len(runs) > 1 else (),
    )


def reliability(runs: Sequence[Run], bands: Sequence[Sequence[Band]], title: str, caption: str) -> Figure:
    """Draw the share that is right over the confidence that was stated, per run and band."""
    drawing, x, y = _plot(title, (0.0, 1.0))
    frame(drawing, x, y, xticks=_SHARES, yticks=_SHARES)
    drawing.path("ideal", line([(x(0), y(0)), (x(1), y(1))]))
    drawing.text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 10, "stated confidence", "mid")
    _intervals(drawing, [[(x(b.stated), b) for b in own] for own in bands], y)
    return Figure(title, drawing.render(), caption, run_keys(runs) if len(runs) > 1 else ())


def coverage(
    runs: Sequence[Run], bands: Sequence[Sequence[Band]], names: Sequence[str], promise: float, caption: str
) -> Figure:
    """Draw the share of truths inside the stated radius, by run and radius, beside what is promised."""
    drawing, x, y = _plot("Truth inside the stated radius", (0.0, float(len(names))))
    middles = [(at + 0.5, name.removesuffix(" km")) for at, name in enumerate(names)]
    frame(drawing, x, y, xticks=middles, yticks=_SHARES)
    drawing.path("ideal", line([(x(0), y(promise)), (x(len(names)), y(promise))]))
    drawing.text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 10, "stated radius in km", "mid")
    apart = 0.6 / max(len(runs), 1)
    placed = [
        [(x(names.index(b.name) + 0.5 + apart * (number - (len(runs) - 1) / 2)), b) for b in own]
        for number, own in enumerate(bands)
    ]
    _intervals(drawing, placed, y)
    return Figure(
        "Truth inside the stated radius", drawing.render(), caption, run_keys(runs) if len(runs) > 1 else ()
    )


def _intervals(drawing: Drawing, placed: Sequence[Sequence[tuple[float, Band]]], y: Scale) -> None:
    """Draw a point with its 95 % interval for each band of each run."""
    for number, own in enumerate(placed):
        for x, band in own:
            low, high = band.interval
            text = f"{band.name}: {band.share:.0%} of {band.n}"
            drawing.path(f"whisker {style(number)}", line([(x, y(low)), (x, y(high))]), text)
            drawing.path(f"point {style(number)}", dots([(x, y(band.share))]), text)


def _plot(title: str, values: tuple[float, float], *, log: bool = False) -> tuple[Drawing, Scale, Scale]:
    x = Scale(values, (_LEFT, _WIDTH - _RIGHT), log=log)
    y = Scale((0.0, 1.0), (_HEIGHT - _BOTTOM, _TOP))
    return Drawing(_WIDTH, _HEIGHT, title), x, y


def _spaced(km: float) -> str:
    text = label(km)
    return f"{text.rstrip('km')} {text.lstrip('0123456789.')}"


def _corners(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Leave out points in the middle of a level stretch."""
    return [
        point
        for at, point in enumerate(points)
        if at in {0, len(points) - 1}
        or not math.isclose(points[at - 1][1], point[1])
        or not math.isclose(points[at + 1][1], point[1])
    ]
