"""`wheretaken mcp`: the tools over MCP on stdin and stdout."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from wheretaken import photos
from wheretaken.cli.main import OK
from wheretaken.cli.serving import prepare
from wheretaken.server.running import check_installed

if TYPE_CHECKING:
    from wheretaken.server.settings import ServerSettings


def serve(settings: ServerSettings, photo: Path | None) -> int:
    """Serve the client until it closes the connection; it may ask for parts of this photo."""
    check_installed()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    prepare()
    with tempfile.TemporaryDirectory(prefix="wheretaken-mcp-") as state:
        asyncio.run(_serve(settings, photo, Path(state)))
    return OK


async def _serve(settings: ServerSettings, photo: Path | None, state: Path) -> None:
    from wheretaken.server import mcp, worker  # noqa: PLC0415 - optional, checked above

    desk = worker.make_desk(settings, state, worker.Metrics())
    try:
        pictures = [] if photo is None else [await desk.upload(_read(photo))]
        await mcp.over_stdio(desk, pictures)
    finally:
        await desk.aclose()


def _read(photo: Path) -> bytes:
    photos.load(photo)  # refuses it by its name, which its bytes do not tell
    return photo.read_bytes()
