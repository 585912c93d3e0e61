"""The street map as tables: which features look alike, in which order they are drawn, and from which zoom.

`class` and `subclass` of a feature are OpenStreetMap's key and value
(https://wiki.openstreetmap.org/wiki/Map_features). `street_map` turns the tables into layers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wheretaken.maps.offline.render import palette

if TYPE_CHECKING:
    from collections.abc import Mapping

LAST = 19
"""The closest zoom that is drawn."""


class Ground(NamedTuple):
    """Areas of one colour."""

    colour: str
    values: Mapping[str, str]
    """OpenStreetMap key -> values, separated by spaces."""


class Road(NamedTuple):
    """Streets that look alike; the table's order is from the most important to the least."""

    values: str
    colour: str
    edge: str
    widths: Mapping[int, float]
    """Pixels by zoom, without the edge; the first zoom is where they appear."""
    names_from: int
    """The zoom from which their names are written."""


class Poi(NamedTuple):
    """Points of interest that look alike."""

    colour: str
    dot_from: int
    name_from: int
    values: Mapping[str, str]
    """OpenStreetMap key -> values, separated by spaces; `*` is every value."""


WATERS = {
    "natural": "water bay", "waterway": "riverbank dock", "landuse": "reservoir basin",
    "leisure": "swimming_pool marina", "amenity": "fountain",
}  # fmt: skip

GROUNDS = (
    Ground(palette.BUILT_UP, {"landuse": "residential"}),
    Ground(palette.COMMERCE, {"landuse": "commercial retail"}),
    Ground(palette.INDUSTRY, {"landuse": "industrial railway garages port", "power": "substation plant"}),
    Ground(palette.PAVED, {"landuse": "construction brownfield military", "aeroway": "aerodrome apron"}),
    Ground(palette.FARM, {"landuse": "farmland farmyard orchard vineyard greenhouse_horticulture"}),
    Ground(palette.ROCK, {"natural": "bare_rock scree shingle", "landuse": "quarry landfill"}),
    Ground(palette.CAMPUS, {"amenity": "school university college kindergarten hospital",
                            "landuse": "education"}),
    Ground(palette.GRASS, {"landuse": "grass meadow village_green recreation_ground allotments flowerbed",
                           "natural": "grassland heath scrub fell wetland", "leisure": "golf_course common"}),
    Ground(palette.PARK, {"leisure": "park garden nature_reserve dog_park", "tourism": "zoo theme_park"}),
    Ground(palette.CEMETERY, {"landuse": "cemetery", "amenity": "grave_yard"}),
    Ground(palette.WOOD, {"natural": "wood", "landuse": "forest"}),
    Ground(palette.SAND, {"natural": "beach sand"}),
    Ground(palette.PITCH, {"leisure": "pitch playground track stadium sports_centre"}),
    Ground(palette.PARKING, {"amenity": "parking"}),
    Ground(palette.WATER, WATERS),
    Ground(palette.LAND, {"man_made": "pier breakwater groyne", "place": "islet island"}),
    Ground(palette.PEDESTRIAN, {"highway": "pedestrian footway service", "place": "square",
                                "railway": "platform"}),
)  # fmt: skip
"""In drawing order: what lies inside another area comes later."""

STREAMS = {"river": {11: 1.5, 14: 4, 17: 12}, "canal": {12: 1.2, 17: 8}, "stream": {13: 0.8, 17: 3},
           "ditch": {15: 0.6, 18: 1.5}, "drain": {15: 0.6, 18: 1.5}}  # fmt: skip

ROADS = (
    Road("motorway", palette.MOTORWAY, palette.MOTORWAY_EDGE, {11: 1.8, 14: 5, 16: 9, 19: 26}, 13),
    Road("trunk", palette.TRUNK, palette.TRUNK_EDGE, {11: 1.8, 14: 5, 16: 9, 19: 26}, 13),
    Road("primary", palette.PRIMARY, palette.PRIMARY_EDGE, {11: 1.5, 14: 4.5, 16: 9, 19: 26}, 13),
    Road("secondary", palette.SECONDARY, palette.SECONDARY_EDGE, {11: 1.1, 14: 4, 16: 8.5, 19: 24}, 14),
    Road("tertiary", palette.STREET, palette.STREET_EDGE, {12: 1.2, 14: 3.2, 16: 8, 19: 22}, 14),
    Road("motorway_link trunk_link primary_link secondary_link tertiary_link",
         palette.SECONDARY, palette.SECONDARY_EDGE, {13: 1.2, 16: 5, 19: 14}, 17),
    Road("residential unclassified living_street road busway",
         palette.STREET, palette.STREET_EDGE, {13: 0.9, 15: 3.5, 17: 9, 19: 20}, 15),
    Road("pedestrian", palette.PEDESTRIAN, palette.PEDESTRIAN_EDGE, {14: 1.2, 16: 5, 19: 16}, 15),
    Road("service", palette.STREET, palette.STREET_EDGE, {15: 1.2, 17: 4.5, 19: 10}, 17),
    Road("raceway construction", palette.PAVED, palette.STREET_EDGE, {14: 1, 17: 5}, 17),
)  # fmt: skip

PATHS = {
    "track": (palette.TRACK, "5,3", {14: 0.7, 17: 1.4}),
    "footway": (palette.FOOTWAY, "2,3", {16: 0.6, 18: 1.3}),
    "path": (palette.FOOTWAY, "3,3", {16: 0.6, 18: 1.3}),
    "bridleway": (palette.FOOTWAY, "5,3", {15: 0.6, 18: 1.2}),
    "cycleway": (palette.CYCLEWAY, "3,3", {15: 0.7, 18: 1.4}),
    "steps": (palette.FOOTWAY, "1.5,1.5", {16: 1.5, 18: 4}),
}
"""Ways for feet and bicycles: colour, dashes, pixels by zoom. They have no edge."""

RAILS = {
    "rail": (palette.RAIL, {11: 0.7, 14: 1, 16: 1.8, 18: 3}),
    "light_rail": (palette.RAIL, {12: 0.7, 15: 1.5, 18: 2.5}),
    "subway": (palette.RAIL, {12: 0.7, 15: 1.5, 18: 2.5}),
    "narrow_gauge": (palette.RAIL, {12: 0.7, 15: 1.5, 18: 2.5}),
    "monorail": (palette.RAIL, {12: 0.7, 15: 1.5, 18: 2.5}),
    "funicular": (palette.RAIL, {13: 0.7, 15: 1.5, 18: 2.5}),
    "tram": (palette.TRAM, {13: 0.6, 16: 1.2, 18: 2}),
}

POIS = (
    Poi(palette.TRANSPORT, 12, 13, {"railway": "station", "aeroway": "aerodrome terminal"}),
    Poi(palette.TRANSPORT, 15, 15, {"railway": "halt subway_entrance",
                                    "amenity": "bus_station ferry_terminal"}),
    Poi(palette.TRANSPORT, 15, 16, {"railway": "tram_stop"}),
    Poi(palette.SIGHT, 15, 16, {"tourism": "museum attraction zoo theme_park gallery",
                                "historic": "castle palace"}),
    Poi(palette.CIVIC, 15, 16, {"amenity": "university townhall theatre courthouse library arts_centre"}),
    Poi(palette.HEALTH, 15, 16, {"amenity": "hospital"}),
    Poi(palette.SIGHT, 16, 16, {"historic": "monument memorial ruins fort", "tourism": "viewpoint",
                                "amenity": "place_of_worship cinema marketplace"}),
    Poi(palette.TRANSPORT, 16, 17, {"highway": "bus_stop", "amenity": "taxi"}),
    Poi(palette.SHOP, 16, 16, {"tourism": "hotel hostel guest_house apartment",
                               "shop": "mall department_store"}),
    Poi(palette.CIVIC, 16, 16, {"amenity": "school college kindergarten police fire_station post_office",
                                "office": "government diplomatic"}),
    Poi(palette.HEALTH, 17, 17, {"amenity": "pharmacy clinic doctors dentist veterinary"}),
    Poi(palette.FOOD, 17, 17, {"amenity": "restaurant cafe bar pub fast_food nightclub ice_cream"}),
    Poi(palette.SHOP, 17, 17, {"shop": "*"}),
    Poi(palette.SIGHT, 17, 17, {"historic": "*", "tourism": "artwork"}),
    Poi(palette.CIVIC, 17, 17, {"amenity": "bank", "office": "*", "craft": "*",
                                "leisure": "fitness_centre sports_centre"}),
)  # fmt: skip
"""In order of placement: where two labels collide, the later one gives way."""

DISTRICTS = {"city": 15, "town": 14, "suburb": 13, "quarter": 12, "village": 12, "neighbourhood": 11.5,
             "locality": 11, "hamlet": 11, "island": 11.5, "islet": 10.5, "square": 11}  # fmt: skip
"""`place` values that are labelled from the region, and their text size."""

RUNWAYS = {"runway": {11: 2, 14: 12, 17: 60}, "taxiway": {12: 1, 14: 4, 17: 20}}
"""Pixels by zoom."""
