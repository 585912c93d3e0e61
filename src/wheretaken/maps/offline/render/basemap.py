"""A basemap: a PMTiles archive of the user's, drawn under the streets of regions and where there are none.

Raster archives (PNG, JPEG, WebP) are drawn as they are. Of vector archives, those with the layers of
Protomaps (https://docs.protomaps.com/basemaps/layers) or OpenMapTiles (https://openmaptiles.org/schema/) are
known; they name their layers differently, and their sorts are in `kind` or in `class`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wheretaken.maps.offline.render import palette
from wheretaken.maps.offline.render.style import Layer, Rule, Symbol, at_zoom, fill, stroke, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheretaken.maps.offline.region.basemap import Basemap
    from wheretaken.maps.offline.render.view import View

MVT = "mvt"


class _Ground(NamedTuple):
    """Areas of one colour in a layer; without sorts, all of them."""

    layer: str
    colour: str
    sorts: str = ""


_GROUNDS = (
    _Ground("earth", palette.LAND),
    _Ground("landcover", palette.GRASS, "grass grassland scrub farmland"),
    _Ground("landcover", palette.WOOD, "wood forest"),
    _Ground("landcover", palette.SAND, "sand barren"),
    _Ground("landuse", palette.BUILT_UP, "residential"),
    _Ground("landuse", palette.COMMERCE, "commercial retail"),
    _Ground("landuse", palette.INDUSTRY, "industrial railway"),
    _Ground("landuse", palette.CAMPUS, "school university college hospital kindergarten"),
    _Ground("landuse", palette.GRASS, "grass meadow grassland"),
    _Ground("landuse", palette.WOOD, "wood forest"),
    _Ground("landuse", palette.PARK, "park nature_reserve protected_area garden"),
    _Ground("landuse", palette.CEMETERY, "cemetery"),
    _Ground("landuse", palette.PITCH, "pitch playground stadium"),
    _Ground("landuse", palette.PEDESTRIAN, "pedestrian"),
    _Ground("park", palette.PARK),
    _Ground("water", palette.WATER),
    _Ground("buildings", palette.BUILDING),
    _Ground("building", palette.BUILDING),
)
"""In drawing order; some names are those of one schema only."""

_ROADS = (
    # sorts, colour, edge, pixels by zoom; the most important last
    ("path track pedestrian", palette.FOOTWAY, "", {14: 0.6, 18: 1.4}),
    ("minor_road service minor", palette.STREET, palette.STREET_EDGE, {12: 0.6, 15: 3, 19: 18}),
    ("tertiary", palette.STREET, palette.STREET_EDGE, {11: 1, 14: 3.2, 19: 22}),
    ("secondary", palette.SECONDARY, palette.SECONDARY_EDGE, {9: 0.8, 14: 4, 19: 24}),
    ("major_road primary", palette.PRIMARY, palette.PRIMARY_EDGE, {7: 0.8, 14: 4.5, 19: 26}),
    ("highway motorway trunk", palette.MOTORWAY, palette.MOTORWAY_EDGE, {5: 0.8, 14: 5, 19: 26}),
)
_ROAD_LAYERS = ("roads", "transportation")
_NAME_LAYERS = ("transportation_name", "roads")
_PLACE_LAYERS = ("places", "place")


def covers(basemap: Basemap, view: View) -> bool:
    """Tell whether all of a view is in the archive."""
    south, west, north, east = view.bounds
    inside = basemap.south <= south and north <= basemap.north
    return west <= east and inside and basemap.west <= west and east <= basemap.east


def base_layers(basemap: Basemap) -> list[Layer]:
    """Return everything without words, from the ground up."""
    if basemap.tiles != MVT:
        smooth = Symbol("RasterSymbolizer", {"scaling": "bilinear"})
        return [_layer(basemap, "", ((Rule((smooth,)),),))]
    layers = [
        _layer(basemap, name, (tuple(_ground_rules(basemap, name)),))
        for name in dict.fromkeys(ground.layer for ground in _GROUNDS)
        if name in basemap.layers
    ]
    roads = [_road_layer(basemap, name) for name in _ROAD_LAYERS if name in basemap.layers]
    return [*layers, *roads]


def label_layers(basemap: Basemap, language: str) -> list[Layer]:
    """Return the names of places and streets, in a language where the archive has it."""
    found: list[Layer] = []
    for name in _PLACE_LAYERS:
        if basemap.tiles == MVT and name in basemap.layers:
            label = _name(basemap, name, language)
            words = text(label, 12, palette.PLACE_LABEL, options={"wrap-width": "90", "margin": "4"})
            found.append(_layer(basemap, name, ((Rule((words,)),),)))
    along = {"spacing": "260", "repeat-distance": "160", "margin": "3"}
    for name in _NAME_LAYERS:
        if basemap.tiles == MVT and name in basemap.layers:
            label = _name(basemap, name, language)
            words = text(label, 10.5, palette.STREET_LABEL, placement="line", options=along)
            found.append(_layer(basemap, name, ((Rule((words,), zooms=(14, 99)),),), (14, 99)))
            break
    return found


def _layer(
    basemap: Basemap, name: str, passes: tuple[tuple[Rule, ...], ...], zooms: tuple[int, int] = (0, 99)
) -> Layer:
    # The zooms of the archive's header: what it says of its layers need not be true.
    tiles = {"file": str(basemap.path), "minzoom": str(basemap.min_zoom), "maxzoom": str(basemap.max_zoom)}
    tiles |= {"layer": name} if name else {}
    return Layer(f"basemap_{name}", "", passes, zooms, tiles=tiles, srs="epsg:3857")


def _ground_rules(basemap: Basemap, layer: str) -> Iterable[Rule]:
    for ground in _GROUNDS:
        if ground.layer == layer:
            yield Rule((fill(ground.colour, gamma=0.8),), _any_of(basemap, layer, ground.sorts))


def _road_layer(basemap: Basemap, layer: str) -> Layer:
    edges: list[Rule] = []
    surfaces: list[Rule] = []
    for sorts, colour, edge, widths in _ROADS:
        this = _any_of(basemap, layer, sorts)
        for zoom in range(min(widths), 20):
            width = at_zoom(widths, zoom)
            if edge and width > 2:
                edges.append(Rule((stroke(edge, width + 1.4, cap="butt"),), this, (zoom, zoom)))
            look = colour if width > 2 or not edge else edge
            surfaces.append(Rule((stroke(look, width),), this, (zoom, zoom)))
    return _layer(basemap, layer, (tuple(edges), tuple(surfaces)))


def _any_of(basemap: Basemap, layer: str, sorts: str) -> str:
    """Return the filter for features of some sorts, in whichever attribute this schema has them."""
    key = next((name for name in ("kind", "class") if name in basemap.layers[layer]), "")
    if not sorts:
        return ""
    return " or ".join(f"[{key}] = '{sort}'" for sort in sorts.split()) if key else "false"


def _name(basemap: Basemap, layer: str, language: str) -> str:
    wanted = (f"name:{language}", f"name_{language}") if language else ()
    return next((f"[{name}]" for name in wanted if name in basemap.layers[layer]), "[name]")
