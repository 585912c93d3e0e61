"""`Renderer`: from a view to a PNG.

A picture is painted in this order: sea; land, streets and all else without words; the radius circle; labels,
which keep clear of each other, of the pins and of the scale bar; pins, scale bar, attribution. Where the view
crosses the antimeridian, the wordless part and then the labels are painted once for each of its sides.

Loading a style takes a while and a mapnik map serves one thread at a time, so loaded maps ("sheets") are kept
and lent out. mapnik paints without holding Python's lock: threads really run side by side.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wheretaken.errors import DataError, ToolError
from wheretaken.maps.base import MapPicture
from wheretaken.maps.offline.region.basemap import read_basemap
from wheretaken.maps.offline.region.info import RegionInfo, read_info
from wheretaken.maps.offline.render import (
    basemap,
    fonts,
    furniture,
    languages,
    palette,
    street_labels,
    street_map,
    world_map,
)
from wheretaken.maps.offline.render.engine import mapnik
from wheretaken.maps.offline.render.style import to_xml
from wheretaken.maps.offline.render.view import WORLD, View, mercator, wgs84
from wheretaken.maps.offline.render.world_names import WorldNames, read_names

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from wheretaken.geo import LatLon
    from wheretaken.maps.offline.render.style import Layer

WORLD_ATTRIBUTION = "Natural Earth, GeoNames"
IDLE_SHEETS = 6
"""Loaded maps that are kept for the next picture; each holds some twenty open SQLite connections."""


REACH = 0.75
"""Degrees around a region that a picture may show together with a part of it, where it shows the hatching."""


@dataclass(frozen=True, slots=True)
class _Key:
    """What decides which layers a picture needs."""

    language: str
    regions: tuple[int, ...]
    margin: bool
    """Whether some of the picture is in none of them."""


@dataclass(frozen=True, slots=True)
class _Sheets:
    """The two loaded mapnik maps of a style."""

    base: Any
    labels: Any


class Renderer:
    """Draws map pictures from a world file and any number of region files. Safe to use from many threads.

    Args:
        world: the world file (`wheretaken.maps.offline.world.ensure`).
        regions: region files, the one to be painted on top last.
        basemaps: PMTiles archives, which are painted under the regions.

    Raises:
        DataError: a file is missing or damaged.
        MissingExtraError: mapnik or the fonts are not installed.
    """

    def __init__(self, world: Path, regions: Sequence[Path] = (), basemaps: Sequence[Path] = ()) -> None:
        if not world.is_file():
            raise DataError(f"there is no world map {world}: it is built when the place index is first used")
        fonts.register()
        self._world = world
        self._regions = [read_info(path) for path in regions]
        self._basemaps = [read_basemap(path) for path in basemaps]
        self._names: dict[str, WorldNames] = {}
        self._lock = threading.Lock()
        self._idle: OrderedDict[int, tuple[_Key, _Sheets]] = OrderedDict()
        self._lent = 0

    def render(
        self,
        centre: LatLon,
        *,
        zoom: float,
        width: int = 500,
        height: int = 500,
        markers: Sequence[LatLon] = (),
        circle_km: float | None = None,
        language: str = "",
    ) -> MapPicture:
        """Draw the map around a position.

        Args:
            centre: WGS-84; near a pole the picture's middle moves towards the equator (see `View.around`).
            zoom: 0 (the world) to 19; raised where the world would be smaller than the picture.
            width: pixels, 64 to 2048.
            height: pixels, 64 to 2048.
            markers: positions of red pins, numbered from 1 in this order; one outside the picture has none.
            circle_km: radius of a circle around `centre`, kilometres on the ellipsoid.
            language: "" for each place's own, or a code such as "en", "ja", "zh-Hant" (see `languages`).

        Raises:
            ToolError: zoom, size, radius or language cannot be drawn.
            ValueError: a position is not in WGS-84.
        """
        view = View.around(centre, zoom=zoom, width=width, height=height)
        return self._draw(view, markers, (centre, circle_km) if circle_km is not None else None, language)

    def render_extent(
        self,
        south: float,
        west: float,
        north: float,
        east: float,
        *,
        width: int = 500,
        height: int = 500,
        markers: Sequence[LatLon] = (),
        language: str = "",
    ) -> MapPicture:
        """Draw the closest map that shows a whole area (degrees; `east` < `west` crosses the antimeridian).

        Raises:
            ToolError: the area, size or language cannot be drawn.
            ValueError: a marker is not in WGS-84.
        """
        view = View.fitting(south, west, north, east, width=width, height=height)
        return self._draw(view, markers, None, language)

    def _draw(
        self, view: View, markers: Sequence[LatLon], circle: tuple[LatLon, float] | None, language: str
    ) -> MapPicture:
        from PIL import Image  # noqa: PLC0415

        languages.checked(language)
        if circle is not None and not 0 < circle[1] <= 10_000:
            raise ToolError(f"circle_km is {circle[1]}, but must be above 0 and at most 10000")
        pins = [wgs84(marker) for marker in markers]
        regions = self._in_view(view)
        key = _Key(language, tuple(regions), margin=not self._known(view, regions))
        with self._sheets(key) as sheets:
            canvas = _paint(sheets, view, pins, circle)
        picture = Image.frombuffer("RGBA", (view.width, view.height), canvas).convert("RGB")
        attribution = self._attribution(view, regions)
        furniture.draw(picture, view, markers=pins, attribution=attribution)
        south, west, north, east = view.bounds
        return MapPicture(
            png=furniture.png(picture),
            width=view.width,
            height=view.height,
            south=south,
            west=west,
            north=north,
            east=east,
            zoom=view.zoom,
            attribution=attribution,
        )

    def _in_view(self, view: View) -> list[int]:
        """Return the regions whose streets are drawn in a view."""
        if view.zoom < world_map.STREETS_FROM - 0.5:
            return []
        left, bottom, right, top = view.box
        found: list[int] = []
        for number, region in enumerate(self._regions):
            west, south, east, north = _frame(region)
            touches = any(west + k * WORLD < right and east + k * WORLD > left for k in view.copies)
            if touches and south < top and north > bottom:
                found.append(number)
        return found

    def _known(self, view: View, regions: Sequence[int]) -> bool:
        """Tell whether a region or a basemap covers all of a view."""
        return self._inside(view, regions) or any(basemap.covers(one, view) for one in self._basemaps)

    def _inside(self, view: View, regions: Sequence[int]) -> bool:
        """Tell whether one of the regions covers all of a view."""
        left, bottom, right, top = view.box
        frames = [_frame(self._regions[number]) for number in regions]
        return any(w <= left and s <= bottom and e >= right and n >= top for w, s, e, n in frames)

    def _attribution(self, view: View, regions: Sequence[int]) -> str:
        """Name the sources of what is drawn; close up inside a region nothing of the world is seen."""
        names = list(dict.fromkeys(self._regions[number].attribution for number in regions))
        names += [one.attribution for one in self._basemaps if one.attribution not in {"", *names}]
        if not (self._inside(view, regions) and view.zoom >= world_map.SETTLEMENTS_UNTIL + 0.5):
            names.append(WORLD_ATTRIBUTION)
        # A basemap may name several sources, some of which are named already.
        return " · ".join(dict.fromkeys(part for name in names for part in name.split(" · ")))

    @contextlib.contextmanager
    def _sheets(self, key: _Key) -> Generator[_Sheets]:
        """Lend loaded maps that no other thread uses; load them when none are idle."""
        with self._lock:
            number = next((number for number, (idle, _) in self._idle.items() if idle == key), None)
            sheets = None if number is None else self._idle.pop(number)[1]
        if sheets is None:
            sheets = self._load(key)
        yield sheets  # after a failure the maps are dropped: their state is unknown
        with self._lock:
            self._lent += 1
            self._idle[self._lent] = (key, sheets)
            while len(self._idle) > IDLE_SHEETS:
                self._idle.popitem(last=False)

    def _load(self, key: _Key) -> _Sheets:
        """Load the two maps of a style; regions interleaved: one's ground never hides another's streets."""
        regions = [self._regions[number] for number in key.regions]
        base = world_map.base_layers(self._world)
        base += [layer for one in self._basemaps for layer in basemap.base_layers(one)]
        if regions and key.margin:
            base.append(street_map.unknown_layer(_outside(regions), street_labels.icons() / "unknown.svg"))
        base += _interleaved([street_map.base_layers(region.path, _wkt(region)) for region in regions])
        labels = world_map.label_layers(
            self._world, self._world_names(key.language), language=key.language, streets=regions
        )
        streets = _interleaved([street_labels.label_layers(region.path, key.language) for region in regions])
        below = [layer for one in self._basemaps for layer in basemap.label_layers(one, key.language)]
        return _Sheets(_loaded(base), _loaded([*labels, *streets, *below]))

    def _world_names(self, language: str) -> WorldNames:
        with self._lock:
            if language not in self._names:
                self._names[language] = read_names(self._world, language)
            return self._names[language]


def _loaded(layers: Sequence[Layer]) -> Any:
    engine = mapnik()
    sheet = engine.Map(256, 256)
    try:
        engine.load_map_from_string(sheet, to_xml(layers, fonts.register()))
    except RuntimeError as error:  # the one type of every mapnik failure, here of its SQLite plug-in
        raise DataError(f"a map file cannot be drawn: {str(error).splitlines()[0]}") from error
    sheet.aspect_fix_mode = engine.aspect_fix_mode.RESPECT
    return sheet


def _paint(sheets: _Sheets, view: View, pins: Sequence[LatLon], circle: tuple[LatLon, float] | None) -> bytes:
    """Return the picture without pins and margins, RGBA."""
    engine = mapnik()
    canvas = engine.Image(view.width, view.height)
    canvas.fill(engine.Color(palette.SEA))
    for sheet in (sheets.base, sheets.labels):
        sheet.resize(view.width, view.height)
    for copy in view.copies:
        _aim(sheets.base, view, copy)
        engine.render(sheets.base, canvas)
    if circle is not None:
        overlay = _loaded([furniture.circle_layer(view, *circle)])
        overlay.resize(view.width, view.height)
        _aim(overlay, view, 0)
        engine.render(overlay, canvas)
    taken = engine.LabelCollisionDetector(engine.Box2d(0, 0, view.width, view.height))
    for box in (
        furniture.scale_box(view),
        furniture.north_box(view),
        *(furniture.pin_box(view, pin) for pin in pins),
    ):
        if box is not None:
            taken.insert(engine.Box2d(*box))
    for copy in view.copies:
        _aim(sheets.labels, view, copy)
        engine.render_with_detector(sheets.labels, canvas, taken)
    return canvas.to_string()


def _aim(sheet: Any, view: View, copy: int) -> None:
    left, bottom, right, top = view.box
    sheet.zoom_to_box(mapnik().Box2d(left - copy * WORLD, bottom, right - copy * WORLD, top))


def _frame(region: RegionInfo) -> tuple[float, float, float, float]:
    """Return a region's xmin, ymin, xmax, ymax in Mercator metres."""
    return (*mercator(region.south, region.west), *mercator(region.north, region.east))


def _wkt(region: RegionInfo) -> str:
    west, south, east, north = region.west, region.south, region.east, region.north
    corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
    return "POLYGON((" + ", ".join(f"{lon:.7f} {lat:.7f}" for lon, lat in corners) + "))"


def _outside(regions: Sequence[RegionInfo]) -> str:
    """Return the WKT of what lies around the frames of some regions, as far as a picture reaches."""
    import shapely  # noqa: PLC0415 - needed once for each set of regions, not by the pictures

    frames = [shapely.box(region.west, region.south, region.east, region.north) for region in regions]
    around = [
        shapely.box(region.west - REACH, region.south - REACH, region.east + REACH, region.north + REACH)
        for region in regions
    ]
    outside = shapely.difference(shapely.union_all(around), shapely.union_all(frames))
    return shapely.to_wkt(outside, rounding_precision=7)


def _interleaved(stacks: Sequence[Sequence[Layer]]) -> list[Layer]:
    """Return the first layer of every region, then the second of every region, and so on."""
    return [layer for level in zip(*stacks, strict=True) for layer in level]
