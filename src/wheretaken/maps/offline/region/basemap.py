"""The user's basemaps: PMTiles archives that are drawn below the regions.

Format: https://docs.protomaps.com/pmtiles/, version 3.
"""

from __future__ import annotations

import html
import re
import shutil
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wheretaken import paths
from wheretaken.errors import DataError, MissingExtraError, UserError
from wheretaken.maps.offline.region import library

if TYPE_CHECKING:
    from pathlib import Path

_DRAWABLE = {"mvt", "png", "jpeg", "webp"}


@dataclass(frozen=True, slots=True)
class Basemap:
    """A PMTiles archive that is drawn below the regions."""

    name: str
    path: Path
    south: float
    west: float
    north: float
    east: float
    """The area that it covers, WGS-84 degrees."""
    min_zoom: int
    max_zoom: int
    tiles: str
    """`mvt`, `png`, `jpeg` or `webp`."""
    attribution: str
    layers: dict[str, tuple[str, ...]]
    """Of vector tiles: the layers, and which attributes their features may have."""


def basemaps() -> list[Basemap]:
    """Return the user's basemaps by name.

    Raises:
        DataError: one of them is damaged.
    """
    return [read_basemap(path) for path in sorted((paths.data_dir() / "basemaps").glob("[!.]*.pmtiles"))]


def add_basemap(source: Path, *, name: str = "") -> Basemap:
    """Copy a PMTiles archive to the user's basemaps, in place of one of the same name.

    Raises:
        DataError: it is no archive, or has tiles that cannot be drawn.
        UserError: there is no room for it.
        MissingExtraError: the library that reads it is not installed.
    """
    read_basemap(source)
    target = basemap_path(library.slug_of(name or library.title_of(source)))
    target.parent.mkdir(exist_ok=True)
    free = shutil.disk_usage(target.parent).free
    if source.stat().st_size > free:
        raise UserError(f"{source} is larger than what is free at {target.parent}: make room")
    with paths.atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)
    return read_basemap(target)


def basemap_path(slug: str) -> Path:
    """Return where the basemap of this name is, or would be."""
    return paths.data_dir() / "basemaps" / f"{slug}.pmtiles"


def read_basemap(path: Path) -> Basemap:
    """Return what an archive says about itself.

    Raises:
        DataError: it is missing, damaged, or has tiles that cannot be drawn.
        MissingExtraError: the library that reads it is not installed.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path}")
    try:
        reader: Any = import_module("pmtiles.reader")  # its functions are partly untyped
        from pmtiles.tile import MagicNumberNotFound, SpecVersionUnsupported  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingExtraError("a basemap", "offline", error.name or "pmtiles") from error
    try:
        with path.open("rb") as file:
            archive = reader.Reader(reader.MmapSource(file))
            header, about = archive.header(), archive.metadata()
    except (MagicNumberNotFound, SpecVersionUnsupported, ValueError, IndexError, OSError, EOFError) as error:
        raise DataError(f"{path} is not a PMTiles archive (version 3), or is damaged") from error
    whole = header["tile_data_offset"] + header["tile_data_length"]
    if path.stat().st_size < whole:
        raise DataError(f"{path} is cut off: it has {path.stat().st_size:,} of {whole:,} bytes")
    tiles = header["tile_type"].name.lower()
    if tiles not in _DRAWABLE:
        raise DataError(f"{path} has tiles of the kind {tiles!r}; mvt, png, jpeg and webp can be drawn")
    return Basemap(
        name=path.name.removesuffix(".pmtiles"),
        path=path,
        south=header["min_lat_e7"] / 1e7,
        west=header["min_lon_e7"] / 1e7,
        north=header["max_lat_e7"] / 1e7,
        east=header["max_lon_e7"] / 1e7,
        min_zoom=header["min_zoom"],
        max_zoom=header["max_zoom"],
        tiles=tiles,
        attribution=html.unescape(re.sub(r"<[^>]*>", "", str(about.get("attribution", "")))),
        layers={one["id"]: tuple(one.get("fields", {})) for one in about.get("vector_layers", ())},
    )
