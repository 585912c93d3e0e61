"""What every map provider gives and takes.

A provider answers in `Place`s and `MapPicture`s; it converts to WGS-84 at its edge and says where its data
come from. Tools call providers, never the other way round.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from wheretaken.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from wheretaken.geo import LatLon
    from wheretaken.maps.web import Service


class MatchKind(StrEnum):
    """How a query met a name, from best to worst."""

    EXACT = "exact"
    """The whole query is one of the place's names (after folding case, accents and width)."""
    STRIPPED = "stripped"
    """Equal after generic words were dropped from either side ("City of", "Station", 市, 区)."""
    PARTIAL = "partial"
    """Some of the query's words are the place's whole name ("Palais du LOUVRE" -> "Louvre")."""
    PREFIX = "prefix"
    """The place's name begins with the query."""
    FUZZY = "fuzzy"
    """Equal but for typing or OCR errors."""
    KIND = "kind"
    """The query says what the place is and not what it is called ("pharmacy near the station")."""


class Match(BaseModel):
    """Why a place is in a result."""

    model_config = ConfigDict(frozen=True)

    kind: MatchKind
    alias: str
    """The name that was met, as the data spell it."""
    similarity: Annotated[float, Field(ge=0, le=1)]
    """1.0 for equal names; for fuzzy ones, 1 - edit distance / length."""


class Place(BaseModel):
    """A named thing on the map. Positions are WGS-84 degrees."""

    model_config = ConfigDict(frozen=True)

    id: str
    """Stable and prefixed by its source: `geonames:2988507`, `osm:n123`, `osm:w456`, `admin:FR-75`."""
    name: str
    """The name on signs at the place, in its own script."""
    kind: str
    """`country`, `admin1`, `city`, `town`, `village`, `district`, `street`, `crossing`, `address`,
    `airport`, or the OpenStreetMap value for a POI (`cafe`, `museum`, `tram_stop`)."""
    lat: float
    lon: float
    country_code: str = ""
    """ISO 3166-1 alpha-2, upper case; empty when unknown."""
    country: str = ""
    """English short name of the country."""
    admin1: str = ""
    """English name of the first-level division."""
    city: str = ""
    """The settlement that the place is in, for things smaller than one."""
    address: str = ""
    """Street and house number where the data have them."""
    english: str = ""
    """The Latin-script name when `name` is in another script, else empty."""
    population: int = 0
    extent_km: float = 0.0
    """About how far from the position something "in" the place may be: 0.05 for a shop, 5 for a town."""
    distance_km: float | None = None
    """From the `near` of the query, or from the point of a reverse query."""
    match: Match | None = None
    source: str = ""
    """Who the data are from, as their licence wants it said."""
    more: dict[str, str] = Field(default_factory=dict[str, str])
    """What the source tells beyond this, under its own names, such as `typecode` and `business_area`."""


class MapPicture(BaseModel):
    """A rendered or fetched map, PNG, north up, in Web Mercator."""

    model_config = ConfigDict(frozen=True)

    png: bytes
    width: int
    height: int
    south: float
    west: float
    north: float
    east: float
    """The area shown, WGS-84 degrees."""
    zoom: float
    """Web-Mercator zoom with 256-pixel tiles: the world is 256 * 2**zoom pixels wide."""
    attribution: str
    note: str = ""
    """What a reader of the picture must know: which parts could not be fetched."""


class StreetView(BaseModel):
    """A picture taken at street level near a position that was asked for."""

    model_config = ConfigDict(frozen=True)

    image: bytes
    mime: str
    """`image/jpeg` or `image/png`."""
    width: int
    height: int
    lat: float
    lon: float
    """Where it was taken, WGS-84 degrees."""
    heading_deg: float
    """Where the camera looks, degrees clockwise from north."""
    date: str = ""
    """ISO 8601, as exact as the source tells it (`2023-07`)."""
    attribution: str


class WebPage(BaseModel):
    """A result of a web search."""

    model_config = ConfigDict(frozen=True)

    title: str
    url: str
    snippet: str = ""
    date: str = ""
    """When it appeared, as the search service writes it."""
    source: str = ""
    """The search service, as its terms want it said."""


class Member(BaseModel):
    """One of several things that were looked for close together."""

    model_config = ConfigDict(frozen=True)

    wanted: str
    """What was asked for."""
    place: Place | None = None
    """What was found, with its `match`; None where nothing was."""
    distance_m: float | None = None
    """From the centre of the combination."""


class Combination(BaseModel):
    """Several things close together. Positions are WGS-84 degrees."""

    model_config = ConfigDict(frozen=True)

    lat: float
    lon: float
    """The centre: the mean position of what was found."""
    matched: int
    """How many of the wanted things are there."""
    spread_m: float
    """Between the two that are farthest apart."""
    score: Annotated[float, Field(ge=0, le=1)]
    """How well the names were met, as a mean over everything wanted: 1 where all are there as written."""
    distance_km: float | None = None
    """From the `near` of the question."""
    members: tuple[Member, ...]
    """In the order in which they were asked for."""


class UnsupportedError(ToolError):
    """A provider was asked for something that it has not; the router asks the next one."""


class MapProvider:
    """A source of places and pictures: it overrides what it can do, the rest raises `UnsupportedError`.

    Every method may raise `ToolError` for what the asking model can mend and `ServiceError` when a service
    failed. Positions are WGS-84 on both sides: a provider converts at its own edge.
    """

    name: str
    """As settings, results and metrics call it."""
    services: Sequence[Service] = ()
    """What it asks over the network, for health and metrics; closed by `aclose`."""
    id_sources: Collection[str] = ()
    """What stands before the colon in the ids that `details` knows, where that is not the name alone."""

    @property
    def version(self) -> str:
        """Of its data or of how it asks its service: answers that are kept belong to one version."""
        return ""

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
        """Return the places that `query` may name, best first, each with its `match`; empty when none.

        An empty query with a country asks for that country's largest settlements, without a match; one with a
        kind asks for everything of that kind, the nearest first.

        Args:
            query: A name, an address, a crossing, a text from a sign.
            near: Places near here are preferred.
            radius_km: Only places within this distance of `near`, which must be given.
            kind: Only places of this kind: a value of OpenStreetMap (`cafe`, `amenity=cafe`, `shop`), one of
                ours (`city`, `street`), or a word for one ("coffee shop", "Apotheke"): see `kinds`.
            country_code: Only places in this country, ISO 3166-1 alpha-2.
            limit: How many at most.
        """
        raise self._unsupported("search for places")

    async def combination(
        self,
        wanted: Sequence[str],
        *,
        within_m: float = 150.0,
        near: LatLon | None = None,
        radius_km: float | None = None,
        country_code: str = "",
        limit: int = 10,
    ) -> Sequence[Combination]:
        """Return where several things are close together, best first: all of them before all but one.

        Args:
            wanted: At least two names or kinds, as a street's signs tell them.
            within_m: How far from the rarest of them the others may be, metres.
            near: Combinations near here are preferred.
            radius_km: Only combinations within this distance of `near`, which must be given.
            country_code: Only combinations in this country, ISO 3166-1 alpha-2.
            limit: How many at most.
        """
        raise self._unsupported("find several things close together")

    async def suggest(self, query: str, *, near: LatLon | None = None, limit: int = 10) -> Sequence[Place]:
        """Return places whose names complete what was typed so far, best first; empty when none."""
        raise self._unsupported("complete names")

    async def details(self, place_id: str) -> Place | None:
        """Return the place with this id, or None when the provider does not know it."""
        raise self._unsupported("tell details of a place")

    async def reverse(self, position: LatLon, *, limit: int = 5) -> Sequence[Place]:
        """Return what is at and around a position, from the closest POI or address up to the country."""
        raise self._unsupported("tell what is at a position")

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

        With a `language` (a code such as "en" or "zh-Hant") its labels are in that language where the service
        can do so; without, in each place's own.
        """
        raise self._unsupported("draw maps")

    async def satellite(
        self,
        centre: LatLon,
        *,
        zoom: float,
        width: int = 500,
        height: int = 500,
        markers: Sequence[LatLon] = (),
    ) -> MapPicture:
        """Return imagery from above around `centre` with numbered markers."""
        raise self._unsupported("show satellite pictures")

    async def street_view(
        self, position: LatLon, *, heading_deg: float | None = None, field_of_view_deg: float = 90
    ) -> StreetView | None:
        """Return the street-level picture nearest to a position, or None where there is none within 50 m.

        Without a heading the camera looks from where it stands to the position.
        """
        raise self._unsupported("show streets")

    async def web_search(self, query: str, *, limit: int = 10) -> Sequence[WebPage]:
        """Return web pages about a query, best first."""
        raise self._unsupported("search the web")

    def can(self, operation: str) -> bool:
        """Whether this provider does something itself: `search`, `satellite`, ..."""
        return getattr(type(self), operation) is not getattr(MapProvider, operation)

    def covers(self, position: LatLon | None, country_code: str) -> bool:
        """Whether it may know a position (any datum) or, where that is None, a country; by default anything.

        With neither, whether it knows most of the world: a provider of one country says no.
        """
        return True

    def keep_days(self, operation: str) -> float | None:
        """Return for how many days the terms of its service let an answer be kept: 0 never, None no limit.

        Args:
            operation: Name of the method that gave it: `search`, `satellite`, ...
        """
        return None

    async def aclose(self) -> None:
        """Close connections and files; no operation is called after it."""
        for service in self.services:
            await service.aclose()

    def _unsupported(self, what: str) -> UnsupportedError:
        return UnsupportedError(f"{self.name} cannot {what}; use another tool")
