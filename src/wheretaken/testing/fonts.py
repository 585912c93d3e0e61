"""Text of any script as an ink mask, set in the Noto fonts that come with the `offline` extra.

A text is cut into runs, each set in the first face that has its glyphs (the face of its script, then Noto
Sans), and every run is shaped by Pillow's Raqm layout: Arabic joins, Devanagari reorders, Thai stacks. Han
characters are drawn in the form of the language that is named, since one code point looks different in
Chinese, Japanese and Korean. Nothing here draws a replacement box: `missing_glyphs` tells beforehand.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, features

from wheretaken.clues import scripts
from wheretaken.errors import MissingExtraError

_NOTO = "manimgx_fonts"
_LATIN = (_NOTO, "NotoSans[wght].ttf")
_HAN = {
    "ja": ("pylopdf_fonts_jp", "NotoSansJP-Regular.otf"),
    "ko": ("pylopdf_fonts_ko", "NotoSansKR-Regular.otf"),
    "zh": ("pylopdf_fonts_zh_cn", "NotoSansSC-Regular.otf"),
}
_OWN_FACE = frozenset(
    {
        *("Arabic", "Armenian", "Bengali", "Devanagari", "Ethiopic", "Georgian", "Gujarati", "Gurmukhi"),
        *("Hebrew", "Kannada", "Khmer", "Lao", "Malayalam", "Myanmar", "Oriya", "Sinhala", "Tamil"),
        *("Telugu", "Thai"),
    }
)
"""Scripts, as `wheretaken.clues.scripts` names them, with a Noto Sans of this name."""
DRAWN = _OWN_FACE | {"Greek", "Cyrillic", "Hangul", "Kana", "Han"}
"""Scripts other than Latin whose letters can be drawn."""
_RIGHT_TO_LEFT = frozenset({"Hebrew", "Arabic"})
_NEVER_ASSIGNED = "\U0010fffe"  # a noncharacter: every font answers with its "missing glyph" box

Font = tuple[str, str]
"""The package that carries a font file, and the file's name."""


def script_of(text: str) -> str:
    """Return the script of the first letter in one that can be drawn, such as "Thai"; "Latin" otherwise."""
    for char in text:
        script = scripts.script_of(char)
        if script is not None and script.name in DRAWN:
            return script.name
    return "Latin"


def font_for(text: str, language: str = "") -> Font:
    """Return the font that sets `text`: that of its script, for Han the one of `language` (ISO 639-1)."""
    script = script_of(text)
    if script == "Hangul":
        return _HAN["ko"]
    if script == "Kana":
        return _HAN["ja"]
    if script == "Han":
        return _HAN.get(language[:2], _HAN["zh"])
    if script in {"Latin", "Greek", "Cyrillic"}:
        return _LATIN
    return (_NOTO, f"NotoSans{script}[wght].ttf")


@lru_cache(maxsize=256)
def load(font: Font, size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Return a font at `size` pixels per em, at weight 700 or 400 where the file has a weight axis.

    Raises:
        MissingExtraError: the package with the font file is not installed, or Pillow lacks Raqm.
    """
    package, name = font
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise MissingExtraError("drawing signs", "offline", package)
    if not features.check("raqm"):
        raise MissingExtraError("drawing signs", "offline", "a Pillow with the Raqm text layout")
    path = Path(found.submodule_search_locations[0]) / name
    face = ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.RAQM)
    if name.endswith("[wght].ttf"):
        face.set_variation_by_axes([700 if bold else 400])
    return face


@lru_cache(maxsize=20_000)
def covers(font: Font, char: str) -> bool:
    """Return whether `font` has a glyph of its own for `char` (spaces and joiners always pass)."""
    if char.isspace() or char in "\u200b\u200c\u200d":
        return True
    return _shape(font, char) != _shape(font, _NEVER_ASSIGNED)


def _shape(font: Font, char: str) -> bytes:
    """Return how a font draws one character."""
    tile = Image.new("L", (96, 96), 0)
    ImageDraw.Draw(tile).text((24, 24), char, fill=255, font=load(font, 32))
    return tile.tobytes()


def missing_glyphs(text: str, language: str = "") -> str:
    """Return the characters of `text` that neither its script's face nor Noto Sans can draw."""
    main = font_for(text, language)
    return "".join(char for char in text if not covers(main, char) and not covers(_LATIN, char))


@dataclass(frozen=True, slots=True)
class _Run:
    text: str
    font: Font


def _runs(text: str, language: str) -> list[_Run]:
    """Cut `text` where the face changes; spaces stay with the run before them."""
    main = font_for(text, language)
    runs: list[_Run] = []
    for char in text:
        font = main if covers(main, char) else _LATIN
        if runs and (char.isspace() or runs[-1].font == font):
            runs[-1] = _Run(runs[-1].text + char, runs[-1].font)
        else:
            runs.append(_Run(char, font))
    return runs


def ink(text: str, size: int, *, bold: bool = True, language: str = "") -> Image.Image:
    """Draw `text` and return its ink: an "L" picture (255 = ink), cropped to the ink's bounding box.

    Args:
        text: one line in one main script, in logical order.
        size: pixels per em.
        bold: heavy strokes; faces without a weight axis (Han) are thickened.
        language: ISO 639-1 code that decides the form of Han characters.
    """
    runs = _runs(text, language)
    if script_of(text) in _RIGHT_TO_LEFT:
        runs.reverse()
    faces = [load(run.font, size, bold=bold) for run in runs]
    stroke = [max(1, size // 36) if bold and run.font in _HAN.values() else 0 for run in runs]
    lengths = [face.getlength(run.text) for face, run in zip(faces, runs, strict=True)]
    margin = size  # room for marks above and below, and for overhanging first and last letters
    mask = Image.new("L", (int(sum(lengths)) + 2 * margin, 4 * size), 0)
    draw = ImageDraw.Draw(mask)
    x = float(margin)
    for run, face, thick, length in zip(runs, faces, stroke, lengths, strict=True):
        draw.text((x, 2.4 * size), run.text, fill=255, font=face, anchor="ls", stroke_width=thick)
        x += length
    box = mask.getbbox()
    if box is None:
        raise ValueError(f"{text!r} has no visible characters")
    return mask.crop(box)
