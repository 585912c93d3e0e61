"""`wheretaken maps tiles`: vector tiles for browsers, served or written into a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken.cli import consoles
from wheretaken.cli.main import OK
from wheretaken.cli.offline import Stages, offline_maps
from wheretaken.errors import UserError
from wheretaken.geo import LatLon
from wheretaken.server.tiles import installed_maps, run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def serve(*, port: int, origins: Sequence[str]) -> int:
    """Serve the tiles to this machine until told to stop."""
    notices = consoles.notices()
    offline_maps(notices)

    def started(url: str) -> None:
        notices.print(f"wheretaken: vector tiles at {url}/tiles.json", soft_wrap=True)
        notices.print(f"wheretaken: a MapLibre style at {url}/tiles/style.json", soft_wrap=True)

    run(port=port, origins=origins, started=started)
    return OK


def export(output: Path, *, area: str | None, max_zoom: int) -> int:
    """Write the tiles of an area, or of all regions."""
    from wheretaken.maps.offline.tiles.export import export as write  # noqa: PLC0415 - loads map libraries

    notices = consoles.notices()
    wanted = _area(area) if area else None
    offline_maps(notices)
    maker = installed_maps()
    bounds = wanted or maker.bounds
    if bounds is None:
        raise UserError("there is no region; give --area, or add one")
    with Stages(notices, "") as stages:
        try:
            count = write(maker, output, bounds, zooms=(0, max_zoom), progress=stages.show)
        except OSError as error:
            raise UserError(f"cannot write {output}: {error.strerror}") from error
    notices.print(f"{output}: {count} tiles", markup=False, soft_wrap=True)
    return OK


def _area(text: str) -> tuple[float, float, float, float]:
    try:
        south, west, north, east = (float(part) for part in text.split(","))
        low, high = LatLon(south, west), LatLon(north, east)
    except ValueError as error:
        raise UserError(f"--area is {text!r}; give SOUTH,WEST,NORTH,EAST in degrees") from error
    if not (low.lat < high.lat and low.lon < high.lon):
        raise UserError(f"--area is {text!r}; south must be below north and west before east")
    return south, west, north, east
