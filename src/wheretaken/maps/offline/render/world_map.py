"""What is drawn from the world file: land, borders, names of countries and settlements, at every zoom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken.maps.offline.render import palette
from wheretaken.maps.offline.render.languages import settlement_name
from wheretaken.maps.offline.render.style import (
    Layer,
    Rule,
    at_zoom,
    by_zoom,
    dot,
    fill,
    select,
    stroke,
    text,
)
from wheretaken.maps.offline.render.world_names import LARGE, inline_csv

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wheretaken.maps.offline.region.info import RegionInfo
    from wheretaken.maps.offline.render.style import Symbol
    from wheretaken.maps.offline.render.world_names import WorldNames

STREETS_FROM = 11
"""The zoom from which a region's streets are drawn; there it knows its coast better than the world does."""

LAND_DETAIL_FROM = 6
"""At lower zooms the 1:50m coast differs from the 1:10m one by less than a pixel or two."""

POPULATIONS = {
    2: 12_000_000, 3: 6_000_000, 4: 2_500_000, 5: 900_000, 6: 350_000, 7: 120_000,
    8: 40_000, 9: 15_000, 10: 5_000, 11: 1_500,
}  # fmt: skip
"""The smallest settlement that is worth a label, by zoom; from zoom 12 on all are."""
SETTLEMENTS_UNTIL = 12
"""Closer than this a region labels its own districts, and settlement names would only stand in the way."""
LAST_DOT_ZOOM = 11
"""Up to here a dot says where exactly a settlement lies; closer, its label lies on it."""


def base_layers(world: Path) -> list[Layer]:
    """Return land and borders; the sea is what is left of the background."""
    land = (Rule((fill(palette.LAND, gamma=0.6),)),)
    return [
        Layer("land_low", _all("land_low"), (land,), (0, LAND_DETAIL_FROM - 1), file=world),
        Layer("land", _all("land"), (land,), (LAND_DETAIL_FROM, 99), file=world),
        Layer(
            "admin1_border",
            _all("admin1_border"),
            (by_zoom((5, 19), lambda zoom: _border(palette.ADMIN1_BORDER, zoom, {5: 0.4, 10: 1.2}, "6,3")),),
            (5, 99),
            file=world,
        ),
        Layer(
            "country_border",
            _all("country_border"),
            (
                by_zoom(
                    (0, 19),
                    lambda zoom: _border(palette.COUNTRY_BORDER, zoom, {0: 0.5, 5: 1.2, 12: 2.0}, ""),
                ),
            ),
            file=world,
        ),
    ]


def label_layers(
    world: Path, names: WorldNames, *, language: str, streets: Sequence[RegionInfo]
) -> list[Layer]:
    """Return the labels, the most important first: a later one gives way where two collide.

    Args:
        world: the world file.
        names: what is written from afar, in the same language.
        language: as in `languages`.
        streets: the regions in the view.
    """
    layers = [_country_layer(names)]
    for zoom, least in POPULATIONS.items():
        if least >= LARGE:
            layers.append(_large_layer(names, zoom, least))
        else:
            layers.append(
                _place_layer(world, f"population >= {least} AND kind <> 'district'", language, zoom, zoom)
            )
    last = max(POPULATIONS)
    outside = "".join(
        f" AND NOT (lat BETWEEN {region.south} AND {region.north} "
        f"AND lon BETWEEN {region.west} AND {region.east})"
        for region in streets
    )
    return [
        *layers,
        _place_layer(world, "population >= 0", language, last + 1, SETTLEMENTS_UNTIL),
        _place_layer(world, f"population >= 0{outside}", language, SETTLEMENTS_UNTIL + 1, 19),
    ]


def _country_layer(names: WorldNames) -> Layer:
    rows = [(label.lat, label.lon, label.name, label.first_zoom) for label in names.countries]
    spread = {"wrap-width": "90", "character-spacing": "0.6", "margin": "6"}
    rules: list[Rule] = []
    for zoom in range(1, 8):
        size = at_zoom({1: 9, 4: 12, 7: 16}, zoom)
        symbol = text("[name]", size, palette.COUNTRY_LABEL, options=spread)
        rules.append(Rule((symbol,), f"[first] <= {zoom}", (zoom, zoom)))
    query = inline_csv(("lat", "lon", "name", "first"), rows)
    return Layer("country_label", query, (tuple(rules),), (1, 7), inline=True)


def _large_layer(names: WorldNames, zoom: int, least: int) -> Layer:
    rows = [
        (place.lat, place.lon, place.name, place.population)
        for place in names.settlements
        if place.population >= least
    ]
    query = inline_csv(("lat", "lon", "name", "population"), rows)
    return Layer(f"place_{zoom}", query, (_place_rules(zoom, zoom),), (zoom, zoom), inline=True)


def _place_layer(world: Path, where: str, language: str, first: int, final: int) -> Layer:
    """Return settlements of a range of zooms.

    mapnik runs each query once when it loads it, with pixels of width 0, to learn the columns; the condition
    on the width spares it sorting the whole world then.
    """
    columns = (f"{settlement_name(language)} AS name", "population")
    where = f"!pixel_width! > 0 AND {where}"
    query = select("place", columns, where=where, order="population DESC, id")
    return Layer(f"place_{first}", query, (_place_rules(first, final),), (first, final), file=world)


def _all(table: str) -> str:
    return select(table, (), where="true")


def _border(colour: str, zoom: int, widths: dict[int, float], dash: str) -> Symbol:
    return stroke(colour, at_zoom(widths, zoom), dash=dash, cap="butt", clip=True)


def _place_rules(first: int, final: int) -> tuple[Rule, ...]:
    """Return rules by zoom and size: from afar a dot with its label beside it, close up the label alone."""
    rules: list[Rule] = []
    for zoom in range(first, final + 1):
        size = at_zoom({2: 9.5, 6: 10.5, 10: 11.5, 13: 13}, zoom)
        for when, larger in (("[population] >= 1000000", 1.5), ("[population] < 1000000", 0.0)):
            symbols: tuple[Symbol, ...]
            if zoom > LAST_DOT_ZOOM:
                symbols = (
                    text(
                        "[name]",
                        size + larger,
                        palette.PLACE_LABEL,
                        options={"wrap-width": "100", "margin": "4"},
                    ),
                )
            else:
                beside = {"placement-type": "simple", "placements": "N,S,E,W", "dx": "6", "dy": "6"}
                label = text("[name]", size + larger, palette.PLACE_LABEL, options=beside)
                symbols = (dot(palette.PLACE_DOT, 4.5), label)
            rules.append(Rule(symbols, when, (zoom, zoom)))
    return tuple(rules)
