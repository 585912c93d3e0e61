"""AMap as a map provider: Web service v5 for POIs, v3 for completions, addresses and road maps, and tiles.

POI search 2.0 (`/v5/place/...`) tells classes, divisions and, if asked, aliases and business areas; what has
no second version is asked in the first. Satellite pictures are no part of the Web service: they are stitched
from tiles, which are drawn in GCJ-02 like everything else.
"""

from __future__ import annotations

import asyncio
import io
import re
from typing import TYPE_CHECKING, Self

from wheretaken.errors import PhotoError, ServiceError, ToolError
from wheretaken.geo import Datum, LatLon
from wheretaken.maps import filters
from wheretaken.maps.amap import reading
from wheretaken.maps.amap.faults import fault
from wheretaken.maps.base import MapPicture, MapProvider, UnsupportedError
from wheretaken.maps.offline.render import furniture
from wheretaken.maps.offline.render.view import View
from wheretaken.maps.tiles import TileScheme, TileServer
from wheretaken.maps.web import ServiceLimits
from wheretaken.photos import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.maps.amap.reading import Record
    from wheretaken.maps.base import Place
    from wheretaken.maps.web import Connection, Service

ATTRIBUTION = "© AMap"
"""As it stands in pictures; the font there has no Han."""
TILE_LIMITS = ServiceLimits(per_second=10, burst=16, concurrency=4, max_picture_bytes=2**20)
"""A tile server counts no quota of the key, and a picture needs some nine tiles at once."""
_CLOSEST_ROADS = 17
"""Zooms that static maps are drawn at end there; farther out than `_FARTHEST` is more than the country."""
_FARTHEST = 3
_CLOSEST_TILES = 18
_LARGEST_MAP = 1024
_LONGEST_QUERY = 80
_MOST_POIS = 25
_NEAR_M = 50_000
"""The widest circle that a search around a position takes, metres."""
_AROUND_M = 1000
_COUNTRIES = frozenset({"CN", "HK", "MO"})
_DELTA = {"south": 22.13, "north": 22.57, "west": 113.52, "east": 114.52}
"""Hong Kong and Macau, where AMap's data are its own and its positions WGS-84."""
_POI_ID = re.compile("[A-Za-z0-9]{1,32}")
_POSITION_ID = re.compile(r"-?\d{1,3}\.\d+,-?\d{1,2}\.\d+")


class AmapProvider(MapProvider):
    """A `MapProvider` of China; its ids are `amap:` and AMap's own.

    Terms (高德地图开放平台服务协议, https://lbs.amap.com/pages/terms/, of December 2025): 3.5 allows
    to show results as the documentation says, and forbids to store or cache them; 4.12.7 and 7.3 ask for
    AMap's written consent to copies, databases and caches of any kind. So nothing is kept. We know the
    clauses from others' reports of them, not from the terms themselves: read them before you rely on this,
    also on whether fetching imagery by its tiles' addresses is allowed to you.
    """

    name = "amap"

    def __init__(self, service: Service, pois: Service, tiles: TileServer) -> None:
        """Ask for POIs through `pois`, for imagery through `tiles`, and for the rest through `service`.

        AMap counts each of its services apart, and POI searches have by far the smallest quota: when they
        are used up for the day, addresses and maps go on.
        """
        self.services = (service, pois, tiles.service)
        self._service = service
        self._poi_service = pois
        self._tiles = tiles

    @classmethod
    def connected(cls, connection: Connection) -> Self:
        """Make the provider from the section of its name.

        Raises:
            UserError: there is no key.
        """
        section, key = connection.settings.amap, connection.settings.key(cls.name)
        service, pois = (
            connection.service(name, section.url, section.limits, query={"key": key}, fault=fault)
            for name in (cls.name, "amap-pois")
        )
        scheme = TileScheme(ATTRIBUTION, _CLOSEST_TILES, datum=Datum.GCJ02)
        tiles = TileServer(connection, "amap-tiles", section.tiles_url, scheme, TILE_LIMITS, key=key)
        return cls(service, pois, tiles)

    def covers(self, position: LatLon | None, country_code: str) -> bool:
        """Whether a position, or else a country, is mainland China, Hong Kong or Macau."""
        return country_code in _COUNTRIES if position is None else _in_china(position)

    def keep_days(self, operation: str) -> float | None:  # noqa: ARG002 - the same for all
        """Return 0: see the class."""
        return 0.0

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
        """Return the POIs that `query` names, at most 25: those within 50 km of `near`, else of the country.

        Where there is none the query is taken for an address.

        Raises:
            UnsupportedError: another country's places are wanted, or a country's largest settlements.
            ToolError: the query is too long.
        """
        if country_code not in {"", *_COUNTRIES}:
            raise UnsupportedError(f"amap knows places in China only, none in {country_code}")
        query = query.strip() or kind
        if not query:
            raise UnsupportedError("amap cannot list settlements; search for a name")
        keywords = _keywords(query)
        around = near if near is not None and _in_china(near) else None
        most = filters.asked(limit, _MOST_POIS, radius_km=radius_km, kind=kind)
        found: list[Place] = []
        if around is not None:
            radius = _NEAR_M if radius_km is None else min(max(round(radius_km * 1000), 1), _NEAR_M)
            circle = {"location": reading.written(around), "radius": radius, "sortrule": "weight"}
            found = await self._pois("/v5/place/around", circle, keywords, near, most)
        if not found:
            found = await self._pois("/v5/place/text", {}, keywords, near, most)
        if not found:
            reply = await self._service.json("/v3/geocode/geo", params={"address": keywords})
            entries = reading.records(reply.get("geocodes"))
            found = [place for entry in entries if (place := reading.geocode(entry, keywords, near))]
        # Who asks for China means its special administrative regions as well.
        wanted = _COUNTRIES if country_code == "CN" else {country_code}
        found = filters.kept(found, near=near, radius_km=radius_km, kind=kind)
        return [place for place in found if not country_code or place.country_code in wanted][:limit]

    async def suggest(self, query: str, *, near: LatLon | None = None, limit: int = 10) -> Sequence[Place]:
        """Return the places that complete a text, at most ten; completions that are mere words are left out.

        AMap looks at a position only together with a city, so `near` adds distances and no order.

        Raises:
            ToolError: the query is empty or too long.
        """
        keywords = _keywords(query)
        reply = await self._service.json("/v3/assistant/inputtips", params={"keywords": keywords})
        tips = (reading.tip(entry, keywords, near) for entry in reading.records(reply.get("tips")))
        return [place for place in tips if place][:limit]

    async def details(self, place_id: str) -> Place | None:
        """Return the POI or address with this id, or None when AMap does not know it."""
        source, _, key = place_id.partition(":")
        if source != self.name:
            return None
        if _POSITION_ID.fullmatch(key):
            at = reading.position(key)
            found = reading.surroundings(await self._regeocode(at, "base"), at) if at else []
            return found[-1] if found else None
        if not _POI_ID.fullmatch(key):
            return None
        params = {"id": key, "show_fields": "business"}
        reply = await self._poi_service.json("/v5/place/detail", params=params)
        found = [place for entry in reading.records(reply.get("pois")) if (place := reading.poi(entry))]
        return found[0] if found else None

    async def reverse(self, position: LatLon, *, limit: int = 5) -> Sequence[Place]:
        """Return the POIs within a kilometre, the nearest first, and then the address.

        Raises:
            UnsupportedError: the position is not in China.
        """
        if not _in_china(position):
            raise UnsupportedError("amap knows positions in China only; did you swap latitude and longitude?")
        found = reading.surroundings(await self._regeocode(position, "all"), position)
        return [*found[:-1][: limit - 1], *found[-1:]]

    async def road_map(
        self,
        centre: LatLon,
        *,
        zoom: float,
        width: int = 500,
        height: int = 500,
        markers: Sequence[LatLon] = (),
        language: str = "",  # noqa: ARG002 - AMap writes Chinese only
    ) -> MapPicture:
        """Return AMap's map around `centre` with numbered markers, at the nearest whole zoom from 3 to 17.

        Raises:
            UnsupportedError: the picture would be larger than AMap's largest, or is not of China.
            ToolError: zoom or size cannot be drawn.
        """
        if not _in_china(centre):
            raise UnsupportedError("amap draws maps of China only; did you swap latitude and longitude?")
        if max(width, height) > _LARGEST_MAP:
            raise UnsupportedError(f"amap draws maps of {_LARGEST_MAP} pixels at most")
        asked = View.around(_flat(centre), zoom=zoom, width=width, height=height).zoom
        level = min(max(round(asked), _FARTHEST), _CLOSEST_ROADS)
        view = View.around(_flat(centre), zoom=level, width=width, height=height)
        params = {"location": reading.written(centre), "zoom": level, "size": f"{width}*{height}"}
        data = await self._service.picture("/v3/staticmap", params=params)
        png = await asyncio.to_thread(_marked, data, view, [_flat(marker) for marker in markers])
        south, west, north, east = view.bounds
        corners = LatLon(south, west, Datum.GCJ02).wgs84, LatLon(north, east, Datum.GCJ02).wgs84
        return MapPicture(
            png=png,
            width=width,
            height=height,
            south=corners[0].lat,
            west=corners[0].lon,
            north=corners[1].lat,
            east=corners[1].lon,
            zoom=level,
            attribution=ATTRIBUTION,
        )

    async def satellite(
        self,
        centre: LatLon,
        *,
        zoom: float,
        width: int = 500,
        height: int = 500,
        markers: Sequence[LatLon] = (),
    ) -> MapPicture:
        """Return imagery around `centre` with numbered markers; beyond zoom 18 it is enlarged.

        Raises:
            UnsupportedError: there is no imagery of this area.
            ToolError: zoom or size cannot be drawn.
        """
        return await self._tiles.picture(centre, zoom=zoom, width=width, height=height, markers=markers)

    async def _pois(
        self, path: str, where: dict[str, str | int], keywords: str, near: LatLon | None, limit: int
    ) -> list[Place]:
        size = min(max(limit, 1), _MOST_POIS)
        params = {"keywords": keywords, "page_size": size, "show_fields": "business", **where}
        reply = await self._poi_service.json(path, params=params)
        found = (reading.poi(entry, keywords, near) for entry in reading.records(reply.get("pois")))
        return [place for place in found if place]

    async def _regeocode(self, position: LatLon, extensions: str) -> Record:
        params = {"location": reading.written(position), "extensions": extensions, "radius": _AROUND_M}
        return reading.record(await self._service.json("/v3/geocode/regeo", params=params))


def _keywords(query: str) -> str:
    keywords = " ".join(query.split())
    if not keywords:
        raise ToolError("the query is empty; give a name or an address")
    if len(keywords) > _LONGEST_QUERY:
        raise ToolError(
            f"the query has {len(keywords)} characters, more than the {_LONGEST_QUERY} that AMap takes; "
            "give a name or an address only"
        )
    return keywords


def _in_china(position: LatLon) -> bool:
    """Whether a position is in mainland China, Hong Kong or Macau."""
    true = position.wgs84
    delta = _DELTA["south"] <= true.lat <= _DELTA["north"] and _DELTA["west"] <= true.lon <= _DELTA["east"]
    return delta or true.to(Datum.GCJ02).datum is Datum.GCJ02


def _flat(position: LatLon) -> LatLon:
    """Return where AMap draws a position, under the label that `View` knows."""
    shown = position.to(Datum.GCJ02)
    return LatLon(shown.lat, shown.lon)


def _marked(data: bytes, view: View, pins: Sequence[LatLon]) -> bytes:
    """Return a fetched map as PNG with pins, scale bar and attribution on it.

    Raises:
        ServiceError: it is no picture, or not of the size that was asked for.
    """
    try:
        picture = load(data, max_pixels=4 * _LARGEST_MAP**2).image
    except PhotoError:
        raise ServiceError("amap: answered a picture that cannot be decoded", service="amap") from None
    if picture.size != (view.width, view.height):
        said = f"{picture.width} x {picture.height}"
        raise ServiceError(f"amap: answered a map of {said} pixels", service="amap")
    furniture.draw(picture, view, markers=pins, attribution=ATTRIBUTION)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
