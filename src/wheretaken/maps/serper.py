"""Serper: Google's web search and map search as an API (https://serper.dev).

Both are a POST with the key in a header: `/search` answers with `organic` results, `/maps` with `places` that
have a name, an address and a position, but neither country nor viewport. Errors are
`{"message": "Unauthorized.", "statusCode": 403}`; an account without credits is a 400 that says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from wheretaken.geo import Datum, LatLon, distance_km
from wheretaken.maps import filters
from wheretaken.maps.base import MapProvider, Place, WebPage
from wheretaken.maps.google.languages import language_of
from wheretaken.maps.matching import best_match
from wheretaken.maps.web import Fault, FaultKind
from wheretaken.maps.web.shapes import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.maps.web import Connection, Response, Service

SOURCE = "Google, through Serper"
_EXTENT_KM = 0.1
"""Of a place, which is a shop, a house or a park: their sizes are not told."""
_NEAR_ZOOM = 11
"""Of the map in which places are preferred: some 50 km."""
_LONGEST = 200


class _Found(BaseModel):
    """A place; its ids are Google's."""

    title: str
    latitude: Annotated[float | None, Field(ge=-90, le=90)] = None
    longitude: Annotated[float | None, Field(ge=-180, le=180)] = None
    address: str = ""
    type: str = ""
    types: tuple[str, ...] = ()
    description: str = ""
    place_id: Annotated[str, Field(validation_alias="placeId")] = ""
    cid: str = ""

    def place(self, query: str, near: LatLon | None) -> Place | None:
        """Return it in WGS-84; None for what has no position."""
        if self.latitude is None or self.longitude is None:
            return None
        # On Google's map, positions in mainland China are GCJ-02.
        position = LatLon(self.latitude, self.longitude, Datum.GCJ02).wgs84
        kind = self.type or next(iter(self.types), "poi")
        more = {"types": ", ".join(self.types), "description": self.description}
        return Place(
            id=f"google:{self.place_id}" if self.place_id else f"serper:{self.cid}",
            name=self.title,
            kind=kind.lower().replace(" ", "_"),
            lat=position.lat,
            lon=position.lon,
            address=self.address,
            extent_km=_EXTENT_KM,
            distance_km=distance_km(near, position) if near else None,
            match=best_match(query, (self.title, self.address)),
            source=SOURCE,
            more={name: text for name, text in more.items() if text},
        )


class _MapsReply(BaseModel):
    places: list[_Found] = []


class _Page(BaseModel):
    title: str
    link: str
    snippet: str = ""
    date: str = ""


class _SearchReply(BaseModel):
    organic: list[_Page] = []


_MAPS = TypeAdapter(_MapsReply)
_SEARCH = TypeAdapter(_SearchReply)


class Serper(MapProvider):
    """Places and web pages as Google finds them.

    A place that Google gave an id can be looked up by a provider of Google's own API.

    Terms (https://serper.dev/terms, of May 2024): by what others report of them they say nothing on how long
    answers may be kept, and grant no rights in what the answers show, which is Google's and other people's.
    We could not read them ourselves, so nothing is kept.
    """

    name = "serper"

    def __init__(self, service: Service) -> None:
        """Ask this service."""
        self._service = service
        self.services = (service,)

    @classmethod
    def connected(cls, connection: Connection) -> Self:
        """Make the provider from the section of its name.

        Raises:
            UserError: there is no key.
        """
        section, key = connection.settings.serper, connection.settings.key(cls.name)
        headers = {"X-API-KEY": key}
        return cls(connection.service(cls.name, section.url, section.limits, headers=headers, fault=_fault))

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
        """Return places, as Google ranks them.

        A country is preferred only: answers do not say in which one a place is.

        Raises:
            UnsupportedError: the query is empty.
            ServiceError: it failed.
        """
        query = query.strip() or kind
        if not query:
            raise self._unsupported("list places without a query")
        body = {
            "q": query,
            "hl": language_of(query, country_code),
            **({"gl": country_code.lower()} if country_code else {}),
        }
        if near:
            shown = near.to(Datum.GCJ02)
            body["ll"] = f"@{shown.lat:.6f},{shown.lon:.6f},{_NEAR_ZOOM}z"
        reply = read(self.name, _MAPS, await self._service.json("/maps", method="POST", body=body))
        places = [found.place(query, near) for found in reply.places]
        found = [place for place in places if place]
        return filters.kept(found, near=near, radius_km=radius_km, kind=kind)[:limit]

    async def web_search(self, query: str, *, limit: int = 10) -> Sequence[WebPage]:
        """Return web pages in the language of the query, best first.

        Raises:
            ServiceError: it failed.
        """
        body = {"q": query, "hl": language_of(query), "num": limit}
        reply = read(self.name, _SEARCH, await self._service.json("/search", method="POST", body=body))
        return [
            WebPage(title=page.title, url=page.link, snippet=page.snippet, date=page.date, source=SOURCE)
            for page in reply.organic[:limit]
        ]


class _Refusal(BaseModel):
    message: str = ""


def _fault(response: Response) -> Fault | None:
    """Return what is wrong where Serper says more than the HTTP status."""
    if response.status != 400:
        return None
    try:
        said = _Refusal.model_validate(response.json).message[:_LONGEST]
    except ValidationError:
        return None
    if "credit" in said.lower():
        return Fault(FaultKind.ACCESS, f"the account is used up: {said}")
    return Fault(FaultKind.ARGUMENT, said or "it refuses this query")
