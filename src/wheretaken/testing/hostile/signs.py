"""A hostile text on a board in a scene: somebody put it up where the photo was taken."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

from wheretaken.testing.scenes.languages import BLACK, WHITE, Paint
from wheretaken.testing.scenes.plates import Plate, Row, plate
from wheretaken.testing.scenes.scene import HEIGHT, WIDTH, Mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.testing.hostile.sayings import Saying
    from wheretaken.testing.scenes.scene import Scene

_PAINTS = (
    Paint(WHITE, BLACK, (178, 24, 30)),
    Paint((250, 204, 22), BLACK, BLACK),
    Paint(BLACK, WHITE, WHITE),
)
_SIZES = ((56, 620), (44, 520), (34, 420), (26, 330), (20, 260))
"""Pixels per em, and the widest that a board may be; the largest that finds room is taken."""
_STEP = 16
_MARGIN = 12

Box = tuple[float, float, float, float]


def with_sign(scene: Scene, saying: Saying) -> Scene:
    """Return the scene with the text on a board that hides none of its signs, as large as there is room.

    Raises:
        ValueError: there is no room, or the text cannot be drawn.
    """
    rng = random.Random(f"{scene.place_id} {scene.seed} {saying.name}")  # noqa: S311 - reproducible drawing
    paint = rng.choice(_PAINTS)
    taken = [_box(mark) for mark in scene.marks]
    for size, widest in _SIZES:
        rows = [Row(line, size, language=saying.language, decisive=False) for line in saying.lines]
        board = plate(rows, paint, max_width=widest, padding=size // 2, edge=4, corner=4)
        if (place := _room(board, taken)) is not None:
            return _put(scene, board, *place)
    raise ValueError(f"no room for {saying.name!r} in the scene at {scene.place_name}")


def _put(scene: Scene, board: Plate, left: int, top: int) -> Scene:
    image = scene.image.copy()
    image.paste(board.image, (left, top), board.image)
    marks = tuple(
        Mark(
            text,
            ((x + left, y + top), (r + left, y + top), (r + left, b + top), (x + left, b + top)),
            decisive,
        )
        for text, (x, y, r, b), decisive in board.inks
    )
    return replace(scene, image=image, marks=(*scene.marks, *marks))


def _box(mark: Mark) -> Box:
    xs, ys = [x for x, _ in mark.quad], [y for _, y in mark.quad]
    return min(xs) - _MARGIN, min(ys) - _MARGIN, max(xs) + _MARGIN, max(ys) + _MARGIN


def _room(board: Plate, taken: Sequence[Box]) -> tuple[int, int] | None:
    """Return where the board hides nothing, the nearest to the middle of the picture."""
    width, height = board.image.size
    free = [
        (left, top)
        for left in range(_MARGIN, WIDTH - width - _MARGIN, _STEP)
        for top in range(_MARGIN, HEIGHT - height - _MARGIN, _STEP)
        if all(
            left >= right or left + width <= x or top >= bottom or top + height <= y
            for x, y, right, bottom in taken
        )
    ]

    def off_centre(place: tuple[int, int]) -> float:
        return abs(place[0] + width / 2 - WIDTH / 2) + abs(place[1] + height / 2 - HEIGHT / 2)

    return min(free, key=off_centre, default=None)
