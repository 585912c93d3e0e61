"""Whether what an answer says of itself holds: its radius, and its confidence.

A stated radius promises that the place lies within it in 80 of 100 cases; a stated confidence, that the
answer is right, here: within 25 km, the size of a city.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheretaken.evals.report.charts import coverage, reliability
from wheretaken.evals.report.model import Cell, Figure, Section, Table, columns, count, percent
from wheretaken.scoring.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wheretaken.evals.report.model import Run

PROMISED = 0.8
"""The probability that a radius stands for, in every prompt and verdict of this package."""
RIGHT_KM = 25.0
_RADII_KM = (1.0, 5.0, 25.0, 100.0, 500.0)
_RADIUS_NAMES = ("< 1 km", "1–5 km", "5–25 km", "25–100 km", "100–500 km", "≥ 500 km")
_BINS = 10


@dataclass(frozen=True, slots=True)
class Band:
    """Answers that state about the same."""

    name: str
    n: int
    right: int
    stated: float = PROMISED
    """Their mean stated probability."""

    @property
    def share(self) -> float:
        """Of those that hold."""
        return self.right / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval."""
        return wilson(self.right, self.n)


def radius_bands(run: Run) -> list[Band]:
    """Return how many truths lie inside the stated radius, by radius; empty bands are left out."""
    stated = [
        (result.answer.radius_km, km <= result.answer.radius_km)
        for result, km in zip(run.results, run.km.tolist(), strict=True)
        if result.answer and result.answer.radius_km is not None
    ]
    numbered = [(sum(radius >= edge for edge in _RADII_KM), inside) for radius, inside in stated]
    found: list[Band] = []
    for at, name in enumerate(_RADIUS_NAMES):
        own = [inside for number, inside in numbered if number == at]
        if own:
            found.append(Band(name, len(own), sum(own)))
    return found


def confidence_bands(run: Run) -> list[Band]:
    """Return how many answers are right, by stated confidence in ten equal bins; empty ones are left out."""
    stated = [
        (result.answer.confidence, km < RIGHT_KM)
        for result, km in zip(run.results, run.km.tolist(), strict=True)
        if result.answer and result.answer.confidence is not None
    ]
    found: list[Band] = []
    for at in range(_BINS):
        own = [(sure, right) for sure, right in stated if min(int(sure * _BINS), _BINS - 1) == at]
        if own:
            right = sum(good for _, good in own)
            mean = sum(sure for sure, _ in own) / len(own)
            found.append(Band(f"{at * 10}–{at * 10 + 10} %", len(own), right, mean))
    return found


def calibration_error(bands: Iterable[Band]) -> float:
    """Return the expected calibration error: the mean gap between stated and found, weighted by answers.

    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, equation 3.
    """
    bands = list(bands)
    total = sum(band.n for band in bands)
    return sum(band.n * abs(band.stated - band.share) for band in bands) / total if total else 0.0


def section(runs: Sequence[Run]) -> Section:
    """Return the part of the report about stated radius and confidence."""
    radii = [radius_bands(run) for run in runs]
    sures = [confidence_bands(run) for run in runs]
    texts: list[str] = []
    figures: list[Figure] = []
    tables: list[Table] = []
    if any(radii):
        figures.append(
            coverage(
                runs,
                radii,
                _RADIUS_NAMES,
                PROMISED,
                "Dashed: the 80 % that a radius promises. Below it, radii are too small; above, too large. "
                "Bars: 95 % intervals.",
            )
        )
        tables.append(_radius_table(runs, radii))
    else:
        texts.append("No answer states a radius.")
    if any(sures):
        figures.append(
            reliability(
                runs,
                sures,
                "Stated confidence and what it is worth",
                f"Share within {RIGHT_KM:g} km over stated confidence, in ten bins. Dashed: as stated. Below "
                "it, answers are too sure. Bars: 95 % intervals.",
            )
        )
        tables.append(_confidence_table(runs, sures))
    else:
        texts.append("No answer states a confidence.")
    return Section("calibration", "Calibration", texts, figures, tables)


def _radius_table(runs: Sequence[Run], bands: Sequence[Sequence[Band]]) -> Table:
    rows: list[list[Cell]] = []
    for run, own in zip(runs, bands, strict=True):
        total = Band("all", sum(b.n for b in own), sum(b.right for b in own))
        rows += [_row(run, band) for band in (*own, total) if band.n]
    head = columns("run", "stated radius", "answers", "truth inside", words=[1])
    return Table("Truth inside the stated radius (80 % promised)", head, rows)


def _confidence_table(runs: Sequence[Run], bands: Sequence[Sequence[Band]]) -> Table:
    rows: list[list[Cell]] = []
    for run, own in zip(runs, bands, strict=True):
        rows += [[*_row(run, band), percent(band.stated), Cell("")] for band in own]
        if own:
            total = Band("all", sum(b.n for b in own), sum(b.right for b in own))
            mean = sum(b.stated * b.n for b in own) / total.n
            error = calibration_error(own)
            rows.append([*_row(run, total), percent(mean), Cell(f"{error:.3f}", error)])
    head = columns(
        "run", "stated confidence", "answers", f"within {RIGHT_KM:g} km", "mean stated", "ECE", words=[1]
    )
    return Table("Stated confidence and what it is worth", head, rows, "ECE: expected calibration error.")


def _row(run: Run, band: Band) -> list[Cell]:
    return [Cell(run.name), Cell(band.name), count(band.n), percent(band.share, band.interval)]
