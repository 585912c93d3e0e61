"""The layers of a region file: water, greens, buildings, railways, streets, and their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken.maps.offline.render import palette
from wheretaken.maps.offline.render.street_tables import (
    DISTRICTS,
    GROUNDS,
    LAST,
    PATHS,
    POIS,
    RAILS,
    ROADS,
    RUNWAYS,
    STREAMS,
    WATERS,
)  # fmt: skip
from wheretaken.maps.offline.render.style import Layer, Rule, Symbol, at_zoom, dot, fill, select, stroke, text
from wheretaken.maps.offline.render.world_map import STREETS_FROM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path


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


def label_layers(region: Path) -> list[Layer]:
    """Return arrows, dots and words, the most important first: a later one gives way where two collide."""
    early = [number for number, poi in enumerate(POIS) if poi.name_from <= 15]
    late = [number for number in range(len(POIS)) if number not in early]
    return [
        _district_layer(region),
        _poi_layer(region, "poi_early", early),
        _street_name_layer(region),
        _area_name_layer(region),
        _poi_layer(region, "poi", late),
        _path_name_layer(region),
        _oneway_layer(region),
        *(_number_layer(region, table) for table in ("area", "point")),
    ]


def _sea_layer(region: Path) -> Layer:
    """Return the sea; its thin outline hides the land of the frame, which would shine through a soft edge."""
    query = select("area", (), where="class = 'natural' AND subclass = 'sea'")
    rule = Rule((fill(palette.SEA), stroke(palette.SEA, 1)))
    return Layer("sea", query, ((rule,),), (STREETS_FROM, 99), file=region)


def _ground_layer(region: Path) -> Layer:
    """Return all grounds in one query, ordered by the table and then by size: parks lie in forests."""
    query = select(
        "area",
        ("area_m2", f"{_case(ground.values for ground in GROUNDS)} AS ground"),
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
        "line", ("subclass",), where=f"class = 'highway' AND tunnel = 0 AND subclass IN ({_quoted(PATHS)})"
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
        ("tunnel", "bridge", f"{_road()} AS road"),
        where=f"class = 'highway' AND {where} AND road IS NOT NULL",
        order="bridge, road DESC",
    )
    edges: list[Rule] = []
    surfaces: list[Rule] = []
    for number, road in enumerate(ROADS):
        for zoom in range(min(road.widths), LAST + 1):
            width = at_zoom(road.widths, zoom)
            edge = 1.0 if zoom < 14 else 1.6
            this = f"[road] = {number}"
            at = (zoom, zoom)
            if width > 2:
                outside = width + edge
                open_edge = stroke(road.edge, outside, cap="butt")
                hidden_edge = stroke(road.edge, outside, cap="butt", dash="4,3")
                edges.append(Rule((open_edge,), f"{this} and [tunnel] = 0", at))
                edges.append(Rule((hidden_edge,), f"{this} and [tunnel] = 1", at))
                surfaces.append(Rule((stroke(road.colour, width),), f"{this} and [tunnel] = 0", at))
                surfaces.append(Rule((stroke(palette.PAVED, width),), f"{this} and [tunnel] = 1", at))
            else:  # a thin line has no room for an edge, and would not be seen in white
                surfaces.append(Rule((stroke(road.edge, width),), this, at))
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


def _district_layer(region: Path) -> Layer:
    query = select(
        "point",
        ("name", "subclass"),
        where=f"class = 'place' AND name <> '' AND subclass IN ({_quoted(DISTRICTS)})",
    )
    spread = {"wrap-width": "80", "character-spacing": "0.5", "margin": "4"}
    rules = tuple(
        Rule(
            (text("[name]", size, palette.DISTRICT_LABEL, options=spread),),
            f"[subclass] = '{value}'",
            (13 if value in {"city", "town", "suburb", "island"} else 14, LAST),
        )
        for value, size in DISTRICTS.items()
    )
    return Layer("district", query, (rules,), (13, 99), file=region)


def _poi_layer(region: Path, name: str, numbers: Sequence[int]) -> Layer:
    """Return the dots and names of some lines of the table; of two lines that fit, the upper one counts."""
    query = select(
        "point",
        ("name", f"{_case(poi.values for poi in POIS)} AS poi"),
        where=f"name <> '' AND poi IN ({', '.join(map(str, numbers))})",
        order="poi, id",
    )
    below = {"placement-type": "simple", "placements": "S,N", "dy": "6"}
    below |= {"wrap-width": "70", "repeat-distance": "120"}
    rules: list[Rule] = []
    for number in numbers:
        poi = POIS[number]
        big = poi.name_from <= 15
        label = text("[name]", 11 if big else 10, poi.colour, options=below)
        symbol = dot(poi.colour, 6.5 if big else 5)
        this = f"[poi] = {number}"
        if poi.dot_from < poi.name_from:
            rules.append(Rule((symbol,), this, (poi.dot_from, poi.name_from - 1)))
        rules.append(Rule((symbol, label), this, (poi.name_from, LAST)))
    first = min(POIS[number].dot_from for number in numbers)
    return Layer(name, query, (tuple(rules),), (first, 99), file=region)


def _street_name_layer(region: Path) -> Layer:
    """Return street names, and road numbers where there is no room for names yet."""
    query = select(
        "line",
        ("name", "ref", f"{_road()} AS road"),
        where="class = 'highway' AND (name <> '' OR ref <> '') AND road IS NOT NULL",
        order="road, id",
    )
    sizes = {13: 9.5, 16: 10.5, 18: 12.5}
    along = {"spacing": "260", "repeat-distance": "160", "margin": "3"}
    rules: list[Rule] = []
    for number, road in enumerate(ROADS):
        for zoom in range(min(road.widths), LAST + 1):
            what = "name" if zoom >= road.names_from else "ref"
            size = at_zoom(sizes, zoom)
            label = text(f"[{what}]", size, palette.STREET_LABEL, placement="line", options=along)
            rules.append(Rule((label,), f"[road] = {number} and [{what}] <> ''", (zoom, zoom)))
    return Layer("street_name", query, (tuple(rules),), (STREETS_FROM, 99), file=region)


def _path_name_layer(region: Path) -> Layer:
    query = select(
        "line", ("name",), where=f"class = 'highway' AND name <> '' AND subclass IN ({_quoted(PATHS)})"
    )
    along = {"spacing": "260", "repeat-distance": "160", "margin": "3"}
    rule = Rule((text("[name]", 10, palette.STREET_LABEL, placement="line", options=along),))
    return Layer("path_name", query, ((rule,),), (16, 99), file=region)


def _area_name_layer(region: Path) -> Layer:
    """Return names of water, greens and squares that are large enough on the picture to hold one."""
    green = {
        "leisure": "park garden nature_reserve stadium marina",
        "natural": "wood beach",
        "landuse": "cemetery",
    }
    paved = {"place": "square", "highway": "pedestrian"}
    kinds = ((palette.WATER_LABEL, WATERS), (palette.PARK_LABEL, green), (palette.DISTRICT_LABEL, paved))
    query = select(
        "area",
        ("name", "area_m2", f"{_case(values for _, values in kinds)} AS kind"),
        where="name <> '' AND class <> 'building' AND kind IS NOT NULL",
        order="area_m2 DESC, id",
    )
    inside = {"wrap-width": "70", "margin": "3"}
    rules = [
        Rule(
            (text("[name]", 10.5, colour, placement="interior", options=inside),),
            f"[kind] = {number} and [area_m2] > {_label_m2(zoom):.0f}",
            (zoom, zoom),
        )
        for number, (colour, _) in enumerate(kinds)
        for zoom in range(12, LAST + 1)
    ]
    return Layer("area_name", query, (tuple(rules),), (12, 99), file=region)


def _label_m2(zoom: int) -> float:
    """Return the square metres that about 40 x 40 pixels show at middle latitudes."""
    return (40 * 156543 * 0.65 / 2**zoom) ** 2


def _oneway_layer(region: Path) -> Layer:
    query = select(
        "line",
        ("oneway",),
        where=f"class = 'highway' AND oneway <> 0 AND subclass NOT IN ({_quoted(PATHS)})",
    )
    rules = tuple(
        Rule((_arrow(direction),), f"[oneway] = {way}") for way, direction in ((1, "right"), (-1, "left"))
    )
    return Layer("oneway", query, (rules,), (16, 99), file=region)


def _arrow(direction: str) -> Symbol:
    return Symbol(
        "MarkersSymbolizer",
        {
            "marker-type": "arrow",
            "placement": "line",
            "spacing": "110",
            "transform": "scale(0.32, 0.32)",
            "fill": palette.ONEWAY,
            "stroke-width": "0",
            "direction": direction,
        },
    )


def _number_layer(region: Path, table: str) -> Layer:
    query = select(table, ("house_number",), where="house_number <> ''")
    symbol = text(
        "[house_number]",
        9,
        palette.HOUSE_NUMBER,
        placement="interior",
        halo=palette.BUILDING,
        halo_radius=0.8,
        options={"margin": "2"},
    )
    return Layer(f"number_{table}", query, ((Rule((symbol,)),),), (17, 99), file=region)


def _by_value(
    widths: Mapping[str, Mapping[int, float]], draw: Callable[[str, float], Symbol]
) -> tuple[Rule, ...]:
    """Return the rules of lines whose width in pixels a table gives by subclass and zoom."""
    return tuple(
        Rule((draw(value, at_zoom(stops, zoom)),), f"[subclass] = '{value}'", (zoom, zoom))
        for value, stops in widths.items()
        for zoom in range(min(stops), LAST + 1)
    )


def _road() -> str:
    """Return the SQL expression for a street's place in `ROADS`."""
    return _case({"highway": road.values} for road in ROADS)


def _case(tables: Iterable[Mapping[str, str]]) -> str:
    """Return the SQL expression for the first table that class and subclass are in: its number, else NULL."""
    return "CASE " + " ".join(f"WHEN {_is_any(table)} THEN {n}" for n, table in enumerate(tables)) + " END"


def _is_any(values: Mapping[str, str]) -> str:
    """Return the SQL condition that class and subclass are one of a table's."""
    parts = [
        f"class = '{key}'"
        if wanted == "*"
        else f"class = '{key}' AND subclass IN ({_quoted(wanted.split())})"
        for key, wanted in values.items()
    ]
    return "(" + " OR ".join(parts) + ")"


def _quoted(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)
