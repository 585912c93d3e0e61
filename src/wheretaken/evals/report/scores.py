"""The tables of scores: per run, run against run, by difficulty, by agreement and by place."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from wheretaken.agent.events import Status
from wheretaken.errors import DataError
from wheretaken.evals.compare import compare
from wheretaken.evals.joining import by_photo
from wheretaken.evals.report.model import (
    NOTHING,
    Cell,
    Section,
    Table,
    columns,
    count,
    kilometres,
    percent,
)
from wheretaken.evals.tiers import split
from wheretaken.scoring import ACC_KM, label
from wheretaken.scoring.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from wheretaken.evals.compare import Comparison
    from wheretaken.evals.joining import File
    from wheretaken.evals.model import Result
    from wheretaken.evals.report.model import Run
    from wheretaken.scoring.tally import Score

_DISTANCES = [label(km) for km in ACC_KM]
_EASY_KM = 10.0
_PLACES = 20
"""So many countries or cities have a row of their own."""
_AT = "25km"
_UNKNOWN = "not stated"


def headline(runs: Sequence[Run]) -> Section:
    """Return how each run does over all."""
    head = columns("run", "photos", "score", *(f"Acc@{d}" for d in _DISTANCES), "median", "GeoScore")
    rows = [[Cell(run.name), count(run.score.n), *_measures(run.score)] for run in runs]
    statuses = [
        [Cell(run.name), count(run.score.n), *(_of(run.score, status) for status in Status)] for run in runs
    ]
    return Section(
        "results",
        "Results",
        [
            "Shares are of all photos, whether answered or not. Below each value: its 95 % interval.",
        ],
        tables=[
            Table("Scores", head, rows),
            Table(
                "What became of the photos", columns("run", "photos", *(s.value for s in Status)), statuses
            ),
        ],
    )


def _measures(score: Score) -> list[Cell]:
    """Return score, accuracies, median and GeoScore with their intervals."""
    low, high = score.ci95["score"]
    least, most = score.ci95["geoscore"]
    return [
        Cell(f"{score.score:.4f}", score.score, f"{low:.3f}–{high:.3f}"),
        *_accuracies(score),
        kilometres(score.median_km),
        Cell(f"{score.geoscore:,.0f}", score.geoscore, f"{least:,.0f}–{most:,.0f}"),
    ]


def _accuracies(score: Score) -> list[Cell]:
    return [percent(score.acc[distance], score.ci95[distance]) for distance in _DISTANCES]


def _of(score: Score, status: Status) -> Cell:
    number: int = getattr(score, status.value)
    return Cell(f"{number:,}", number, f"{number / score.n:.1%}".replace("%", " %") if score.n else "")


def comparison(runs: Sequence[Run]) -> Section:
    """Return each further run against the first, and all of them on easy and hard photos."""
    files = [by_photo(run.name, run.results) for run in runs]
    texts = ["Only photos that both runs have are compared. Differences are the later run minus the first."]
    tables: list[Table] = []
    for other in files[1:]:
        try:
            tables.append(_compared(compare(files[0], other)))
        except DataError as error:
            texts.append(f"{error}.")
    if tables:
        try:
            tables += _tiers(files)
        except DataError as error:
            texts.append(f"{error}.")
    return Section("comparison", "Run against run", texts, tables=tables)


def _compared(found: Comparison) -> Table:
    rows: list[list[Cell]] = []
    for measure, row in found.differences.items():
        factor, digits, unit = {"score": (1, 4, ""), "geoscore": (1, 0, "")}.get(measure, (100, 1, " %"))
        low, high = (f"{factor * end:+.{digits}f}" for end in row.ci95)
        rows.append(
            [
                Cell(f"Acc@{measure}" if unit else {"score": "score", "geoscore": "GeoScore"}[measure]),
                Cell(f"{factor * row.a:,.{digits}f}{unit}", row.a),
                Cell(f"{factor * row.b:,.{digits}f}{unit}", row.b),
                Cell(f"{factor * row.difference:+,.{digits}f}", row.difference, f"{low} … {high}"),
                Cell(f"{row.p:.3f}" if row.p >= 0.001 else "< 0.001", row.p),
            ]
        )
    left = [
        f"{len(only)} only in {name}"
        for name, only in ((found.a, found.only_in_a), (found.b, found.only_in_b))
        if only
    ]
    note = f"{found.n:,} photos in both" + (f"; left out: {', '.join(left)}" if left else "")
    return Table(
        f"{found.b} against {found.a}",
        columns("measure", found.a, found.b, "difference", "p (two-sided)"),
        rows,
        f"{note}. Paired bootstrap, {found.resamples:,} resamples, seed {found.seed}.",
    )


def _tiers(files: Sequence[File]) -> list[Table]:
    agree = len(files) // 2 + 1
    found = split(files, at_km=_EASY_KM, agree=agree)
    made: list[Table] = []
    for tier in (tier for tier in found.tiers if tier.n):
        rule = "at least" if tier.tier == "easy" else "fewer than"
        made.append(
            Table(
                f"{tier.tier.capitalize()}: {tier.n:,} of {found.n:,} photos",
                columns("run", *(f"Acc@{distance}" for distance in _DISTANCES), "median"),
                [[Cell(s.file), *_accuracies(s), kilometres(s.median_km)] for s in tier.files],
                f"{rule.capitalize()} {agree} of {len(files)} runs within {_EASY_KM:g} km. "
                "A photo that a run does not have counts as failed.",
            )
        )
    return made


def breakdown(runs: Sequence[Run]) -> Section:
    """Return how the runs do by place, and by the agreement of several runs of a photo."""
    countries = {result.truth.country for run in runs for result in run.results} - {""}
    name, of = ("country", _country) if len(countries) > 1 else ("city", _city)
    tables = [_by_place(runs, name, of), *_by_agreement(runs)]
    return Section("places", f"By {name}", tables=tables)


def _country(result: Result) -> str:
    return result.truth.country or _UNKNOWN


def _city(result: Result) -> str:
    return result.truth.city or _UNKNOWN


def _by_place(runs: Sequence[Run], name: str, of: Callable[[Result], str]) -> Table:
    """Return a row for each of the largest places: of one run some measures, of several the one at 25 km."""
    sizes = Counter(of(result) for run in runs for result in run.results)
    order = [place for place, _ in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))]
    own, others = order[:_PLACES], f"{len(order) - _PLACES} others"
    groups = [_scores(run, [key if key in own else others for key in map(of, run.results)]) for run in runs]
    shown = own if len(order) <= _PLACES else [*own, others]
    if len(runs) == 1:
        rows = [_one_place(place, groups[0][place]) for place in shown]
        head = columns(name, "photos", *(f"Acc@{distance}" for distance in _DISTANCES), "median")
        return Table(f"By {name} of the photo", head, rows)
    rows = [_several_at(place, [group.get(place) for group in groups]) for place in shown]
    head = columns(name, "photos", *(run.name for run in runs))
    return Table(f"Acc@{_AT} by {name} of the photo", head, rows)


def _one_place(place: str, score: Score) -> list[Cell]:
    return [Cell(place), count(score.n), *_accuracies(score), kilometres(score.median_km)]


def _several_at(place: str, scores: Sequence[Score | None]) -> list[Cell]:
    most = max(score.n for score in scores if score)
    cells: list[Cell] = []
    for score in scores:
        if score is None:
            cells.append(NOTHING)
        else:
            cell = percent(score.acc[_AT], score.ci95[_AT])
            cells.append(cell if score.n == most else replace(cell, note=f"{cell.note}, n = {score.n:,}"))
    return [Cell(place), count(most), *cells]


def _by_agreement(runs: Sequence[Run]) -> list[Table]:
    rows: list[list[Cell]] = []
    for run in runs:
        keys = [
            f"{result.agree} of {len(result.runs)}"
            if result.agree is not None and len(result.runs) > 1
            else ""
            for result in run.results
        ]
        for key, score in sorted(_scores(run, keys).items(), reverse=True):
            if key:
                rows.append([Cell(run.name), Cell(key), count(score.n), *_accuracies(score)])
    if not rows:
        return []
    head = columns("run", "runs that agree", "photos", *(f"Acc@{d}" for d in _DISTANCES), words=[1])
    note = "How many runs of a photo lie within 25 km of its answer: known without the truth."
    return [Table("By agreement of a photo's runs", head, rows, note)]


def _scores(run: Run, keys: Iterable[str]) -> dict[str, Score]:
    """Return the score of each group of a run's results; a key for each result."""
    members: dict[str, list[int]] = {}
    for at, key in enumerate(keys):
        members.setdefault(key, []).append(at)
    scores: dict[str, Score] = {}
    for key, own in members.items():
        tally = Tally()
        tally.add(run.km[np.array(own)], [run.results[at].status for at in own])
        scores[key] = tally.score(key)
    return scores
