"""The worst answers of each run, with the photo where the run's files have it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wheretaken.evals.report.gather import photo_of
from wheretaken.evals.report.model import Cell, Section, Table, columns, distance, kilometres

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.answers import Answer
    from wheretaken.evals.model import Result, Truth
    from wheretaken.evals.report.model import Run

CASES = 24
"""In all runs together; only these have a picture, so that the page stays small."""
_FEWEST = 8
_THUMBNAIL_PIXELS = 224 * 168


def section(runs: Sequence[Run]) -> Section:
    """Return the part of the report that shows where runs are most wrong."""
    each = max(CASES // max(len(runs), 1), _FEWEST)
    return Section(
        "worst",
        "Worst answers",
        [f"Of each run the answers farthest off, {each} at most. Photos without an answer are left out."],
        tables=[_table(run, each) for run in runs if run.score.answered],
    )


def _table(run: Run, most: int) -> Table:
    rows = [
        [_photo(run, result), kilometres(km), _place(result.truth), _place(answer), Cell(_stated(answer))]
        for km, result, answer in run.worst(most)
    ]
    return Table(run.name, columns("photo", "error", "truth", "answer", "stated", words=(2, 3, 4)), rows)


def _photo(run: Run, result: Result) -> Cell:
    name = Cell(result.id, note=result.image if result.image != result.id else "")
    photo = photo_of(run, result)
    if photo is None:
        return name
    small = photo.resized(_THUMBNAIL_PIXELS)
    # Through `photos` nothing but pixels reaches the page: no EXIF position, no file name.
    return replace(name, picture=small.data_url(), size=(small.width, small.height))


def _place(place: Truth | Answer) -> Cell:
    """Return the position as a link to a map, and its names."""
    lat, lon = f"{place.lat:.5f}", f"{place.lon:.5f}"
    link = f"https://www.openstreetmap.org/?mlat={lat}&mlon={lon}#map=12/{lat}/{lon}"
    names = ", ".join(name for name in (place.city, place.country) if name)
    return Cell(f"{lat}, {lon}", note=names, link=link)


def _stated(answer: Answer) -> str:
    radius = "" if answer.radius_km is None else f"within {distance(answer.radius_km)}"
    sure = "" if answer.confidence is None else f"confidence {answer.confidence:.2f}"
    return ", ".join(part for part in (radius, sure) if part) or "–"
