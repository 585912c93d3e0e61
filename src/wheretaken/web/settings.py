"""What the web application is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wheretaken.server.settings import Address

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class WebLimits:
    """How much is taken, of whom ever."""

    picture_bytes: int = 40 * 2**20
    """Size of a photo's file."""
    body_bytes: int = 16 * 2**10
    """Size of any other request."""
    seconds: float = 60.0
    """Until a request has arrived."""
    jobs: int = 2
    """Photos that are worked on at the same time."""
    waiting: int = 50
    """Photos that may wait for their turn; a further one is told to come back later."""
    runs: int = 16
    """Runs of one photo."""
    runs_at_once: int = 8
    """Runs of all photos at the same time."""
    hint_chars: int = 300


@dataclass(frozen=True)
class WebSettings(Address):
    """What is shown, where, and to whom."""

    port: int = 8080
    directory: Path | None = None
    """Where photos and runs are kept; None for `web` in the data directory."""
    evaluations: tuple[Path, ...] = ()
    """Directories of `eval run` or `locate --out` that can be looked at; nothing else is read."""
    tiles: str = ""
    """URL of raster tiles with {z}, {x} and {y}, which browsers then ask for; empty for none."""
    tiles_attribution: str = ""
    limits: WebLimits = field(default_factory=WebLimits)
