"""Import an OpenStreetMap extract into a region file: read, write, merge streets, index names; or nothing."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from wheretaken.errors import DataError
from wheretaken.maps.offline.region import aliases, apart, cells, interpolation, kinds, schema, streets
from wheretaken.maps.offline.region.info import RegionInfo, read_info
from wheretaken.maps.offline.region.write import Writer
from wheretaken.maps.offline.render.coast import sea_polygons
from wheretaken.paths import atomic_path

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Generator

    from wheretaken.maps.offline.region.read import Feature

    Progress = Callable[[str, int, int], None]
    """Called with the stage, how much is done and of how much (0: not known)."""

_REPORT_EVERY = 2_000


class Features(Protocol):
    """What a region is made from: iterate once over `features()`, then look at the rest."""

    path: Path
    bounds: tuple[float, float, float, float] | None
    date: str
    incomplete: int
    attribution: str

    def features(self) -> Generator[Feature]:
        """Yield everything that is drawn or searched."""
        ...

    def read_share(self) -> tuple[int, int]:
        """Return how much of the file was read, and how much there is; 0 of 0 when that is not known."""
        ...


def import_extract(
    source: Path | Features, target: Path, *, name: str, progress: Progress | None = None
) -> RegionInfo:
    """Import an extract (.osm.pbf, .osm, .osm.gz, .osm.bz2) into the region file `target`.

    `target` is replaced only when everything worked, and readers of the old file keep it. Extracts need not
    be complete: see `read`.

    Raises:
        DataError: the extract is missing, unreadable, or holds nothing that can be drawn or searched.
        MissingExtraError: osmium or shapely is not installed.
    """
    extract = apart.source(source) if isinstance(source, Path) else source
    with atomic_path(target) as temporary:
        with contextlib.closing(schema.create(temporary)) as connection, connection:
            _fill(connection, extract, name, progress or _silent)
        with contextlib.closing(schema.open_region(temporary)):
            pass  # what is moved into place opens
    return read_info(target)


def _silent(stage: str, done: int, total: int) -> None:
    """Report nothing."""


def _add_sea(
    connection: sqlite3.Connection, writer: Writer, bounds: tuple[float, float, float, float]
) -> None:
    coast = connection.execute("SELECT geometry FROM line WHERE class = 'natural' AND subclass = 'coastline'")
    lines = [row[0] for row in coast]
    south, west, north, east = bounds
    if not (lines and south < north and west < east):
        return  # inland, or a frame without an inside
    for wkb in sea_polygons(lines, south=south, west=west, north=north, east=east):
        writer.add_sea(wkb)


def _fill(connection: sqlite3.Connection, extract: Features, name: str, progress: Progress) -> None:
    writer = Writer(connection)
    count = 0
    with contextlib.closing(extract.features()) as features:
        for count, feature in enumerate(features, start=1):
            writer.add(feature)
            if count % _REPORT_EVERY == 0:
                progress("reading the map", *extract.read_share())
    writer.flush()
    bounds = extract.bounds or writer.bounds
    if bounds is None or not count:
        raise DataError(f"{extract.path} holds nothing that can be drawn or searched")
    interpolation.add(connection, writer)
    _add_sea(connection, writer, bounds)
    writer.finish()
    progress("joining streets", 0, 1)
    merged = streets.merge(connection, writer.words)
    progress("indexing names", 0, 1)
    streets.finish(connection)
    kinds.index(connection)
    cells.index(connection)
    indexed = aliases.index(connection)
    connection.executescript(schema.INDEXES)
    connection.executescript("PRAGMA analysis_limit = 1000; ANALYZE")
    things = connection.execute("SELECT count(*) FROM thing").fetchone()[0]
    meta = {
        "schema_version": schema.VERSION,
        "name": name,
        "source_date": extract.date,
        "bounds": ",".join(f"{degrees:.7f}" for degrees in bounds),
        "attribution": extract.attribution,
        "source_file": extract.path.name,
        "features": str(count),
        "things": str(things),
        "streets": str(merged),
        "aliases": str(indexed),
        "incomplete": str(extract.incomplete),
    }
    connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
    progress("indexing names", 1, 1)
