"""Fake Nominatim, Photon and Overpass over a handful of elements, and a fake tile server.

```
fake = FakeService(nominatim([Element("n1", 60.17, 24.95, {"amenity": "cafe", "name": "Strindberg"})]))
```
They answer in the shapes that the real ones document. What finds an element is simple: a query that is part
of one of its names, or a position within a kilometre. The fake Overpass reads the queries that
`wheretaken.maps.osm.overpass` writes, not the language.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from PIL import Image, ImageDraw

from wheretaken.geo import LatLon, distance_km
from wheretaken.testing.services.fake import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from wheretaken.testing.services.fake import Asked

    Answer = Callable[[Asked], Reply]

_TYPES = {"n": "node", "w": "way", "r": "relation"}
_REACH_KM = 1.0
_RANKS = {"2": "country", "4": "state", "8": "city"}
"""What Nominatim and Photon call boundaries, by their `admin_level`."""
_NOTHING = {"error": "Unable to geocode"}


@dataclass(frozen=True)
class Element:
    """An element of OpenStreetMap as far as the fakes know it."""

    id: str
    """Letter of the type and number: `n1`, `w2`, `r3`."""
    lat: float
    lon: float
    tags: Mapping[str, str]
    address: Mapping[str, str] = field(default_factory=dict[str, str])
    """As Nominatim's `address`: `road`, `house_number`, `city`, `state`, `country`, `country_code`."""
    box: tuple[float, float, float, float] | None = None
    """South, west, north, east."""

    @property
    def number(self) -> int:
        """The id without its letter."""
        return int(self.id[1:])

    @property
    def names(self) -> dict[str, str]:
        """All tags that are names."""
        return {key: value for key, value in self.tags.items() if key.partition(":")[0].endswith("name")}

    @property
    def extra(self) -> dict[str, str]:
        """All tags but the main one and the names."""
        return {key: self.tags[key] for key in self.tags.keys() - self.names.keys() - {self.main[0]}}

    @property
    def main(self) -> tuple[str, str]:
        """Key and value of the main tag, which is the first one."""
        return next(iter(self.tags.items()))

    @property
    def rank(self) -> str:
        """What the element is in an address."""
        key, value = self.main
        if key == "boundary":
            return _RANKS.get(self.tags.get("admin_level", ""), "suburb")
        return "road" if key == "highway" else value if key == "place" else key

    def km_from(self, lat: str, lon: str) -> float:
        """The distance from a position of a request, in kilometres."""
        return distance_km(LatLon(float(lat), float(lon)), LatLon(self.lat, self.lon))


def nominatim(elements: Sequence[Element]) -> Answer:
    """Answer `/search`, `/lookup` and `/reverse` in the format `jsonv2`."""

    def answer(asked: Asked) -> Reply:
        params = asked.params
        if params.get("format") != "jsonv2":
            return Reply.json({"error": {"code": 400, "message": "Parameter 'format' must be jsonv2"}}, 400)
        if asked.path.endswith("/lookup"):
            wanted = {one.lower() for one in params["osm_ids"].split(",")}
            return Reply.json([_jsonv2(element) for element in elements if element.id in wanted])
        if asked.path.endswith("/reverse"):
            near = _near(elements, params)
            return Reply.json(_jsonv2(near[0]) if near else _NOTHING)
        if not params.get("q"):
            return Reply.json({"error": {"code": 400, "message": "Nothing to search for."}}, 400)
        found = _named(elements, params["q"])
        country = params.get("countrycodes", "")
        kept = [one for one in found if country in {"", one.address.get("country_code")}]
        return Reply.json([_jsonv2(element) for element in kept[: int(params["limit"])]])

    return answer


def photon(elements: Sequence[Element]) -> Answer:
    """Answer `/api` and `/reverse` in GeoJSON."""

    def answer(asked: Asked) -> Reply:
        params = asked.params
        if asked.path.endswith("/reverse"):
            found = _near(elements, params)
        elif params.get("q"):
            found = _named(elements, params["q"])
        else:
            return Reply.json({"message": "missing search term 'q': /?q=berlin"}, 400)
        features = [_feature(element) for element in found[: int(params.get("limit", 15))]]
        return Reply.json({"type": "FeatureCollection", "features": features})

    return answer


def overpass(elements: Sequence[Element], areas: Iterable[Mapping[str, str]] = ()) -> Answer:
    """Answer `/interpreter`; `areas` are the tags of the divisions that every position is in."""
    divisions = [
        {"type": "area", "id": 3_600_000_000 + i, "tags": dict(tags)} for i, tags in enumerate(areas)
    ]

    def answer(asked: Asked) -> Reply:
        query = parse_qs(asked.body.decode())["data"][0]
        found = [_element(one) for one in _selected(elements, query)]
        shown = divisions if "is_in" in query else []
        return Reply.json({"version": 0.6, "generator": "Overpass API", "elements": [*shown, *found]})

    return answer


def tiles(size: int = 256, *, missing: Callable[[int, int, int], bool] = lambda _z, _x, _y: False) -> Answer:
    """Answer paths that end in `/z/x/y.png`: a tile of the colour `tile_colour`, or 404 if missing."""

    def answer(asked: Asked) -> Reply:
        zoom, column, row = (int(part) for part in re.findall(r"\d+", asked.path)[-3:])
        if missing(zoom, column, row):
            return Reply(b"", "text/plain", 404)
        tile = Image.new("RGB", (size, size), tile_colour(zoom, column, row))
        ImageDraw.Draw(tile).text((size / 4, size / 2), f"{zoom}/{column}/{row}", fill="black")
        buffer = io.BytesIO()
        tile.save(buffer, "PNG")
        return Reply(buffer.getvalue(), "image/png")

    return answer


def tile_colour(zoom: int, column: int, row: int) -> tuple[int, int, int]:
    """Return the colour of a tile: its column and row modulo 16, and its zoom."""
    return 100 + 8 * (column % 16), 100 + 8 * (row % 16), 100 + 5 * zoom


def _named(elements: Sequence[Element], query: str) -> list[Element]:
    asked = query.casefold()
    return [one for one in elements if any(asked in name.casefold() for name in one.names.values())]


def _near(elements: Sequence[Element], params: Mapping[str, str]) -> list[Element]:
    by_distance = sorted((one.km_from(params["lat"], params["lon"]), one.id, one) for one in elements)
    return [element for km, _, element in by_distance if km < _REACH_KM]


def _selected(elements: Sequence[Element], query: str) -> list[Element]:
    by_id = re.search(r"\b(node|way|relation)\((\d+)\)", query)
    if by_id:
        wanted = f"{by_id[1][0]}{by_id[2]}"
        return [element for element in elements if element.id == wanted]
    around = re.search(r"nwr\(around:(\d+),([-\d.]+),([-\d.]+)\)(.*?);out center", query)
    assert around, query
    near = [one for one in elements if one.km_from(around[2], around[3]) * 1000 < int(around[1])]
    value = re.search(r'~"((?:[^"\\]|\\.)*)",i\]', around[4])
    if not value:
        return [element for element in near if "name" in element.tags]
    pattern = re.compile(re.sub(r"\\(.)", r"\1", value[1]), re.IGNORECASE)
    return [one for one in near if any(pattern.search(name) for name in one.names.values())]


def _jsonv2(element: Element) -> dict[str, Any]:
    south, west, north, east = element.box or (element.lat, element.lon, element.lat, element.lon)
    category, value = element.main
    return {
        "place_id": 1000 + element.number,
        "licence": "Data © OpenStreetMap contributors, ODbL 1.0. http://osm.org/copyright",
        "osm_type": _TYPES[element.id[0]],
        "osm_id": element.number,
        "lat": str(element.lat),
        "lon": str(element.lon),
        "category": category,
        "type": value,
        "place_rank": 30,
        "importance": 0.1,
        "addresstype": element.rank,
        "name": element.tags.get("name:en", element.tags.get("name", "")),
        "display_name": ", ".join([*element.names.values(), *element.address.values()]),
        "address": dict(element.address),
        "namedetails": element.names or None,
        "extratags": element.extra or None,
        "boundingbox": [str(south), str(north), str(west), str(east)],
    }


def _feature(element: Element) -> dict[str, Any]:
    key, value = element.main
    kind = {"road": "street", "amenity": "house"}.get(element.rank, element.rank)
    known = {
        "name": element.tags.get("name"),
        "housenumber": element.address.get("house_number"),
        "street": element.address.get("road"),
        "city": element.address.get("city"),
        "state": element.address.get("state"),
        "country": element.address.get("country"),
        "countrycode": element.address.get("country_code", "").upper(),
    }
    properties: dict[str, Any] = {
        "osm_type": element.id[0].upper(),
        "osm_id": element.number,
        "osm_key": key,
        "osm_value": value,
        "type": kind,
        **{name: text for name, text in known.items() if text},
    }
    if element.box:
        south, west, north, east = element.box
        properties["extent"] = [west, north, east, south]
    geometry = {"type": "Point", "coordinates": [element.lon, element.lat]}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _element(element: Element) -> dict[str, Any]:
    about = {"type": _TYPES[element.id[0]], "id": element.number, "tags": dict(element.tags)}
    position = {"lat": element.lat, "lon": element.lon}
    return about | (position if element.id[0] == "n" else {"center": position})
