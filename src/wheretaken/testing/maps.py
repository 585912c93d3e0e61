"""A map of a handful of places, for tests of what asks maps: no files, no network, plain pictures."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from wheretaken.geo import LatLon, distance_km
from wheretaken.maps import MapPicture, MapProvider, Match, MatchKind, Place, filters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.errors import WheretakenError


class FewPlaces(MapProvider):
    """A `MapProvider` that knows the places it was given, by their exact names."""

    name = "few"

    def __init__(self, places: Sequence[Place] = (), *, failure: WheretakenError | None = None) -> None:
        """Know these places; with `failure`, raise it from every method instead."""
        self._places = {place.id: place for place in places}
        self._failure = failure
        self.asked: list[str] = []
        """Every query, in order."""

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
        """Return the places of this name, the most populous first."""
        self._note(f"search {query} {near} {country_code}")
        match = Match(kind=MatchKind.EXACT, alias=query, similarity=1.0)
        found = [
            place.model_copy(update={"match": match})
            for place in self._places.values()
            if query.casefold() in {place.name.casefold(), place.english.casefold()}
            and country_code in {"", place.country_code}
        ]
        found = filters.kept(found, near=near, radius_km=radius_km, kind=kind)
        return sorted(found, key=lambda place: -place.population)[:limit]

    async def details(self, place_id: str) -> Place | None:
        """Return the place with this id, if it is known."""
        self._note(f"details {place_id}")
        return self._places.get(place_id)

    async def reverse(self, position: LatLon, *, limit: int = 5) -> Sequence[Place]:
        """Return all places by distance."""
        self._note(f"reverse {position}")
        measured = [
            place.model_copy(update={"distance_km": distance_km(position, LatLon(place.lat, place.lon))})
            for place in self._places.values()
        ]
        return sorted(measured, key=lambda place: place.distance_km or 0.0)[:limit]

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
        """Return an empty grey picture."""
        from PIL import Image  # noqa: PLC0415 - only runs that draw need it

        self._note(f"road_map {centre} {zoom} {len(markers)} {language}".rstrip())
        buffer = io.BytesIO()
        Image.new("RGB", (width, height), (200, 200, 200)).save(buffer, "PNG")
        return MapPicture(
            png=buffer.getvalue(),
            width=width,
            height=height,
            south=max(centre.lat - 0.01, -90),
            west=max(centre.lon - 0.01, -180),
            north=min(centre.lat + 0.01, 90),
            east=min(centre.lon + 0.01, 180),
            zoom=zoom,
            attribution="nobody",
        )

    def _note(self, asked: str) -> None:
        self.asked.append(asked)
        if self._failure is not None:
            raise self._failure
