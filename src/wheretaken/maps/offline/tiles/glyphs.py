"""Letters for browsers: glyph ranges as MapLibre asks for them, made from the fonts of the map pictures.

A range holds 256 code points as signed distance fields: 24-pixel letters with a margin of 3 pixels. Han,
kana and Hangul are left to the browser's own fonts (MapLibre's `localIdeographFontFamily`), which it uses by
itself.

Format: https://github.com/mapbox/node-fontnik (proto/glyphs.proto); the field as in
https://github.com/mapbox/tiny-sdf
"""

from __future__ import annotations

from functools import cache, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from wheretaken.errors import MissingExtraError
from wheretaken.maps.offline.render import fonts

if TYPE_CHECKING:
    from PIL import ImageFont

NAME = "Noto Sans Regular"
"""The one font stack that there is."""
RANGE = 256
_LAST = 0xFF00
_SIZE, _MARGIN, _RADIUS, _CUTOFF = 24, 3, 8, 0.25
"""Pixels of a letter and around it; how far distances reach; how much of 0..1 lies inside the outline."""
_FINE = 4
"""Letters are drawn this much larger, so that distances are right to a quarter of a pixel."""
_ASCENDER = 26
"""Of the font at that size, pixels: MapLibre counts a letter's top from there."""
_PAD = 12


class _Font(NamedTuple):
    face: ImageFont.FreeTypeFont
    missing: bytes
    """What it draws for a letter that it lacks."""


@lru_cache(maxsize=64)
def glyphs(start: int) -> bytes | None:
    """Return the range of 256 code points from `start`; None when there is no such range.

    Raises:
        MissingExtraError: fonts or OpenCV are not installed.
    """
    if start % RANGE or not 0 <= start <= _LAST:
        return None
    found = (_glyph(code) for code in range(start, start + RANGE))
    stack = _bytes(1, NAME.encode()) + _bytes(2, f"{start}-{start + RANGE - 1}".encode())
    return _bytes(1, stack + b"".join(_bytes(3, glyph) for glyph in found if glyph))


def _glyph(code: int) -> bytes:
    """Return the message of a letter, b"" where no font has it."""
    letter = chr(code)
    if not (letter.isprintable() or letter.isspace()) or 0xD800 <= code < 0xE000:
        return b""
    font = next((font for font in _fonts() if _ink(font.face, letter) != font.missing), None)
    if font is None:
        return b""
    return _message(code, font.face, letter)


def _message(code: int, face: ImageFont.FreeTypeFont, letter: str) -> bytes:
    import numpy as np  # noqa: PLC0415 - only browsers need letters
    from PIL import Image, ImageDraw  # noqa: PLC0415

    advance = _number(7, round(face.getlength(letter) / _FINE))
    left, top, right, bottom = face.getbbox(letter, anchor="ls")
    if right <= left or bottom <= top:  # a space
        return _number(1, code) + b"".join(_number(field, 0) for field in (3, 4, 5)) + advance
    # Whole pixels around the letter, seen from the start of the baseline.
    west, north = int(left // _FINE), int(top // _FINE)
    width, height = int(-(-right // _FINE)) - west, int(-(-bottom // _FINE)) - north
    canvas = Image.new("L", ((width + 2 * _PAD) * _FINE, (height + 2 * _PAD) * _FINE))
    start = ((_PAD - west) * _FINE, (_PAD - north) * _FINE)
    ImageDraw.Draw(canvas).text(start, letter, font=face, fill=255, anchor="ls")
    inside = (np.asarray(canvas) > 127).astype(np.uint8)
    cv2 = _opencv()
    distance = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5) - cv2.distanceTransform(
        inside, cv2.DIST_L2, 5
    )
    blocks = distance.reshape(height + 2 * _PAD, _FINE, width + 2 * _PAD, _FINE).mean(axis=(1, 3)) / _FINE
    field = np.clip(np.rint(255 - 255 * (blocks / _RADIUS + _CUTOFF)), 0, 255).astype(np.uint8)
    cut = _PAD - _MARGIN
    bitmap = field[cut:-cut, cut:-cut].tobytes()
    return b"".join(
        (
            _number(1, code),
            _bytes(2, bitmap),
            _number(3, width),
            _number(4, height),
            _signed(5, west),
            _signed(6, -north - _ASCENDER),
            advance,
        )
    )


@cache
def _fonts() -> tuple[_Font, ...]:
    from PIL import ImageFont  # noqa: PLC0415

    # The Latin one first, as in the pictures; those of Han and Hangul are the browser's.
    files = [file for file in fonts.files() if "[" in file.name and "Italic" not in file.name]
    files.sort(key=lambda file: not file.name.startswith("NotoSans["))
    found: list[_Font] = []
    for file in files:
        face = ImageFont.truetype(str(file), _SIZE * _FINE, layout_engine=ImageFont.Layout.BASIC)
        names = [bytes(name) for name in face.get_variation_names()]
        if b"Regular" in names:
            face.set_variation_by_name("Regular")
        found.append(_Font(face, _ink(face, "\uffff")))
    return tuple(found)


def _ink(face: ImageFont.FreeTypeFont, letter: str) -> bytes:
    mask, offset = face.getmask2(letter, "L")
    return bytes(cast("Any", mask)) + repr((mask.size, offset)).encode()


def _opencv() -> Any:
    try:
        return import_module("cv2")
    except ModuleNotFoundError as error:
        raise MissingExtraError("letters for browsers", "offline", "opencv-python-headless") from error


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _signed(field: int, value: int) -> bytes:
    return _number(field, value << 1 if value >= 0 else -value * 2 - 1)
