r"""Overpass: queries over everything in OpenStreetMap (https://wiki.openstreetmap.org/wiki/Overpass_API).

Queries are written here and nowhere else. The only foreign text in one is a name that is searched for: it is
escaped twice, as a regular expression and as a string of the query language, in which only `\` and `"` have
a meaning. Every query states the time and memory that it may take.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Literal, Self, cast
from urllib.parse import urlencode

from pydantic import BaseModel, TypeAdapter

from wheretaken.errors import ToolError
from wheretaken.geo import LatLon
from wheretaken.maps import filters
from wheretaken.maps.base import MapProvider, Place
from wheretaken.maps.matching import best_match
from wheretaken.maps.offline.ranking import with_distance
from wheretaken.maps.offline.region import tags
from wheretaken.maps.offline.region.schema import ATTRIBUTION
from wheretaken.maps.osm.elements import (
    Element,
    Latitude,
    Longitude,
    extent_km,
    more,
    service_for,
)
from wheretaken.maps.web import Fault, FaultKind
from wheretaken.maps.web.deadlines import deadline
from wheretaken.maps.web.shapes import read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheretaken.maps.web import Connection, Response, Service

_MAX_BYTES = 64 * 2**20
"""Memory that a query may take on the server, an eighth of the default: small queries are let in first."""
_AROUND_M = 150
_SEARCH_M = 5_000
_MOST = 200
"""Elements that a query returns at most."""
_SPECIAL = re.compile(r"[\\^$.|?*+(){}\[\]]")
_POI_KEYS = "|".join(tags.POINT_KEYS)


class _Centre(BaseModel):
    lat: Latitude
    lon: Longitude


class _Found(BaseModel):
    """An element of a reply: a node has a position, a way or relation a centre, an area neither."""

    type: Literal["node", "way", "relation", "area"]
    id: int
    lat: Latitude | None = None
    lon: Longitude | None = None
    center: _Centre | None = None
    tags: dict[str, str] = {}

    @property
    def position(self) -> LatLon | None:
        if self.lat is not None and self.lon is not None:
            return LatLon(self.lat, self.lon)
        return LatLon(self.center.lat, self.center.lon) if self.center else None


class _Reply(BaseModel):
    elements: list[_Found]


class _Setting(BaseModel):
    """The divisions around a position."""

    country_code: str = ""
    country: str = ""
    admin1: str = ""
    city: str = ""


_REPLY: TypeAdapter[_Reply] = TypeAdapter(_Reply)


class Overpass(MapProvider):
    """Knows every mapped thing around a position and every element by its id."""

    name = "overpass"
    id_sources = ("osm",)

    def __init__(self, service: Service) -> None:
        """Ask this service, whose base URL is that of the API."""
        self.services = (service,)
        self._service = service

    @classmethod
    def connected(cls, connection: Connection) -> Self:
        """Make the provider from the section of its name."""
        return cls(service_for(connection, cls.name, connection.settings.overpass, fault=_fault))

    async def search(
        self,
        query: str,
        *,
        near: LatLon | None = None,
        radius_km: float | None = None,
        kind: str = "",
        country_code: str = "",
        limit: int = 10,
    ) -> Sequence[Place]:
        """Return what has `query` in one of its names within 5 km of `near`, the closest first.

        Raises:
            UnsupportedError: there is no `near`: the whole world cannot be searched.
            ToolError: the query has fewer than two letters.
        """
        if near is None:
            raise self._unsupported("search without a position to search around")
        if not query.strip() and kind:
            raise self._unsupported("list everything of a kind")
        text = " ".join(query.split())
        if len(text) < 2:
            raise ToolError("the query must have at least two letters")
        named = f'[~"^(name|name:.*|alt_name|brand)$"~{_quoted(_literal(text))},i]'
        metres = _SEARCH_M if radius_km is None else min(max(round(radius_km * 1000), 1), _SEARCH_M)
        places = filters.kept(await self._around(near, metres, named, text), kind=kind)
        return [place for place in places if country_code.upper() in {"", place.country_code}][:limit]

    async def details(self, place_id: str) -> Place | None:
        """Return the element of an id such as `osm:n123`, or None; without the divisions that it is in."""
        element = Element.of(place_id)
        if element is None:
            return None
        found = await self._ask(f"{element.type}({element.number});out center;")
        return next((place for one in found if (place := _place(one, _Setting()))), None)

    async def reverse(self, position: LatLon, *, limit: int = 5) -> Sequence[Place]:
        """Return the named things within 150 m, by the distance of their centres."""
        named = f'[name][~"^({_POI_KEYS})$"~"."]'
        return (await self._around(position, _AROUND_M, named, ""))[: max(limit, 0)]

    async def _around(self, position: LatLon, metres: int, having: str, query: str) -> list[Place]:
        """Return what is around a position, the closest first, with the divisions of that position."""
        true = position.wgs84
        at = f"{true.lat:.6f},{true.lon:.6f}"
        found = await self._ask(
            f'is_in({at});area._[boundary=administrative][admin_level~"^[2-8]$"];out tags;'
            f"nwr(around:{metres},{at}){having};out center {_MOST};"
        )
        setting = _setting([one.tags for one in found if one.type == "area"])
        places = [place for one in found if (place := _place(one, setting, query))]
        return sorted(
            (with_distance(place, true) for place in places), key=lambda one: one.distance_km or 0.0
        )

    async def _ask(self, statements: str) -> list[_Found]:
        # The server is told to give up before we do, lest it work for nobody.
        left = deadline(self._service.limits.attempt) - asyncio.get_running_loop().time()
        seconds = max(1, int(left) - 2)
        query = f"[out:json][timeout:{seconds}][maxsize:{_MAX_BYTES}];{statements}"
        answer = await self._service.json(
            "/interpreter",
            method="POST",
            body=urlencode({"data": query}).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        return read(self.name, _REPLY, answer).elements


def _place(found: _Found, setting: _Setting, query: str = "") -> Place | None:
    """Return an element as a place; None when it is nothing to look for."""
    position = found.position
    street = found.type == "way" and "highway" in found.tags and found.tags.get("area") != "yes"
    what = "street" if street else tags.kind(found.tags)
    address = tags.address(found.tags)
    line = address.line() if address.number else ""
    name = tags.title(found.tags) or line
    if position is None or not what or not name:
        return None
    spelled = [name, *(spelling.text for spelling in tags.names(found.tags)), line]
    return Place(
        id=Element(found.type, found.id).place_id,
        name=name,
        kind=what,
        lat=position.lat,
        lon=position.lon,
        country_code=setting.country_code or address.country_code,
        country=setting.country,
        admin1=setting.admin1,
        city=address.city or setting.city,
        address=line,
        english=tags.english(found.tags),
        extent_km=extent_km(position, None, what),
        match=best_match(query, spelled) if query else None,
        source=ATTRIBUTION,
        more=more(found.tags),
    )


def _setting(areas: Sequence[Mapping[str, str]]) -> _Setting:
    """Read the divisions by `admin_level`; a city is of level 8 in most countries, but not in all."""
    levels = {area.get("admin_level", ""): area for area in areas}
    country, division = levels.get("2", {}), levels.get("4") or levels.get("3") or {}
    return _Setting(
        country_code=(country.get("ISO3166-1:alpha2") or country.get("ISO3166-1", "")).upper(),
        country=_english(country),
        admin1=_english(division),
        city=levels.get("8", {}).get("name", ""),
    )


def _english(area: Mapping[str, str]) -> str:
    return area.get("name:en") or area.get("name", "")


def _literal(text: str) -> str:
    """Return the regular expression (POSIX extended) that stands for a text."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def _quoted(text: str) -> str:
    r"""Return a string of the query language; control characters, which it cannot hold, become spaces."""
    visible = "".join(char if char.isprintable() else " " for char in text)
    return '"' + visible.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _fault(response: Response) -> Fault | None:
    """Read errors as Overpass sends them: with status 200, in a remark, after whatever it had found."""
    answer = response.json
    remark = cast("dict[str, Any]", answer).get("remark") if isinstance(answer, dict) else None
    if not isinstance(remark, str) or "error" not in remark:
        return None
    if "timed out" in remark:
        return Fault(FaultKind.SLOW, "the query took longer than it may")
    if "too busy" in remark or "rate_limited" in remark:
        return Fault(FaultKind.BUSY, "too busy")
    return Fault(FaultKind.REFUSED, remark[:200])
