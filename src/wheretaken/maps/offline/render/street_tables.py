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
    """Points of interest that look alike but for their icon."""

    colour: str
    dot_from: int
    """The zoom from which a dot says that one is there."""
    name_from: int
    """The zoom from which it has its icon and its name."""
    icon: str
    """Of those that `ICONS` does not list."""
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
    Poi(palette.TRANSPORT, 12, 13, "station", {"railway": "station", "aeroway": "aerodrome terminal"}),
    Poi(palette.TRANSPORT, 15, 15, "transport", {"railway": "halt", "amenity": "bus_station ferry_terminal"}),
    Poi(palette.TRANSPORT, 15, 16, "tram", {"railway": "tram_stop"}),
    Poi(palette.SIGHT, 15, 16, "sight", {"tourism": "museum attraction zoo theme_park gallery aquarium",
                                         "historic": "castle palace"}),
    Poi(palette.CIVIC, 15, 16, "civic", {"amenity": "university townhall courthouse library"}),
    Poi(palette.SIGHT, 15, 16, "theatre", {"amenity": "theatre arts_centre"}),
    Poi(palette.HEALTH, 15, 16, "hospital", {"amenity": "hospital"}),
    Poi(palette.SIGHT, 16, 16, "sight", {"historic": "monument memorial ruins fort", "tourism": "viewpoint",
                                         "amenity": "place_of_worship cinema marketplace casino"}),
    Poi(palette.SHOP, 16, 16, "hotel", {"tourism": "hotel hostel guest_house apartment motel"}),
    Poi(palette.SHOP, 16, 16, "shop", {"shop": "mall department_store"}),
    Poi(palette.TRANSPORT, 16, 17, "subway", {"railway": "subway_entrance"}),
    Poi(palette.TRANSPORT, 16, 17, "bus", {"highway": "bus_stop", "public_transport": "platform station",
                                           "amenity": "taxi"}),
    Poi(palette.CIVIC, 16, 16, "civic", {"office": "government diplomatic",
                                         "amenity": "school college kindergarten police"
                                                    " fire_station post_office"}),
    Poi(palette.HEALTH, 17, 17, "doctors", {"amenity": "clinic doctors dentist veterinary"}),
    Poi(palette.PHARMACY, 17, 17, "pharmacy", {"amenity": "pharmacy", "shop": "chemist"}),
    Poi(palette.MONEY, 17, 17, "bank", {"amenity": "bank"}),
    Poi(palette.TRANSPORT, 17, 17, "parking", {"amenity": "parking fuel charging_station"}),
    Poi(palette.FOOD, 17, 17, "food", {"shop": "bakery", "amenity": "restaurant cafe bar pub fast_food"
                                       " nightclub ice_cream food_court"}),
    Poi(palette.SHOP, 17, 17, "shop", {"shop": "*"}),
    Poi(palette.SIGHT, 17, 17, "sight", {"historic": "*", "tourism": "artwork"}),
    Poi(palette.PARK_LABEL, 17, 17, "park", {"leisure": "park garden playground"}),
    Poi(palette.CIVIC, 17, 17, "office", {"office": "*", "craft": "*", "amenity": "embassy social_facility"}),
    Poi(palette.CIVIC, 17, 18, "sports", {"leisure": "fitness_centre sports_centre", "amenity": "toilets"}),
    Poi(palette.MONEY, 18, 18, "atm", {"amenity": "atm bureau_de_change"}),
    Poi(palette.TRANSPORT, 18, 18, "bicycle", {"amenity": "bicycle_rental"}),
)  # fmt: skip
"""In order of placement: where two labels collide, the later one gives way."""

ICONS = {
    "airport": {"aeroway": "*"},
    "tram": {"railway": "tram_stop"},
    "station": {"railway": "halt"},
    "ferry": {"amenity": "ferry_terminal"},
    "taxi": {"amenity": "taxi"},
    "bus": {"amenity": "bus_station"},
    "museum": {"tourism": "museum gallery"},
    "artwork": {"tourism": "artwork"},
    "viewpoint": {"tourism": "viewpoint"},
    "castle": {"historic": "castle palace fort"},
    "monument": {"historic": "monument memorial"},
    "cinema": {"amenity": "cinema"},
    "school": {"amenity": "university school college"},
    "kindergarten": {"amenity": "kindergarten"},
    "library": {"amenity": "library"},
    "townhall": {"amenity": "townhall courthouse"},
    "police": {"amenity": "police"},
    "fire_station": {"amenity": "fire_station"},
    "post": {"amenity": "post_office"},
    "toilets": {"amenity": "toilets"},
    "dentist": {"amenity": "dentist"},
    "fuel": {"amenity": "fuel"},
    "charging": {"amenity": "charging_station"},
    "restaurant": {"amenity": "restaurant"},
    "cafe": {"amenity": "cafe"},
    "fast_food": {"amenity": "fast_food"},
    "bar": {"amenity": "bar nightclub"},
    "pub": {"amenity": "pub"},
    "ice_cream": {"amenity": "ice_cream"},
    "bakery": {"shop": "bakery"},
    "supermarket": {"shop": "supermarket convenience"},
    "clothes": {"shop": "clothes shoes fashion boutique"},
    "hairdresser": {"shop": "hairdresser beauty"},
    "books": {"shop": "books"},
    "playground": {"leisure": "playground"},
}  # fmt: skip
"""Icons (`data/icons`) of some of the `POIS`; each must be of the same colour as its line there."""

WORSHIP = ("christian", "muslim", "jewish", "buddhist", "shinto", "hindu")
"""Religions that have an icon of their own; others get the icon `worship`."""

SYMBOL_AREAS = {"parking": {"amenity": "parking"}, "fuel": {"amenity": "fuel"}}
"""Areas that have an icon in their middle even without a name."""

DISTRICTS = {"city": 15, "town": 14, "suburb": 13, "quarter": 12, "village": 12, "neighbourhood": 11.5,
             "locality": 11, "hamlet": 11, "island": 11.5, "islet": 10.5, "square": 11}  # fmt: skip
"""`place` values that are labelled from the region, and their text size."""

RUNWAYS = {"runway": {11: 2, 14: 12, 17: 60}, "taxiway": {12: 1, 14: 4, 17: 20}}
"""Pixels by zoom."""
