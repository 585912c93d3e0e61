"""`Region`: one region file, searched by name and address, and asked what is around a point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheretaken.maps.base import Match, MatchKind, Place
from wheretaken.maps.offline import names, ranking
from wheretaken.maps.offline.region import addresses, geometry, match, schema
from wheretaken.maps.offline.region import tags as tagging
from wheretaken.maps.offline.region.info import read_info
from wheretaken.maps.offline.region.table import Tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from wheretaken.geo import LatLon
    from wheretaken.maps.offline.region.table import Thing

AROUND_KM = 0.3
"""How far from a position `reverse` looks."""
_ADDRESS_KM = 0.03
_PER_NUMBER_KM = 0.015
"""About how far apart house numbers are that differ by one, where nothing better is known."""
_BEYOND = 20
"""A number this far beyond the last one that is mapped says no more than the street does."""
_POSTCODE_DIGITS = 5
_WHOLE = 0.99
"""A query explained this far is explained."""
_NEVER_SURE = 0.98
"""The similarity of a street whose name only looks equal."""
_NEIGHBOUR = 0.94
"""The worth of a neighbouring number: below every number that agrees, above the street alone."""


class Region:
    """One region file. Calls may come from any thread.

    Raises:
        DataError: the file is missing, damaged or of another version.
    """

    def __init__(self, path: Path) -> None:
        self.info = read_info(path)
        self._tables = Tables(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._tables.close()

    def search(self, query: str, *, near: LatLon | None = None, limit: int = 10) -> list[Place]:
        """Return the named things and addresses that `query` may mean, best first, each with its `match`."""
        address = self._address(query)
        found = [*self._named(query, address)]
        if address is not None:
            found += self._doors(address)
        if near is not None:
            found = [ranking.with_distance(place, near) for place in found]
        return ranking.best(found, limit)

    def details(self, place_id: str) -> Place | None:
        """Return the place with an id such as `osm:w456`; any way of a street stands for the street."""
        source, _, number = place_id.partition(":")
        known = {"osm": number, schema.OVERTURE: place_id}.get(source)
        thing = self._tables.by_osm_id(known) if known else None
        return None if thing is None else _place(thing)

    def reverse(self, position: LatLon, *, limit: int = 5) -> list[Place]:
        """Return what is within 300 m of a position: what is near and small first, as that says most.

        The nearest address and the nearest street are among them whenever there are any.
        """
        around = sorted(self._around(position), key=_telling)
        chosen: list[Place] = []
        for wanted in ("address", "street"):
            chosen += [place for place in around if place.kind == wanted][:1]
        named = [place for place in around if place.kind not in {"address", "street"}]
        return sorted((chosen + named)[: max(limit, 0)], key=_telling)

    def _named(self, query: str, found: _Address | None) -> Iterator[Place]:
        """Yield what the query names; a name beside the address where that thing is explains both."""
        known = found is not None and found.similarity == 1 and not found.left
        hits = match.find(self._tables, query, explained=known)
        things = self._tables.things(hits).values()
        for thing in sorted(things, key=lambda thing: hits[thing.id].rank):
            hit = hits[thing.id]
            kind, similarity = hit.kind, hit.similarity
            if found and kind is MatchKind.PARTIAL and thing.kind != "street" and found.has(thing):
                similarity = min(1.0, similarity + found.covered(thing))
                kind = MatchKind.EXACT if similarity > _WHOLE else kind
            yield _place(thing, Match(kind=kind, alias=hit.alias, similarity=similarity))

    def _address(self, query: str) -> _Address | None:
        """Return the street and number that a query gives, when the street is one of this region."""
        words = names.tokens(query)
        guesses = addresses.guesses(words)
        streets = self._streets([guess.street for guess in guesses])
        for guess in guesses:
            if guess.street in streets:
                things, similarity = streets[guess.street]
                rest = [*words[: guess.used[0]], *words[guess.used[1] :]]
                known = self._said_of(things)
                left = [word for word in rest if word not in known and not _is_postcode(word)]
                folded = {thing.street_folded for thing in things}
                return _Address(folded, guess.number, similarity, left, sum(map(len, words)))
        return None

    def _said_of(self, streets: Sequence[Thing]) -> set[str]:
        """Return the words of all names of streets, and of the city that they are in."""
        said = {word for thing in streets for word in names.tokens(thing.city)}
        for alias in self._tables.aliases_of({thing.id for thing in streets}):
            said.update(names.tokens(alias.folded))
        return said

    def _streets(self, guesses: Sequence[str]) -> dict[str, tuple[list[Thing], float]]:
        """Return which guesses are streets, or are known from addresses, and how similar the names are."""
        by_thing = {alias.thing_id: alias.folded for alias in self._tables.aliases("folded", set(guesses))}
        found: dict[str, tuple[list[Thing], float]] = {}
        for thing in self._tables.things(by_thing).values():
            if thing.kind == "street":
                found.setdefault(by_thing[thing.id], ([], 1.0))[0].append(thing)
        for thing in self._tables.addresses(set(guesses) - found.keys()):
            found.setdefault(thing.street_folded, ([], 1.0))[0].append(thing)
        for guess in guesses if not found else ():
            hits = {hit.thing_id: hit for hit in match.fuzzy(self._tables, guess)}
            for thing in self._tables.things(hits).values():
                if thing.kind == "street":
                    similarity = min(hits[thing.id].similarity, _NEVER_SURE)
                    found.setdefault(guess, ([], similarity))[0].append(thing)
        return found

    def _doors(self, found: _Address) -> Iterator[Place]:
        """Yield the address, or the nearest number on its street with the uncertainty that this has."""
        numbered = [
            (thing, number)
            for thing in self._tables.addresses(found.streets)
            if (number := addresses.parse(thing.house_number)) is not None
        ]
        if not numbered:
            return
        scored = [(number.meets(found.number), thing) for thing, number in numbered]
        best = max(score for score, _ in scored)
        if best > 0:
            # One door may be mapped for the house and for each of its shops: the house comes first.
            doors = (thing for score, thing in scored if score == best)
            seen: dict[tuple[str, str, float], Thing] = {}
            for thing in sorted(doors, key=lambda thing: (thing.kind != "address", thing.id)):
                seen.setdefault((thing.street_folded, thing.house_number, round(thing.lat, 2)), thing)
            yield from (_door(thing, found.match(thing, best)) for thing in seen.values())
            return
        first, beyond = addresses.nearest(found.number, [number for _, number in numbered])
        thing, number = numbered[first]
        steps = abs(number.low - found.number.low)
        if beyond is not None:
            other = numbered[beyond][0]
            extent = geometry.flat_km(thing.lat, thing.lon, other.lat, other.lon)
        elif steps <= _BEYOND:
            extent = steps * _PER_NUMBER_KM
        else:
            return
        yield _door(thing, found.match(thing, _NEIGHBOUR), max(extent, 2 * _ADDRESS_KM))

    def _around(self, position: LatLon) -> Iterator[Place]:
        lat, lon = position.lat, position.lon
        box = geometry.box_around(lat, lon, AROUND_KM)
        nearest: dict[int, tuple[Thing, geometry.Spot]] = {}
        for thing in self._tables.things_in(box):
            away = geometry.flat_km(thing.lat, thing.lon, lat, lon)
            nearest[thing.id] = (thing, geometry.Spot(thing.lat, thing.lon, away))
        for thing, wkb in self._tables.shapes_in(box):
            spot = geometry.nearest(wkb, lat, lon)
            if thing.id not in nearest or spot.extent_km < nearest[thing.id][1].extent_km:
                nearest[thing.id] = (thing, spot)
        for thing, spot in nearest.values():
            if spot.extent_km <= AROUND_KM:
                yield _place(thing).model_copy(update=_seen(thing, spot))
                if thing.house_number and thing.street and thing.kind != "address":
                    yield _door(thing).model_copy(update={"distance_km": spot.extent_km})


@dataclass(frozen=True, slots=True)
class _Address:
    """The street and number that a query gives."""

    streets: set[str]
    """Folded names of the street, as addresses have them."""
    number: addresses.Number
    similarity: float
    """1.0 when the street is spelled as on the map."""
    left: list[str]
    """Words of the query that are neither street, number, city nor postcode."""
    letters: int
    """Length of all words of the query."""

    def has(self, thing: Thing) -> bool:
        """Tell whether a thing is at this address."""
        number = addresses.parse(thing.house_number)
        return thing.street_folded in self.streets and number is not None and number.meets(self.number) > 0

    def covered(self, thing: Thing) -> float:
        """Return how much of the query the address of a thing is; a misspelled street covers less."""
        rest = names.tokens(thing.house_number)
        left = sum(len(word) for word in self.left if word not in rest)
        return self.similarity * (1 - left / self.letters)

    def match(self, thing: Thing, agreement: float) -> Match:
        """Return how well a door fits: `agreement` says how well its number does."""
        covered = self.covered(thing)
        if self.similarity < 1:
            kind = MatchKind.FUZZY
        else:
            kind = MatchKind.EXACT if covered > _WHOLE and agreement > _NEIGHBOUR else MatchKind.PARTIAL
        return Match(kind=kind, alias=_line(thing), similarity=covered * agreement)


def _is_postcode(word: str) -> bool:
    return word.isdigit() and len(word) == _POSTCODE_DIGITS


def _line(thing: Thing) -> str:
    """Return street and number, "" when either is unknown."""
    if not (thing.house_number and thing.street):
        return ""
    return tagging.Address(thing.street, thing.house_number, thing.city, thing.country_code).line()


def _seen(thing: Thing, spot: geometry.Spot) -> dict[str, object]:
    """Return what changes with the point of view: a street is where it is nearest, other things stay."""
    if thing.kind == "street":
        return {"distance_km": spot.extent_km, "lat": spot.lat, "lon": spot.lon}
    return {"distance_km": spot.extent_km}


def _door(thing: Thing, met: Match | None = None, extent_km: float = _ADDRESS_KM) -> Place:
    """Return an address as a place of its own, whatever is behind the door."""
    update = {"kind": "address", "name": _line(thing), "english": "", "extent_km": extent_km}
    return _place(thing, met).model_copy(update=update)


def _place(thing: Thing, met: Match | None = None) -> Place:
    return Place(
        id=thing.osm_id if ":" in thing.osm_id else f"osm:{thing.osm_id}",
        name=thing.name,
        kind=thing.kind,
        lat=thing.lat,
        lon=thing.lon,
        country_code=thing.country_code,
        city=thing.city,
        address=_line(thing),
        english=thing.english,
        extent_km=thing.extent_km,
        match=met,
        source=schema.OVERTURE_ATTRIBUTION
        if thing.osm_id.startswith(schema.OVERTURE)
        else schema.ATTRIBUTION,
    )


def _telling(place: Place) -> float:
    """Return the sort key of things around a point: a park around it says less than a shop beside it."""
    return (place.distance_km or 0.0) + place.extent_km / 5
