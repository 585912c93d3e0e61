"""Read an OpenStreetMap extract with osmium: tagged nodes, ways and areas with their geometry.

An extract may be cut anywhere: ways keep the stretches whose nodes are in the file, and areas whose ring is
not whole are left out and counted, never guessed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import struct
import tempfile
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from wheretaken.errors import DataError, MissingExtraError
from wheretaken.maps.offline.region import library
from wheretaken.maps.offline.region import tags as tagging
from wheretaken.maps.offline.region.schema import ATTRIBUTION

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    import osmium.geom
    import osmium.io
    from osmium.osm.types import Area, Node, TagList, Way

_TOLD_OF_NODES = ("name", "brand", "operator", "addr:housenumber", "addr:full")
"""A point without any of these is neither written on a map nor looked for."""
_TOLD_OF_WAYS = (*tagging.AREA_KEYS, *tagging.LINE_KEYS, "area", "addr:interpolation")
_POSITIONS = ".nodes-"
_IN_MEMORY_BYTES = 60_000_000
"""An extract up to this size has its nodes' positions, some 120 MB, in memory."""
SUFFIXES = (".osm.pbf", ".osm", ".osm.gz", ".osm.bz2", ".pbf")


class Feature(NamedTuple):
    """A tagged OpenStreetMap element with its geometry."""

    osm_id: str
    """`n`, `w` or `r` and the element's number."""
    shape: Literal["point", "line", "area"]
    tags: dict[str, str]
    wkb: bytes
    """Point, LineString or MultiPolygon; x = longitude, y = latitude, WGS-84."""
    closed: bool = False
    """For lines: the way ends where it starts."""
    nodes: tuple[int, ...] = ()
    """For lines along which house numbers are interpolated: their nodes, all of which are in the file."""


@dataclass(slots=True)
class Source:
    """An extract, and what reading it told: iterate once over `features()`, then look at the rest."""

    path: Path
    bounds: tuple[float, float, float, float] | None = None
    """South, west, north, east as the file's header says, if it says."""
    date: str = ""
    """Day of the newest change in the file: how old the map is."""
    incomplete: int = 0
    """Ways and areas that lack nodes in this file."""
    attribution: str = ATTRIBUTION
    _closed: dict[int, dict[str, str]] = field(default_factory=dict[int, dict[str, str]])
    """Tags of closed ways whose area was not met yet: it comes soon after, or never."""
    _unusable: tuple[type[Exception], ...] = ()
    """What osmium raises where a line lacks nodes, or is no line."""

    def features(self) -> Generator[Feature]:
        """Yield every tagged feature that is drawn or searched; nodes first, as in the file.

        Raises:
            DataError: the file is missing or is no OpenStreetMap extract.
            MissingExtraError: osmium is not installed.
        """
        if not self.path.is_file():
            raise DataError(f"there is no file {self.path}")
        if not self.path.name.lower().endswith(SUFFIXES):
            raise DataError(f"{self.path} is not an OpenStreetMap extract: give a {', '.join(SUFFIXES)} file")
        try:
            yield from self._read()
        except RuntimeError as error:  # what osmium raises for every unreadable file
            reason = " ".join(str(error).split())
            raise DataError(f"{self.path} cannot be read as an OpenStreetMap extract: {reason}") from error

    def read_share(self) -> tuple[int, int]:
        """Return how many bytes of the file were read, of how many; 0 of 0 where the system does not tell."""
        return share(self.path, "self")

    def _read(self) -> Iterator[Feature]:
        try:
            import osmium  # noqa: PLC0415 - only an import needs it
            import osmium.filter  # noqa: PLC0415
            import osmium.geom  # noqa: PLC0415
            import osmium.osm  # noqa: PLC0415
            from osmium.osm import types  # noqa: PLC0415
        except ModuleNotFoundError as error:
            raise MissingExtraError("importing a street region", "offline", error.name or "osmium") from error
        factory = osmium.geom.WKBFactory()
        self._unusable = (osmium.InvalidLocationError, RuntimeError)
        with _locations(self.path) as storage:
            node, way, area = osmium.osm.NODE, osmium.osm.WAY, osmium.osm.AREA
            # Relations that are no areas of ours would only keep their ways in memory.
            areas = osmium.filter.KeyFilter(*tagging.AREA_KEYS, "area")
            processor = osmium.FileProcessor(self.path).with_locations(storage).with_areas(areas)
            processor.with_filter(osmium.filter.KeyFilter(*_TOLD_OF_NODES).enable_for(node))
            processor.with_filter(osmium.filter.KeyFilter(*_TOLD_OF_WAYS).enable_for(way))
            processor.with_filter(osmium.filter.EntityFilter(node | way | area))
            self.bounds, self.date = _said_in_header(processor)
            dated, newest = bool(self.date), 0.0
            for entity in processor:
                if not dated and isinstance(entity, types.Node | types.Way):
                    newest = max(newest, entity.timestamp.timestamp())
                if isinstance(entity, types.Way):
                    yield from self._way(entity, factory)
                elif isinstance(entity, types.Area):
                    yield from self._area(entity, factory)
                elif isinstance(entity, types.Node):
                    yield self._node(entity)
        self.incomplete += len(self._closed)
        self.date = self.date or _day(newest)

    def _node(self, node: Node) -> Feature:
        point = struct.pack("<BIdd", 1, 1, node.lon, node.lat)
        return Feature(f"n{node.id}", "point", _tags(node.tags), point)

    def _way(self, way: Way, factory: osmium.geom.WKBFactory) -> Iterator[Feature]:
        tags = _tags(way.tags)
        closed = way.is_closed()
        if closed and tagging.area_class(tags):
            self._closed[way.id] = tags
        if "addr:interpolation" in tags:
            yield from self._interpolated(way, tags)
        if tagging.line_class(tags, closed=closed) is None:
            return
        try:
            line = bytes.fromhex(factory.create_linestring(way))
        except self._unusable:
            yield from self._stretches(way, tags)
        else:
            yield Feature(f"w{way.id}", "line", tags, line, closed=closed)

    def _stretches(self, way: Way, tags: dict[str, str]) -> Iterator[Feature]:
        """Yield the parts of a way whose nodes are in the file."""
        self.incomplete += 1
        stretches: list[list[float]] = [[]]
        for node in way.nodes:
            if node.location.valid():
                stretches[-1] += (node.lon, node.lat)
            elif stretches[-1]:
                stretches.append([])
        for flat in stretches:
            if len(flat) >= 4:
                line = struct.pack(f"<BII{len(flat)}d", 1, 2, len(flat) // 2, *flat)
                yield Feature(f"w{way.id}", "line", tags, line)

    def _interpolated(self, way: Way, tags: dict[str, str]) -> Iterator[Feature]:
        if all(node.location.valid() for node in way.nodes):
            flat = [degrees for node in way.nodes for degrees in (node.lon, node.lat)]
            line = struct.pack(f"<BII{len(flat)}d", 1, 2, len(flat) // 2, *flat)
            yield Feature(f"w{way.id}", "line", tags, line, nodes=tuple(node.ref for node in way.nodes))

    def _area(self, area: Area, factory: osmium.geom.WKBFactory) -> Iterator[Feature]:
        number = area.orig_id()
        if area.from_way():
            letter, tags = "w", self._closed.pop(number, None)
        else:
            letter, tags = "r", _tags(area.tags)
        if tags and tagging.area_class(tags):
            polygon = bytes.fromhex(factory.create_multipolygon(area))
            yield Feature(f"{letter}{number}", "area", tags, polygon)


def share(path: Path, process: str) -> tuple[int, int]:
    """Return how many bytes of a file a process read, of how many; 0 of 0 where the system does not tell."""
    for link in Path(f"/proc/{process}/fd").glob("*"):
        with contextlib.suppress(OSError):
            if link.resolve() == path.resolve():
                told = Path(f"/proc/{process}/fdinfo/{link.name}").read_text("ascii")
                return int(told.split()[1]), path.stat().st_size
    return 0, 0


def _tags(tags: TagList) -> dict[str, str]:
    # Counted, as osmium tells the end by an exception in C++, which takes as long as reading ten tags.
    return dict(islice(tags, len(tags)))


@contextlib.contextmanager
def _locations(path: Path) -> Generator[str]:
    """Say where osmium keeps the positions of nodes, 16 bytes each: for a large file, on disk."""
    if path.stat().st_size < _IN_MEMORY_BYTES:
        yield "flex_mem"
        return
    # In the data directory, which has the room: a temporary directory may be kept in memory.
    with tempfile.TemporaryDirectory(
        dir=library.regions_dir(), prefix=f"{_POSITIONS}{os.getpid()}-"
    ) as folder:
        yield f"sparse_file_array,{folder}/positions"


def clear_positions() -> None:
    """Delete the nodes' positions that a killed import left."""
    for folder in library.regions_dir().glob(f"{_POSITIONS}*"):
        holder = folder.name.removeprefix(_POSITIONS).split("-", 1)[0]
        try:
            os.kill(int(holder), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)


def _said_in_header(
    processor: osmium.FileProcessor,
) -> tuple[tuple[float, float, float, float] | None, str]:
    """Return the box and the day that the header gives, if any: until then all changes are in the file."""
    # osmium's own annotations leave out the header's type.
    header = cast("osmium.io.Header", processor.header)  # pyright: ignore[reportUnknownMemberType]
    day = header.get("osmosis_replication_timestamp", "")[:10]
    box = header.box()
    if not box.valid():
        return None, day
    return (box.bottom_left.lat, box.bottom_left.lon, box.top_right.lat, box.top_right.lon), day


def _day(timestamp: float) -> str:
    from datetime import UTC, datetime  # noqa: PLC0415 - used once an import

    return datetime.fromtimestamp(timestamp, UTC).date().isoformat() if timestamp > 0 else ""
