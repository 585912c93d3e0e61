"""Sign plates: lines of text on a coloured board, each line scaled to fit inside, with the place of its ink.

A plate is drawn flat, at the size it has on the wall; `Sheet.place` puts it there, with a shadow. Where a
text ends up in the photo follows from the camera's homography, so the marks of a sheet are kept in sheet
pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFilter

from wheretaken.testing import fonts
from wheretaken.testing.scenes.scene import Mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.testing.scenes.languages import Paint

Box = tuple[int, int, int, int]

_SMALLEST = 8  # pixels per em; below this, letters are no letters

SHEET_WIDTH, SHEET_HEIGHT = 2048, 1400
"""A wall is drawn larger than the photo, since a turned camera sees more of its far side."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line on a plate."""

    text: str
    size: int
    """Pixels per em wanted; less when the line would not fit."""
    tail: str = ""
    """A second text at the right edge of the same line, such as a distance."""
    bold: bool = True
    language: str = ""
    decisive: bool = True
    space: float = 0.36
    """Room above the row, as a share of its size; ignored for the first."""


@dataclass(frozen=True, slots=True)
class Plate:
    """A drawn plate: RGBA, with the ink boxes of its texts in its own pixels."""

    image: Image.Image
    inks: tuple[tuple[str, Box, bool], ...]
    """Text, (left, top, right, bottom) of its ink, and whether it is decisive."""


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    mask: Image.Image
    row: Row


def _halves(text: str) -> tuple[str, str] | None:
    """Cut a text at the space nearest to its middle."""
    spaces = [i for i, char in enumerate(text) if char == " "]
    if not spaces:
        return None
    cut = min(spaces, key=lambda i: abs(i - len(text) / 2))
    return text[:cut], text[cut + 1 :]


def _fitted(text: str, row: Row, room: int) -> Image.Image:
    """Return the ink of a text at the row's size, or at the largest size that is at most `room` wide."""
    size = row.size
    mask = fonts.ink(text, size, bold=row.bold, language=row.language)
    while mask.width > room:
        size = min(size - 1, int(size * room / mask.width))
        if size < _SMALLEST:
            raise ValueError(f"{text!r} does not fit into {room} pixels")
        mask = fonts.ink(text, size, bold=row.bold, language=row.language)
    return mask


def _lines(rows: Sequence[Row], room: int) -> list[list[_Piece]]:
    """Set every row: one piece, or text and tail; a text much too long for its line takes two."""
    lines: list[list[_Piece]] = []
    for row in rows:
        if row.tail:
            tail = _Piece(row.tail, _fitted(row.tail, row, room // 3), row)
            text = _Piece(row.text, _fitted(row.text, row, room - tail.mask.width - row.size), row)
            lines.append([text, tail])
            continue
        whole = fonts.ink(row.text, row.size, bold=row.bold, language=row.language)
        halves = _halves(row.text) if whole.width > 1.35 * room else None
        lines.extend([_Piece(part, _fitted(part, row, room), row)] for part in halves or (row.text,))
    return lines


def plate(
    rows: Sequence[Row],
    paint: Paint,
    *,
    max_width: int,
    min_width: int = 0,
    min_height: int = 0,
    padding: int = 22,
    edge: int = 5,
    corner: int = 10,
    align: str = "centre",
    board: bool = True,
) -> Plate:
    """Draw rows of text on a board.

    Args:
        rows: top to bottom.
        paint: colours of board, letters and border.
        max_width: of the whole plate, in pixels; text is shrunk, or cut in two lines, to keep within it.
        min_width: of the whole plate.
        min_height: of the whole plate; the rows are then centred.
        padding: between border and ink.
        edge: width of the border; 0 for none.
        corner: radius of the corners.
        align: "centre" or "left"; a row with a tail always fills the width.
        board: False for letters without a board (on glass, or mounted on the wall one by one).

    Raises:
        ValueError: a text does not fit into `max_width` at any legible size.
    """
    inset = padding + edge
    lines = _lines(rows, max_width - 2 * inset)
    gaps = [int(line[0].row.size * line[0].row.space) for line in lines[1:]]
    needed = max(
        sum(piece.mask.width for piece in line) + (len(line) - 1) * line[0].row.size for line in lines
    )
    width = max(min_width, needed + 2 * inset)
    heights = [max(piece.mask.height for piece in line) for line in lines]
    content = sum(heights) + sum(gaps)
    height = max(min_height, content + 2 * inset)
    image = Image.new("RGBA", (width, height), (*paint.fill, 0))
    if board:
        _board(image, paint, edge, corner)
    inks: list[tuple[str, Box, bool]] = []
    y = (height - content) // 2
    for line, tall, gap in zip(lines, heights, [*gaps, 0], strict=True):
        for index, piece in enumerate(line):
            x = inset if align == "left" or len(line) > 1 else (width - piece.mask.width) // 2
            if index:
                x = width - inset - piece.mask.width
            top = y + (tall - piece.mask.height) // 2
            colour = Image.new("RGBA", piece.mask.size, (*paint.ink, 255))
            image.paste(colour, (x, top), piece.mask)
            box = (x, top, x + piece.mask.width, top + piece.mask.height)
            inks.append((piece.text, box, piece.row.decisive))
        y += tall + gap
    return Plate(image, tuple(inks))


def _board(image: Image.Image, paint: Paint, edge: int, corner: int) -> None:
    """Draw the board: rim, border line, and the sky's faint reflection in its upper part."""
    draw = ImageDraw.Draw(image)
    width, height = image.size
    draw.rounded_rectangle((0, 0, width - 1, height - 1), corner, fill=(*paint.fill, 255))
    if edge:
        rim = max(2, edge // 2)
        box = (rim, rim, width - 1 - rim, height - 1 - rim)
        draw.rounded_rectangle(box, max(corner - rim, 0), outline=(*paint.edge, 255), width=edge)
    shine = Image.new("L", image.size, 0)
    points = [(0, 0), (int(width * 0.62), 0), (int(width * 0.38), height), (0, height)]
    ImageDraw.Draw(shine).polygon(points, fill=16)
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    blended = Image.composite(white, image, shine.filter(ImageFilter.GaussianBlur(12)))
    blended.putalpha(image.getchannel("A"))
    image.paste(blended)


@dataclass(slots=True)
class Sheet:
    """A wall, or an empty plane that holds a road sign, with the marks placed on it."""

    image: Image.Image
    """RGBA, `SHEET_WIDTH` x `SHEET_HEIGHT`; transparent where there is nothing."""
    marks: list[Mark] = field(default_factory=list[Mark])
    taken: list[Box] = field(default_factory=list[Box])
    """Where plates are already."""

    def place(self, sign: Plate, x: int, y: int, *, shadow: int = 7) -> Box:
        """Mount a plate with its upper left corner at (x, y) and return the box it covers."""
        if shadow:
            reach = 4 * shadow  # the blur fades within it
            size = (sign.image.width + 2 * reach, sign.image.height + 2 * reach)
            alpha = Image.new("L", size, 0)
            alpha.paste(
                sign.image.getchannel("A").point([value * 2 // 5 for value in range(256)]), (reach, reach)
            )
            dark = Image.new("RGBA", size, (10, 10, 14, 0))
            dark.putalpha(alpha.filter(ImageFilter.GaussianBlur(shadow)))
            self.image.alpha_composite(dark, (x + shadow - reach, y + shadow - reach))
        self.image.alpha_composite(sign.image, (x, y))
        for text, (left, top, right, bottom), decisive in sign.inks:
            x0, y0, x1, y1 = float(x + left), float(y + top), float(x + right), float(y + bottom)
            self.marks.append(Mark(text, ((x0, y0), (x1, y0), (x1, y1), (x0, y1)), decisive))
        box = (x, y, x + sign.image.width, y + sign.image.height)
        self.taken.append(box)
        return box

    def is_free(self, box: Box) -> bool:
        """Return whether no plate is in the box, nor within a hand's breadth of it."""
        gap = 12
        return not any(
            box[0] < right + gap and left < box[2] + gap and box[1] < bottom + gap and top < box[3] + gap
            for left, top, right, bottom in self.taken
        )
