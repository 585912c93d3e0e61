"""Where the things are that a combination is made of, as arrays: everything that a name or a kind may mean.

A street is not a point: it stands here as points along it, each with the street's number, so that what is
"close to it" is close to some of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheretaken.maps import kinds as sorts
from wheretaken.maps.base import Match, MatchKind
from wheretaken.maps.offline.region import geometry, match

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy as np
    import numpy.typing as npt

    from wheretaken.geo import LatLon
    from wheretaken.maps.offline.region.kinds import Positions
    from wheretaken.maps.offline.region.match import Hit
    from wheretaken.maps.offline.region.table import Tables

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

_WORTH = {
    MatchKind.EXACT: 1.0,
    MatchKind.STRIPPED: 0.9,
    MatchKind.PARTIAL: 0.75,
    MatchKind.PREFIX: 0.5,
    MatchKind.FUZZY: 0.85,
    MatchKind.KIND: 0.9,
}
"""What a similarity of one is worth in a combination."""
_LEAST = 0.35
"""Names that are met worse than this are others."""
_MOST_STREETS = 40
"""Streets of one name whose course is looked at; further ones stand where their middle is."""


@dataclass(frozen=True)
class Members:
    """Everything that one of the wanted things may be; rows of equal number are one thing."""

    wanted: str
    numbers: Ints
    lats: Floats
    lons: Floats
    weights: Floats
    """How well each was met, 0 to 1; all arrays have the shape (n,)."""
    hits: dict[int, Hit]
    """By number, where the thing was met by its name."""

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self.numbers)

    def match(self, number: int) -> Match:
        """Return how the thing with this number was met."""
        hit = self.hits.get(number)
        if hit is None:
            return Match(kind=MatchKind.KIND, alias=self.wanted, similarity=1.0)
        return Match(kind=hit.kind, alias=hit.alias, similarity=hit.similarity)


def find(
    tables: Tables,
    lists: Callable[[Iterable[str]], list[Positions]],
    wanted: str,
    step_km: float,
    near: LatLon | None = None,
    radius_km: float | None = None,
) -> Members:
    """Return where everything is that a name or a kind may mean.

    Args:
        tables: the region's.
        lists: returns where the things of some kinds are.
        wanted: a name or a word for a kind; a word for a kind is no name.
        step_km: how far apart the points along a street are at most.
        near: the middle of where to look.
        radius_km: how far from there; None for everywhere.
    """
    import numpy as np  # noqa: PLC0415 - an exact search needs no arrays

    of_kind = joined(lists(sorts.known(wanted)))
    if len(of_kind[0]):
        numbers, lats, lons = of_kind
        found = Members(wanted, numbers, lats, lons, np.full(len(numbers), _WORTH[MatchKind.KIND]), {})
    else:
        hits = match.find(tables, wanted)
        hits = {n: hit for n, hit in hits.items() if _WORTH[hit.kind] * hit.similarity >= _LEAST}
        rows = _rows(tables, hits, step_km)
        table = np.array([(n, lat, lon) for n, lat, lon in rows], dtype=np.float64).reshape(-1, 3)
        numbers = table[:, 0].astype(np.int64)
        weights = np.array([_WORTH[hits[int(n)].kind] * hits[int(n)].similarity for n in numbers])
        found = Members(wanted, numbers, table[:, 1], table[:, 2], weights, hits)
    if near is None or radius_km is None:
        return found
    inside = _within(found.lats, found.lons, near, radius_km)
    return Members(
        wanted,
        found.numbers[inside],
        found.lats[inside],
        found.lons[inside],
        found.weights[inside],
        found.hits,
    )


def numbers(found: Sequence[Positions]) -> Ints:
    """Return the numbers of all things in some lists."""
    return joined(found)[0]


def nearest(found: Sequence[Positions], most: int, near: LatLon | None, radius_km: float | None) -> list[int]:
    """Return the numbers of the things that are nearest to a position; without one, of the first."""
    import numpy as np  # noqa: PLC0415 - as above

    numbers, lats, lons = joined(found)
    if near is None:
        return np.unique(numbers)[:most].tolist()
    squared = _squared_km(lats, lons, near)
    order = np.argsort(squared, kind="stable")[: most * 2]
    if radius_km is not None:
        order = order[squared[order] <= radius_km**2]
    return list(dict.fromkeys(numbers[order].tolist()))[:most]


def _rows(tables: Tables, hits: dict[int, Hit], step_km: float) -> list[tuple[int, float, float]]:
    rows = tables.positions(hits)
    streets = sorted(hits, key=lambda number: hits[number].order)[: _MOST_STREETS * 5]
    lines = dict(list(tables.lines_of(streets).items())[:_MOST_STREETS])
    return [row for row in rows if row[0] not in lines] + [
        (number, lat, lon) for number, ways in lines.items() for lat, lon in geometry.along(ways, step_km)
    ]


def joined(found: Sequence[Positions]) -> tuple[Ints, Floats, Floats]:
    """Return numbers, latitudes and longitudes of all things in some lists, each once."""
    import numpy as np  # noqa: PLC0415 - as above

    if len(found) == 1:
        return found[0].numbers, found[0].lats, found[0].lons
    if not found:
        return np.zeros(0, np.int64), np.zeros(0), np.zeros(0)
    numbers = np.concatenate([one.numbers for one in found])
    numbers, first = np.unique(numbers, return_index=True)
    lats = np.concatenate([one.lats for one in found])[first]
    lons = np.concatenate([one.lons for one in found])[first]
    return numbers, lats, lons


def _within(lats: Floats, lons: Floats, near: LatLon, radius_km: float) -> npt.NDArray[np.bool_]:
    return _squared_km(lats, lons, near) <= radius_km**2


def _squared_km(lats: Floats, lons: Floats, near: LatLon) -> Floats:
    north, east = geometry.km_per_degree(near.lat)
    return ((lats - near.lat) * north) ** 2 + ((lons - near.lon) * east) ** 2
