"""Which features of a region go into which layer, from which zoom: OpenMapTiles' names for OpenStreetMap's.

Schema: https://openmaptiles.org/schema/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Sort(NamedTuple):
    """Features of one `class`."""

    name: str
    from_zoom: int
    values: Mapping[str, str]
    """OpenStreetMap key -> values, separated by spaces; `*` is every value."""


WATER = (
    Sort("ocean", 11, {"natural": "sea"}),
    Sort("river", 11, {"waterway": "riverbank"}),
    Sort("dock", 11, {"waterway": "dock", "leisure": "marina"}),
    Sort("lake", 11, {"natural": "water bay", "landuse": "reservoir basin"}),
    Sort("swimming_pool", 14, {"leisure": "swimming_pool", "amenity": "fountain"}),
)
WATERWAY = (
    Sort("river", 11, {"waterway": "river"}),
    Sort("canal", 12, {"waterway": "canal"}),
    Sort("stream", 13, {"waterway": "stream"}),
    Sort("drain", 15, {"waterway": "drain ditch"}),
)
LANDCOVER = (
    Sort("wood", 11, {"natural": "wood", "landuse": "forest"}),
    Sort("farmland", 11, {"landuse": "farmland farmyard orchard vineyard"}),
    Sort("sand", 11, {"natural": "beach sand"}),
    Sort("rock", 11, {"natural": "bare_rock scree shingle"}),
    Sort("grass", 11, {"landuse": "grass meadow village_green recreation_ground allotments flowerbed",
                       "natural": "grassland heath scrub fell wetland",
                       "leisure": "park garden golf_course common dog_park"}),
)  # fmt: skip
LANDUSE = (
    Sort("residential", 11, {"landuse": "residential"}),
    Sort("commercial", 11, {"landuse": "commercial"}),
    Sort("retail", 11, {"landuse": "retail"}),
    Sort("industrial", 11, {"landuse": "industrial garages port"}),
    Sort("railway", 11, {"landuse": "railway"}),
    Sort("military", 11, {"landuse": "military"}),
    Sort("quarry", 11, {"landuse": "quarry"}),
    Sort("cemetery", 11, {"landuse": "cemetery", "amenity": "grave_yard"}),
    Sort("hospital", 13, {"amenity": "hospital"}),
    Sort("school", 13, {"amenity": "school"}),
    Sort("university", 13, {"amenity": "university"}),
    Sort("college", 13, {"amenity": "college"}),
    Sort("kindergarten", 14, {"amenity": "kindergarten"}),
    Sort("stadium", 13, {"leisure": "stadium sports_centre"}),
    Sort("pitch", 14, {"leisure": "pitch track"}),
    Sort("playground", 14, {"leisure": "playground"}),
    Sort("theme_park", 12, {"tourism": "theme_park"}),
    Sort("zoo", 12, {"tourism": "zoo"}),
)
PARK = (
    Sort("nature_reserve", 11, {"leisure": "nature_reserve"}),
    Sort("public_park", 12, {"leisure": "park garden"}),
)
PAVED = (
    Sort("pier", 13, {"man_made": "pier breakwater groyne"}),
    Sort("path", 14, {"highway": "pedestrian footway", "place": "square", "railway": "platform"}),
)
"""Areas of the layer `transportation`."""
AEROWAY_AREAS = (Sort("aerodrome", 11, {"aeroway": "aerodrome"}), Sort("apron", 13, {"aeroway": "apron"}))
AEROWAY = (Sort("runway", 11, {"aeroway": "runway"}), Sort("taxiway", 12, {"aeroway": "taxiway"}))
TRANSPORTATION = (
    Sort("motorway", 11, {"highway": "motorway motorway_link"}),
    Sort("trunk", 11, {"highway": "trunk trunk_link"}),
    Sort("primary", 11, {"highway": "primary primary_link"}),
    Sort("secondary", 11, {"highway": "secondary secondary_link"}),
    Sort("tertiary", 12, {"highway": "tertiary tertiary_link"}),
    Sort("minor", 13, {"highway": "residential unclassified living_street road busway"}),
    Sort("service", 14, {"highway": "service"}),
    Sort("track", 14, {"highway": "track"}),
    Sort("path", 14, {"highway": "pedestrian footway path cycleway bridleway steps"}),
    Sort("rail", 11, {"railway": "rail narrow_gauge preserved funicular"}),
    Sort("transit", 13, {"railway": "light_rail subway monorail tram"}),
    Sort("pier", 13, {"man_made": "pier"}),
)
NAMED_FROM = {"motorway": 12, "trunk": 12, "primary": 12, "secondary": 13, "tertiary": 13, "minor": 14}
"""The zoom from which streets have their names in `transportation_name`; others from zoom 15."""
BOUNDARY = {"2": 0, "4": 5}
"""`admin_level` of the world's borders, and from which zoom."""
PLACES = (
    Sort("city", 11, {"place": "city"}),
    Sort("town", 11, {"place": "town"}),
    Sort("village", 11, {"place": "village"}),
    Sort("suburb", 12, {"place": "suburb borough"}),
    Sort("quarter", 13, {"place": "quarter"}),
    Sort("neighbourhood", 13, {"place": "neighbourhood"}),
    Sort("hamlet", 13, {"place": "hamlet"}),
    Sort("isolated_dwelling", 14, {"place": "locality isolated_dwelling"}),
    Sort("island", 12, {"place": "island islet"}),
)
LANGUAGES = (
    *("ar", "de", "en", "es", "fi", "fr", "he", "hi", "it", "ja", "ja-Latn", "ja_rm", "ko", "nl", "pl", "pt"),
    *("ru", "sv", "th", "tr", "uk", "vi", "zh", "zh-Hans", "zh-Hant"),
)
"""Names that tiles carry beside the local one, as `name:CODE`. A capital has a hundred."""
POIS = (
    Sort("railway", 13, {"railway": "station halt"}),
    Sort("airport", 12, {"aeroway": "aerodrome terminal"}),
    Sort("ferry_terminal", 14, {"amenity": "ferry_terminal"}),
    Sort("hospital", 14, {"amenity": "hospital"}),
    Sort("college", 14, {"amenity": "university college"}),
    Sort("museum", 14, {"tourism": "museum"}),
    Sort("attraction", 14, {"tourism": "attraction viewpoint theme_park aquarium"}),
    Sort("zoo", 14, {"tourism": "zoo"}),
    Sort("castle", 14, {"historic": "castle fort palace"}),
    Sort("town_hall", 14, {"amenity": "townhall courthouse"}),
    Sort("stadium", 14, {"leisure": "stadium"}),
    Sort("railway", 15, {"railway": "tram_stop subway_entrance"}),
    Sort(
        "bus", 15, {"amenity": "bus_station", "highway": "bus_stop", "public_transport": "platform station"}
    ),
    Sort("place_of_worship", 15, {"amenity": "place_of_worship"}),
    Sort("theatre", 15, {"amenity": "theatre arts_centre"}),
    Sort("cinema", 15, {"amenity": "cinema"}),
    Sort("library", 15, {"amenity": "library"}),
    Sort("school", 15, {"amenity": "school kindergarten"}),
    Sort("lodging", 15, {"tourism": "hotel hostel guest_house motel apartment"}),
    Sort("monument", 15, {"historic": "monument memorial ruins"}),
    Sort("police", 15, {"amenity": "police"}),
    Sort("fire_station", 15, {"amenity": "fire_station"}),
    Sort("post", 15, {"amenity": "post_office"}),
    Sort("pharmacy", 15, {"amenity": "pharmacy", "shop": "chemist"}),
    Sort("bank", 15, {"amenity": "bank"}),
    Sort("art_gallery", 15, {"tourism": "gallery artwork"}),
    Sort("doctors", 16, {"amenity": "doctors clinic dentist veterinary"}),
    Sort("parking", 16, {"amenity": "parking"}),
    Sort("fuel", 16, {"amenity": "fuel charging_station"}),
    Sort("restaurant", 16, {"amenity": "restaurant food_court"}),
    Sort("cafe", 16, {"amenity": "cafe"}),
    Sort("fast_food", 16, {"amenity": "fast_food"}),
    Sort("beer", 16, {"amenity": "pub biergarten"}),
    Sort("bar", 16, {"amenity": "bar nightclub"}),
    Sort("ice_cream", 16, {"amenity": "ice_cream"}),
    Sort("atm", 16, {"amenity": "atm"}),
    Sort("toilets", 16, {"amenity": "toilets"}),
    Sort("grocery", 16, {"shop": "supermarket convenience"}),
    Sort("bakery", 16, {"shop": "bakery"}),
    Sort("clothing_store", 16, {"shop": "clothes shoes boutique"}),
    Sort("shop", 16, {"shop": "*"}),
    Sort("office", 16, {"office": "*", "craft": "*"}),
    Sort("park", 16, {"leisure": "park garden playground"}),
    Sort("sports_centre", 16, {"leisure": "sports_centre fitness_centre"}),
)
"""The first that fits holds; its place in this list is the `rank`."""


class Sorted(NamedTuple):
    """What a table says about a feature."""

    name: str
    from_zoom: int
    rank: int


class Table:
    """A table of sorts, to be asked by class and subclass."""

    def __init__(self, sorts: tuple[Sort, ...]) -> None:
        self._known: dict[tuple[str, str], Sorted] = {}
        for rank, sort in enumerate(sorts, start=1):
            for key, values in sort.values.items():
                for value in values.split():
                    self._known.setdefault((key, value), Sorted(sort.name, sort.from_zoom, rank))

    def at(self, zoom: int, key: str, value: str) -> Sorted | None:
        """Return the sort of a feature, or None when it has none or is not shown at this zoom."""
        found = self._known.get((key, value)) or self._known.get((key, "*"))
        return found if found is not None and zoom >= found.from_zoom else None

    def classes(self, zoom: int) -> set[str]:
        """Return the keys of what is shown at a zoom."""
        return {key for (key, _), sort in self._known.items() if zoom >= sort.from_zoom}
