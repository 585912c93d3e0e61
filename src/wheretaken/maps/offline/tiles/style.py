"""A MapLibre style for the tiles: the colours of the map pictures, and nothing from another host.

Specification: https://maplibre.org/maplibre-style-spec/
"""

from __future__ import annotations

from typing import Any

from wheretaken.maps.offline.render import palette
from wheretaken.maps.offline.tiles import glyphs

SOURCE = "wheretaken"
_ROADS = (
    # class, colour, edge, from zoom, pixels at zooms 12, 16 and 19
    ("path", palette.FOOTWAY, "", 14, (0.4, 1, 3)),
    ("track", palette.TRACK, "", 14, (0.4, 1, 3)),
    ("service", palette.STREET, palette.STREET_EDGE, 14, (0.5, 3, 10)),
    ("minor", palette.STREET, palette.STREET_EDGE, 13, (0.7, 6, 20)),
    ("tertiary", palette.STREET, palette.STREET_EDGE, 12, (1.2, 8, 22)),
    ("secondary", palette.SECONDARY, palette.SECONDARY_EDGE, 11, (1.6, 8.5, 24)),
    ("primary", palette.PRIMARY, palette.PRIMARY_EDGE, 11, (2, 9, 26)),
    ("trunk", palette.TRUNK, palette.TRUNK_EDGE, 11, (2.4, 9, 26)),
    ("motorway", palette.MOTORWAY, palette.MOTORWAY_EDGE, 11, (2.4, 9, 26)),
)
_GROUNDS = {
    "landuse": {
        palette.BUILT_UP: "residential",
        palette.COMMERCE: "commercial retail",
        palette.INDUSTRY: "industrial railway",
        palette.CAMPUS: "school university college kindergarten hospital",
        palette.CEMETERY: "cemetery",
        palette.PAVED: "military quarry",
    },
    "landcover": {
        palette.FARM: "farmland",
        palette.GRASS: "grass",
        palette.WOOD: "wood",
        palette.SAND: "sand",
        palette.ROCK: "rock",
    },
}
_POIS = {
    palette.FOOD: "restaurant cafe fast_food bar beer ice_cream bakery",
    palette.SHOP: "shop grocery clothing_store lodging",
    palette.HEALTH: "hospital doctors",
    palette.PHARMACY: "pharmacy",
    palette.TRANSPORT: "railway bus ferry_terminal airport parking fuel",
    palette.SIGHT: "museum attraction zoo castle monument place_of_worship theatre cinema art_gallery",
}


def style(tilejson: str, glyph_template: str, *, language: str = "") -> dict[str, Any]:
    """Return the style.

    Args:
        tilejson: URL of the TileJSON.
        glyph_template: URL of the letters, with `{fontstack}` and `{range}`.
        language: of the labels, such as "en"; "" for each place's own.
    """
    label: Any = ["get", "name"]
    if language:
        label = ["coalesce", ["get", f"name:{language}"], ["get", "name_int"], ["get", "name"]]
    return {
        "version": 8,
        "name": "wheretaken",
        "sources": {SOURCE: {"type": "vector", "url": tilejson}},
        "glyphs": glyph_template,
        "layers": [*_grounds(), *_lines(), *_labels(label)],
    }


def _layer(name: str, kind: str, source_layer: str, paint: dict[str, Any], **more: Any) -> dict[str, Any]:
    layer = {"id": name, "type": kind, "source": SOURCE, "source-layer": source_layer, "paint": paint}
    return layer | {key.replace("_", "-"): value for key, value in more.items() if value is not None}


def _is(classes: str) -> list[Any]:
    return ["in", ["get", "class"], ["literal", classes.split()]]


def _areas_only() -> list[Any]:
    return ["==", ["geometry-type"], "Polygon"]


def _grounds() -> list[dict[str, Any]]:
    layers: list[dict[str, Any]] = [
        {"id": "background", "type": "background", "paint": {"background-color": palette.LAND}}
    ]
    for name, colours in _GROUNDS.items():
        for colour, classes in colours.items():
            first = classes.split(maxsplit=1)[0]
            layers.append(
                _layer(f"{name}-{first}", "fill", name, {"fill-color": colour}, filter=_is(classes))
            )
    return [
        *layers,
        _layer("park", "fill", "park", {"fill-color": palette.PARK}),
        _layer(
            "landuse-pitch", "fill", "landuse", {"fill-color": palette.PITCH}, filter=_is("pitch playground")
        ),
        _layer("water", "fill", "water", {"fill-color": palette.WATER}),
        _layer("waterway", "line", "waterway", {"line-color": palette.WATER, "line-width": _widths(1, 3, 8)}),
        _layer(
            "pier",
            "fill",
            "transportation",
            {"fill-color": palette.LAND},
            filter=["all", _areas_only(), _is("pier")],
        ),
        _layer(
            "square",
            "fill",
            "transportation",
            {"fill-color": palette.PEDESTRIAN},
            filter=["all", _areas_only(), _is("path")],
        ),
        _layer(
            "building",
            "fill",
            "building",
            {"fill-color": palette.BUILDING, "fill-outline-color": palette.BUILDING_EDGE},
        ),
    ]


def _lines() -> list[dict[str, Any]]:
    edges: list[dict[str, Any]] = []
    surfaces: list[dict[str, Any]] = []
    for name, colour, edge, first, widths in _ROADS:
        only = ["all", ["==", ["geometry-type"], "LineString"], _is(name)]
        layout = {"line-cap": "round", "line-join": "round"}
        if edge:
            paint = {"line-color": edge, "line-width": _widths(*(width + 1.4 for width in widths))}
            edges.append(
                _layer(
                    f"road-{name}-edge",
                    "line",
                    "transportation",
                    paint,
                    filter=only,
                    minzoom=first,
                    layout=layout,
                )
            )
        paint = {"line-color": colour, "line-width": _widths(*widths)}
        if not edge:
            paint["line-dasharray"] = [3, 2]
        surfaces.append(
            _layer(f"road-{name}", "line", "transportation", paint, filter=only, minzoom=first, layout=layout)
        )
    rail = {"line-color": palette.RAIL, "line-width": _widths(0.8, 1.6, 3)}
    border = {
        "line-color": palette.COUNTRY_BORDER,
        "line-width": ["match", ["get", "admin_level"], 2, 1.4, 0.7],
    }
    return [
        *edges,
        *surfaces,
        _layer("rail", "line", "transportation", rail, filter=_is("rail transit")),
        _layer("boundary", "line", "boundary", border),
    ]


def _labels(label: Any) -> list[dict[str, Any]]:
    def words(name: str, source: str, size: Any, colour: Any, **more: Any) -> dict[str, Any]:
        layout = {"text-field": more.pop("field", label), "text-font": [glyphs.NAME], "text-size": size}
        paint = {"text-color": colour, "text-halo-color": "#ffffff", "text-halo-width": 1.4}
        return _layer(name, "symbol", source, paint, layout=layout | more.pop("layout", {}), **more)

    along = {"symbol-placement": "line"}
    colours: list[Any] = ["match", ["get", "class"]]
    for colour, classes in _POIS.items():
        colours += [classes.split(), colour]
    colours.append(palette.CIVIC)
    dot = {
        "circle-radius": 3,
        "circle-color": colours,
        "circle-stroke-color": "#ffffff",
        "circle-stroke-width": 1,
    }
    below = {
        "text-anchor": "top",
        "text-offset": [0, 0.5],
        "text-max-width": 8,
        "symbol-sort-key": ["get", "rank"],
    }
    number = ["get", "housenumber"]
    settled = {"symbol-sort-key": ["get", "rank"], "text-max-width": 8}
    return [
        words("housenumber", "housenumber", 9, palette.HOUSE_NUMBER, field=number, minzoom=17),
        _layer("poi-dot", "circle", "poi", dot, minzoom=15),
        words("poi", "poi", 10.5, colours, layout=below, minzoom=16),
        words(
            "street",
            "transportation_name",
            _widths(9, 11, 13),
            palette.STREET_LABEL,
            layout=along,
            minzoom=13,
        ),
        words("water-name", "water_name", 11, palette.WATER_LABEL),
        words(
            "place",
            "place",
            _widths(11, 13, 14),
            palette.PLACE_LABEL,
            layout=settled,
            filter=["!=", ["get", "class"], "country"],
        ),
        words(
            "country",
            "place",
            12,
            palette.COUNTRY_LABEL,
            layout=settled,
            filter=["==", ["get", "class"], "country"],
            maxzoom=8,
        ),
    ]


def _widths(far: float, near: float, close: float) -> list[Any]:
    return ["interpolate", ["exponential", 1.4], ["zoom"], 12, far, 16, near, 19, close]
