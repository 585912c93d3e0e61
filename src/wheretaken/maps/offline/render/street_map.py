"""The layers of a region file without words: water, greens, buildings, railways, streets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken.maps.offline.render import palette
from wheretaken.maps.offline.render.street_sql import case, quoted, road
from wheretaken.maps.offline.render.street_tables import (
    GROUNDS,
    LAST,
    PATHS,
    RAILS,
    ROADS,
    RUNWAYS,
    STREAMS,
)
from wheretaken.maps.offline.render.style import Layer, Rule, Symbol, at_zoom, fill, select, stroke
from wheretaken.maps.offline.render.world_map import STREETS_FROM

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


UNKNOWN_FROM = 13
"""The zoom from which the world's coast is too coarse to be believed beside streets."""


def base_layers(region: Path, frame: str) -> list[Layer]:
    """Return everything without words, from the ground up.

    Args:
        region: the region file.
        frame: the WKT polygon that the extract covers; inside it the region knows land from sea better than
            the world map, so that the whole frame is painted land before its sea is.
    """
    ground = Layer(
        "frame", f'wkt\n"{frame}"', ((Rule((fill(palette.LAND),)),),), (STREETS_FROM, 99), inline=True
    )
    return [
        ground,
        _sea_layer(region),
        _ground_layer(region),
        _stream_layer(region),
        _building_layer(region),
        _path_layer(region),
        _road_layer(region, "tunnel = 1"),
        _rail_layer(region),
        _road_layer(region, "tunnel = 0"),
        _runway_layer(region),
    ]


def unknown_layer(outside: str, hatch: Path) -> Layer:
    """Return the hatching of what lies outside all extracts, close up.

    Only the world's coarse coast is known there, which can be a kilometre off: a harbour just beyond the edge
    of an extract may look like land. The hatching says so.

    Args:
        outside: its WKT, degrees.
        hatch: the SVG file of the pattern.
    """
    pattern = Symbol("PolygonPatternSymbolizer", {"file": str(hatch), "alignment": "global", "clip": "true"})
    passes = ((Rule((pattern,)),), (Rule((stroke(palette.UNKNOWN, 1, dash="6,4", cap="butt", clip=True),)),))
    return Layer("unknown", f'wkt\n"{outside}"', passes, (UNKNOWN_FROM, 99), inline=True)


def _sea_layer(region: Path) -> Layer:
    """Return the sea; its thin outline hides the land of the frame, which would shine through a soft edge."""
    query = select("area", (), where="class = 'natural' AND subclass = 'sea'")
    rule = Rule((fill(palette.SEA), stroke(palette.SEA, 1)))
    return Layer("sea", query, ((rule,),), (STREETS_FROM, 99), file=region)


def _ground_layer(region: Path) -> Layer:
    """Return all grounds in one query, ordered by the table and then by size: parks lie in forests."""
    query = select(
        "area",
        ("area_m2", f"{case(ground.values for ground in GROUNDS)} AS ground"),
        where="class <> 'building' AND ground IS NOT NULL",
        order="ground, area_m2 DESC",
    )
    rules = tuple(
        Rule((fill(ground.colour, gamma=0.8),), f"[ground] = {number}")
        for number, ground in enumerate(GROUNDS)
    )
    return Layer("ground", query, (rules,), (STREETS_FROM, 99), file=region)


def _stream_layer(region: Path) -> Layer:
    query = select("line", ("subclass",), where="class = 'waterway' AND tunnel = 0")
    rules = _by_value(STREAMS, lambda _, width: stroke(palette.WATER, width))
    return Layer("stream", query, (rules,), (STREETS_FROM, 99), file=region)


def _building_layer(region: Path) -> Layer:
    query = select("area", (), where="class = 'building' AND subclass <> 'roof'")
    rules = (
        Rule((fill(palette.BUILDING, opacity=0.7),), zooms=(14, 15)),
        Rule((fill(palette.BUILDING), stroke(palette.BUILDING_EDGE, 0.6)), zooms=(16, LAST)),
    )
    return Layer("building", query, (rules,), (14, 99), file=region)


def _path_layer(region: Path) -> Layer:
    query = select(
        "line", ("subclass",), where=f"class = 'highway' AND tunnel = 0 AND subclass IN ({quoted(PATHS)})"
    )

    def path(value: str, width: float) -> Symbol:
        colour, dash, _ = PATHS[value]
        return stroke(colour, width, dash=dash, cap="butt")

    rules = _by_value({value: widths for value, (_, _, widths) in PATHS.items()}, path)
    return Layer("path", query, (rules,), (14, 99), file=region)


def _road_layer(region: Path, where: str) -> Layer:
    """Return the roads of one level: all edges first, then all surfaces, so that crossings are open."""
    query = select(
        "line",
        ("tunnel", "bridge", f"{road()} AS road"),
        where=f"class = 'highway' AND {where} AND road IS NOT NULL",
        order="bridge, road DESC",
    )
    edges: list[Rule] = []
    surfaces: list[Rule] = []
    for number, street in enumerate(ROADS):
        for zoom in range(min(street.widths), LAST + 1):
            width = at_zoom(street.widths, zoom)
            edge = 1.0 if zoom < 14 else 1.6
            this = f"[road] = {number}"
            at = (zoom, zoom)
            if width > 2:
                outside = width + edge
                open_edge = stroke(street.edge, outside, cap="butt")
                hidden_edge = stroke(street.edge, outside, cap="butt", dash="4,3")
                edges.append(Rule((open_edge,), f"{this} and [tunnel] = 0", at))
                edges.append(Rule((hidden_edge,), f"{this} and [tunnel] = 1", at))
                surfaces.append(Rule((stroke(street.colour, width),), f"{this} and [tunnel] = 0", at))
                surfaces.append(Rule((stroke(palette.PAVED, width),), f"{this} and [tunnel] = 1", at))
            else:  # a thin line has no room for an edge, and would not be seen in white
                surfaces.append(Rule((stroke(street.edge, width),), this, at))
    level = where.replace(" = ", "_")
    return Layer(f"road_{level}", query, (tuple(edges), tuple(surfaces)), (STREETS_FROM, 99), file=region)


def _rail_layer(region: Path) -> Layer:
    query = select("line", ("subclass", "tunnel"), where="class = 'railway'")
    lines: list[Rule] = []
    sleepers: list[Rule] = []
    for value, (colour, widths) in RAILS.items():
        for zoom in range(min(widths), LAST + 1):
            width = at_zoom(widths, zoom)
            this = f"[subclass] = '{value}'"
            lines.append(Rule((stroke(colour, width, cap="butt"),), f"{this} and [tunnel] = 0", (zoom, zoom)))
            hidden = stroke(colour, width * 0.7, dash="4,4", cap="butt", opacity=0.6)
            lines.append(Rule((hidden,), f"{this} and [tunnel] = 1", (zoom, zoom)))
            if value != "tram" and zoom >= 15:
                tie = stroke("#ffffff", width * 0.5, dash="6,6", cap="butt")
                sleepers.append(Rule((tie,), f"{this} and [tunnel] = 0", (zoom, zoom)))
    return Layer("rail", query, (tuple(lines), tuple(sleepers)), (STREETS_FROM, 99), file=region)


def _runway_layer(region: Path) -> Layer:
    query = select("line", ("subclass",), where="class = 'aeroway'")
    rules = _by_value(RUNWAYS, lambda _, width: stroke(palette.RUNWAY, width, cap="butt"))
    return Layer("runway", query, (rules,), (STREETS_FROM, 99), file=region)


def _by_value(
    widths: Mapping[str, Mapping[int, float]], draw: Callable[[str, float], Symbol]
) -> tuple[Rule, ...]:
    """Return the rules of lines whose width in pixels a table gives by subclass and zoom."""
    return tuple(
        Rule((draw(value, at_zoom(stops, zoom)),), f"[subclass] = '{value}'", (zoom, zoom))
        for value, stops in widths.items()
        for zoom in range(min(stops), LAST + 1)
    )
