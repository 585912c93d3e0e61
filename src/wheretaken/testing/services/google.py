"""A fake Google Maps Platform over a handful of places and panoramas.

```
fake = FakeService(google([Spot("ChIJx", "Café Kafka", LatLon(60.17, 24.94), ("cafe",))], key="secret"))
fake.fail(rpc_error("RESOURCE_EXHAUSTED", 429, quota_limit="SearchTextRequestPerDayPerProject"))
```
It answers in the shapes that Google documents: Places API (New) with its field masks, Geocoding, Static Maps
and Street View; positions in mainland China are GCJ-02, as on Google's road map. What finds a place is
simple: a query that is part of its name or address, or a position within 300 m. It is strict where Google is:
without key or field mask, or with a picture that is too large, it refuses.
"""

from __future__ import annotations

import dataclasses
import io
import math
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw

from wheretaken.geo import Datum, LatLon, distance_km
from wheretaken.testing.services.fake import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from wheretaken.testing.services.fake import Asked
    from wheretaken.testing.services.mishaps import Mishap

    Answer = Callable[[Asked], Reply]

REACH_KM = 0.3
PANORAMA_REACH_KM = 0.05
PIN = (255, 0, 0)
"""Colour of the pixel at the tip of a marker."""
_LARGEST = 640
_MOST_SUGGESTED = 5
_JSON = {"/maps/api/geocode/json", "/maps/api/streetview/metadata"}


@dataclass(frozen=True)
class Spot:
    """A place as the fake knows it."""

    id: str
    name: str
    position: LatLon
    types: tuple[str, ...] = ("point_of_interest", "establishment")
    number: str = ""
    street: str = ""
    city: str = ""
    region: str = ""
    country: tuple[str, str] = ("", "")
    """Name and ISO 3166-1 alpha-2 code."""
    degrees: float = 0.001
    """Half the side of its viewport."""
    attribution: str = ""

    @property
    def address(self) -> str:
        """The whole address in one line."""
        street = f"{self.street} {self.number}".strip()
        return ", ".join(filter(None, (street, self.city, self.region, self.country[0])))

    def components(self, long: str, short: str) -> list[dict[str, Any]]:
        """The parts of the address, under the field names of one of the two APIs."""
        parts = [
            (self.number, self.number, "street_number"),
            (self.street, self.street, "route"),
            (self.city, self.city, "locality"),
            (self.region, self.region, "administrative_area_level_1"),
            (*self.country, "country"),
        ]
        return [{long: whole, short: brief, "types": [kind]} for whole, brief, kind in parts if whole]


@dataclass(frozen=True)
class Panorama:
    """A Street View panorama."""

    id: str
    position: LatLon
    date: str = "2023-07"
    copyright: str = "© Google"


def google(spots: Sequence[Spot] = (), panoramas: Sequence[Panorama] = (), key: str = "") -> Answer:
    """Answer for both hosts; with a key, only to those who send it where each host wants it."""

    def answer(asked: Asked) -> Reply:
        if asked.path.startswith("/v1/"):
            if key and asked.headers.get("x-goog-api-key") != key:
                return _rpc_reply("INVALID_ARGUMENT", 400, "API key not valid.", "API_KEY_INVALID")
            return _places(spots, asked)
        if key and asked.params.get("key") != key:
            told = "The provided API key is invalid."
            return _old_reply("REQUEST_DENIED", told) if asked.path in _JSON else _sentence_reply(403, told)
        return _maps(spots, panoramas, asked)

    return answer


def rpc_error(
    status: str, http: int, message: str = "", *, reason: str = "", quota_limit: str = "", retry: str = ""
) -> Mishap:
    """The Places API (New) refuses, such as with `PERMISSION_DENIED` and 403."""
    reply = _rpc_reply(status, http, message or status.replace("_", " ").lower(), reason, quota_limit, retry)
    return lambda delivery: dataclasses.replace(delivery, reply=reply)


def old_error(status: str, message: str = "") -> Mishap:
    """Geocoding or Street View metadata refuse, with HTTP 200."""
    return lambda delivery: dataclasses.replace(delivery, reply=_old_reply(status, message))


def sentence(http: int, text: str) -> Mishap:
    """Static Maps or Street View refuse with plain text."""
    return lambda delivery: dataclasses.replace(delivery, reply=_sentence_reply(http, text))


def warning(text: str) -> Mishap:
    """Static Maps draws a map that lacks something, and says so in a header."""

    def warn(delivery: Any) -> Any:
        headers = {**delivery.reply.headers, "X-Staticmap-API-Warning": text}
        return dataclasses.replace(delivery, reply=dataclasses.replace(delivery.reply, headers=headers))

    return warn


def _rpc_reply(
    status: str, http: int, message: str, reason: str = "", quota_limit: str = "", retry: str = ""
) -> Reply:
    details: list[dict[str, Any]] = []
    if reason or quota_limit:
        metadata = {
            "service": "places.googleapis.com",
            **({"quota_limit": quota_limit} if quota_limit else {}),
        }
        kind = "type.googleapis.com/google.rpc.ErrorInfo"
        details.append({"@type": kind, "reason": reason, "domain": "googleapis.com", "metadata": metadata})
    if retry:
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": retry})
    error = {"code": http, "message": message, "status": status, **({"details": details} if details else {})}
    return Reply.json({"error": error}, http)


def _old_reply(status: str, message: str = "") -> Reply:
    return Reply.json({"status": status, "results": [], **({"error_message": message} if message else {})})


def _sentence_reply(http: int, text: str) -> Reply:
    return Reply(text.encode(), "text/plain; charset=UTF-8", http)


def _maps(spots: Sequence[Spot], panoramas: Sequence[Panorama], asked: Asked) -> Reply:
    match asked.path:
        case "/maps/api/geocode/json":
            return _geocode(spots, asked)
        case "/maps/api/streetview/metadata":
            return _metadata(panoramas, asked)
        case "/maps/api/streetview":
            return _street_view(panoramas, asked)
        case "/maps/api/staticmap":
            return _static_map(asked)
        case _:
            return Reply(b"<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>", "text/html", 404)


def _places(spots: Sequence[Spot], asked: Asked) -> Reply:
    mask = asked.headers.get("x-goog-fieldmask", "").split(",")
    _, _, what = asked.path.partition("/v1/places")
    if mask == [""] and what != ":autocomplete":
        return _rpc_reply("INVALID_ARGUMENT", 400, "FieldMask is a required parameter.")
    if what.startswith("/"):
        found = next((spot for spot in spots if spot.id == what[1:]), None)
        if found is None:
            return _rpc_reply("NOT_FOUND", 404, "The Place ID is no longer valid.")
        return Reply.json(_masked(_place(found), mask))
    match what:
        case ":searchText":
            return _search(spots, asked.json, [name.removeprefix("places.") for name in mask])
        case ":autocomplete":
            body = asked.json
            begun = [spot for spot in spots if spot.name.casefold().startswith(body["input"].casefold())]
            found = _nearest_first(begun, body)[:_MOST_SUGGESTED]
            return Reply.json({"suggestions": [_prediction(spot) for spot in found]} if found else {})
        case _:
            return _rpc_reply("NOT_FOUND", 404, f"no method {what}")


def _search(spots: Sequence[Spot], body: Mapping[str, Any], fields: Sequence[str]) -> Reply:
    if not body.get("textQuery"):
        return _rpc_reply("INVALID_ARGUMENT", 400, "Empty text_query.")
    found = _nearest_first(_named(spots, body["textQuery"]), body)[: body["pageSize"]]
    return Reply.json({"places": [_masked(_place(spot), fields) for spot in found]} if found else {})


def _named(spots: Sequence[Spot], query: str) -> list[Spot]:
    asked = query.casefold()
    return [spot for spot in spots if asked in spot.name.casefold() or asked in spot.address.casefold()]


def _nearest_first(spots: Sequence[Spot], body: Mapping[str, Any]) -> list[Spot]:
    if "locationBias" not in body:
        return list(spots)
    centre = body["locationBias"]["circle"]["center"]
    position = LatLon(centre["latitude"], centre["longitude"], Datum.GCJ02)
    return sorted(spots, key=lambda spot: distance_km(position, spot.position))


def _place(spot: Spot) -> dict[str, Any]:
    at, reach = _shown(spot.position), spot.degrees
    return {
        "id": spot.id,
        "displayName": {"text": spot.name, "languageCode": "en"},
        "primaryType": spot.types[0],
        "types": list(spot.types),
        "formattedAddress": spot.address,
        "addressComponents": spot.components("longText", "shortText"),
        "location": {"latitude": at.lat, "longitude": at.lon},
        "viewport": {
            "low": {"latitude": at.lat - reach, "longitude": at.lon - reach},
            "high": {"latitude": at.lat + reach, "longitude": at.lon + reach},
        },
        "attributions": [{"provider": spot.attribution}] if spot.attribution else [],
        "rating": 4.5,
    }


def _masked(place: dict[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in place.items() if name in fields and value not in ("", [])}


def _prediction(spot: Spot) -> dict[str, Any]:
    return {
        "placePrediction": {
            "place": f"places/{spot.id}",
            "placeId": spot.id,
            "text": {"text": f"{spot.name}, {spot.address}"},
            "structuredFormat": {"mainText": {"text": spot.name}, "secondaryText": {"text": spot.address}},
            "types": list(spot.types),
        }
    }


def _geocode(spots: Sequence[Spot], asked: Asked) -> Reply:
    params = asked.params
    if "latlng" in params:
        position = _pair(params["latlng"], Datum.GCJ02)
        near = [
            spot for spot in spots if distance_km(position, spot.position) < max(REACH_KM, spot.degrees * 100)
        ]
        found = sorted(near, key=lambda spot: spot.degrees)
    elif "address" in params:
        country = params.get("components", "").removeprefix("country:")
        found = [spot for spot in _named(spots, params["address"]) if country in {"", spot.country[1]}]
    else:
        return _old_reply(
            "INVALID_REQUEST", "Invalid request. Missing the 'address', 'components' or 'latlng'."
        )
    results = [_result(spot) for spot in found]
    return Reply.json({"results": results, "status": "OK"}) if results else _old_reply("ZERO_RESULTS")


def _result(spot: Spot) -> dict[str, Any]:
    at, reach = _shown(spot.position), spot.degrees
    return {
        "place_id": spot.id,
        "formatted_address": spot.address,
        "address_components": spot.components("long_name", "short_name"),
        "geometry": {
            "location": {"lat": at.lat, "lng": at.lon},
            "location_type": "ROOFTOP",
            "viewport": {
                "southwest": {"lat": at.lat - reach, "lng": at.lon - reach},
                "northeast": {"lat": at.lat + reach, "lng": at.lon + reach},
            },
        },
        "types": list(spot.types),
    }


def _metadata(panoramas: Sequence[Panorama], asked: Asked) -> Reply:
    position = _pair(asked.params["location"])
    found = min(panoramas, key=lambda one: distance_km(position, one.position), default=None)
    if found is None or distance_km(position, found.position) > PANORAMA_REACH_KM:
        return Reply.json({"status": "ZERO_RESULTS"})
    return Reply.json(
        {
            "copyright": found.copyright,
            "date": found.date,
            "location": {"lat": found.position.lat, "lng": found.position.lon},
            "pano_id": found.id,
            "status": "OK",
        }
    )


def _street_view(panoramas: Sequence[Panorama], asked: Asked) -> Reply:
    if asked.params["pano"] not in {one.id for one in panoramas}:
        return _sentence_reply(404, "There is no imagery with this panorama id.")
    return _picture(Image.new("RGB", _size(asked), (120, 140, 160)), "JPEG")


def _static_map(asked: Asked) -> Reply:
    width, height = _size(asked)
    zoom, scale = int(asked.params["zoom"]), int(asked.params["scale"])
    if max(width, height) > _LARGEST or scale not in {1, 2}:
        return _sentence_reply(400, "Invalid request. Invalid 'size' parameter.")
    picture = Image.new("RGB", (width * scale, height * scale), (235, 232, 222))
    draw = ImageDraw.Draw(picture)
    left, top = _pixel(_pair(asked.params["center"]), zoom, scale)
    left, top = left - picture.width / 2, top - picture.height / 2
    if "markers" in asked.params:
        # Of several markers the last one, as a repeated parameter is known by its last value.
        x, y = _pixel(_pair(asked.params["markers"].rpartition("|")[2]), zoom, scale)
        across = (x - left) % (256 * 2**zoom * scale)
        draw.point((math.floor(across), math.floor(y - top)), fill=PIN)
    draw.text((4, picture.height - 12), "Google  Map data ©", fill=(90, 90, 90))
    return _picture(picture, "PNG")


def _pixel(position: LatLon, zoom: int, scale: int) -> tuple[float, float]:
    """Return where Web Mercator shows a position, in pixels from the map's north-west corner."""
    world = 256 * 2**zoom * scale
    x = (position.lon / 360 + 0.5) * world
    y = (0.5 - math.asinh(math.tan(math.radians(position.lat))) / (2 * math.pi)) * world
    return x, y


def _picture(picture: Image.Image, kind: str) -> Reply:
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return Reply(buffer.getvalue(), f"image/{kind.lower()}", HTTPStatus.OK)


def _size(asked: Asked) -> tuple[int, int]:
    width, _, height = asked.params["size"].partition("x")
    return int(width), int(height)


def _pair(text: str, datum: Datum = Datum.WGS84) -> LatLon:
    lat, _, lon = text.partition(",")
    return LatLon(float(lat), float(lon), datum)


def _shown(position: LatLon) -> LatLon:
    return position.to(Datum.GCJ02)
