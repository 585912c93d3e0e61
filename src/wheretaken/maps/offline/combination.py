"""Where several things are close together: a spatial join of everything that each of them may be.

The rarest thing leads: for each place that it may be, the best of every other thing within reach is looked up
in a grid (a sorted list of cell numbers). A combination that lacks one thing has at least one of the two
rarest, so these two lead and no others. All of that is done with arrays; only the best few combinations are
compared one by one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

from wheretaken.geo import LatLon, distance_km
from wheretaken.maps.base import Combination, Member
from wheretaken.maps.offline.region.geometry import flat_km, km_per_degree

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    import numpy as np
    import numpy.typing as npt

    from wheretaken.maps.base import Place
    from wheretaken.maps.offline.region.members import Members

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

FEWEST = 2
"""Things that make a combination."""
MOST_WANTED = 8
_FAR_COUNTS = 0.3
"""What a place at the edge of the reach is worth less than one beside the leading one."""
_MOST_LEADING = 60_000
"""Rows of the leading thing that are looked at: more of them tell nothing apart."""
_COMPARED = 60
"""Combinations that are compared one by one, for each result that is wanted at least ten."""
_LEADING = 2
_COLUMNS = 1 << 32
"""Cells in a row of the grid, so that one number tells row and column."""
_HASHES = 1 << 18


@dataclass(frozen=True)
class _Lead:
    """What is around each row of a leading thing."""

    value: Floats
    """Sum of what the things are worth, shape (n,)."""
    count: Ints
    """How many of the things are there, the leading one included, shape (n,)."""
    chosen: Ints
    """Row of each of the wanted things, -1 for none, shape (n, wanted)."""


def find(
    wanted: Sequence[Members],
    places: Callable[[Collection[int]], dict[int, Place]],
    *,
    within_km: float,
    near: LatLon | None = None,
    limit: int = 10,
) -> list[Combination]:
    """Return the combinations of one region, best first.

    Args:
        wanted: everything that each of the wanted things may be.
        places: returns the things with some numbers.
        within_km: how far from the leading thing the others may be.
        near: WGS-84; nearer combinations are preferred among equal ones.
        limit: how many at most.
    """
    import numpy as np  # noqa: PLC0415 - nothing is loaded before it is needed

    leading = sorted((n for n, one in enumerate(wanted) if one.size), key=lambda n: (wanted[n].size, n))
    kept: list[_Made] = []
    made: list[_Made] = []
    for lead in leading[:_LEADING]:
        around = _around(wanted, lead, within_km)
        good = np.flatnonzero(around.count >= FEWEST)
        if near is None:
            away = np.zeros(len(good))
        else:
            rows = around.chosen[good, lead]
            away = _flat_km(wanted[lead].lats[rows], wanted[lead].lons[rows], near)
        keys = (away, -around.value[good].round(1), -around.count[good])
        best = good[np.lexsort(keys)][: _COMPARED * max(limit, 10) // 10]
        made += [_combination(wanted, rows, near) for rows in around.chosen[best].tolist()]
        made.sort(key=_order)
        kept = _distinct(made, within_km, limit)
        if len(kept) == limit and all(one.matched == len(wanted) for one in kept):
            break  # what lacks the rarest thing comes after all of these
    known = places({number for one in kept for number in one.numbers if number is not None})
    return [_told(one, wanted, known, near) for one in kept]


def _distinct(made: Iterable[_Made], within_km: float, limit: int) -> list[_Made]:
    """Return the first combinations that are no other views of those before them."""
    kept: list[_Made] = []
    for one in made:
        if not any(_same(one, other, within_km) for other in kept):
            kept.append(one)
        if len(kept) == limit:
            break
    return kept


def order(found: Combination) -> tuple[float, ...]:
    """Return the sort key of combinations of several regions: complete, well-met, near ones first."""
    return (-found.matched, -round(found.score, 1), found.distance_km or 0.0, -found.score, found.spread_m)


def _around(wanted: Sequence[Members], lead: int, within_km: float) -> _Lead:
    """Return the best of each other thing within reach of every row of the leading one."""
    import numpy as np  # noqa: PLC0415 - as above

    leader = wanted[lead]
    rows = np.arange(leader.size)[:_MOST_LEADING]
    value = leader.weights[rows].copy()
    count = np.ones(len(rows), np.int64)
    chosen = np.full((len(rows), len(wanted)), -1, np.int64)
    chosen[:, lead] = rows
    for n, other in enumerate(wanted):
        if n == lead or not other.size:
            continue
        best, worth = _best_within(leader, rows, other, within_km)
        chosen[:, n] = best
        value += worth
        count += best >= 0
    return _Lead(value, count, chosen)


def _best_within(leader: Members, rows: Ints, other: Members, within_km: float) -> tuple[Ints, Floats]:
    """Return for each leading row the other thing's best row within reach, -1 for none, and its worth."""
    import numpy as np  # noqa: PLC0415 - as above

    latitude = float(np.abs(leader.lats[rows]).max(initial=0.0))
    north, east = km_per_degree(min(latitude, 89.0))
    high, wide = within_km / north, within_km / east
    at = _cells(leader.lats[rows], leader.lons[rows], high, wide)
    cells = _cells(other.lats, other.lons, high, wide)
    # Most of the larger of the two sets are far from all of the smaller one.
    if len(at) < len(cells):
        leads, others = np.arange(len(at)), np.flatnonzero(_neighbours(cells, at))
    else:
        leads, others = np.flatnonzero(_neighbours(at, cells)), np.arange(len(cells))
    order = others[np.argsort(cells[others], kind="stable")]
    cells = cells[order]
    lats, lons = leader.lats[rows], leader.lons[rows]
    owners: list[Ints] = []
    candidates: list[Ints] = []
    for step in (-1, 0, 1):
        # Three neighbouring cells of one row of the grid are one stretch of the sorted list.
        first = np.searchsorted(cells, at[leads] + step * _COLUMNS - 1, side="left")
        end = np.searchsorted(cells, at[leads] + step * _COLUMNS + 1, side="right")
        lengths = end - first
        owner = np.repeat(np.arange(len(leads)), lengths)
        offset = np.arange(len(owner)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        owners.append(leads[owner])
        candidates.append(order[first[owner] + offset])
    owner, candidate = np.concatenate(owners), np.concatenate(candidates)
    scale = np.cos(np.radians(lats[owner])) * 111.32
    away = np.hypot(
        (other.lats[candidate] - lats[owner]) * north, (other.lons[candidate] - lons[owner]) * scale
    )
    fits = (away <= within_km) & ~(
        (other.numbers[candidate] == leader.numbers[rows][owner]) & (len(leader.hits) > 0)
    )
    owner, candidate, away = owner[fits], candidate[fits], away[fits]
    worth = other.weights[candidate]
    chosen, best = np.full(len(rows), -1, np.int64), np.zeros(len(rows))
    # The last one written for an owner stays: in rising order that is the best one.
    rising = np.argsort(worth * (1 - _FAR_COUNTS * away / within_km), kind="stable")
    chosen[owner[rising]] = candidate[rising]
    best[owner[rising]] = worth[rising]
    return chosen, best


def _cells(lats: Floats, lons: Floats, high: float, wide: float) -> Ints:
    """Return the number of the cell of a grid that each position is in."""
    import numpy as np  # noqa: PLC0415 - as above

    rows, columns = np.floor(lats / high).astype(np.int64), np.floor(lons / wide).astype(np.int64)
    return rows * _COLUMNS + columns


def _neighbours(many: Ints, few: Ints) -> npt.NDArray[np.bool_]:
    """Return which cells are or touch one of a few; now and then another one, as hashes are compared."""
    import numpy as np  # noqa: PLC0415 - as above

    seen = np.zeros(_HASHES, np.bool_)
    for step in (-_COLUMNS, 0, _COLUMNS):
        for side in (-1, 0, 1):
            seen[_hashes(few + (step + side))] = True
    return seen[_hashes(many)]


def _hashes(cells: Ints) -> Ints:
    return (cells ^ (cells >> 27)) & (_HASHES - 1)


@dataclass(frozen=True)
class _Made:
    """A combination while it is compared with others."""

    numbers: tuple[int | None, ...]
    """Of the thing that each of the wanted ones is, None for none."""
    spots: tuple[tuple[float, float], ...]
    """Where they are."""
    lat: float
    lon: float
    matched: int
    score: float
    spread_km: float
    away_km: float


def _combination(wanted: Sequence[Members], rows: Sequence[int], near: LatLon | None) -> _Made:
    things: list[int | None] = []
    spots: list[tuple[float, float]] = []
    value = 0.0
    for one, row in zip(wanted, rows, strict=True):
        number = int(one.numbers[row]) if row >= 0 else None
        # One thing is not two: what is called twice counts once.
        if number is not None and number in things:
            number = None
        things.append(number)
        if number is not None:
            spots.append((float(one.lats[row]), float(one.lons[row])))
            value += float(one.weights[row])
    lat = sum(lat for lat, _ in spots) / len(spots)
    lon = sum(lon for _, lon in spots) / len(spots)
    north, east = km_per_degree(lat)
    spread = max(
        math.hypot((one[0] - other[0]) * north, (one[1] - other[1]) * east)
        for one, other in combinations_with_replacement(spots, 2)
    )
    return _Made(
        tuple(things),
        tuple(spots),
        lat,
        lon,
        len(spots),
        min(value / len(wanted), 1.0),
        spread,
        0.0 if near is None else flat_km(lat, lon, near.lat, near.lon),
    )


def _order(made: _Made) -> tuple[float, ...]:
    return (-made.matched, -round(made.score, 1), round(made.away_km, 1), -made.score, made.spread_km)


def _same(one: _Made, other: _Made, within_km: float) -> bool:
    """Tell whether a combination is a worse view of one that is there already, or has too little left."""
    if one.matched < FEWEST:
        return True
    return flat_km(one.lat, one.lon, other.lat, other.lon) <= within_km


def _told(
    made: _Made, wanted: Sequence[Members], known: dict[int, Place], near: LatLon | None
) -> Combination:
    members: list[Member] = []
    spots = iter(made.spots)
    for one, number in zip(wanted, made.numbers, strict=True):
        if number is None:
            members.append(Member(wanted=one.wanted))
            continue
        lat, lon = next(spots)
        place = known[number].model_copy(update={"match": one.match(number)})
        if place.kind == "street":
            place = place.model_copy(update={"lat": lat, "lon": lon})
        away = flat_km(lat, lon, made.lat, made.lon) * 1000
        members.append(Member(wanted=one.wanted, place=place, distance_m=round(away, 1)))
    told = Combination(
        lat=made.lat,
        lon=made.lon,
        matched=made.matched,
        spread_m=round(made.spread_km * 1000, 1),
        score=round(made.score, 3),
        members=tuple(members),
    )
    if near is None:
        return told
    return told.model_copy(update={"distance_km": distance_km(LatLon(made.lat, made.lon), near)})


def _flat_km(lats: Floats, lons: Floats, near: LatLon) -> Floats:
    import numpy as np  # noqa: PLC0415 - as above

    north, _ = km_per_degree(near.lat)
    east = 111.32 * math.cos(math.radians(near.lat))
    return np.hypot((lats - near.lat) * north, (lons - near.lon) * east)


def first(found: Iterable[Combination], limit: int) -> list[Combination]:
    """Return the best combinations of several regions."""
    return sorted(found, key=order)[:limit]
