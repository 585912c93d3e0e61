"""Google Maps Platform as a map provider."""

from __future__ import annotations

import asyncio
import functools
import re
from typing import TYPE_CHECKING, Literal, Self

from pydantic import TypeAdapter

from wheretaken.errors import ToolError
from wheretaken.geo import Datum
from wheretaken.maps import filters
from wheretaken.maps.base import MapProvider, StreetView
from wheretaken.maps.google.faults import fault
from wheretaken.maps.google.languages import ENGLISH, language_of
from wheretaken.maps.google.pictures import LARGEST, StaticMap, heading, measure
from wheretaken.maps.google.reading import (
    PREFIX,
    Found,
    GeocodeReply,
    Panorama,
    Prediction,
    SearchReply,
    SuggestReply,
    pair,
    written,
)
from wheretaken.maps.web.shapes import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.geo import LatLon
    from wheretaken.maps.base import MapPicture, Place
    from wheretaken.maps.web import Connection, Service
    from wheretaken.maps.web.wire import Params

_ID = re.compile(re.escape(PREFIX) + r"([A-Za-z0-9_-]{1,300})")
_WHERE = ("id", "location", "viewport", "types", "addressComponents", "formattedAddress", "attributions")
"""Fields that details charge as "Essentials"."""
_FIELDS = (*_WHERE, "displayName", "primaryType")
"""All that a `Place` is made of. The name makes it "Pro", as every text search with positions is anyway."""
_PREDICTIONS = "suggestions.placePrediction"
_MOST_FOUND = 20
_MOST_SUGGESTED = 5
_NEAR_METRES = 50_000.0
"""The largest circle in which results can be preferred."""
_NO_PLACES = {"plus_code", "postal_code"}
_SEARCH = TypeAdapter(SearchReply)
_SUGGEST = TypeAdapter(SuggestReply)
_FOUND = TypeAdapter(Found)
_GEOCODE = TypeAdapter(GeocodeReply)
_PANORAMA = TypeAdapter(Panorama)
_VIEWS = range(10, 121)
"""Fields of view that Street View takes, degrees."""
_KEPT_DAYS = 30.0
_KEPT = {"search", "suggest", "details", "reverse"}


class Google(MapProvider):
    """Places, addresses, map pictures and Street View of Google Maps Platform.

    Names are in the language of the query's script, otherwise in English. Its two services share the
    rate and the daily limit of the section `google`.

    Terms (https://cloud.google.com/maps-platform/terms, 3.2.3, and /terms/maps-service-terms; other terms
    hold for accounts in the European Economic Area): cached may be positions, for 30 consecutive days,
    and place and panorama ids, so pictures are never kept. (a) names "copy and save business names,
    addresses" among what is forbidden, and an answer with places carries both beside the positions:
    `keep_days` tells what positions may have, and whoever reads the terms strictly sets `google = 0` in
    `[cache.days]`. (c) forbids to train, test, validate or fine-tune models with the content, (e) to use
    it with or near a non-Google map. Whether a use is allowed is for the holder of the key to decide;
    attributions are kept with every answer.

    Billing (https://developers.google.com/maps/billing-and-pricing/sku-details): a search is one "Text Search
    Pro", and one "Geocoding" more if it found nothing; details are "Place Details Pro"; completions are one
    "Autocomplete" and one "Place Details Essentials" for each result, as completions come without positions;
    the metadata that precede a Street View picture are free.
    """

    name = "google"

    def __init__(self, places: Service, maps: Service) -> None:
        """Ask these two: places.googleapis.com and maps.googleapis.com."""
        self._places = places
        self._maps = maps
        self.services = (places, maps)

    @classmethod
    def connected(cls, connection: Connection) -> Self:
        """Make the provider from the section of its name.

        Raises:
            UserError: there is no key.
        """
        section, key = connection.settings.google, connection.settings.key(cls.name)
        service = functools.partial(connection.service, limits=section.limits, fault=fault, account=cls.name)
        return cls(
            service("google-places", section.places_url, headers={"X-Goog-Api-Key": key}),
            service("google-maps", section.maps_url, query={"key": key}),  # which takes it nowhere else
        )

    def keep_days(self, operation: str) -> float | None:
        """Return 30 for answers with positions and 0 for pictures: see the class."""
        return _KEPT_DAYS if operation in _KEPT else 0.0

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
        """Return at most 20 places that a query may name, as Google ranks them.

        Where it knows none, in the country if one is given, the query is read as an address.

        Raises:
            UnsupportedError: the query is empty: Google does not list a country's settlements.
            ServiceError: it failed.
        """
        query = query.strip() or kind
        if not query:
            raise self._unsupported("list places without a query")
        language = language_of(query, country_code)
        reply = await self._places.json(
            "/v1/places:searchText",
            method="POST",
            body={
                "textQuery": query,
                "languageCode": language,
                "pageSize": _MOST_FOUND
                if country_code
                else filters.asked(limit, _MOST_FOUND, radius_km=radius_km, kind=kind),
                **({"regionCode": country_code.lower()} if country_code else {}),
                **_preferring(near, radius_km),
            },
            headers={"X-Goog-FieldMask": ",".join(f"places.{field}" for field in _FIELDS)},
        )
        found = [one.place(query, near, language=language) for one in read(self.name, _SEARCH, reply).places]
        places = [place for place in found if country_code in {"", place.country_code}]
        if not places:
            within: Params = {"components": f"country:{country_code}"} if country_code else {}
            addresses = await self._geocoded({"address": query, "language": language, **within})
            places = [one.place(query, near, language=language) for one in addresses]
        return filters.kept(places, near=near, radius_km=radius_km, kind=kind)[:limit]

    async def suggest(self, query: str, *, near: LatLon | None = None, limit: int = 10) -> Sequence[Place]:
        """Return at most five places whose names complete a query.

        Raises:
            ServiceError: it failed.
        """
        language = language_of(query)
        reply = await self._places.json(
            "/v1/places:autocomplete",
            method="POST",
            body={"input": query, "languageCode": language, **_preferring(near)},
            headers={"X-Goog-FieldMask": _PREDICTIONS},
        )
        predictions = read(self.name, _SUGGEST, reply).predictions[: min(limit, _MOST_SUGGESTED)]
        places = await asyncio.gather(*(self._located(one, query, near, language) for one in predictions))
        return [place for place in places if place]

    async def details(self, place_id: str) -> Place | None:
        """Return the place with an id such as `google:ChIJ...`, or None when there is none.

        Raises:
            ServiceError: it failed.
        """
        known = _ID.fullmatch(place_id)
        found = await self._found(known[1], _FIELDS, ENGLISH) if known else None
        return found.place() if found else None

    async def reverse(self, position: LatLon, *, limit: int = 5) -> Sequence[Place]:
        """Return the addresses and areas at a position, the smallest first.

        Raises:
            ServiceError: it failed.
        """
        params: Params = {"latlng": pair(written(position)), "language": ENGLISH}
        places: dict[tuple[str, str], Place] = {}
        for one in await self._geocoded(params):
            if not _NO_PLACES & set(one.types):
                place = one.place(near=position)
                # Several entrances of a house are one to a user.
                places.setdefault((place.kind, place.name), place)
        return list(places.values())[:limit]

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
        """Return a labelled map with numbered markers, at the nearest whole zoom.

        Raises:
            ToolError: zoom, size or number of markers is beyond what Google draws.
            ServiceError: it failed.
        """
        asked = StaticMap.around(
            centre, zoom=zoom, width=width, height=height, markers=markers, datum=Datum.GCJ02
        )
        return await self._drawn(asked, "roadmap", language)

    async def satellite(
        self,
        centre: LatLon,
        *,
        zoom: float,
        width: int = 500,
        height: int = 500,
        markers: Sequence[LatLon] = (),
    ) -> MapPicture:
        """Return imagery with numbered markers; raises as `road_map`."""
        asked = StaticMap.around(
            centre, zoom=zoom, width=width, height=height, markers=markers, datum=Datum.WGS84
        )
        return await self._drawn(asked, "satellite")

    async def street_view(
        self, position: LatLon, *, heading_deg: float | None = None, field_of_view_deg: float = 90
    ) -> StreetView | None:
        """Return the outdoor picture nearest to a position, or None where there is none within 50 m.

        Raises:
            ToolError: the field of view is not between 10 and 120 degrees.
            ServiceError: it failed.
        """
        if round(field_of_view_deg) not in _VIEWS:
            raise ToolError(
                f"the field of view is {field_of_view_deg:g} degrees, but must be between 10 and 120"
            )
        where: Params = {"location": pair(position.wgs84), "radius": 50, "source": "outdoor"}
        reply = await self._maps.json("/maps/api/streetview/metadata", params=where)
        panorama = read(self.name, _PANORAMA, reply)
        if panorama.status != "OK":
            return None
        camera = panorama.position
        looks = heading(camera, position.wgs84) if heading_deg is None else heading_deg % 360
        params: Params = {
            "pano": panorama.pano_id,
            "size": f"{LARGEST}x{LARGEST}",
            "heading": f"{looks:.2f}",
            "fov": round(field_of_view_deg),
            "return_error_code": "true",
        }
        image = await self._maps.picture("/maps/api/streetview", params=params)
        kind, (width, height) = measure(self.name, image)
        return StreetView(
            image=image,
            mime=f"image/{kind.lower()}",
            width=width,
            height=height,
            lat=camera.lat,
            lon=camera.lon,
            heading_deg=looks,
            date=panorama.date,
            attribution=f"Google Street View, {panorama.copyright or '© Google'}",
        )

    async def _located(self, one: Prediction, query: str, near: LatLon | None, language: str) -> Place | None:
        found = await self._found(one.id, _WHERE, language)
        name = one.main or one.text
        return found.place(query, near, language=language, name=name) if found else None

    async def _found(self, key: str, fields: Sequence[str], language: str) -> Found | None:
        """Return the place of an id, or None where it is unknown or no longer valid."""
        mask = {"X-Goog-FieldMask": ",".join(fields)}
        try:
            reply = await self._places.json(
                f"/v1/places/{key}", params={"languageCode": language}, headers=mask
            )
        except ToolError:
            # The id is the only argument, so it is what Google does not take.
            return None
        return read(self.name, _FOUND, reply)

    async def _geocoded(self, params: Params) -> Sequence[Found]:
        reply = await self._maps.json("/maps/api/geocode/json", params=params)
        return read(self.name, _GEOCODE, reply).results

    async def _drawn(
        self, asked: StaticMap, maptype: Literal["roadmap", "satellite"], language: str = ""
    ) -> MapPicture:
        # A satellite picture with the 256 colours of the usual PNG would be blotched.
        kind = {"maptype": maptype, "format": "png" if maptype == "roadmap" else "png32"}
        if language:
            kind["language"] = language
        data = await self._maps.picture("/maps/api/staticmap", params={**asked.params, **kind})
        return asked.picture(self.name, data)


def _preferring(near: LatLon | None, radius_km: float | None = None) -> dict[str, object]:
    if near is None:
        return {}
    shown = written(near)
    centre = {"latitude": shown.lat, "longitude": shown.lon}
    radius = _NEAR_METRES if radius_km is None else min(radius_km * 1000, _NEAR_METRES)
    return {"locationBias": {"circle": {"center": centre, "radius": radius}}}
