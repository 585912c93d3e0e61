"""`wheretaken serve`: the tools over HTTP."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from wheretaken.cli import consoles
from wheretaken.cli.main import OK
from wheretaken.cli.offline import offline_maps
from wheretaken.errors import MissingExtraError
from wheretaken.server.running import serve as run

if TYPE_CHECKING:
    from wheretaken.server.settings import ServerSettings


def serve(settings: ServerSettings) -> int:
    """Serve until told to stop."""
    settings.check()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    if settings.workers > 1:  # tell when a worker died and was replaced
        logging.getLogger("uvicorn.error").setLevel(logging.INFO)
    prepare()
    notices = consoles.notices()
    guard = "with a token" if settings.token else "to this machine only"

    def started(url: str) -> None:
        notices.print(f"wheretaken: serving the toolset {settings.toolset} at {url} {guard}", soft_wrap=True)

    run(settings, started=started)
    return OK


def prepare() -> None:
    """Build the offline maps if they are missing: once, before there are workers or anybody waits."""
    notices = consoles.notices()
    try:
        offline_maps(notices)
    except MissingExtraError as error:
        notices.print(f"wheretaken: without offline maps: {error}", markup=False, soft_wrap=True)
