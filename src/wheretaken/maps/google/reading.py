"""Google's places and addresses as `Place`s, and positions as Google writes them.

The Places API (New) and the older Geocoding API tell the same things under different names:
https://developers.google.com/maps/documentation/places/web-service/reference/rest/v1/places,
https://developers.google.com/maps/documentation/geocoding/requests-geocoding. Both are read by `Found`.

The documentation does not say in which datum positions in mainland China are. They lie on the road map, which
is GCJ-02: Google's 39.9087, 116.3975 for the Gate of Heavenly Peace is at 39.9073, 116.3912 in WGS-84.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AliasChoices, AliasPath, BaseModel, Field

from wheretaken.geo import Datum, LatLon, distance_km
from wheretaken.maps.base import Place
from wheretaken.maps.google.languages import ENGLISH
from wheretaken.maps.matching import best_match

if TYPE_CHECKING:
    from collections.abc import Sequence

SOURCE = "Google Maps"
PREFIX = "google:"
_AREAS = {"country", "admin1", "city", "town", "district"}
_KINDS = {
    "country": "country", "administrative_area_level_1": "admin1", "locality": "city", "postal_town": "town",
    "neighborhood": "district", "route": "street", "street_address": "address", "premise": "address",
    "subpremise": "address", "street_number": "address", "international_airport": "airport",
    "lodging": "hotel", "train_station": "station", "subway_station": "station", "gas_station": "fuel",
    "tourist_attraction": "attraction", "shopping_mall": "mall", "movie_theater": "cinema", "store": "shop",
    "convenience_store": "convenience", "clothing_store": "clothes", "church": "place_of_worship",
    "mosque": "place_of_worship", "synagogue": "place_of_worship", "hindu_temple": "place_of_worship",
    "transit_station": "station", "light_rail_station": "tram_stop", "primary_school": "school",
    "secondary_school": "school", "city_hall": "townhall", "local_government_office": "government",
}  # fmt: skip
"""Google's types in the words of `Place.kind`; those that are not here are the same or have no other word.
https://developers.google.com/maps/documentation/places/web-service/place-types"""
_DISTRICTS = ("sublocality", "administrative_area_level_", "colloquial_area")
_VAGUE = {"point_of_interest", "establishment", "political", "geocode", "food", "health", "service"}
_LEAST_KM = 0.05


class _Corner(BaseModel):
    """A position as Google writes it. In JSON, protocol buffers leave out a zero."""

    lat: Annotated[float, Field(ge=-90, le=90, validation_alias=AliasChoices("lat", "latitude"))] = 0.0
    lon: Annotated[float, Field(ge=-180, le=180, validation_alias=AliasChoices("lng", "longitude"))] = 0.0

    @property
    def position(self) -> LatLon:
        return LatLon(self.lat, self.lon, Datum.GCJ02).wgs84


class _Viewport(BaseModel):
    south_west: Annotated[_Corner, Field(validation_alias=AliasChoices("southwest", "low"))]
    north_east: Annotated[_Corner, Field(validation_alias=AliasChoices("northeast", "high"))]


class _Component(BaseModel):
    """A part of an address."""

    long: Annotated[str, Field(validation_alias=AliasChoices("long_name", "longText"))] = ""
    short: Annotated[str, Field(validation_alias=AliasChoices("short_name", "shortText"))] = ""
    types: tuple[str, ...] = ()


class _Attribution(BaseModel):
    provider: str = ""


class Found(BaseModel):
    """A place of the Places API, or an address of the Geocoding API."""

    id: Annotated[str, Field(validation_alias=AliasChoices("id", "place_id"))]
    location: Annotated[
        _Corner, Field(validation_alias=AliasChoices("location", AliasPath("geometry", "location")))
    ]
    viewport: Annotated[
        _Viewport | None, Field(validation_alias=AliasChoices("viewport", AliasPath("geometry", "viewport")))
    ] = None
    name: Annotated[str, Field(validation_alias=AliasPath("displayName", "text"))] = ""
    """Not told by the Geocoding API."""
    formatted: Annotated[
        str, Field(validation_alias=AliasChoices("formattedAddress", "formatted_address"))
    ] = ""
    components: Annotated[
        tuple[_Component, ...],
        Field(validation_alias=AliasChoices("addressComponents", "address_components")),
    ] = ()
    types: tuple[str, ...] = ()
    primary_type: Annotated[str, Field(validation_alias="primaryType")] = ""
    attributions: tuple[_Attribution, ...] = ()
    """Third parties that have to be named."""

    @property
    def kind(self) -> str:
        """What it is, in the words of `Place.kind`."""
        telling = self._telling()
        if not telling:
            return "poi"
        kind = _KINDS.get(telling[0], telling[0])
        return "district" if kind.startswith(_DISTRICTS) else kind

    def place(
        self, query: str = "", near: LatLon | None = None, *, language: str = ENGLISH, name: str = ""
    ) -> Place:
        """Return it in WGS-84.

        Args:
            query: What was searched for; without it, there is no `match`.
            near: From where to measure `distance_km`.
            language: The language that was asked for. `Place` takes divisions and countries in English only.
            name: Its name where the reply does not tell it.
        """
        kind, position, line = self.kind, self.location.position, self._line()
        name = self.name or name or self._own_name() or line or self.formatted.partition(",")[0]
        english = language == ENGLISH
        names = (name, line, self.formatted)
        providers = dict.fromkeys(one.provider for one in self.attributions if one.provider)
        return Place(
            id=PREFIX + self.id,
            name=name,
            kind=kind,
            lat=position.lat,
            lon=position.lon,
            country_code=self._part("country").short.upper(),
            country=self._part("country").long if english else "",
            admin1=self._part("administrative_area_level_1").long if english else "",
            city="" if kind in {"country", "admin1", "city", "town"} else self._city(),
            address="" if kind in _AREAS else line,
            extent_km=self._extent_km(),
            distance_km=distance_km(near, position) if near else None,
            match=best_match(query, names) if query else None,
            source="; ".join([SOURCE, *providers]),
            more={"types": ", ".join(telling)} if len(telling := self._telling()) > 1 else {},
        )

    def _telling(self) -> list[str]:
        """Return Google's types, the main one first, without those that say nothing."""
        return [one for one in dict.fromkeys((self.primary_type, *self.types)) if one and one not in _VAGUE]

    def _part(self, kind: str) -> _Component:
        return next((part for part in self.components if kind in part.types), _Component())

    def _city(self) -> str:
        return self._part("locality").long or self._part("postal_town").long

    def _line(self) -> str:
        """Return street and number in the order that is usual there, or all that is known of the address."""
        street, number = self._part("route").long, self._part("street_number").long
        if not street:
            return self.formatted
        before = f"{number} {street}"
        return before if number and before in self.formatted else f"{street} {number}".strip()

    def _own_name(self) -> str:
        """Return the part of an address that the whole of it stands for: the street of a street."""
        kinds = [one for one in self.types if one not in _VAGUE]
        return self._part(kinds[0]).long if kinds else ""

    def _extent_km(self) -> float:
        if self.viewport is None:
            return _LEAST_KM
        corners = self.viewport.south_west.position, self.viewport.north_east.position
        return round(max(_LEAST_KM, distance_km(*corners) / 2), 3)


class SearchReply(BaseModel):
    """Of `places:searchText`; empty where nothing was found."""

    places: list[Found] = []


class Prediction(BaseModel):
    """A completion that is a place."""

    id: Annotated[str, Field(validation_alias="placeId")]
    text: Annotated[str, Field(validation_alias=AliasPath("text", "text"))] = ""
    main: Annotated[str, Field(validation_alias=AliasPath("structuredFormat", "mainText", "text"))] = ""


class _Suggestion(BaseModel):
    placePrediction: Prediction | None = None  # noqa: N815 - the name in the reply


class SuggestReply(BaseModel):
    """Of `places:autocomplete`."""

    suggestions: list[_Suggestion] = []

    @property
    def predictions(self) -> Sequence[Prediction]:
        """The completions that are places; queries are left out."""
        return [one.placePrediction for one in self.suggestions if one.placePrediction]


class GeocodeReply(BaseModel):
    """Of the Geocoding API."""

    results: list[Found] = []


class Panorama(BaseModel):
    """Metadata of a Street View panorama; all but `status` is told only where it is `OK`."""

    status: str
    pano_id: str = ""
    location: _Corner = _Corner()
    date: str = ""
    copyright: str = ""

    @property
    def position(self) -> LatLon:
        """Where it was taken, in WGS-84."""
        return LatLon(self.location.lat, self.location.lon)


def written(position: LatLon) -> LatLon:
    """Return a position as Google's places, addresses and road maps take it: GCJ-02 in mainland China."""
    return position.to(Datum.GCJ02)


def pair(position: LatLon) -> str:
    """Write a position for a query, latitude first, to 0.1 m."""
    return f"{position.lat:.6f},{position.lon:.6f}"
