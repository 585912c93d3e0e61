"""`wheretaken web`: the application in the browser."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from wheretaken.cli import consoles
from wheretaken.cli.main import OK
from wheretaken.cli.offline import offline_maps
from wheretaken.models.opening import open_models
from wheretaken.web.running import serve
from wheretaken.web.solving import Choices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.web.settings import WebSettings


def web(settings: WebSettings, models: Sequence[str]) -> int:
    """Serve the application until told to stop; users choose between these models."""
    settings.check()
    made = {name: open_models(name) for name in models}
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    notices = consoles.notices()
    maps = offline_maps(notices)
    guard = "with a token" if settings.token else "to this machine only"

    def started(url: str) -> None:
        notices.print(f"wheretaken: open {url} in a browser; it is served {guard}", soft_wrap=True)

    serve(settings, Choices(made, maps), started=started)
    return OK
