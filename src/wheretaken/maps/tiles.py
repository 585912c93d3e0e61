"""Map pictures from XYZ tiles: fetched side by side, stitched, and drawn on like the offline maps.

```
centre, zoom ─► View ─► tiles under it ─► fetch ─► mosaic at their own scale ─► cut, scaled ─► pins, scale bar
```
Tiles are numbered from the north-west corner of Web Mercator, column x growing eastwards and row y
southwards (https://wiki.openstreetmap.org/wiki/Slippy_map_tilenames). A tile that a server does not have is
left blank, and the picture's `note` says so. `stitch` takes tiles from anywhere; `TileServer` gets them from
a URL template; `RoadTiles` and `ImageryTiles` are the providers of the sections `tiles` and `imagery`.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, cast
from urllib.parse import parse_qsl, quote, urlsplit

from pydantic import SecretStr

from wheretaken.errors import PhotoError, ServiceError, ToolError, UserError, WheretakenError
from wheretaken.geo import Datum, LatLon
from wheretaken.maps.base import MapPicture, MapProvider, UnsupportedError
from wheretaken.maps.offline.render import fonts, furniture, palette
from wheretaken.maps.offline.render.view import TILE, WORLD, View
from wheretaken.maps.web import Fault, FaultKind
from wheretaken.photos import load

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from PIL import Image

    from wheretaken.maps.web import Connection, Response, ServiceLimits
    from wheretaken.maps.web.settings import XyzSettings

    Fetch = Callable[[int, int, int], Awaitable[bytes]]
    """From zoom, column and row to an encoded tile; raises ToolError where there is none."""

_MOST_BLANK = 0.5
"""Share of the tiles that may fail before the picture says more about the service than about the place."""
_MAX_TILE_PIXELS = 1024**2
_KEPT_TILES = 256
"""Tiles that are kept for the next picture, some 5 MB: agents look at one spot several times."""
_BLANK = "#d4d4d4"
"""Unlike any ground of a map."""
_NO_TILE = {204, 404, 410}
"""How servers say that they have nothing there or at this zoom."""


@dataclass(frozen=True)
class TileScheme:
    """What tiles look like, whoever delivers them."""

    attribution: str
    """Written into every picture."""
    max_zoom: int = 19
    """Closest zoom that there is; for a closer picture these tiles are enlarged."""
    tile_size: int = TILE
    """Pixels of a tile's side; 512 for "retina" tiles, which show the same area in twice the detail."""
    datum: Datum = Datum.WGS84
    """Datum in which the map is drawn."""


@dataclass(frozen=True)
class _Grid:
    """The tiles that cover a view: `columns` may reach past the antimeridian, `rows` stay on the map."""

    zoom: int
    columns: range
    rows: range
    left: float
    top: float
    """Where the view begins, in tiles from the map's north-west corner."""
    across: float
    down: float
    """The view's size in tiles."""

    @classmethod
    def under(cls, view: View, scheme: TileScheme) -> _Grid:
        """Choose the zoom whose tiles need the least scaling, and the tiles that the view touches."""
        zoom = round(view.zoom - math.log2(scheme.tile_size / TILE))
        zoom = max(0, min(scheme.max_zoom, zoom))
        count = 2**zoom
        west, south, east, north = (edge / WORLD * count for edge in view.box)
        left, top = west + count / 2, count / 2 - north
        across, down = east - west, north - south
        # An edge that is on a tile's border but for rounding does not need the next tile.
        columns = range(math.floor(left + 1e-9), math.ceil(left + across - 1e-9))
        rows = range(max(0, math.floor(top + 1e-9)), min(count, math.ceil(top + down - 1e-9)))
        return cls(zoom, columns, rows, left, top, across, down)

    @property
    def cells(self) -> list[tuple[int, int]]:
        """Column and row of every tile; a column is that of the endless map."""
        return [(column, row) for row in self.rows for column in self.columns]


async def stitch(
    fetch: Fetch,
    centre: LatLon,
    *,
    zoom: float,
    scheme: TileScheme,
    width: int = 500,
    height: int = 500,
    markers: Sequence[LatLon] = (),
) -> MapPicture:
    """Return the map around a position, with numbered pins, scale bar and attribution.

    Args:
        fetch: Returns one encoded tile; asked for all of them at once, so it has to keep limits itself.
        centre: Middle of the picture, any datum.
        zoom: 0 (the world) to 19, whole or not.
        scheme: What the tiles look like.
        width: Pixels, 64 to 2048.
        height: Pixels, 64 to 2048.
        markers: Positions of the pins, any datum.

    Raises:
        UnsupportedError: there is no tile of this area at this zoom.
        ToolError: zoom or size cannot be drawn.
        ServiceError: more than half of the tiles could not be fetched.
    """
    view = View.around(_drawn(centre, scheme.datum), zoom=zoom, width=width, height=height)
    grid = _Grid.under(view, scheme)
    wanted = sorted({(column % 2**grid.zoom, row) for column, row in grid.cells})
    outcomes = dict(
        zip(wanted, await asyncio.gather(*(_tile(fetch, grid.zoom, *cell) for cell in wanted)), strict=True)
    )
    tiles = {cell: outcome for cell, outcome in outcomes.items() if isinstance(outcome, bytes)}
    errors = [outcome for outcome in outcomes.values() if not isinstance(outcome, bytes)]
    _check(errors, len(wanted), zoom)
    pins = [_drawn(marker, scheme.datum) for marker in markers]
    picture, unreadable = await asyncio.to_thread(_compose, view, grid, tiles, pins, scheme)
    missing = len(errors) + unreadable
    south, west, north, east = view.bounds
    corners = _true(south, west, scheme.datum), _true(north, east, scheme.datum)
    return MapPicture(
        png=picture,
        width=width,
        height=height,
        south=corners[0].lat,
        west=corners[0].lon,
        north=corners[1].lat,
        east=corners[1].lon,
        zoom=view.zoom,
        attribution=scheme.attribution,
        note=f"{missing} of {len(wanted)} tiles are missing and left blank" if missing else "",
    )


class TileServer:
    """Tiles by a URL template, such as `https://tiles.example.org/{z}/{x}/{y}.png?key={key}`."""

    def __init__(
        self,
        connection: Connection,
        name: str,
        template: str,
        scheme: TileScheme,
        limits: ServiceLimits | None = None,
        *,
        key: SecretStr | None = None,
    ) -> None:
        """Describe the server; nothing is opened before the first picture.

        Args:
            connection: Through which it is asked.
            name: What errors, counts and the ledger call it.
            template: URL with `{z}`, `{x}`, `{y}` and, where the server wants one, `{key}`.
            scheme: What the tiles look like.
            limits: How much is asked of the server.
            key: Replaces `{key}`.
        """
        plain = key.get_secret_value() if key else ""
        parts = urlsplit(template)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self._path = parts.path.replace("{key}", quote(plain, safe=""))
        self._params = {name: value for name, value in query.items() if "{key}" not in value}
        self.scheme = scheme
        self.service = connection.service(
            name,
            f"{parts.scheme}://{parts.netloc}",
            limits,
            query={
                name: SecretStr(value.replace("{key}", plain))
                for name, value in query.items()
                if "{key}" in value
            },
            secrets=[key] if key else [],
            fault=_no_tile,
        )
        """Through which tiles are asked for."""
        self._kept: OrderedDict[tuple[int, int, int], bytes] = OrderedDict()

    async def tile(self, zoom: int, column: int, row: int) -> bytes:
        """Return an encoded tile, from memory where it was fetched before.

        Raises:
            ToolError: the server has no such tile.
            ServiceError: it failed.
        """
        place = (zoom, column, row)
        if place not in self._kept:
            named = {"{z}": str(zoom), "{x}": str(column), "{y}": str(row)}
            params = {name: _filled(value, named) for name, value in self._params.items()}
            self._kept[place] = await self.service.picture(_filled(self._path, named), params=params)
        self._kept.move_to_end(place)
        while len(self._kept) > _KEPT_TILES:
            self._kept.popitem(last=False)
        return self._kept[place]

    async def picture(
        self,
        centre: LatLon,
        *,
        zoom: float,
        width: int = 500,
        height: int = 500,
        markers: Sequence[LatLon] = (),
    ) -> MapPicture:
        """Return the map around a position; arguments and errors are those of `stitch`."""
        return await stitch(
            self.tile,
            centre,
            zoom=zoom,
            scheme=self.scheme,
            width=width,
            height=height,
            markers=markers,
        )


class _TileProvider(MapProvider):
    """A provider whose pictures come from one tile server."""

    def __init__(self, server: TileServer) -> None:
        """Take pictures from this server."""
        self.services = (server.service,)
        self._server = server

    @classmethod
    def connected(cls, connection: Connection) -> Self:
        """Make the provider from the section of its name.

        Raises:
            UserError: the section names no URL, or the URL needs a key that is not there.
        """
        settings = connection.settings
        section = cast("XyzSettings", getattr(settings, cls.name))
        if section.url is None:
            name = cls.name
            raise UserError(f"{name} needs a URL: set WHERETAKEN_{name.upper()}_URL or maps.{name}.url")
        scheme = TileScheme(section.attribution, section.max_zoom, section.tile_size)
        key = settings.key(cls.name) if "{key}" in section.url else None
        return cls(TileServer(connection, cls.name, section.url, scheme, section.limits, key=key))


class RoadTiles(_TileProvider):
    """Labelled maps from the tiles of the section `tiles`."""

    name = "tiles"

    async def road_map(
        self,
        centre: LatLon,
        *,
        zoom: float,
        width: int = 500,
        height: int = 500,
        markers: Sequence[LatLon] = (),
        language: str = "",  # noqa: ARG002 - what a tile server has drawn, it has drawn
    ) -> MapPicture:
        """Return a map picture around `centre` with numbered markers; raises as `stitch`."""
        return await self._server.picture(centre, zoom=zoom, width=width, height=height, markers=markers)


class ImageryTiles(_TileProvider):
    """Pictures from above from the tiles of the section `imagery`."""

    name = "imagery"

    async def satellite(
        self,
        centre: LatLon,
        *,
        zoom: float,
        width: int = 500,
        height: int = 500,
        markers: Sequence[LatLon] = (),
    ) -> MapPicture:
        """Return imagery around `centre` with numbered markers; raises as `stitch`."""
        return await self._server.picture(centre, zoom=zoom, width=width, height=height, markers=markers)


async def _tile(fetch: Fetch, zoom: int, column: int, row: int) -> bytes | WheretakenError:
    try:
        return await fetch(zoom, column, row)
    except WheretakenError as error:
        return error


def _check(errors: Sequence[WheretakenError], wanted: int, zoom: float) -> None:
    """Raise what makes the whole picture impossible."""
    for error in errors:
        if not isinstance(error, ToolError | ServiceError):
            raise error
    failed = [error for error in errors if isinstance(error, ServiceError)]
    if len(errors) == wanted and not failed:
        raise UnsupportedError(f"there is no picture of this area at zoom {zoom:g}; try a lower zoom")
    if failed and len(errors) > _MOST_BLANK * wanted:
        raise failed[0]


def _compose(
    view: View,
    grid: _Grid,
    tiles: Mapping[tuple[int, int], bytes],
    pins: Sequence[LatLon],
    scheme: TileScheme,
) -> tuple[bytes, int]:
    """Return the finished PNG, and how many tiles could not be decoded."""
    from PIL import Image  # noqa: PLC0415

    side = scheme.tile_size
    mosaic = Image.new("RGB", (len(grid.columns) * side, len(grid.rows) * side))
    decoded = {cell: _decoded(data, side) for cell, data in tiles.items()}
    blank = _blank(side)
    for column, row in grid.cells:
        tile = decoded.get((column % 2**grid.zoom, row)) or blank
        mosaic.paste(tile, ((column - grid.columns[0]) * side, (row - grid.rows[0]) * side))
    left, top = (grid.left - grid.columns[0]) * side, (grid.top - grid.rows[0]) * side
    across, down = grid.across * side, grid.down * side
    if math.isclose(across, view.width, abs_tol=1e-3):
        # At the tiles' own scale pixels are copied: moving them by a fraction would only blur the letters.
        corner = round(left), round(top)
        picture = mosaic.crop((*corner, corner[0] + view.width, corner[1] + view.height))
    else:
        box = (max(0, left), max(0, top), min(mosaic.width, left + across), min(mosaic.height, top + down))
        picture = mosaic.resize((view.width, view.height), Image.Resampling.BICUBIC, box=box)
    furniture.draw(picture, view, markers=pins, attribution=scheme.attribution)
    return furniture.png(picture), sum(tile is None for tile in decoded.values())


def _decoded(data: bytes, side: int) -> Image.Image | None:
    """Return a tile's pixels in the size that the scheme says, or None if it is no picture."""
    try:
        tile = load(data, max_pixels=_MAX_TILE_PIXELS).image
    except PhotoError:
        return None
    return tile if tile.size == (side, side) else tile.resize((side, side))


def _blank(side: int) -> Image.Image:
    from PIL import Image, ImageDraw  # noqa: PLC0415

    tile = Image.new("RGB", (side, side), _BLANK)
    ImageDraw.Draw(tile).text(
        (side / 2, side / 2), "no map here", font=fonts.latin(side // 18), fill=palette.PLACE_DOT, anchor="mm"
    )
    return tile


def _drawn(position: LatLon, datum: Datum) -> LatLon:
    """Return where a map in `datum` shows a position, under the label that `View` knows."""
    shown = position.to(datum)
    return LatLon(shown.lat, shown.lon)


def _true(lat: float, lon: float, datum: Datum) -> LatLon:
    return LatLon(lat, lon, datum).wgs84


def _no_tile(response: Response) -> Fault | None:
    return Fault(FaultKind.ARGUMENT, "no tile there") if response.status in _NO_TILE else None


def _filled(text: str, values: Mapping[str, str]) -> str:
    # Not str.format: other braces, such as those of a TMS server's {-y}, are none of ours.
    for name, value in values.items():
        text = text.replace(name, value)
    return text
