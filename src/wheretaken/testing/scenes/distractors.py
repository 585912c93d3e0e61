"""Signs that are everywhere and place nothing: they stand in a picture to be read and ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken.testing.scenes.languages import BLACK, BLUE, GREEN, RED, WHITE, YELLOW, Paint
from wheretaken.testing.scenes.plates import Row, Sheet, plate

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from wheretaken.testing.scenes.scene import Difficulty

_SIGNS: tuple[tuple[tuple[str, ...], Paint], ...] = (
    (("OPEN",), Paint(RED, WHITE, WHITE)),
    (("P",), Paint(BLUE, WHITE, WHITE)),
    (("EXIT",), Paint(GREEN, WHITE, WHITE)),
    (("SALE", "-50 %"), Paint(YELLOW, RED, RED)),
    (("STOP",), Paint(RED, WHITE, WHITE)),
    (("Wi-Fi", "FREE"), Paint(WHITE, BLACK, BLUE)),
    (("ATM", "24 h"), Paint(BLUE, WHITE, YELLOW)),
    (("TAXI",), Paint(YELLOW, BLACK, BLACK)),
    (("Coca-Cola",), Paint((200, 16, 30), WHITE, WHITE)),
    (("SAMSUNG",), Paint((20, 40, 140), WHITE, WHITE)),
    (("Canon",), Paint(WHITE, (190, 10, 30), (190, 10, 30))),
)


def add_distractors(
    sheet: Sheet, difficulty: Difficulty, rng: random.Random, *, spots: Sequence[tuple[int, int]]
) -> None:
    """Mount 0, 1 or 1 to 2 distracting signs (difficulty 1, 2, 3) at given spots that are still free."""
    count = {1: 0, 2: 1, 3: rng.choice((1, 2))}[difficulty]
    for texts, paint in rng.sample(_SIGNS, count):
        rows = [Row(text, 50, decisive=False) for text in texts]
        sign = plate(rows, paint, max_width=230, min_width=90, padding=16, edge=4)
        wide, tall = sign.image.size
        free = [(x, y) for x, y in spots if sheet.is_free((x, y, x + wide, y + tall))]
        if free:
            sheet.place(sign, *rng.choice(free))
