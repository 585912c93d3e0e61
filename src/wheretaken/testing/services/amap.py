"""A fake AMap over a handful of POIs: the Web service's endpoints that `AmapProvider` asks, and tiles.

```
fake = FakeService(amap([Poi("B000A7BM4H", "北京大学", LatLon(39.99, 116.3))], key="secret"))
fake.fail(refusal("10021"))
```
It answers in the shapes that AMap documents: HTTP 200 also for errors, `[]` for what is empty, `longitude,
latitude` in GCJ-02. What it finds is simple: names and aliases that hold the keywords, addresses that hold
the address. It is strict where AMap is: a request that breaks a documented rule is refused with the code
for that.
"""

from __future__ import annotations

import dataclasses
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw

from wheretaken.geo import Datum, LatLon, distance_km
from wheretaken.testing.services.fake import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from wheretaken.testing.services.fake import Asked
    from wheretaken.testing.services.mishaps import Mishap

    Params = Mapping[str, str]
    Answer = Callable[[Asked], Reply]

INFOS = {
    "10001": "INVALID_USER_KEY",
    "10002": "SERVICE_NOT_AVAILABLE",
    "10003": "DAILY_QUERY_OVER_LIMIT",
    "10004": "ACCESS_TOO_FREQUENT",
    "10005": "INVALID_USER_IP",
    "10006": "INVALID_USER_DOMAIN",
    "10007": "INVALID_USER_SIGNATURE",
    "10008": "INVALID_USER_SCODE",
    "10009": "USERKEY_PLAT_NOMATCH",
    "10010": "IP_QUERY_OVER_LIMIT",
    "10011": "NOT_SUPPORT_HTTPS",
    "10012": "INSUFFICIENT_PRIVILEGES",
    "10013": "USER_KEY_RECYCLED",
    "10014": "QPS_HAS_EXCEEDED_THE_LIMIT",
    "10015": "GATEWAY_TIMEOUT",
    "10016": "SERVER_IS_BUSY",
    "10017": "RESOURCE_UNAVAILABLE",
    "10019": "CQPS_HAS_EXCEEDED_THE_LIMIT",
    "10020": "CKQPS_HAS_EXCEEDED_THE_LIMIT",
    "10021": "CUQPS_HAS_EXCEEDED_THE_LIMIT",
    "10026": "INVALID_REQUEST",
    "10029": "ABROAD_DAILY_QUERY_OVER_LIMIT",
    "10041": "NO_EFFECTIVE_INTERFACE",
    "10044": "USER_DAILY_QUERY_OVER_LIMIT",
    "10045": "USER_ABROAD_DAILY_QUERY_OVER_LIMIT",
    "20000": "INVALID_PARAMS",
    "20001": "MISSING_REQUIRED_PARAMS",
    "20002": "ILLEGAL_REQUEST",
    "20003": "UNKNOWN_ERROR",
    "20011": "INSUFFICIENT_ABROAD_PRIVILEGES",
    "20012": "ILLEGAL_CONTENT",
    "30001": "ENGINE_RESPONSE_DATA_ERROR",
    "40000": "QUOTA_PLAN_RUN_OUT",
    "40002": "SERVICE_EXPIRED",
    "40003": "ABROAD_QUOTA_PLAN_RUN_OUT",
}
"""The documented codes of the operations asked here, with what AMap calls them."""
_POSITION = re.compile(r"-?\d{1,3}(\.\d{1,6})?,-?\d{1,2}(\.\d{1,6})?")
_NOTHING: list[Any] = []


@dataclass(frozen=True)
class Poi:
    """A POI as the fake knows it."""

    id: str
    name: str
    position: LatLon
    typecode: str = "141201"
    type: str = "科教文化服务;学校;高等院校"
    address: str = ""
    province: str = "北京市"
    city: str = "北京市"
    district: str = "海淀区"
    adcode: str = "110108"
    alias: str = ""
    """Several with `|` between them."""
    business_area: str = ""

    @property
    def location(self) -> str:
        """The position as AMap writes it."""
        return _written(self.position)


class _RefusedError(Exception):
    """A documented rule was broken; the argument is the code."""


def refusal(infocode: str) -> Mishap:
    """AMap refuses: HTTP 200 and JSON with this code, whatever was asked for."""
    body = {"status": "0", "info": INFOS.get(infocode, "SOMETHING_NEW"), "infocode": infocode}
    return lambda delivery: dataclasses.replace(delivery, reply=Reply.json(body))


def amap(pois: Sequence[Poi] = (), key: str = "") -> Answer:
    """Answer like AMap, over these POIs; with `key`, refuse any other."""
    endpoints: dict[str, Callable[[Sequence[Poi], Params], dict[str, Any]]] = {
        "/v3/assistant/inputtips": _tips,
        "/v3/geocode/geo": _geocodes,
        "/v3/geocode/regeo": _regeocode,
        "/v5/place/text": _text,
        "/v5/place/around": _around,
        "/v5/place/detail": _detail,
    }

    def answer(asked: Asked) -> Reply:
        if asked.path == "/appmaptile":
            return _tile(asked.params)
        try:
            if key and asked.params.get("key") != key:
                raise _RefusedError("10001")  # noqa: TRY301 - all refusals are answered in one place
            if asked.path == "/v3/staticmap":
                return _static_map(asked.params)
            if asked.path not in endpoints:
                raise _RefusedError("10002")  # noqa: TRY301 - as above
            found = endpoints[asked.path](pois, asked.params)
        except _RefusedError as error:
            code = str(error)
            return Reply.json({"status": "0", "info": INFOS[code], "infocode": code})
        return Reply.json({"status": "1", "info": "OK", "infocode": "10000", **found})

    return answer


def tile_colour(zoom: int, column: int, row: int) -> tuple[int, int, int]:
    """Return the colour of a satellite tile: its column and row modulo 16, and its zoom."""
    return 100 + 8 * (column % 16), 100 + 8 * (row % 16), 100 + 5 * zoom


def _tips(pois: Sequence[Poi], params: Params) -> dict[str, Any]:
    keywords = _needed(params, "keywords")
    # A completion that is a mere word, and a bus line: neither is a place.
    word: dict[str, Any] = dict.fromkeys(
        ("id", "district", "adcode", "location", "address", "typecode", "city"), _NOTHING
    )
    line = {"id": "BV10000001", "name": f"{keywords}专线", "district": "北京市", "adcode": "110000"}
    found = [
        {
            "id": poi.id,
            "name": poi.name,
            "district": (poi.province if poi.province != poi.city else "") + poi.city + poi.district,
            "adcode": poi.adcode,
            "location": poi.location,
            "address": poi.address or _NOTHING,
            "typecode": poi.typecode,
            "city": _NOTHING,
        }
        for poi in pois
        if poi.name.startswith(keywords)
    ]
    tips = [{**word, "name": keywords}, *found, {**word, **line}]
    return {"tips": tips, "count": str(len(tips))}


def _text(pois: Sequence[Poi], params: Params) -> dict[str, Any]:
    return _page((poi for poi in pois if _named(poi, params)), params)


def _around(pois: Sequence[Poi], params: Params) -> dict[str, Any]:
    centre = _at(_needed(params, "location"))
    if not 0 <= int(params.get("radius", "5000")) <= 50_000:
        raise _RefusedError("20000")
    reach_km = int(params.get("radius", "5000")) / 1000
    inside = (poi for poi in pois if distance_km(centre, poi.position) <= reach_km and _named(poi, params))
    return _page(inside, params)


def _detail(pois: Sequence[Poi], params: Params) -> dict[str, Any]:
    wanted = _needed(params, "id").split("|")
    return _page((poi for poi in pois if poi.id in wanted), params)


def _page(found: Iterable[Poi], params: Params) -> dict[str, Any]:
    size = int(params.get("page_size", "10"))
    if not 1 <= size <= 25:
        raise _RefusedError("20000")
    entries: list[dict[str, Any]] = []
    for poi in list(found)[:size]:
        entry: dict[str, Any] = {
            "id": poi.id,
            "name": poi.name,
            "location": poi.location,
            "type": poi.type,
            "typecode": poi.typecode,
            "pname": poi.province,
            "cityname": poi.city,
            "adname": poi.district,
            "address": poi.address or _NOTHING,
            "pcode": poi.adcode[:2] + "0000",
            "adcode": poi.adcode,
            "citycode": "010",
            "parent": "",
            "distance": "",
        }
        if "business" in params.get("show_fields", ""):
            entry["business"] = {"business_area": poi.business_area, "alias": poi.alias, "tel": ""}
        entries.append(entry)
    return {"count": str(len(entries)), "pois": entries}


def _geocodes(pois: Sequence[Poi], params: Params) -> dict[str, Any]:
    address = _needed(params, "address")
    found = [
        {
            "formatted_address": poi.province + poi.district + poi.address,
            "country": "中国",
            "province": poi.province,
            "citycode": "010",
            "city": poi.city,
            "district": poi.district,
            "township": _NOTHING,
            "neighborhood": {"name": _NOTHING, "type": _NOTHING},
            "building": {"name": _NOTHING, "type": _NOTHING},
            "adcode": poi.adcode,
            "street": re.sub(r"\d+号$", "", poi.address),
            "number": next(iter(re.findall(r"\d+号$", poi.address)), _NOTHING),
            "location": poi.location,
            "level": "门牌号",
        }
        for poi in pois
        if poi.address and poi.address in address
    ]
    return {"count": str(len(found)), "geocodes": found}


def _regeocode(pois: Sequence[Poi], params: Params) -> dict[str, Any]:
    centre = _at(_needed(params, "location"))
    reach_km = int(params.get("radius", "1000")) / 1000
    near = sorted((distance_km(centre, poi.position), poi.id, poi) for poi in pois)
    inside = [(km, poi) for km, _, poi in near if km <= reach_km]
    if not inside:
        empty = dict.fromkeys(("country", "province", "city", "district", "township", "adcode"), _NOTHING)
        return {"regeocode": {"formatted_address": _NOTHING, "addressComponent": empty}}
    first = inside[0][1]
    door: dict[str, Any] = {
        "street": re.sub(r"\d+号$", "", first.address) or _NOTHING,
        "number": next(iter(re.findall(r"\d+号$", first.address)), _NOTHING),
        "location": first.location if first.address else _NOTHING,
        "direction": "东",
        "distance": str(inside[0][0] * 1000),
    }
    regeocode: dict[str, Any] = {
        "formatted_address": first.province + first.district + first.name,
        "addressComponent": {
            "country": "中国",
            "province": first.province,
            # Of a municipality the city is empty.
            "city": first.city if first.city != first.province else _NOTHING,
            "citycode": "010",
            "district": first.district,
            "adcode": first.adcode,
            "township": "燕园街道",
            "streetNumber": door,
            "businessAreas": [_NOTHING],
        },
    }
    if params.get("extensions") == "all":
        regeocode["pois"] = [
            {
                "id": poi.id,
                "name": poi.name,
                "type": poi.type,
                "tel": _NOTHING,
                "direction": "东",
                "distance": str(km * 1000),
                "location": poi.location,
                "address": poi.address or _NOTHING,
                "businessarea": poi.business_area or _NOTHING,
            }
            for km, poi in reversed(inside)
        ]
    return {"regeocode": regeocode}


def _static_map(params: Params) -> Reply:
    """Answer a grey map with a cross in its middle."""
    _at(_needed(params, "location"))
    size = re.fullmatch(r"(\d+)\*(\d+)", params.get("size", "400*400"))
    zoom = _needed(params, "zoom")
    if not size or not zoom.isdecimal() or not 1 <= int(zoom) <= 17:
        raise _RefusedError("20000")
    width, height = int(size[1]), int(size[2])
    if max(width, height) > 1024:
        raise _RefusedError("20000")
    picture = Image.new("RGB", (width, height), (240, 238, 230))
    pen = ImageDraw.Draw(picture)
    pen.line((0, height / 2, width, height / 2), fill="white", width=9)
    pen.line((width / 2, 0, width / 2, height), fill="white", width=9)
    return _picture(picture, "PNG")


def _tile(params: Params) -> Reply:
    zoom, column, row = (int(params[name]) for name in ("z", "x", "y"))
    return _picture(Image.new("RGB", (256, 256), tile_colour(zoom, column, row)), "JPEG")


def _picture(picture: Image.Image, form: str) -> Reply:
    buffer = io.BytesIO()
    picture.save(buffer, form)
    return Reply(buffer.getvalue(), f"image/{form.lower()}")


def _needed(params: Params, name: str) -> str:
    if not params.get(name):
        raise _RefusedError("20001")
    return params[name]


def _named(poi: Poi, params: Params) -> bool:
    keywords = _needed(params, "keywords")
    if len(keywords) > 80:
        raise _RefusedError("20000")
    return keywords in f"{poi.name}|{poi.alias}"


def _at(location: str) -> LatLon:
    if not _POSITION.fullmatch(location):
        raise _RefusedError("20000")
    lon, lat = location.split(",")
    return LatLon(float(lat), float(lon), Datum.GCJ02)


def _written(position: LatLon) -> str:
    shown = position.to(Datum.GCJ02)
    return f"{shown.lon:.6f},{shown.lat:.6f}"
