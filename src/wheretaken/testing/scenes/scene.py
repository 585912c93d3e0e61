"""What a synthetic scene is: the picture, where it "was taken", and every text drawn, with its place."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from PIL import Image

    from wheretaken.geo import LatLon

WIDTH, HEIGHT = 1152, 864
"""Size of every scene in pixels: one megapixel, 4:3."""

Difficulty = Literal[1, 2, 3]
"""1: near-frontal and sharp. 2: up to 25 degrees off, mild blur, noise, uneven light, a distracting sign.
3: steeper, motion blur, dim light, low resolution, dirt, something in front of the signs."""

Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]
"""Corners top left, top right, bottom right, bottom left as drawn, in pixels of the picture."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One line of text in a scene."""

    text: str
    quad: Quad
    """Where its ink is."""
    decisive: bool
    """Whether it helps to place the photo; a distractor's text does not."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A drawn photo of signs at a real place."""

    image: Image.Image
    """RGB, `WIDTH` x `HEIGHT`."""
    truth: LatLon
    """Where the photographer stands, to within the size of the place (a street corner; a town)."""
    marks: tuple[Mark, ...]
    """Every line of text that was drawn."""
    kind: str
    """`shop`, `corner`, `address` or `tram_stop`; `entry`, `direction`, `civic` or `storefront`."""
    difficulty: Difficulty
    seed: int
    place_id: str
    """`osm:...` or `geonames:...`."""
    place_name: str
    language: str
    """ISO 639-1 code of the main language on the signs."""
    script: str
    """Its script, such as "Latin", "Thai", "Han"."""

    @property
    def texts(self) -> tuple[str, ...]:
        """Every text in the picture, in drawing order."""
        return tuple(mark.text for mark in self.marks)

    def png(self) -> bytes:
        """Return the picture as PNG without metadata; equal scenes give equal bytes."""
        buffer = io.BytesIO()
        self.image.save(buffer, format="PNG")
        return buffer.getvalue()
