"""The words and symbols of a region file: names, icons, one-way arrows, house numbers.

The layers stand in the order of their importance: a later one gives way where two collide.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from wheretaken.maps.offline.render import palette
from wheretaken.maps.offline.render.languages import street_name
from wheretaken.maps.offline.render.street_sql import case, quoted, road
from wheretaken.maps.offline.render.street_tables import (
    DISTRICTS,
    ICONS,
    LAST,
    PATHS,
    POIS,
    ROADS,
    SYMBOL_AREAS,
    WATERS,
    WORSHIP,
)
from wheretaken.maps.offline.render.style import Layer, Rule, Symbol, at_zoom, dot, icon, select, text
from wheretaken.maps.offline.render.world_map import STREETS_FROM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.maps.offline.render.street_tables import Poi


LARGE_PLACES = {"city", "town", "suburb", "island"}


@cache
def icons() -> Path:
    """Return the folder of the icons: 16 x 16 pixels, SVG (`scripts/build_map_icons.py` draws them)."""
    with resources.as_file(resources.files("wheretaken.maps.offline").joinpath("data/icons")) as folder:
        return Path(folder)


def label_layers(region: Path, language: str) -> list[Layer]:
    """Return arrows, icons and words, the most important first; `language` as in `languages`."""
    early = [number for number, poi in enumerate(POIS) if poi.name_from <= 15]
    middle = [number for number, poi in enumerate(POIS) if poi.name_from == 16]
    late = [number for number in range(len(POIS)) if number not in {*early, *middle}]
    name = f"{street_name(language)} AS label"
    return [
        _district_layer(region, name),
        _poi_layer(region, name, "poi_early", early),
        _street_name_layer(region, name),
        _area_name_layer(region, name),
        _poi_layer(region, name, "poi_middle", middle),
        _oneway_layer(region),
        _poi_layer(region, name, "poi", late),
        _symbol_area_layer(region),
        _path_name_layer(region, name),
        *(_number_layer(region, table) for table in ("area", "point")),
    ]


def _district_layer(region: Path, label: str) -> Layer:
    query = select(
        "point",
        (label, "subclass"),
        where=f"class = 'place' AND name <> '' AND subclass IN ({quoted(DISTRICTS)})",
    )
    spread = {"wrap-width": "80", "character-spacing": "0.5", "margin": "4"}
    rules = tuple(
        Rule(
            (text("[label]", size, palette.DISTRICT_LABEL, options=spread),),
            f"[subclass] = '{value}'",
            (13 if value in LARGE_PLACES else 14, 15 if value in {"city", "town"} else LAST),
        )
        for value, size in DISTRICTS.items()
    )
    return Layer("district", query, (rules,), (13, 99), file=region)


def _poi_layer(region: Path, label: str, layer: str, numbers: Sequence[int]) -> Layer:
    """Return the icons and names of some lines of the table; of two lines that fit, the upper one counts."""
    query = select(
        "point",
        (label, f"{_poi()} AS poi", f"{_icon()} AS icon"),
        where=f"name <> '' AND poi IN ({', '.join(map(str, numbers))})",
        order="poi, id",
    )
    named: list[Rule] = []
    bare: list[Rule] = []
    for number in numbers:
        poi = POIS[number]
        this = f"[poi] = {number}"
        if poi.dot_from < poi.name_from:
            bare.append(Rule((dot(poi.colour, 5.5),), this, (poi.dot_from, poi.name_from - 1)))
        at = (poi.name_from, LAST)
        named.append(Rule((_titled(poi),), this, at))
        # Where there is no room for the name; one that has its name already collides with itself.
        bare.append(Rule((icon(_any_icon()),), this, at))
    first = min(POIS[number].dot_from for number in numbers)
    return Layer(layer, query, (tuple(named), tuple(bare)), (first, 99), file=region)


def _any_icon() -> str:
    """Return the file of the icon that the column `icon` names."""
    return str(icons() / "[icon].svg")


def _titled(poi: Poi) -> Symbol:
    """Return an icon and a name that are drawn both or not at all."""
    beside = {
        "placement-type": "simple",
        "placements": "S,E,W,N",
        "dx": "9",
        "dy": "9",
        "unlock-image": "true",
    }
    beside |= {"wrap-width": "84", "repeat-distance": "120", "margin": "1", "file": _any_icon()}
    words = text("[label]", 11 if poi.name_from <= 15 else 10, poi.colour, options=beside)
    return Symbol("ShieldSymbolizer", words.attributes, words.content)


def _poi() -> str:
    """Return the SQL expression for a point's place in `POIS`."""
    return case(poi.values for poi in POIS)


def _icon() -> str:
    """Return the SQL expression for the name of a point's icon."""
    usual = " ".join(f"WHEN {number} THEN '{poi.icon}'" for number, poi in enumerate(POIS))
    special = " ".join(f"WHEN {number} THEN '{name}'" for number, name in enumerate(ICONS))
    return (
        f"CASE WHEN subclass = 'place_of_worship' AND detail IN ({quoted(WORSHIP)}) THEN detail"
        " WHEN subclass = 'place_of_worship' THEN 'worship'"
        " WHEN subclass = 'station' AND detail = 'subway' THEN 'subway'"
        f" ELSE COALESCE(CASE {case(ICONS.values())} {special} END, CASE {_poi()} {usual} END) END"
    )


def _symbol_area_layer(region: Path) -> Layer:
    """Return icons of areas without a name; those with one have a point as well."""
    query = select(
        "area",
        (f"{case(SYMBOL_AREAS.values())} AS symbol",),
        where="name = '' AND symbol IS NOT NULL AND area_m2 > 300",
        order="area_m2 DESC, id",
    )
    rules = tuple(
        Rule((icon(str(icons() / f"{name}.svg"), opacity=0.8),), f"[symbol] = {number}")
        for number, name in enumerate(SYMBOL_AREAS)
    )
    return Layer("symbol_area", query, (rules,), (17, 99), file=region)


def _street_name_layer(region: Path, label: str) -> Layer:
    """Return street names, and road numbers where there is no room for names yet."""
    query = select(
        "line",
        (label, "ref", f"{road()} AS road"),
        where="class = 'highway' AND (name <> '' OR ref <> '') AND road IS NOT NULL",
        order="road, id",
    )
    sizes = {13: 9.5, 16: 10.5, 18: 12.5}
    along = {"spacing": "260", "repeat-distance": "160", "margin": "3"}
    rules: list[Rule] = []
    for number, street in enumerate(ROADS):
        for zoom in range(min(street.widths), LAST + 1):
            what = "label" if zoom >= street.names_from else "ref"
            size = at_zoom(sizes, zoom)
            words = text(f"[{what}]", size, palette.STREET_LABEL, placement="line", options=along)
            rules.append(Rule((words,), f"[road] = {number} and [{what}] <> ''", (zoom, zoom)))
    return Layer("street_name", query, (tuple(rules),), (STREETS_FROM, 99), file=region)


def _path_name_layer(region: Path, label: str) -> Layer:
    query = select(
        "line", (label,), where=f"class = 'highway' AND name <> '' AND subclass IN ({quoted(PATHS)})"
    )
    along = {"spacing": "260", "repeat-distance": "160", "margin": "3"}
    rule = Rule((text("[label]", 10, palette.STREET_LABEL, placement="line", options=along),))
    return Layer("path_name", query, ((rule,),), (16, 99), file=region)


def _area_name_layer(region: Path, label: str) -> Layer:
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
        (label, "area_m2", f"{case(values for _, values in kinds)} AS kind"),
        where="name <> '' AND class <> 'building' AND kind IS NOT NULL",
        order="area_m2 DESC, id",
    )
    inside = {"wrap-width": "70", "margin": "3"}
    rules = [
        Rule(
            (text("[label]", 10.5, colour, placement="interior", options=inside),),
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
        where=f"class = 'highway' AND oneway <> 0 AND subclass NOT IN ({quoted(PATHS)})",
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
