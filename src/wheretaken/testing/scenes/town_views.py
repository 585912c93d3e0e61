"""Scenes in towns of the world: town-entry and direction signs, public buildings, shop fronts."""

from __future__ import annotations

import math
import random

import numpy as np
from PIL import Image

from wheretaken.geo import LatLon, distance_km
from wheretaken.testing.scenes.backdrops import FASCIA, GLASS, WINDOWS_END, country_road, house_front
from wheretaken.testing.scenes.camera import conditions, photograph
from wheretaken.testing.scenes.contacts import domain, telephone
from wheretaken.testing.scenes.distractors import add_distractors
from wheretaken.testing.scenes.languages import WHITE, Paint, direction_paint, entry_paint
from wheretaken.testing.scenes.plates import SHEET_HEIGHT, SHEET_WIDTH, Plate, Row, Sheet, plate
from wheretaken.testing.scenes.scene import Difficulty, Scene
from wheretaken.testing.scenes.street_views import FRONTS
from wheretaken.testing.scenes.towns import Town, neighbours

ROAD_FACTOR = 1.3
"""Road distance over straight-line distance, as is usual between towns."""

_KM_PER_MILE = 1.609344
_MILES = frozenset({"US", "GB"})
_KM_PER_DEGREE = 111.2
_SIZE = {1: 1.0, 2: 0.82, 3: 0.78}
_CAPITALS = frozenset({"fr", "it", "es", "pt", "en", "ro", "hr", "id", "ms"})
"""Languages whose signs often write names in capitals."""


def _scaled(size: int, difficulty: Difficulty) -> int:
    return round(size * _SIZE[difficulty])


def _filled(template: str, name: str) -> list[str]:
    """Return the lines of a wording with the town's name in it, with the elisions that French makes."""
    text = template.replace("{}", name)
    if template.endswith((" de {}", "Tourisme|{}")) and template.startswith(("Gare", "Mairie")):
        if name[:1].lower() in "aeiouyéèêâh":
            text = text.replace(f"de {name}", f"d'{name}")
        text = text.replace("de Le ", "du ").replace("de Les ", "des ")
    return text.split("|")


def _number(town: Town, km: float) -> str:
    """Return a road distance as the country signs it."""
    if town.country in _MILES:
        return str(max(1, round(km / _KM_PER_MILE)))
    return str(max(1, round(km)))


def _on_posts(board: Plate, top: int) -> Sheet:
    """Return a sheet with a board on two steel posts, its upper edge at `top`, centred, and nothing else."""
    post = Paint((128, 130, 132), WHITE, (96, 98, 100))
    steel = plate(
        [Row(".", 8, decisive=False)],
        post,
        max_width=26,
        min_width=20,
        min_height=760,
        padding=2,
        edge=1,
        corner=2,
    )
    sheet = Sheet(Image.new("RGBA", (SHEET_WIDTH, SHEET_HEIGHT), (0, 0, 0, 0)))
    for share in (0.2, 0.8):
        x = SHEET_WIDTH // 2 + int(board.image.width * (share - 0.5))
        sheet.image.alpha_composite(steel.image, (x - 10, top + 24))
    sheet.place(board, (SHEET_WIDTH - board.image.width) // 2, top, shadow=0)
    return sheet


def _entry(town: Town, difficulty: Difficulty, rng: random.Random) -> Sheet:
    language = town.language
    name = town.local
    if language.code in _CAPITALS and rng.random() < 0.4:
        name = name.upper()
    lines = _filled(rng.choice(language.entry), name)
    rows = [
        Row(line, _scaled(96 if name in line else 54, difficulty), language=language.code) for line in lines
    ]
    if language.latin:
        rows.append(Row(town.latin, _scaled(56, difficulty)))
    board = plate(
        rows, entry_paint(town.country), max_width=860, min_width=420, padding=40, edge=8, corner=18
    )
    return _on_posts(board, 640 - board.image.height)


def _beside(town: Town, rng: random.Random) -> LatLon:
    """Return a point 6 to 16 km from a town, where a direction sign to it may stand."""
    km, bearing = rng.uniform(6, 16), rng.uniform(0, 2 * math.pi)
    lat = town.position.lat + km * math.cos(bearing) / _KM_PER_DEGREE
    lon = town.position.lon + km * math.sin(bearing) / (_KM_PER_DEGREE * math.cos(math.radians(lat)))
    return LatLon(round(lat, 5), round((lon + 180) % 360 - 180, 5))


def _direction(
    town: Town, at: LatLon, others: list[Town], difficulty: Difficulty, rng: random.Random
) -> Sheet:
    """Draw a distance sign at `at`: the nearest town first, the unit on all lines or none."""
    unit = f" {town.language.km}" if town.country not in _MILES and rng.random() < 0.5 else ""
    rows: list[Row] = []
    signed = [(ROAD_FACTOR * distance_km(at, place.position), place) for place in (town, *others)]
    for km, place in sorted(signed, key=lambda pair: pair[0]):
        distance = _number(town, km) + unit
        code = town.language.code
        rows.append(Row(place.local, _scaled(72, difficulty), tail=distance, language=code, space=0.55))
        if town.language.latin:
            rows.append(Row(place.latin, _scaled(42, difficulty)))
    board = plate(
        rows,
        direction_paint(town.country),
        max_width=880,
        min_width=640,
        padding=36,
        edge=7,
        corner=16,
        align="left",
    )
    return _on_posts(board, max(60, 700 - board.image.height))


def _civic(town: Town, difficulty: Difficulty, rng: random.Random, noise: np.random.Generator) -> Sheet:
    language = town.language
    lines = _filled(rng.choice(language.civic), town.local)
    rows = [Row(line, _scaled(74, difficulty), language=language.code) for line in lines]
    if language.latin:
        rows.append(Row(town.latin.upper(), _scaled(44, difficulty)))
    sheet = Sheet(house_front(rng, noise, shop=False))
    board = plate(rows, rng.choice(FRONTS), max_width=860, min_width=520, padding=26, edge=4)
    sheet.place(board, (SHEET_WIDTH - board.image.width) // 2, FASCIA[1] - 30)
    return sheet


def _storefront(town: Town, difficulty: Difficulty, rng: random.Random, noise: np.random.Generator) -> Sheet:
    """Draw a shop front whose window says where it is: address and town, telephone, domain."""
    language = town.language
    trade = rng.choice(language.shops)
    width, height = FASCIA[2] - FASCIA[0], FASCIA[3] - FASCIA[1]
    name = f"{trade} {town.local}" if language.script == "Latin" and rng.random() < 0.4 else trade
    row = Row(name, _scaled(70, difficulty), language=language.code)
    board = plate(
        [row],
        rng.choice(FRONTS),
        max_width=width,
        min_width=width,
        min_height=height,
        padding=12,
        edge=3,
        corner=2,
    )
    sheet = Sheet(house_front(rng, noise, shop=True))
    sheet.place(board, *FASCIA[:2])
    size = _scaled(44, difficulty)
    lines = [town.local]
    if language.streets:
        street = rng.choice(language.streets).replace("#", str(rng.randrange(1, 120)))
        lines = (
            [town.local, street]
            if language.code in {"ru", "uk", "ja", "zh", "zh-TW", "ko"}
            else [street, town.local]
        )
    rows = [Row(line, size, language=language.code) for line in lines]
    if language.latin and rng.random() < 0.5:
        rows.append(Row(town.latin, size))
    phone = telephone(town, rng)
    contacts = [text for text in (phone, domain(town, rng)) if text]
    rows.extend(Row(text, _scaled(38, difficulty), bold=False) for text in contacts)
    card = plate(
        rows,
        Paint((246, 244, 236), (34, 36, 40), (150, 146, 136)),
        max_width=560,
        padding=26,
        edge=2,
        corner=4,
    )
    sheet.place(card, GLASS[0] + rng.randrange(20, 120), GLASS[1] + 30)
    return sheet


def town_scene(town: Town, seed: int, difficulty: Difficulty) -> Scene:
    """Draw a photo of a sign in or near a town.

    Args:
        town: from `town_targets`.
        seed: which of the many possible photos of it; decides the kind of sign as well.
        difficulty: 1 to 3.

    Returns:
        The scene; its truth is the town's centre, or for a direction sign the place where that stands.
    """
    rng = random.Random(f"{town.geoname_id} {seed} {difficulty}")  # noqa: S311 - reproducible drawing, not secrecy
    noise = np.random.default_rng(rng.getrandbits(64))
    kind = rng.choices(("entry", "direction", "civic", "storefront"), weights=(4, 2, 3, 3))[0]
    truth = town.position
    if kind == "direction":
        truth = _beside(town, rng)
        others = neighbours(town, truth)
        sheet = _direction(town, truth, others, difficulty, rng)
    elif kind == "entry":
        sheet = _entry(town, difficulty, rng)
    elif kind == "civic":
        sheet = _civic(town, difficulty, rng, noise)
    else:
        sheet = _storefront(town, difficulty, rng, noise)
    on_posts = kind in {"entry", "direction"}
    if on_posts:  # under the board, between its posts
        below = sheet.taken[0][3] + 30
        spots = [(SHEET_WIDTH // 2 - 180, below), (SHEET_WIDTH // 2 + 10, below)]
    else:
        spots = [(1390, FASCIA[1]), (1250, WINDOWS_END + 20), (420, WINDOWS_END + 20), (1000, GLASS[1] + 60)]
    add_distractors(sheet, difficulty, rng, spots=spots)
    background = country_road(rng, noise) if on_posts else None
    image, marks = photograph(sheet, background, conditions(difficulty, rng), rng, noise)
    return Scene(image, truth, marks, kind, difficulty, seed, f"geonames:{town.geoname_id}", town.local,
                 town.language.code, town.language.script)  # fmt: skip
