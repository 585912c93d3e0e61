"""Things that a query places by others: "pharmacy on Mannerheimintie", "Lidl opposite the theatre"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken.maps import kinds as sorts
from wheretaken.maps.base import Match, MatchKind
from wheretaken.maps.offline import names
from wheretaken.maps.offline.region import geometry, match, members, places, schema

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from wheretaken.maps.base import Place
    from wheretaken.maps.offline.region.kinds import Positions
    from wheretaken.maps.offline.region.phrases import Placed
    from wheretaken.maps.offline.region.scope import Scope
    from wheretaken.maps.offline.region.table import Tables

_LARGEST_KM = 0.3
"""What is larger than this is not all beside what stands next to its edge."""
_FARTHEST = 0.8
"""What the similarity of a thing at the edge of the reach is multiplied with."""


def find(
    tables: Tables,
    lists: Callable[[Iterable[str]], list[Positions]],
    reading: Placed,
    anchors: Sequence[Place],
    scope: Scope,
    limit: int,
) -> Iterator[Place]:
    """Yield what the query says and what is beside one of the anchors, the nearest to each first.

    Args:
        tables: the region's.
        lists: returns where the things of some kinds are.
        reading: how the query was read.
        anchors: places that the second thing may be, each with its match.
        scope: what is left out.
        limit: how many at most for each anchor.
    """
    meant = sorts.known(reading.subject)
    hits = match.find(tables, reading.subject)
    if meant:
        hits = {number: hit for number, hit in hits.items() if hit.kind is MatchKind.EXACT}
    of_kind = members.joined(lists(meant))
    named = tables.positions(hits)
    numbers = [*(number for number, _, _ in named), *of_kind[0].tolist()]
    lats = [*(lat for _, lat, _ in named), *of_kind[1].tolist()]
    lons = [*(lon for _, _, lon in named), *of_kind[2].tolist()]
    if not numbers:
        return
    for anchor in anchors:
        sure = anchor.match.similarity if anchor.match else 0.0
        spots, reach = _spots(tables, anchor, reading.relation.value)
        away = geometry.apart_km(lats, lons, spots)
        near = {number: km for number, km in zip(numbers, away, strict=True) if km <= reach}
        for number in _in_street(tables, anchor, set(numbers)):
            near.setdefault(number, reach)
        nearest = sorted(near, key=lambda number: (near[number], number))[:limit]
        things = tables.things(nearest)
        for number in nearest:
            thing, hit = things[number], hits.get(number)
            if not scope.has(thing.lat, thing.lon) or schema.place_id(thing.osm_id) == anchor.id:
                continue
            if scope.kinds and not sorts.is_of(thing.kind, scope.kinds):
                continue
            close = sure * (1 - (1 - _FARTHEST) * near[number] / reach)
            if hit is None:
                met = Match(kind=MatchKind.KIND, alias=reading.subject, similarity=close)
            elif hit.kind is MatchKind.EXACT and sure == 1:
                met = Match(kind=hit.kind, alias=hit.alias, similarity=1.0)
            else:
                kind = MatchKind.FUZZY if hit.kind is MatchKind.EXACT else hit.kind
                met = Match(kind=kind, alias=hit.alias, similarity=hit.similarity * sure)
            yield places.place(thing, met)


def _spots(tables: Tables, anchor: Place, reach: float) -> tuple[list[tuple[float, float]], float]:
    """Return points of an anchor, all along it where it is a street, and how far from them is beside it."""
    if anchor.kind == "street":
        thing = tables.by_osm_id(anchor.id.partition(":")[2])
        lines = tables.lines_of([thing.id]).get(thing.id) if thing else None
        if lines:
            return geometry.along(lines, reach / 2), reach
    return [(anchor.lat, anchor.lon)], reach + min(anchor.extent_km, _LARGEST_KM)


def _in_street(tables: Tables, anchor: Place, numbers: Collection[int]) -> Iterator[int]:
    """Yield which of some things have an address in the street that an anchor is."""
    if anchor.kind == "street":
        for thing in tables.addresses([names.fold(anchor.name)]):
            if thing.id in numbers:
                yield thing.id
