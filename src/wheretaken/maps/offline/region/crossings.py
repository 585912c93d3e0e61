"""Where two streets meet: a point that no map names, though every passer-by does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken.maps.base import Match, MatchKind, Place
from wheretaken.maps.offline.region import geometry, schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wheretaken.maps.offline.region.table import Tables, Thing

KIND = "crossing"
SEPARATOR = "+"
"""Between the OpenStreetMap ids of the two streets in the id of their crossing."""
EXTENT_KM = 0.04
"""A photo at a crossing is taken about so far from its middle."""
_MEET_KM = 0.06
"""Streets that come this close meet: at a square, a roundabout, or where a name ends a house earlier."""


def find(tables: Tables, one: Sequence[Thing], other: Sequence[Thing], similarity: float) -> Iterator[Place]:
    """Yield where streets of one name meet streets of another.

    Args:
        tables: the region's.
        one: streets that the first name may mean.
        other: streets that the second may mean.
        similarity: how well the names were met, 1.0 for as the map spells them.
    """
    lines = tables.lines_of({thing.id for thing in (*one, *other)})
    for first in one:
        for second in other:
            apart = geometry.flat_km(first.lat, first.lon, second.lat, second.lon)
            if first.id == second.id or apart > first.extent_km + second.extent_km + _MEET_KM:
                continue
            if first.id not in lines or second.id not in lines:
                continue
            lat, lon, gap = geometry.meeting(lines[first.id], lines[second.id])
            if gap <= _MEET_KM:
                kind = MatchKind.EXACT if similarity == 1 else MatchKind.FUZZY
                place = _place(first, second, lat, lon)
                met = Match(kind=kind, alias=place.name, similarity=similarity)
                yield place.model_copy(update={"match": met})


def details(tables: Tables, osm_ids: str) -> Place | None:
    """Return the crossing of the two streets with ids such as `w12+w34`, or None."""
    one, _, other = osm_ids.partition(SEPARATOR)
    first, second = tables.by_osm_id(one), tables.by_osm_id(other)
    if first is None or second is None:
        return None
    found = next(find(tables, [first], [second], 1.0), None)
    return None if found is None else found.model_copy(update={"match": None})


def _place(first: Thing, second: Thing, lat: float, lon: float) -> Place:
    english = " / ".join(filter(None, (first.english, second.english)))
    return Place(
        id=f"osm:{first.osm_id}{SEPARATOR}{second.osm_id}",
        name=f"{first.name} / {second.name}",
        kind=KIND,
        lat=lat,
        lon=lon,
        country_code=first.country_code,
        city=first.city,
        english=english if first.english and second.english else "",
        extent_km=EXTENT_KM,
        source=schema.ATTRIBUTION,
    )
