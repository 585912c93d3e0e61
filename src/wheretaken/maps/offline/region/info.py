"""What a region file says about itself."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheretaken.maps.offline.region import schema

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class RegionInfo:
    """A region that this machine has."""

    path: Path
    name: str
    south: float
    west: float
    north: float
    east: float
    """The area that the extract covers, WGS-84 degrees."""
    source_date: str
    """Day of the newest change in the extract, YYYY-MM-DD, or "" when the extract has no times."""
    attribution: str
    things: int
    """Named and addressed things that can be searched."""

    def covers(self, lat: float, lon: float) -> bool:
        """Tell whether a position lies in the region's bounding box."""
        return self.south <= lat <= self.north and self.west <= lon <= self.east


def read_info(path: Path) -> RegionInfo:
    """Return what the file's `meta` table says.

    Raises:
        DataError: the file is missing, damaged or of another version.
    """
    with contextlib.closing(schema.open_region(path)) as connection:
        meta = schema.read_meta(connection)
    south, west, north, east = (float(part) for part in meta["bounds"].split(","))
    return RegionInfo(
        path=path,
        name=meta["name"],
        south=south,
        west=west,
        north=north,
        east=east,
        source_date=meta["source_date"],
        attribution=meta["attribution"],
        things=int(meta["things"]),
    )
