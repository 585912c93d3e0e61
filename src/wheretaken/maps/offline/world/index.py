"""`WorldIndex`: the world file as a place search and a reverse geocoder.

Connections are read-only and one per thread, so an index may be shared by threads, and the file by
processes. All positions are WGS-84.
"""

from __future__ import annotations

import math
import sqlite3
import threading
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from wheretaken.errors import DataError
from wheretaken.geo.latlon import Datum, LatLon, distance_km
from wheretaken.maps.base import Match, Place
from wheretaken.maps.offline.names import fold
from wheretaken.maps.offline.world import search as tiers
from wheretaken.maps.offline.world.outline import Outlines
from wheretaken.maps.offline.world.schema import AREA_BASE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

T = TypeVar("T")

_GEONAMES = "GeoNames (CC BY 4.0)"
_AREAS = "Natural Earth; GeoNames (CC BY 4.0); Unicode CLDR"
_CHUNK = 500
_REVERSE_BOXES_DEG = (0.2, 1.0)
"""Half heights of the boxes that settlements are looked for in, one after the other."""


@dataclass(frozen=True, slots=True)
class Country:
    """What is known of a country as a whole."""

    code: str
    name: str
    population: int
    area_km2: float
    position: LatLon
    """Its most populous settlement."""
    south: float
    west: float
    north: float
    east: float
    """Bounding box, degrees; `west > east` for a country across the antimeridian."""


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    code: str
    name: str
    name_local: str
    english: str
    kind: str
    lat: float
    lon: float
    country_code: str
    admin1_code: str
    population: int
    extent_km: float


class WorldIndex:
    """Search and reverse geocoding in one world file.

    Raises:
        DataError: (from any method) the file is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._outlines = Outlines(self._rows)

    def search(
        self, query: str, *, near: LatLon | None = None, country_code: str = "", limit: int = 10
    ) -> list[Place]:
        """Return the places that `query` may name, likeliest first, each with its `match`.

        Args:
            query: a name, in any script, or text that contains one.
            near: where the asker is looking, WGS-84; close places are preferred, far ones stay.
            country_code: ISO 3166-1 alpha-2; places elsewhere are left out.
            limit: the most places to return.
        """
        _check(near)
        hits = self._guarded(lambda connection: tiers.find(connection, query))
        rows = self._fetch({hit.id for hit in hits})
        best: dict[int, tuple[float, tiers.Hit]] = {}
        for hit in hits:
            row = rows.get(hit.id)
            if row is None or (country_code and row.country_code != country_code.upper()):
                continue
            if hit.within and not hit.within & {row.country_code, row.admin1_code}:
                continue
            value = tiers.score(
                hit,
                kind=row.kind,
                population=row.population,
                own_name=hit.key in (fold(row.name), fold(row.name_local), fold(row.english)),
                distance_km=_quick_km(near, row) if near else None,
            )
            if hit.id not in best or value > best[hit.id][0]:
                best[hit.id] = (value, hit)
        order = sorted(best.items(), key=lambda item: (-item[1][0], item[0]))[:limit]
        return [self._place(rows[identifier], near, hit) for identifier, (_, hit) in order]

    def details(self, place_id: str) -> Place | None:
        """Return the place with an id such as `geonames:2988507`, `admin:FR-75`, `country:FR`."""
        source, _, rest = place_id.partition(":")
        if source == "geonames" and rest.isascii() and rest.isdigit() and len(rest) < 12:
            row = self._fetch([int(rest)]).get(int(rest))
        elif source in ("admin", "country"):
            kind = "country" if source == "country" else "admin1"
            found = self._rows("SELECT id FROM area WHERE code = ? AND kind = ?", (rest, kind))
            row = self._fetch([found[0][0]]).get(found[0][0]) if found else None
        else:
            row = None
        return self._place(row) if row else None

    def reverse(self, position: LatLon, *, limit: int = 5) -> list[Place]:
        """Return the settlements around a position, then its first-level division and country.

        A town counts as closer than a hamlet at the same distance, as people use names: the order is by
        distance over the square root of the extent. At sea, within 30 km of a coast the land's country
        counts; farther out there is nothing.
        """
        _check(position)
        code, country = self._outlines.at(position)
        if not country and not code:
            return []
        areas = [p for p in (self.details(f"admin:{code}"), self.details(f"country:{country}")) if p]
        near = self._around(position, limit)
        near.sort(key=lambda row: _quick_km(position, row) / row.extent_km**0.5)
        places = [self._place(row, position) for row in near[: max(1, limit - len(areas))]]
        return [*places, *(area.model_copy(update={"distance_km": 0.0}) for area in areas)][:limit]

    def country_at(self, lat: float, lon: float) -> str:
        """Return the ISO code of the country at a position (or within 30 km of it, at sea), else ""."""
        return self._outlines.at(LatLon(lat, lon))[1]

    def admin1_at(self, lat: float, lon: float) -> Place | None:
        """Return the first-level division at a position, or the closest one within 30 km at sea."""
        code = self._outlines.at(LatLon(lat, lon))[0]
        return self.details(f"admin:{code}") if code else None

    def places_in_country(self, country_code: str, limit: int = 100) -> list[Place]:
        """Return the settlements of a country, the most populous first."""
        query = "SELECT id FROM place WHERE country_code = ? ORDER BY population DESC LIMIT ?"
        ids = [row[0] for row in self._rows(query, (country_code.upper(), limit))]
        rows = self._fetch(ids)
        return [self._place(rows[identifier]) for identifier in ids]

    def country(self, code: str) -> Country | None:
        """Return a country's box, area and population, or None for a code that is none."""
        columns = "code, name, population, area_km2, lat, lon, south, west, north, east"
        query = f"SELECT {columns} FROM area WHERE code = ? AND kind = 'country'"  # noqa: S608 - columns above
        for found, name, population, area, lat, lon, *box in self._rows(query, (code.upper(),)):
            return Country(found, name, population, area, LatLon(lat, lon), *box)
        return None

    def _around(self, position: LatLon, limit: int) -> list[_Row]:
        ids: list[int] = []
        for half in _REVERSE_BOXES_DEG:
            ids = [
                identifier
                for west, south, east, north in self._outlines.boxes(position, half)
                for (identifier,) in self._rows(
                    "SELECT pkid FROM idx_place_geometry"
                    " WHERE xmax >= ? AND xmin <= ? AND ymax >= ? AND ymin <= ?",
                    (west, east, south, north),
                )
            ]
            if len(ids) >= limit:
                break
        return list(self._fetch(ids).values())

    @cached_property
    def _area_names(self) -> dict[str, str]:
        query = "SELECT code, name, english FROM area ORDER BY kind"
        return {code: english or name for code, name, english in self._rows(query)}

    def _fetch(self, ids: Iterable[int]) -> dict[int, _Row]:
        found: dict[int, _Row] = {}
        for table, wanted in (
            ("place", [i for i in ids if i < AREA_BASE]),
            ("area", [i for i in ids if i >= AREA_BASE]),
        ):
            code, admin1 = ("''", "admin1_code") if table == "place" else ("code", "code")
            shared = "name, name_local, english, kind, lat, lon, country_code"
            columns = f"id, {code}, {shared}, {admin1}, population, extent_km"
            for start in range(0, len(wanted), _CHUNK):
                part = wanted[start : start + _CHUNK]
                marks = ", ".join("?" * len(part))
                query = f"SELECT {columns} FROM {table} WHERE id IN ({marks})"  # noqa: S608 - no data goes in
                found.update((row[0], _Row(*row)) for row in self._rows(query, part))
        return found

    def _place(self, row: _Row, near: LatLon | None = None, hit: tiers.Hit | None = None) -> Place:
        if row.kind == "country":
            identifier = f"country:{row.code}"
        else:
            identifier = f"admin:{row.code}" if row.code else f"geonames:{row.id}"
        match = None
        if hit:
            spellings = (row.name_local, row.name, row.english)
            alias = next((name for name in spellings if fold(name) == hit.key), hit.spelling)
            match = Match(kind=hit.kind, alias=alias, similarity=hit.similarity)
        return Place(
            id=identifier,
            name=row.name_local,
            kind=row.kind,
            lat=row.lat,
            lon=row.lon,
            country_code=row.country_code,
            country=self._area_names.get(row.country_code, ""),
            admin1="" if row.kind == "country" else self._area_names.get(row.admin1_code, ""),
            english=row.english if row.english != row.name_local else "",
            population=row.population,
            extent_km=row.extent_km,
            distance_km=_km(near, row) if near else None,
            match=match,
            source=_AREAS if row.code else _GEONAMES,
        )

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._guarded(lambda connection: connection.execute(query, values).fetchall())

    def _guarded(self, action: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return action(self._connection())
        except sqlite3.DatabaseError as error:
            raise DataError(f"the place index is damaged ({error}): run  rm '{self._path}'") from error

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(f"file:{self._path}?mode=ro&immutable=1", uri=True)
            self._local.connection = connection
        return connection


def _check(position: LatLon | None) -> None:
    if position and position.datum is not Datum.WGS84:
        raise ValueError(f"the place index works in WGS-84, not {position.datum}")


def _km(position: LatLon, row: _Row) -> float:
    return distance_km(position, LatLon(row.lat, row.lon))


def _quick_km(position: LatLon, row: _Row) -> float:
    """Return a distance good enough for ranking; the geodesic one is for what is shown."""
    half = math.radians(row.lat - position.lat) / 2, math.radians(row.lon - position.lon) / 2
    cosines = math.cos(math.radians(row.lat)) * math.cos(math.radians(position.lat))
    chord = math.sin(half[0]) ** 2 + cosines * math.sin(half[1]) ** 2
    return 2 * 6371.0088 * math.asin(min(1.0, math.sqrt(chord)))
