"""`Region`: one region file, searched by name, kind and address, and asked what is around a point."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from wheretaken.maps import kinds as sorts
from wheretaken.maps.base import Match, MatchKind
from wheretaken.maps.offline import names, ranking
from wheretaken.maps.offline.region import (
    addresses,
    beside,
    crossings,
    geometry,
    kinds,
    match,
    members,
    phrases,
    places,
    schema,
)
from wheretaken.maps.offline.region.info import read_info
from wheretaken.maps.offline.region.scope import Scope
from wheretaken.maps.offline.region.table import Tables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from wheretaken.geo import LatLon
    from wheretaken.maps.base import Place
    from wheretaken.maps.offline.region.match import Hit
    from wheretaken.maps.offline.region.phrases import Placed
    from wheretaken.maps.offline.region.table import Thing

AROUND_KM = 0.3
"""How far from a position `reverse` looks."""
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
_ANY_OF_KIND = 0.7
"""The similarity of a thing whose kind the query names, and nothing else of it."""
_MOST_HITS = 1_000
"""Things of which more is read: beyond them a chain's branches are compared by number only."""
_SPARE = 3
"""How many times as many places as are wanted are compared in full."""
_MOST_READINGS = 6
"""Ways to take a query apart that are tried."""
_MOST_ANCHORS = 6
"""Things of one name that another may be placed by."""


class Region:
    """One region file. Calls may come from any thread.

    Raises:
        DataError: the file is missing, damaged or of another version.
    """

    def __init__(self, path: Path) -> None:
        self.info = read_info(path)
        self._tables = Tables(path)
        self._list_of = lru_cache(maxsize=64)(self._read_list)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._tables.close()

    def search(
        self,
        query: str,
        *,
        near: LatLon | None = None,
        radius_km: float | None = None,
        kind: str = "",
        limit: int = 10,
        errors: bool = True,
    ) -> list[Place]:
        """Return the named things, addresses and crossings that `query` may mean, best first.

        Each comes with its `match`. With an empty query, everything of `kind`, the nearest first.

        Args:
            query: as `MapProvider.search` takes it.
            near: WGS-84; nearer places are preferred.
            radius_km: only places within this distance of `near`.
            kind: only places of this kind.
            limit: how many at most.
            errors: also look for names that are spelled a little differently, where no other fits.
        """
        scope = Scope(near, radius_km, sorts.kinds_of(kind))
        if not query.strip():
            return ranking.best(self._of_kind(scope, kind, scope.kinds, limit), limit)
        found = self._called(query, scope, limit, errors=errors)
        if not any(_explained(place) for place in found):
            found += self._placed(query, scope, limit)
            if meant := sorts.known(query):
                wanted = meant if not scope.kinds else meant & scope.kinds
                found += self._of_kind(scope, query, wanted, limit)
        if near is not None:
            found = [ranking.with_distance(place, near) for place in found]
        return ranking.best(found, limit)

    def _called(self, query: str, scope: Scope, limit: int, *, errors: bool = True) -> list[Place]:
        """Return what has the query as its name or address, or is the crossing that it names."""
        address = self._address(query)
        found = [*self._named(query, address, scope, limit, errors=errors)]
        if address is not None and self._wants(scope, "address"):
            found += [door for door in self._doors(address) if scope.has(door.lat, door.lon)]
        if not any(_explained(place) for place in found):
            found += self._crossings(query, scope)
        return found

    def suggest(self, text: str, *, near: LatLon | None = None, limit: int = 10) -> list[Place]:
        """Return things whose names begin with what was typed, or have a word that does, best first."""
        scope = Scope(near)
        hits = match.completing(self._tables, text)
        found = list(self._places_of(hits, scope, limit))
        address = self._address(text)
        if address is not None:
            found += self._doors(address)
        if near is not None:
            found = [ranking.with_distance(place, near) for place in found]
        return ranking.best(found, limit)

    def members(
        self, wanted: str, *, step_km: float, near: LatLon | None = None, radius_km: float | None = None
    ) -> members.Members:
        """Return where everything is that a name or kind may mean; see `members`."""
        return members.find(self._tables, self._lists, wanted, step_km, near, radius_km)

    def places(self, ids: Collection[int]) -> dict[int, Place]:
        """Return the things with these numbers of the region file as places."""
        return {number: places.place(thing) for number, thing in self._tables.things(ids).items()}

    def details(self, place_id: str) -> Place | None:
        """Return the place with an id such as `osm:w456`; any way of a street stands for the street."""
        source, _, osm_id = place_id.partition(":")
        if source == "osm" and crossings.SEPARATOR in osm_id:
            return crossings.details(self._tables, osm_id)
        known = {"osm": osm_id, schema.OVERTURE: place_id}.get(source)
        thing = self._tables.by_osm_id(known) if known else None
        return None if thing is None else places.place(thing)

    def reverse(self, position: LatLon, *, limit: int = 5) -> list[Place]:
        """Return what is within 300 m of a position: what is near and small first, as that says most.

        The nearest address and the nearest street are among them whenever there are any.
        """
        around = sorted(self._around(position), key=places.telling)
        chosen: list[Place] = []
        for wanted in ("address", "street"):
            chosen += [place for place in around if place.kind == wanted][:1]
        named = [place for place in around if place.kind not in {"address", "street"}]
        return sorted((chosen + named)[: max(limit, 0)], key=places.telling)

    def _named(
        self, query: str, found: _Address | None, scope: Scope, limit: int, *, errors: bool
    ) -> Iterator[Place]:
        """Yield what the query names; a name beside the address where that thing is explains both."""
        known = found is not None and found.similarity == 1 and not found.left
        hits = match.find(self._tables, query, explained=known or not errors)
        chosen = self._chosen(hits, scope, limit)
        if _exact(hits.values()) and not _exact(hit for _, hit in chosen):
            # What has the whole name is not where it is looked for: something with a part of it may be.
            hits = match.find(self._tables, query, explained=known or not errors, parts=True)
            chosen = self._chosen(hits, scope, limit)
        for thing, hit in chosen:
            kind, similarity = hit.kind, hit.similarity
            if found and kind is MatchKind.PARTIAL and thing.kind != "street" and found.has(thing):
                similarity = min(1.0, similarity + found.covered(thing))
                kind = MatchKind.EXACT if similarity > _WHOLE else kind
            yield places.place(thing, Match(kind=kind, alias=hit.alias, similarity=similarity))

    def _places_of(self, hits: dict[int, Hit], scope: Scope, limit: int) -> Iterator[Place]:
        for thing, hit in self._chosen(hits, scope, limit):
            yield places.place(thing, Match(kind=hit.kind, alias=hit.alias, similarity=hit.similarity))

    def _chosen(self, hits: dict[int, Hit], scope: Scope, limit: int) -> list[tuple[Thing, Hit]]:
        """Return the things that may be among the first `limit`, the best hits first and then the nearest.

        A chain has thousands of branches: making places of all would take longer than finding them.
        """
        if scope.kinds:
            hits = self._of_kinds(hits, scope.kinds)
        if len(hits) > _MOST_HITS:
            away = {
                number: scope.away(lat, lon)
                for number, lat, lon in self._tables.positions(hits)
                if scope.has(lat, lon)
            }
            nearest = sorted(away, key=lambda number: (hits[number].order, away[number]))
            hits = {number: hits[number] for number in nearest[:_MOST_HITS]}
        found = [
            (thing, hits[thing.id])
            for thing in self._tables.things(hits).values()
            if scope.has(thing.lat, thing.lon)
        ]
        found.sort(key=lambda one: (one[1].order, scope.away(one[0].lat, one[0].lon), one[1].rank))
        return found[: limit * _SPARE + 20]

    def _of_kinds(self, hits: dict[int, Hit], wanted: frozenset[str]) -> dict[int, Hit]:
        """Return the hits that are of one of some kinds."""
        fitting = {int(number) for number in members.numbers(self._lists(wanted)) if int(number) in hits}
        for number, thing in self._tables.things(hits.keys() - fitting).items():
            if sorts.is_of(thing.kind, wanted):
                fitting.add(number)
        return {number: hit for number, hit in hits.items() if number in fitting}

    def _wants(self, scope: Scope, kind: str) -> bool:
        return not scope.kinds or kind in scope.kinds

    def _of_kind(self, scope: Scope, said: str, wanted: frozenset[str], limit: int) -> Iterator[Place]:
        """Yield the things of a kind, the nearest to `near` of them."""
        numbers = members.nearest(self._lists(wanted), limit * _SPARE, scope.near, scope.radius_km)
        for thing in self._tables.things(numbers).values():
            if scope.has(thing.lat, thing.lon):
                met = Match(kind=MatchKind.KIND, alias=said or thing.kind, similarity=_ANY_OF_KIND)
                place = places.place(thing, met)
                yield ranking.with_distance(place, scope.near) if scope.near else place

    def _lists(self, wanted: Iterable[str]) -> list[kinds.Positions]:
        """Return where the things of each of the kinds are."""
        return [found for kind in sorted(wanted) if (found := self._list_of(kind)) is not None]

    def _read_list(self, kind: str) -> kinds.Positions | None:
        packed = self._tables.kind_lists([kind])
        return kinds.unpack(packed[0]) if packed else None

    def _crossings(self, query: str, scope: Scope) -> Iterator[Place]:
        """Yield the crossings of streets that the query names both of."""
        if not self._wants(scope, crossings.KIND):
            return
        for one, other in islice(phrases.crossings(query), _MOST_READINGS):
            first, second = self._street(one), self._street(other)
            if not (first and second):
                continue
            similarity = min(first[1], second[1])
            for place in crossings.find(self._tables, first[0], second[0], similarity):
                if scope.has(place.lat, place.lon):
                    yield place

    def _street(self, name: str) -> tuple[list[Thing], float] | None:
        """Return the streets that a name is meant for, and how similar theirs is."""
        key = names.fold(name)
        hits = {alias.thing_id: 1.0 for alias in self._tables.aliases("folded", {key})}
        things = [thing for thing in self._tables.things(hits).values() if thing.kind == "street"]
        if not things:
            found = match.find(self._tables, name)
            hits = {
                number: min(hit.similarity, _NEVER_SURE)
                for number, hit in found.items()
                if hit.kind in {MatchKind.STRIPPED, MatchKind.FUZZY}
            }
            things = [thing for thing in self._tables.things(hits).values() if thing.kind == "street"]
        if not things:
            return None
        best = max(hits[thing.id] for thing in things)
        return [thing for thing in things if hits[thing.id] == best], best

    def _placed(self, query: str, scope: Scope, limit: int) -> Iterator[Place]:
        """Yield things that the query places by another one, where both are found together."""
        for reading in islice(phrases.placed(query), _MOST_READINGS):
            found = list(self._beside(reading, scope, limit))
            yield from found
            if found:
                return

    def _beside(self, reading: Placed, scope: Scope, limit: int) -> Iterator[Place]:
        anchors = ranking.best(self._called(reading.anchor, Scope(scope.near), _MOST_ANCHORS), _MOST_ANCHORS)
        sure = [place for place in anchors if place.match and _names_it(place.match)]
        if sure:
            yield from beside.find(self._tables, self._lists, reading, sure, scope, limit * _SPARE)

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
            yield from (places.door(thing, found.match(thing, best)) for thing in seen.values())
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
        yield places.door(thing, found.match(thing, _NEIGHBOUR), max(extent, 2 * places.ADDRESS_KM))

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
                yield places.place(thing).model_copy(update=places.seen(thing, spot))
                if thing.house_number and thing.street and thing.kind != "address":
                    yield places.door(thing).model_copy(update={"distance_km": spot.extent_km})


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
        return Match(kind=kind, alias=places.line(thing), similarity=covered * agreement)


def _is_postcode(word: str) -> bool:
    return word.isdigit() and len(word) == _POSTCODE_DIGITS


def _exact(hits: Iterable[Hit]) -> bool:
    """Tell whether there is a thing that is called exactly what was asked for."""
    return any(hit.kind is MatchKind.EXACT for hit in hits)


def _explained(place: Place) -> bool:
    """Tell whether a place is called exactly what was asked for."""
    return place.match is not None and place.match.kind is MatchKind.EXACT


def _names_it(met: Match) -> bool:
    """Tell whether a place is what the whole of a text means."""
    if met.kind is MatchKind.FUZZY:
        return met.similarity > _NEVER_SURE - 0.25
    return met.kind is MatchKind.EXACT or (met.kind is MatchKind.STRIPPED and met.similarity > 0.7)
