"""The offline map provider: the world's settlements, every street region of this machine, and drawn maps.

One search asks all sources and ranks their results together (`ranking`): a street address from a region and a
city from the world index stand in one list. Nothing is built, opened or loaded before it is first needed; the
blocking work runs in threads, so an event loop that uses the provider stays responsive.
"""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from wheretaken.errors import ToolError
from wheretaken.geo import LatLon, distance_km
from wheretaken.maps import filters
from wheretaken.maps.base import MapProvider, MatchKind
from wheretaken.maps.offline import combination, ranking, versions
from wheretaken.maps.offline.region import match, phrases

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from wheretaken.maps.base import Combination, MapPicture, Place
    from wheretaken.maps.offline.region import Region, RegionInfo
    from wheretaken.maps.offline.render.renderer import Renderer

    Progress = Callable[[str, int, int], None]
    """Called with the stage, how much is done and of how much (0: not known)."""

_Part = TypeVar("_Part")

_SETTLEMENTS = {"city", "town", "village"}
_COMPLETED = {MatchKind.EXACT, MatchKind.PREFIX}
_NARROWED = 50
"""Settlements that are looked at where some are left out for their distance or kind."""
_READINGS = 3
_TOWNS = 3
_TOWN_KM = 5.0
"""How far from its middle a town reaches at least, for what people say is in it."""
_EDGE_KM = 1.0
"""What lies so far outside a region's frame may still be in it."""
_LOOK_EVERY = 2.0
"""Seconds between looks at the region files of this machine."""
_KEPT_FOR_WORLD = 2
"""Places of a reverse query that stay for settlement and country: a street without its town says little."""


class World(Protocol):
    """What the provider asks of the world's place index (`world.WorldIndex` is one)."""

    def search(
        self, query: str, *, near: LatLon | None = None, country_code: str = "", limit: int = 10
    ) -> Sequence[Place]:
        """Return settlements, divisions and countries that `query` may name."""
        ...

    def details(self, place_id: str, /) -> Place | None:
        """Return the place with this id, or None."""
        ...

    def places_in_country(self, country_code: str, limit: int = 100) -> Sequence[Place]:
        """Return the largest settlements of a country, the most populous first."""
        ...

    def reverse(self, position: LatLon, *, limit: int = 5) -> Sequence[Place]:
        """Return settlements around a position, then the division and the country that it is in."""
        ...


class OfflineProvider(MapProvider):
    """A `MapProvider` that needs no network: searches and draws from files on this machine.

    Args:
        world: opens the world index; by default the one in the cache, which is built when missing.
        regions: finds the region files; by default the built-in one and the user's.
        renderer: makes the renderer; by default one for the same world and regions.
        progress: called while an index is built on first use.
    """

    name = "offline"
    id_sources = ("geonames", "admin", "country", "osm", "overture")

    def __init__(
        self,
        *,
        world: Callable[[], World] | None = None,
        regions: Callable[[], Sequence[Path]] | None = None,
        renderer: Callable[[], Renderer] | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._progress = progress
        self._region_paths = _Once(regions or self._all_regions)
        self._world = _Once(world or self._world_index)
        self._regions = _Once(self._open_regions)
        self._renderer = _Once(renderer or self._new_renderer)
        self._setting = lru_cache(maxsize=1024)(self._look_up_setting)
        self._version = ""
        self._next_look = 0.0

    @property
    def version(self) -> str:
        """Of the program and the region files; regions that were added, replaced or removed are taken in.

        Between two looks at the files are some seconds.
        """
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + _LOOK_EVERY
            found = versions.current()
            if self._version not in {"", found}:
                for part in (self._region_paths, self._regions, self._renderer):
                    part.forget()
            self._version = found
        return self._version

    def prepare(self, progress: Progress | None = None) -> None:
        """Build the indexes that are missing now, instead of in the first query.

        Raises:
            DataError: an index cannot be built.
        """
        self._progress = progress or self._progress
        self._world()
        self._region_paths()

    async def search(
        self,
        query: str,
        *,
        near: LatLon | None = None,
        radius_km: float | None = None,
        kind: str = "",
        country_code: str = "",
        limit: int = 10,
    ) -> list[Place]:
        """Return the places that `query` may name, from every source, best first, each with its `match`.

        With an empty query, everything of `kind`, or else the largest settlements of `country_code`.
        """
        asked = Asked(near.wgs84 if near else None, radius_km, kind, country_code.upper(), limit)
        return await asyncio.to_thread(self._search, query, asked)

    async def suggest(self, query: str, *, near: LatLon | None = None, limit: int = 10) -> list[Place]:
        """Return the places of every source whose names complete what was typed so far, best first."""
        return await asyncio.to_thread(self._suggest, query, near.wgs84 if near else None, limit)

    async def combination(
        self,
        wanted: Sequence[str],
        *,
        within_m: float = 150.0,
        near: LatLon | None = None,
        radius_km: float | None = None,
        country_code: str = "",
        limit: int = 10,
    ) -> list[Combination]:
        """Return where several things of one region are close together, best first.

        Raises:
            ToolError: fewer than two things are wanted, or too many, or some of them are not told.
        """
        asked = Asked(near.wgs84 if near else None, radius_km, "", country_code.upper(), limit)
        return await asyncio.to_thread(self._combination, _several(wanted), within_m / 1000, asked)

    async def details(self, place_id: str) -> Place | None:
        """Return the place with this id, or None when no source knows it."""
        return await asyncio.to_thread(self._details, place_id)

    async def reverse(self, position: LatLon, *, limit: int = 5) -> list[Place]:
        """Return what is at and around a position.

        First addresses, streets and POIs where a region covers it, then settlements, division and country.
        """
        return await asyncio.to_thread(self._reverse, position, limit)

    async def road_map(
        self,
        centre: LatLon,
        *,
        zoom: float,
        width: int = 500,
        height: int = 500,
        markers: Sequence[LatLon] = (),
        language: str = "",
    ) -> MapPicture:
        """Return a labelled map picture around `centre` with numbered markers.

        Raises:
            ToolError: the zoom or the size cannot be drawn, or the language is none.
        """
        return await asyncio.to_thread(
            lambda: self._renderer().render(
                centre, zoom=zoom, width=width, height=height, markers=markers, language=language
            )
        )

    def _search(self, query: str, asked: Asked) -> list[Place]:
        if not query.strip() and not asked.kind:
            return filters.kept(
                self._world().places_in_country(asked.country_code, asked.limit),
                near=asked.near,
                radius_km=asked.radius_km,
            )
        found = self._in_world(query, asked) if query.strip() else []
        local = self._in_regions(query, asked)
        if not any(place.match and match.certain(place.match) for place in local):
            local += self._in_towns(query, asked)
        found += local
        if asked.near is not None:
            found = [ranking.with_distance(place, asked.near) for place in found]
        return ranking.best(found, asked.limit)

    def _in_world(self, query: str, asked: Asked) -> list[Place]:
        """Return the settlements, divisions and countries that a query may name."""
        narrow = asked.radius_km is not None or asked.kind
        most = max(asked.limit, _NARROWED) if narrow else asked.limit
        found = self._world().search(query, near=asked.near, country_code=asked.country_code, limit=most)
        return filters.kept(found, near=asked.near, radius_km=asked.radius_km, kind=asked.kind)

    def _in_regions(self, query: str, asked: Asked) -> list[Place]:
        """Return what a query may mean in the regions; misspelled names only where none fits."""
        reached = [region for region in self._regions() if asked.reaches(region.info)]
        # One region finds out by itself; of many, most have nothing, which is slow to be sure of.
        for errors in (False, True) if len(reached) > 1 else (True,):
            found = [
                situated
                for region in reached
                for place in region.search(
                    query,
                    near=asked.near,
                    radius_km=asked.radius_km,
                    kind=asked.kind,
                    limit=asked.limit,
                    errors=errors,
                )
                if asked.country_code in {"", (situated := self._situated(place)).country_code}
            ]
            if errors or any(place.match and match.certain(place.match) for place in found):
                return found
        return []

    def _in_towns(self, query: str, asked: Asked) -> list[Place]:
        """Return what a query places in a town: "Lidl in Helsinki"."""
        for reading in islice(phrases.placed(query), _READINGS):
            towns = [
                place
                for place in self._world().search(
                    reading.anchor, near=asked.near, country_code=asked.country_code, limit=_TOWNS
                )
                if place.match and place.match.kind is MatchKind.EXACT and place.kind in _SETTLEMENTS
            ]
            found: list[Place] = []
            for town in towns:
                radius = max(town.extent_km, _TOWN_KM)
                there = replace(asked, near=LatLon(town.lat, town.lon), radius_km=radius)
                found += self._in_regions(reading.subject, there)
            if found:
                return filters.kept(found, near=asked.near, radius_km=asked.radius_km)
        return []

    def _suggest(self, text: str, near: LatLon | None, limit: int) -> list[Place]:
        if not text.strip():
            return []
        typed = self._world().search(text, near=near, limit=limit)
        found = [place for place in typed if place.match and place.match.kind in _COMPLETED]
        for region in self._regions():
            found += map(self._situated, region.suggest(text, near=near, limit=limit))
        if near is not None:
            found = [ranking.with_distance(place, near) for place in found]
        return ranking.best(found, limit)

    def _combination(self, wanted: Sequence[str], within_km: float, asked: Asked) -> list[Combination]:
        found: list[Combination] = []
        for region in self._regions():
            if not asked.reaches(region.info):
                continue
            parts = [
                region.members(one, step_km=within_km / 2, near=asked.near, radius_km=asked.radius_km)
                for one in wanted
            ]
            several = combination.find(
                parts, region.places, within_km=within_km, near=asked.near, limit=asked.limit
            )
            found += filter(asked.allows, map(self._located, several))
        return sorted(found, key=combination.order)[: asked.limit]

    def _located(self, found: Combination) -> Combination:
        members = tuple(
            member.model_copy(update={"place": self._situated(member.place)}) if member.place else member
            for member in found.members
        )
        return found.model_copy(update={"members": members})

    def _details(self, place_id: str) -> Place | None:
        if not place_id.startswith("osm:"):
            return self._world().details(place_id)
        known = (region.details(place_id) for region in self._regions())
        return next((self._situated(place) for place in known if place is not None), None)

    def _reverse(self, position: LatLon, limit: int) -> list[Place]:
        around = list(self._world().reverse(position, limit=limit))
        room = max(limit - min(len(around), _KEPT_FOR_WORLD), 0)
        local: dict[tuple[str, str], Place] = {}
        # The user's regions come last in the list and are newer than the one that ships with us.
        for region in reversed(self._regions()):
            if region.info.covers(position.lat, position.lon):
                for place in region.reverse(position, limit=room):
                    local.setdefault((place.id, place.kind), place)
        near = [self._situated(place) for place in local.values()][:room]
        return (near + around)[: max(limit, 0)]

    def _situated(self, place: Place) -> Place:
        """Return a region's place with country, division and settlement, where its own data lack them."""
        # Hundredths of a degree (about a kilometre) are fine enough for that, and make neighbours share it.
        setting = self._setting(round(place.lat, 2), round(place.lon, 2))
        if setting is None or place.country_code not in {"", setting.country_code}:
            return place
        update = {
            "country_code": setting.country_code,
            "country": setting.country,
            "admin1": setting.admin1,
            "city": place.city or (setting.name if setting.kind in _SETTLEMENTS else ""),
        }
        return place.model_copy(update=update)

    def _look_up_setting(self, lat: float, lon: float) -> Place | None:
        """Return the settlement that a position is in, or else the closest one, the division or the country.

        Where a town and its quarters all reach that far, the town is what people say.
        """
        around = self._world().reverse(LatLon(lat, lon), limit=5)
        settlements = [place for place in around if place.kind in _SETTLEMENTS]
        reaching = [place for place in settlements if (place.distance_km or 0.0) <= place.extent_km]
        largest = sorted(reaching, key=lambda place: -place.population)
        return next(iter([*largest, *settlements, *around]), None)

    def _world_index(self) -> World:
        from wheretaken.maps.offline import world  # noqa: PLC0415 - nothing is loaded before it is needed

        return world.WorldIndex(world.ensure(self._progress))

    def _all_regions(self) -> list[Path]:
        from wheretaken.maps.offline import region  # noqa: PLC0415 - nothing is loaded before it is needed

        return [info.path for info in region.regions(self._progress)]

    def _open_regions(self) -> list[Region]:
        from wheretaken.maps.offline.region import Region  # noqa: PLC0415 - nothing is loaded before it is needed

        return [Region(path) for path in self._region_paths()]

    def _new_renderer(self) -> Renderer:
        from wheretaken.maps.offline import region, world  # noqa: PLC0415 - nothing is loaded before it is needed
        from wheretaken.maps.offline.render.renderer import Renderer  # noqa: PLC0415

        below = [basemap.path for basemap in region.basemaps()]
        return Renderer(world.ensure(self._progress), self._region_paths(), below)


@dataclass(frozen=True)
class Asked:
    """What a search prefers and leaves out."""

    near: LatLon | None
    """WGS-84."""
    radius_km: float | None
    kind: str
    country_code: str
    limit: int

    def reaches(self, info: RegionInfo) -> bool:
        """Tell whether a region may have anything within the radius."""
        if self.near is None or self.radius_km is None:
            return True
        lat = min(max(self.near.lat, info.south), info.north)
        lon = min(max(self.near.lon, info.west), info.east)
        return distance_km(LatLon(lat, lon), self.near) <= self.radius_km + _EDGE_KM

    def allows(self, found: Combination) -> bool:
        """Tell whether a combination is in the country that is asked for, or none is."""
        countries = {member.place.country_code for member in found.members if member.place}
        return not self.country_code or self.country_code in countries


def _several(wanted: Sequence[str]) -> list[str]:
    """Return what is wanted, each once.

    Raises:
        ToolError: these are not two to eight names or kinds.
    """
    several = list(dict.fromkeys(" ".join(one.split()) for one in wanted if one.strip()))
    if not combination.FEWEST <= len(several) <= combination.MOST_WANTED:
        raise ToolError(
            f"a combination is of {combination.FEWEST} to {combination.MOST_WANTED} different names or kinds,"
            f" not {len(several)}"
        )
    return several


class _Once(Generic[_Part]):
    """Makes a part on first use, once, whichever thread comes first; a failure is tried again next time."""

    def __init__(self, make: Callable[[], _Part]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: list[_Part] = []

    def __call__(self) -> _Part:
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]

    def forget(self) -> None:
        """Make it anew at the next use; whoever uses it now goes on with what it has."""
        with self._lock:
            self._made.clear()


@cache
def offline_provider(progress: Progress | None = None) -> OfflineProvider:
    """Return the provider that all of a process shares (one for each `progress` callback)."""
    return OfflineProvider(progress=progress)
