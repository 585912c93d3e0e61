"""`survey`: one pass over a data set that counts what there is and lists what is wrong."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pydantic import BaseModel

from wheretaken.evals.datasets.checks import Problem, Watch, examine

if TYPE_CHECKING:
    from collections.abc import Callable

    from wheretaken.evals.datasets.checks import Examined
    from wheretaken.evals.datasets.reading import Table
    from wheretaken.evals.model import DataSet

LISTED = 10_000
"""Problems that are listed of each kind; all of them are counted."""


class Box(BaseModel):
    """The range of positions, WGS-84 degrees."""

    south: float
    west: float
    north: float
    east: float


class Survey(BaseModel):
    """What is in a data set: the JSON of `wheretaken data info`."""

    name: str
    format: str
    notes: tuple[str, ...]
    photos: int = 0
    """Rows, whether their photo is there or not: the denominator of every metric."""
    splits: dict[str, int] = {}
    """Part of the set -> rows; a set without parts has none."""
    countries: dict[str, int] = {}
    """Country as the set writes it -> rows, the most frequent first."""
    box: Box | None = None
    found: int = 0
    """Photos that are there and can be read."""
    missing: int = 0
    broken: int = 0
    duplicates: int = 0
    """Photos that came before in the same set."""
    leaks: int | None = None
    """Photos that are in the other set as well, or within 50 m of one; None when no other set was given."""
    against: str = ""
    against_unread: int = 0
    """Photos of the other set that cannot be read, of which only the place was compared."""
    bytes: int = 0
    """Of the files."""
    smallest: tuple[int, int] | None = None
    """Width and height of the photo with the fewest pixels."""
    largest: tuple[int, int] | None = None
    problems: list[Problem] = []
    """At most 10,000 of each kind."""


def survey(
    data: Table, *, against: DataSet | None = None, progress: Callable[[int], None] | None = None
) -> Survey:
    """Look at every row and every photo of a set.

    Args:
        data: the set.
        against: another one, such as the test set, to look for leaks in.
        progress: told how many photos are done, those of the other set first.

    Raises:
        DataError: see `Table.rows`.
    """
    result = Survey(name=data.name, format=data.format, notes=data.notes)
    splits, countries, kinds = Counter[str](), Counter[str](), Counter[str]()
    with Watch() as watch:
        if against is not None:
            result.against = against.name
            result.against_unread = watch.against(against, progress)
        for number, item in enumerate(examine(data.rows()), 1):
            splits[item.row.split] += 1
            countries[item.row.truth.country] += 1
            _add(result, item)
            for problem in watch.problems(item):
                kinds[problem.kind] += 1
                result.problems += [problem] if kinds[problem.kind] <= LISTED else []
            if progress:
                progress(number)
    result.splits = {name: n for name, n in splits.most_common() if name}
    result.countries = {name: n for name, n in countries.most_common() if name}
    result.missing, result.broken, result.duplicates = kinds["missing"], kinds["broken"], kinds["duplicate"]
    result.leaks = None if against is None else kinds["leak"]
    return result


def _add(result: Survey, item: Examined) -> None:
    """Count a row."""
    result.photos += 1
    result.bytes += item.size
    lat, lon = item.row.truth.lat, item.row.truth.lon
    box = result.box or Box(south=lat, north=lat, west=lon, east=lon)
    result.box = Box(
        south=min(box.south, lat),
        north=max(box.north, lat),
        west=min(box.west, lon),
        east=max(box.east, lon),
    )
    if item.picture:
        result.found += 1
        size = item.picture.width, item.picture.height
        sizes = [size, *(known for known in (result.smallest, result.largest) if known)]
        result.smallest = min(sizes, key=lambda side: side[0] * side[1])
        result.largest = max(sizes, key=lambda side: side[0] * side[1])
