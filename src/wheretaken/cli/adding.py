"""`wheretaken maps add` and `maps remove`: the user's own regions and basemaps."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.markup import escape

from wheretaken.cli import consoles
from wheretaken.cli.main import OK
from wheretaken.cli.offline import Stages
from wheretaken.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Sources:
    """What the user gave; exactly one is meant to be there."""

    extract: Path | None
    overture: Path | None
    pmtiles: Path | None


def add(sources: Sources, *, name: str, force: bool, quiet: bool) -> int:
    """Add a region or a basemap and say what was added.

    Raises:
        UserError: None or several were given, or it cannot be added.
    """
    given = [path for path in (sources.extract, sources.overture, sources.pmtiles) if path is not None]
    if len(given) != 1:
        raise UserError("give one file: an extract, or --overture FILE, or --pmtiles FILE")
    if sources.pmtiles is not None:
        return _basemap(sources.pmtiles, name)
    from wheretaken.maps.offline.region import adding  # noqa: PLC0415 - this command alone needs it

    notices = consoles.notices()
    began = time.monotonic()
    with Stages(notices, "") as stages:
        info = adding.add(
            given[0],
            name=name,
            overture=sources.overture is not None,
            force=force,
            progress=None if quiet else stages.show,
        )
    size = info.path.stat().st_size / 1e6
    as_of = f", as of {info.source_date}" if info.source_date else ""
    consoles.results().print(
        f"added {escape(info.name)}: {info.things:,} places{as_of}, {size:.1f} MB,"
        f" {time.monotonic() - began:.1f} s, in {escape(str(info.path))}",
        soft_wrap=True,
    )
    consoles.notices().print(f"[dim]{escape(info.attribution)}[/]", soft_wrap=True)
    return OK


def remove(name: str) -> int:
    """Delete a region or a basemap.

    Raises:
        UserError: There is none of this name.
    """
    from wheretaken.maps.offline.region import adding  # noqa: PLC0415 - as above

    for path in adding.remove(name):
        consoles.results().print(f"removed {escape(str(path))}", soft_wrap=True)
    return OK


def _basemap(path: Path, name: str) -> int:
    from wheretaken.maps.offline.region import basemap  # noqa: PLC0415 - as above

    added = basemap.add_basemap(path, name=name)
    consoles.results().print(
        f"added the basemap {escape(added.name)}: {added.tiles} tiles, zoom {added.min_zoom} to"
        f" {added.max_zoom}, in {escape(str(added.path))}",
        soft_wrap=True,
    )
    return OK
