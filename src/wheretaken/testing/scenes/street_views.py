"""Scenes in the streets of a region: what a passer-by sees on the walls, in central Helsinki by default."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np

from wheretaken.testing.scenes.backdrops import FASCIA, GLASS, WINDOWS_END, house_front
from wheretaken.testing.scenes.camera import conditions, photograph
from wheretaken.testing.scenes.distractors import add_distractors
from wheretaken.testing.scenes.languages import BLACK, WHITE, YELLOW, Paint
from wheretaken.testing.scenes.plates import Plate, Row, Sheet, plate
from wheretaken.testing.scenes.scene import Difficulty, Scene
from wheretaken.testing.scenes.streets import helsinki

if TYPE_CHECKING:
    from wheretaken.testing.scenes.languages import Paint as _Paint
    from wheretaken.testing.scenes.manners import Manners
    from wheretaken.testing.scenes.streets import District, StreetTarget

FRONTS: tuple[_Paint, ...] = (
    Paint((30, 34, 38), (240, 236, 226), (30, 34, 38)),
    Paint((118, 26, 32), (250, 240, 214), (86, 14, 20)),
    Paint((242, 240, 232), (30, 40, 60), (190, 186, 176)),
    Paint((24, 74, 64), (242, 232, 196), (14, 50, 44)),
    Paint((236, 190, 60), (40, 28, 20), (196, 150, 30)),
    Paint((34, 66, 122), (246, 246, 246), (24, 46, 90)),
)
"""Colours of shop fascias."""

_SIZE = {1: 1.0, 2: 0.84, 3: 0.84}
"""How large letters are, against difficulty 1."""


def _scaled(size: int, difficulty: Difficulty) -> int:
    return round(size * _SIZE[difficulty])


def street_sign(
    first: str, second: str, difficulty: Difficulty, paint: _Paint, *, language: str = ""
) -> Plate:
    """Draw a street sign: one language above the other, equal letters."""
    names = [name for name in (first, second) if name]
    size = _scaled(38, difficulty)
    rows = [Row(name.upper() if paint.fill == WHITE else name, size, language=language) for name in names]
    return plate(rows, paint, max_width=470, padding=14, edge=3, corner=6)


def house_number(number: str, difficulty: Difficulty, paint: _Paint) -> Plate:
    """Draw the enamel plate with a house number."""
    return plate(
        [Row(number, _scaled(46, difficulty))],
        paint,
        max_width=170,
        min_width=84,
        padding=14,
        edge=3,
        corner=8,
    )


def fascia(shop: StreetTarget, difficulty: Difficulty, rng: random.Random, *, language: str = "") -> Plate:
    """Draw the board over a shop window: the name, and the trade where the name does not say it."""
    rows = [Row(shop.name, _scaled(68, difficulty), bold=rng.random() < 0.7, language=language)]
    if shop.trade and shop.trade.casefold() not in shop.name.casefold() and rng.random() < 0.5:
        small = _scaled(28, difficulty)
        rows.append(Row(shop.trade, small, bold=False, decisive=False, language=language))
    width, height = FASCIA[2] - FASCIA[0], FASCIA[3] - FASCIA[1]
    return plate(
        rows,
        rng.choice(FRONTS),
        max_width=width,
        min_width=width,
        min_height=height,
        padding=10,
        edge=3,
        corner=2,
    )


def _on_glass(
    sheet: Sheet, shop: StreetTarget, difficulty: Difficulty, rng: random.Random, manners: Manners
) -> None:
    """Letter opening hours, telephone and website on the shop window, where OpenStreetMap has them."""
    size, language = _scaled(30, difficulty), manners.language
    rows = [Row(line, size, bold=False, decisive=False, language=language) for line in shop.hours[:4]]
    if rows:
        rows.insert(0, Row(rng.choice(manners.open), size, decisive=False, language=language))
    contacts = [Row(text, size, bold=False, decisive=False) for text in (shop.phone, shop.website) if text]
    white = Paint((0, 0, 0), (238, 238, 232), (0, 0, 0))
    for index, block in enumerate(block for block in (rows, contacts) if block):
        letters = plate(block, white, max_width=400, align="left", board=False, edge=0)
        sheet.place(letters, GLASS[0] + 30, GLASS[1] + 30 + 230 * index, shadow=0)


def _stop(sheet: Sheet, stop: StreetTarget, difficulty: Difficulty, manners: Manners) -> None:
    """Stand the sign of a stop in front of the house: the name in both languages, on a pole."""
    pole = Paint((96, 98, 102), WHITE, (70, 72, 76))
    post = plate(
        [Row(".", 8, decisive=False)],
        pole,
        max_width=26,
        min_width=22,
        min_height=760,
        padding=2,
        edge=1,
        board=True,
    )
    names = dict.fromkeys(name for name in (stop.name, stop.name_second) if name)
    rows = [Row(name, _scaled(52, difficulty), language=manners.language) for name in names]
    sign = plate(rows, Paint(WHITE, BLACK, (0, 122, 80)), max_width=560, min_width=300, padding=22, edge=7)
    tram = plate(
        [Row(manners.stop, _scaled(60, difficulty), decisive=False, language=manners.language)],
        Paint(YELLOW, BLACK, BLACK),
        max_width=120,
        min_width=110,
        min_height=110,
    )
    left = 960 - sign.image.width // 2
    sheet.image.alpha_composite(post.image, (949, 420))
    sheet.place(tram, 905, 230)
    sheet.place(sign, left, 352)


def street_scene(
    target: StreetTarget, seed: int, difficulty: Difficulty, district: District | None = None
) -> Scene:
    """Draw a photo at a place of a region, with the signs that stand there together.

    Args:
        target: from `street_targets`.
        seed: which of the many possible photos of it.
        difficulty: 1 to 3.
        district: where the target is from; by default the built-in region.
    """
    district = district or helsinki()
    manners, language = district.manners, district.manners.language
    rng = random.Random(f"{target.osm_id} {seed} {difficulty}")  # noqa: S311 - reproducible drawing, not secrecy
    noise = np.random.default_rng(rng.getrandbits(64))
    sheet = Sheet(house_front(rng, noise, shop=True))
    neighbours = district.shops_near(target)
    shop = target if target.kind == "shop" else next(iter(neighbours), None)
    others = [place for place in neighbours if place != shop]
    paint = rng.choice(manners.streets)
    needs_street = target.kind in {"address", "crossing"} or target.chain or rng.random() < 0.6
    kind = target.kind
    if shop is not None:
        sheet.place(fascia(shop, difficulty, rng, language=language), *FASCIA[:2])
        _on_glass(sheet, shop, difficulty, rng, manners)
    street, second = district.street_at(target)
    if target.kind == manners.stops:
        _stop(sheet, target, difficulty, manners)
    elif street and needs_street:
        kind = "corner" if target.kind == "shop" else kind
        _street_signs(sheet, target, (street, second), difficulty, paint, language)
    if others and rng.random() < 0.75:
        blade = plate(
            [Row(others[0].name, _scaled(40, difficulty), language=language)],
            rng.choice(FRONTS),
            max_width=330,
            padding=16,
            edge=3,
        )
        sheet.place(blade, 1390, FASCIA[1] + 20)
    add_distractors(sheet, difficulty, rng, spots=((610, 930), (1050, 800), (1060, 950)))
    image, marks = photograph(sheet, None, conditions(difficulty, rng), rng, noise)
    return Scene(
        image,
        target.position,
        marks,
        kind,
        difficulty,
        seed,
        target.osm_id,
        target.name,
        language,
        manners.script,
    )


def _street_signs(
    sheet: Sheet,
    target: StreetTarget,
    street: tuple[str, str],
    difficulty: Difficulty,
    paint: _Paint,
    language: str,
) -> None:
    """Mount the sign of the street, and beside it the house number or, at a crossing, the other street's."""
    sign = street_sign(*street, difficulty, paint, language=language)
    sheet.place(sign, 590, WINDOWS_END + (FASCIA[1] - WINDOWS_END - sign.image.height) // 2 - 12)
    if target.other_street:
        names = target.other_street, target.other_street_second
        other = street_sign(*names, difficulty, paint, language=language)
        sheet.place(other, 1120, WINDOWS_END + (FASCIA[1] - WINDOWS_END - other.image.height) // 2 - 12)
    elif target.house_number:
        sheet.place(house_number(target.house_number, difficulty, paint), 1120, WINDOWS_END + 4)


def example_scene() -> Scene:
    """Draw the picture of the README and the demo: a restaurant at a street corner in Helsinki."""
    return street_scene(helsinki().find("Zucchini"), seed=4, difficulty=1)
