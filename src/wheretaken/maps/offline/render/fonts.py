"""The fonts of the labels: Noto Sans in every script that the `offline` extra's font packages carry.

mapnik takes the first face of a font set that has a glyph, so the order decides which shape a shared
character gets: Latin first, then the scripts that share nothing, then Han as written in Japan, China, Korea.
A place name does not say its language, therefore kana and Hangul decide nothing here; the Japanese
face comes first because the Chinese one has all that it lacks.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from wheretaken.errors import MissingExtraError
from wheretaken.maps.offline.render.engine import mapnik

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import ImageFont

PACKAGES = ("manimgx_fonts", "pylopdf_fonts_jp", "pylopdf_fonts_zh_cn", "pylopdf_fonts_ko")
"""Data-only packages that carry font files beside their `__init__.py`."""

SCRIPTS = (
    "", "Arabic", "Hebrew", "Thai", "Lao", "Khmer", "Myanmar", "Devanagari", "Bengali", "Gurmukhi",
    "Gujarati", "Oriya", "Tamil", "Telugu", "Kannada", "Malayalam", "Sinhala", "Georgian", "Armenian",
    "Ethiopic", "JP", "SC", "KR", "Symbols",
)  # fmt: skip
"""What stands between "Noto Sans" and the weight in a face's name, in order of preference."""


@cache
def files() -> tuple[Path, ...]:
    """Return the Noto Sans font files of the installed font packages.

    Raises:
        MissingExtraError: a font package is not installed.
    """
    found: list[Path] = []
    for package in PACKAGES:
        try:
            folder = resources.files(package)
        except ModuleNotFoundError as error:
            raise MissingExtraError("the map's labels", "offline", package) from error
        with resources.as_file(folder) as path:
            found += sorted(path.glob("NotoSans*.[ot]tf"))
    return tuple(found)


@cache
def register() -> tuple[str, ...]:
    """Make the fonts known to mapnik, once in a process; return their face names in order of preference."""
    engine = mapnik().FontEngine
    for file in files():
        engine.register_font(str(file))
    known = {str(face) for face in engine.face_names()}
    faces: list[str] = []
    for script in SCRIPTS:
        family = " ".join(filter(None, ("Noto Sans", script)))
        # A variable font is registered under the name of its default weight, which is not always Regular.
        faces += [face for weight in ("Regular", "Light") if (face := f"{family} {weight}") in known][:1]
    return tuple(faces)


@cache
def latin(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the font, in pixels, of what is written on top of a map: numbers, scale, attribution.

    Noto Sans where the `offline` extra is installed, else the Latin font that Pillow carries: tiles are
    stitched without that extra.
    """
    from PIL import ImageFont  # noqa: PLC0415

    try:
        file = next(file for file in files() if file.name.startswith("NotoSans["))
    except MissingExtraError:
        return ImageFont.load_default(size)
    return ImageFont.truetype(str(file), size, layout_engine=ImageFont.Layout.BASIC)
