"""A map as plain data (`Layer` > `Rule` > `Symbol`), and its translation into mapnik's XML.

Zooms are Web-Mercator zooms with 256-pixel tiles. A rule for zooms 12 to 14 holds for 11.5 <= zoom < 14.5, so
that a fractional zoom looks like the nearest whole one. mapnik thinks in scale denominators of 0.28 mm
pixels.

XML reference: https://github.com/mapnik/mapnik/wiki/XMLConfigReference
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from wheretaken.maps.offline.render.view import TILE, WORLD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

ALL_ZOOMS = (0, 99)
FONTS = "labels"
"""Name of the font set that every text uses."""
SCALE_AT_ZOOM_0 = WORLD / TILE / 0.00028
"""Scale denominator of zoom 0 on mapnik's 0.28 mm pixel (OGC 05-078r4, section 4.5)."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """One way to draw a feature: the name of a mapnik symbolizer, its attributes, and the text of a label."""

    kind: str
    attributes: Mapping[str, str]
    content: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """Symbols for the features that meet a mapnik filter expression, in a range of zooms (both included)."""

    symbols: tuple[Symbol, ...]
    when: str = ""
    zooms: tuple[int, int] = ALL_ZOOMS


@dataclass(frozen=True, slots=True)
class Layer:
    """Features of one query, drawn pass by pass (all casings, then all fills)."""

    name: str
    query: str
    """As `select` makes it; CSV with `wkt` or `lat` and `lon` when `inline`."""
    passes: tuple[tuple[Rule, ...], ...]
    zooms: tuple[int, int] = ALL_ZOOMS
    inline: bool = False
    file: Path | None = None
    """The SQLite file that the query reads."""
    tiles: Mapping[str, str] | None = None
    """Parameters of mapnik's plug-in for tile archives, for a layer that comes from one instead."""
    srs: str = "epsg:4326"
    """Coordinate system of the geometry: degrees, or `epsg:3857` for Mercator metres."""


def select(table: str, columns: Sequence[str], *, where: str, order: str = "") -> str:
    """Return the query of a layer: columns of the table's features that touch the view.

    mapnik puts the look-up in the table's R*Tree in the place of `!intersects!`. Every argument is written in
    this package; nothing from outside gets here.
    """
    ordered = f" ORDER BY {order}" if order else ""
    names = ", ".join(("id", "geometry", *columns))
    return f"SELECT {names} FROM {table} WHERE {where} AND !intersects!{ordered}"  # noqa: S608 - see above


def fill(colour: str, *, opacity: float = 1.0, gamma: float = 1.0) -> Symbol:
    """Fill an area; `gamma` < 1 closes the hairline seams between neighbouring polygons."""
    return Symbol(
        "PolygonSymbolizer", {"fill": colour, "fill-opacity": f"{opacity:g}", "gamma": f"{gamma:g}"}
    )


def stroke(
    colour: str, width: float, *, dash: str = "", cap: str = "round", opacity: float = 1.0, clip: bool = False
) -> Symbol:
    """Draw a line or an outline, `width` and `dash` in pixels; `clip` is for those that reach far outside."""
    attributes = {
        "stroke": colour,
        "stroke-width": f"{width:.2f}",
        "stroke-linejoin": "round",
        "stroke-linecap": cap,
        "stroke-opacity": f"{opacity:g}",
    }
    if dash:
        attributes["stroke-dasharray"] = dash
    return Symbol("LineSymbolizer", attributes | ({"clip": "true"} if clip else {}))


def text(
    content: str,
    size: float,
    colour: str,
    *,
    placement: str = "point",
    halo: str = "#ffffff",
    halo_radius: float = 1.4,
    options: Mapping[str, str] | None = None,
) -> Symbol:
    """Write an expression such as `[name]`; `options` are further attributes of mapnik's TextSymbolizer."""
    return Symbol(
        "TextSymbolizer",
        {
            "fontset-name": FONTS,
            "size": f"{size:g}",
            "fill": colour,
            "halo-fill": halo,
            "halo-radius": f"{halo_radius:g}",
            "halo-rasterizer": "fast",  # half the time of the exact one, and as good at 1-2 pixels
            "placement": placement,
            **(options or {}),
        },
        content,
    )


def dot(colour: str, size: float, *, edge: str = "#ffffff", edge_width: float = 1.0) -> Symbol:
    """Draw a small disc at a point, or at the inner point of an area."""
    return Symbol(
        "MarkersSymbolizer",
        {
            "marker-type": "ellipse",
            "placement": "interior",
            "width": f"{size:g}",
            "height": f"{size:g}",
            "fill": colour,
            "stroke": edge,
            "stroke-width": f"{edge_width:g}",
        },
    )


def icon(file: str, *, opacity: float = 1.0) -> Symbol:
    """Draw an SVG picture at a point, or at the inner point of an area; `file` may name columns: `[icon]`."""
    return Symbol("MarkersSymbolizer", {"file": file, "placement": "interior", "opacity": f"{opacity:g}"})


def by_zoom(zooms: tuple[int, int], draw: Callable[[int], Symbol]) -> tuple[Rule, ...]:
    """Return one rule for every whole zoom in a range, with the symbol that `draw` gives for it."""
    return tuple(Rule((draw(zoom),), zooms=(zoom, zoom)) for zoom in range(zooms[0], zooms[1] + 1))


def at_zoom(stops: Mapping[int, float], zoom: int) -> float:
    """Interpolate linearly between the stops of a table zoom -> value; constant outside it."""
    zooms = sorted(stops)
    if zoom <= zooms[0]:
        return stops[zooms[0]]
    for low, high in pairwise(zooms):
        if zoom <= high:
            return stops[low] + (stops[high] - stops[low]) * (zoom - low) / (high - low)
    return stops[zooms[-1]]


def to_xml(layers: Iterable[Layer], faces: Sequence[str]) -> str:
    """Return the XML of a mapnik map in Web Mercator that draws the layers from lon/lat data.

    Args:
        layers: from the bottom of the picture to its top.
        faces: font faces, the preferred ones first; none are needed where no layer has a text.
    """
    root = ET.Element("Map", {"srs": "epsg:3857", "buffer-size": "64"})
    if faces:
        fonts = ET.SubElement(root, "FontSet", {"name": FONTS})
        for face in faces:
            ET.SubElement(fonts, "Font", {"face-name": face})
    for number, layer in enumerate(layers):
        names: list[str] = []
        for index, rules in enumerate(layer.passes):
            names.append(f"{layer.name}-{number}-{index}")
            style = ET.SubElement(root, "Style", {"name": names[-1]})
            for rule in rules:
                _add_rule(style, rule)
        _add_layer(root, layer, names)
    return ET.tostring(root, encoding="unicode")


def _add_rule(style: ET.Element, rule: Rule) -> None:
    element = ET.SubElement(style, "Rule")
    for tag, value in _scales(rule.zooms).items():
        ET.SubElement(element, tag).text = value
    if rule.when:
        ET.SubElement(element, "Filter").text = rule.when
    for symbol in rule.symbols:
        ET.SubElement(element, symbol.kind, dict(symbol.attributes)).text = symbol.content


def _add_layer(root: ET.Element, layer: Layer, styles: Sequence[str]) -> None:
    scales = {
        {
            "MaxScaleDenominator": "maximum-scale-denominator",
            "MinScaleDenominator": "minimum-scale-denominator",
        }[tag]: value
        for tag, value in _scales(layer.zooms).items()
    }
    cache = {"cache-features": "true"} if len(styles) > 1 else {}
    element = ET.SubElement(root, "Layer", {"name": layer.name, "srs": layer.srs, **scales, **cache})
    for style in styles:
        ET.SubElement(element, "StyleName").text = style
    source = ET.SubElement(element, "Datasource")
    if layer.tiles is not None:
        parameters = {"type": "tiles", **layer.tiles}
    elif layer.inline:
        parameters = {"type": "csv", "inline": layer.query, "quote": '"', "separator": ","}
    else:
        parameters = {
            "type": "sqlite",
            "file": str(layer.file),
            "table": f"({layer.query}) AS features",
            "key_field": "id",
            "geometry_field": "geometry",
            "extent": "-180,-90,180,90",
        }
    for name, value in parameters.items():
        ET.SubElement(source, "Parameter", {"name": name}).text = value


def _scales(zooms: tuple[int, int]) -> dict[str, str]:
    """Return the scale limits of a zoom range: large denominators are small zooms."""
    scales: dict[str, str] = {}
    if zooms[0] > ALL_ZOOMS[0]:
        scales["MaxScaleDenominator"] = f"{SCALE_AT_ZOOM_0 / 2 ** (zooms[0] - 0.5):.3f}"
    if zooms[1] < ALL_ZOOMS[1]:
        scales["MinScaleDenominator"] = f"{SCALE_AT_ZOOM_0 / 2 ** (zooms[1] + 0.5):.3f}"
    return scales
