"""All tiles of an area in one file: PMTiles or MBTiles.

Formats: https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md and
https://github.com/mapbox/mbtiles-spec/blob/master/1.3/spec.md
"""

from __future__ import annotations

import contextlib
import gzip
import json
import sqlite3
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from wheretaken.errors import MissingExtraError, UserError
from wheretaken.maps.offline.tiles.grid import MAX_ZOOM, covering
from wheretaken.paths import atomic_path

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from wheretaken.maps.offline.tiles.grid import Tile
    from wheretaken.maps.offline.tiles.maker import TileMaker

    Area = tuple[float, float, float, float]

MOST_TILES = 200_000
"""More take hours and gigabytes: larger areas are for the programs that make tiles of whole countries."""


class _Sink(Protocol):
    """Where tiles go, in the order of `covering`."""

    def add(self, tile: Tile, data: bytes) -> None:
        """Take a tile, gzipped."""
        ...


def export(
    maker: TileMaker,
    target: Path,
    area: Area,
    *,
    zooms: tuple[int, int] = (0, MAX_ZOOM),
    progress: Callable[[str, int, int], None] | None = None,
) -> int:
    """Write the tiles of an area; return how many there are. `target` appears whole or not at all.

    Args:
        maker: makes them.
        target: a `.pmtiles` or `.mbtiles` file.
        area: south, west, north, east, degrees.
        zooms: the first and the last.
        progress: called with the stage, how many are done and of how many.

    Raises:
        UserError: another kind of file is wanted, or too many tiles.
        MissingExtraError: a library is not installed.
    """
    kinds = {".pmtiles": _pmtiles, ".mbtiles": _mbtiles}
    if target.suffix not in kinds:
        raise UserError(f"tiles are written into a .pmtiles or .mbtiles file, not {target.name}")
    tiles = list(covering(*area, zooms))
    if len(tiles) > MOST_TILES:
        raise UserError(f"this area has {len(tiles)} tiles; give a smaller one or a smaller --max-zoom")
    about: dict[str, Any] = maker.describe("") | {"bounds": [area[1], area[0], area[3], area[2]]}
    about |= {"minzoom": zooms[0], "maxzoom": zooms[1]}
    closest = {"maxzoom": zooms[1]}
    about["vector_layers"] = [one | closest for one in about["vector_layers"] if one["minzoom"] <= zooms[1]]
    written = 0
    with atomic_path(target) as temporary, kinds[target.suffix](temporary, about) as sink:
        for done, tile in enumerate(tiles, start=1):
            data = maker.tile(*tile)
            if data:
                sink.add(tile, gzip.compress(data, 6, mtime=0))
                written += 1
            if progress and (done % 50 == 0 or done == len(tiles)):
                progress("making tiles", done, len(tiles))
    return written


@contextlib.contextmanager
def _pmtiles(path: Path, about: dict[str, Any]) -> Generator[_Sink]:
    try:
        from pmtiles.tile import Compression, TileType, zxy_to_tileid  # noqa: PLC0415 - optional

        writing: Any = import_module("pmtiles.writer")
    except ModuleNotFoundError as error:
        raise MissingExtraError("writing PMTiles", "offline", "pmtiles") from error

    class Sink:
        def add(self, tile: Tile, data: bytes) -> None:
            writer.write_tile(zxy_to_tileid(*tile), data)

    with path.open("wb") as file:
        writer = writing.Writer(file)
        yield Sink()
        west, south, east, north = about["bounds"]
        header = {
            "tile_type": TileType.MVT,
            "tile_compression": Compression.GZIP,
            "min_lon_e7": round(west * 1e7),
            "min_lat_e7": round(south * 1e7),
            "max_lon_e7": round(east * 1e7),
            "max_lat_e7": round(north * 1e7),
            "center_zoom": about["minzoom"],
            "center_lon_e7": round((west + east) / 2 * 1e7),
            "center_lat_e7": round((south + north) / 2 * 1e7),
        }
        kept = ("name", "attribution", "vector_layers")
        writer.finalize(header, {key: about[key] for key in kept})


@contextlib.contextmanager
def _mbtiles(path: Path, about: dict[str, Any]) -> Generator[_Sink]:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(
            "CREATE TABLE metadata (name TEXT, value TEXT);"
            "CREATE TABLE tiles (zoom_level INTEGER, tile_column INTEGER, tile_row INTEGER, tile_data BLOB);"
            "CREATE UNIQUE INDEX tile_index ON tiles (zoom_level, tile_column, tile_row);"
        )

        class Sink:
            def add(self, tile: Tile, data: bytes) -> None:
                south_up = (1 << tile.zoom) - 1 - tile.row
                connection.execute(
                    "INSERT INTO tiles VALUES (?, ?, ?, ?)", (tile.zoom, tile.column, south_up, data)
                )

        yield Sink()
        rows = {
            "name": about["name"],
            "format": "pbf",
            "bounds": ",".join(f"{side:.6f}" for side in about["bounds"]),
            "minzoom": str(about["minzoom"]),
            "maxzoom": str(about["maxzoom"]),
            "attribution": about["attribution"],
            "type": "baselayer",
            "json": json.dumps({"vector_layers": about["vector_layers"]}),
        }
        connection.executemany("INSERT INTO metadata VALUES (?, ?)", rows.items())
