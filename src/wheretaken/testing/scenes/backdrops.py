"""Procedural surroundings: a house front with or without a shop, and a country road.

Everything is drawn from noise of several scales, flat shapes and blur; nothing is a photograph. Sizes are
pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from wheretaken.testing.scenes.plates import SHEET_HEIGHT, SHEET_WIDTH
from wheretaken.testing.scenes.scene import HEIGHT, WIDTH

if TYPE_CHECKING:
    import random

    from wheretaken.testing.scenes.plates import Box

Pixels = npt.NDArray[np.floating[Any]]

GROUND = 1130
"""Where the pavement meets the wall, in sheet pixels."""
FASCIA: Box = (560, 560, 1340, 690)
"""The board over the shop window."""
GLASS: Box = (580, 712, 1320, 1100)
"""The shop window."""
WINDOWS_END = 430
"""Lower edge of the upper floor's windows: street signs hang between it and the fascia."""

_WALLS = ((222, 194, 150), (226, 220, 206), (188, 112, 84), (236, 220, 176), (186, 186, 184), (210, 160, 128))
_SHOP_FRAMES = ((44, 48, 52), (82, 52, 34), (28, 58, 50), (118, 24, 30), (232, 228, 220))


def clouds(shape: tuple[int, int], rng: np.random.Generator, *, octaves: int = 5, base: int = 3) -> Pixels:
    """Return smooth noise in 0..1, mean near 0.5: layers, each twice as fine and half as strong."""
    height, width = shape
    total = np.zeros(shape, np.float32)
    weight, norm = 1.0, 0.0
    for octave in range(octaves):
        cells = base * 2**octave
        grid = rng.random((cells + 1, max(2, cells * width // height) + 1), dtype=np.float32)
        total += weight * cast("Pixels", cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC))
        norm += weight
        weight /= 2
    return np.clip(total / norm, 0, 1)


def _to_image(pixels: Pixels) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGB")


def _gradient(top: tuple[int, int, int], bottom: tuple[int, int, int], width: int, height: int) -> Pixels:
    ramp = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    column = np.asarray(top, np.float32) * (1 - ramp) + np.asarray(bottom, np.float32) * ramp
    return np.repeat(column, width, axis=1)


def _wall(rng: random.Random, noise: np.random.Generator) -> Pixels:
    """Return a plastered or brick wall of sheet size."""
    colour = np.asarray(rng.choice(_WALLS), np.float32)
    shape = (SHEET_HEIGHT, SHEET_WIDTH)
    stain = clouds(shape, noise, octaves=6, base=4)[..., None]
    grain = noise.normal(0, 3.0, shape).astype(np.float32)[..., None]
    wall = colour * (0.82 + 0.32 * stain) + grain
    if rng.random() < 0.5:
        return wall
    tall, wide, joint = 22, 66, 3
    y, x = np.mgrid[0:SHEET_HEIGHT, 0:SHEET_WIDTH]
    course = y // tall
    shifted = x + (course % 2) * (wide // 2)
    shade = noise.normal(1, 0.07, (SHEET_HEIGHT // tall + 1, SHEET_WIDTH // wide + 2)).astype(np.float32)
    wall = wall * shade[course, shifted // wide][..., None]
    mortar = (y % tall < joint) | (shifted % wide < joint)
    wall[mortar] = wall[mortar] * 0.35 + np.asarray((176, 170, 160), np.float32) * 0.6
    return wall


def _pane(
    width: int, height: int, rng: random.Random, noise: np.random.Generator, *, lit: float
) -> Image.Image:
    """Return a window pane: a dim room behind, the sky's reflection, lamps where it is lit."""
    room = _gradient((96, 110, 124), (50, 52, 56), width, height) * (
        0.7 + 0.6 * clouds((height, width), noise)[..., None]
    )
    image = _to_image(room)
    draw = ImageDraw.Draw(image)
    for _ in range(int(lit * 9)):
        x, y, r = rng.randrange(width), rng.randrange(height), rng.randrange(8, 30)
        draw.ellipse((x - r, y - r // 2, x + r, y + r // 2), fill=(226, 190, 128))
    for _ in range(int(lit * 8)):
        x, tall = rng.randrange(width), rng.randrange(height // 4, height // 2)
        tone = rng.randrange(50, 140)
        draw.rectangle(
            (x, height - tall, x + rng.randrange(20, 70), height), fill=(tone, tone - 10, tone - 24)
        )
    image = image.filter(ImageFilter.GaussianBlur(9))
    sky = Image.new("L", image.size, 0)
    lean = width // 3
    ImageDraw.Draw(sky).polygon(
        [(0, 0), (width * 2 // 3, 0), (width * 2 // 3 - lean, height), (0, height)], fill=76
    )
    tint = Image.new("RGB", image.size, (186, 204, 222))
    return Image.composite(tint, image, sky.filter(ImageFilter.GaussianBlur(16)))


def _windows(
    image: Image.Image, rng: random.Random, noise: np.random.Generator, rows: tuple[tuple[int, int], ...]
) -> None:
    draw = ImageDraw.Draw(image)
    frame = rng.choice([(236, 234, 226), (70, 54, 44), (52, 58, 62)])
    wide, step, offset = rng.choice([150, 180]), rng.choice([270, 310]), rng.randrange(40, 160)
    for top, bottom in rows:
        for x in range(offset, SHEET_WIDTH - wide, step):
            image.paste(_pane(wide, bottom - top, rng, noise, lit=0.2), (x, top))
            for inset in range(9):
                draw.rectangle((x + inset, top + inset, x + wide - inset, bottom - inset), outline=frame)
            draw.rectangle((x + wide // 2 - 4, top, x + wide // 2 + 4, bottom), fill=frame)
            draw.rectangle((x - 12, bottom, x + wide + 12, bottom + 14), fill=(150, 146, 138))
            draw.rectangle((x - 12, bottom + 14, x + wide + 12, bottom + 20), fill=(84, 80, 76))


def _ground(image: Image.Image, noise: np.random.Generator) -> None:
    """Draw pavement slabs, the kerb and a strip of road below the wall."""
    height = SHEET_HEIGHT - GROUND
    tone = 118 + 40 * clouds((height, SHEET_WIDTH), noise, octaves=6, base=5)[..., None]
    slabs = np.repeat(tone, 3, axis=2) + noise.normal(0, 4, (height, SHEET_WIDTH, 1)).astype(np.float32)
    image.paste(_to_image(slabs), (0, GROUND))
    draw = ImageDraw.Draw(image)
    for x in range(-600, SHEET_WIDTH + 600, 130):
        draw.line(
            (x, GROUND, (x - SHEET_WIDTH // 2) * 2 + SHEET_WIDTH // 2, SHEET_HEIGHT),
            fill=(96, 96, 94),
            width=2,
        )
    for y in (GROUND + 26, GROUND + 70):
        draw.line((0, y, SHEET_WIDTH, y), fill=(98, 98, 96), width=2)
    draw.rectangle((0, GROUND + 140, SHEET_WIDTH, GROUND + 166), fill=(172, 170, 164))
    draw.rectangle((0, GROUND + 166, SHEET_WIDTH, SHEET_HEIGHT), fill=(70, 71, 74))


def _shop_front(image: Image.Image, rng: random.Random, noise: np.random.Generator) -> None:
    draw = ImageDraw.Draw(image)
    frame = rng.choice(_SHOP_FRAMES)
    left, top, right, bottom = GLASS
    for x0, x1 in ((left - 20, right + 20), (1410, 1990)):
        draw.rectangle((x0, top - 14, x1, GROUND), fill=frame)
        image.paste(_pane(x1 - x0 - 40, bottom - top, rng, noise, lit=1.0), (x0 + 20, top))
        draw.rectangle(((x0 + x1) // 2 + 120, top, (x0 + x1) // 2 + 130, bottom), fill=frame)
    draw.rectangle((1410, FASCIA[1], 1990, FASCIA[3]), fill=rng.choice(_SHOP_FRAMES))
    # A house door to the left of the shop.
    draw.rectangle((400, 690, 530, GROUND), fill=(58, 44, 34))
    image.paste(_pane(100, 190, rng, noise, lit=0.3), (415, 710))
    draw.rectangle((512, 930, 520, 980), fill=(170, 150, 90))


@dataclass(frozen=True, slots=True)
class _Blob:
    x: int
    y: int
    radius: int


def foliage(
    size: tuple[int, int], blobs: int, area: Box, rng: random.Random, noise: np.random.Generator
) -> Image.Image:
    """Return leaves as an RGBA picture: round clumps in `area`, mottled in greens, ragged at the rim."""
    clumps = [
        _Blob(rng.randrange(area[0], area[2]), rng.randrange(area[1], area[3]), rng.randrange(24, 78))
        for _ in range(blobs)
    ]
    mask = Image.new("L", size, 0)
    draw = ImageDraw.Draw(mask)
    for clump in clumps:
        box = (clump.x - clump.radius, clump.y - clump.radius, clump.x + clump.radius, clump.y + clump.radius)
        draw.ellipse(box, fill=255)
    ragged = clouds((size[1], size[0]), noise, octaves=3, base=36)
    soft = np.asarray(mask.filter(ImageFilter.GaussianBlur(10)), np.float32) / 255
    alpha = np.clip((soft + ragged - 1.02) * 9, 0, 1) * 255
    light = clouds((size[1], size[0]), noise, octaves=4, base=24)[..., None]
    green = np.asarray((38, 70, 26), np.float32) * (0.55 + 1.3 * light)
    return Image.merge("RGBA", (*_to_image(green).split(), Image.fromarray(alpha.astype(np.uint8), "L")))


def house_front(rng: random.Random, noise: np.random.Generator, *, shop: bool) -> Image.Image:
    """Return a house front of sheet size, RGBA, with a shop or a plain ground floor below `FASCIA`."""
    image = _to_image(_wall(rng, noise))
    rows = ((40, WINDOWS_END - 20),) if shop else ((40, WINDOWS_END - 20), (760, 1040))
    _windows(image, rng, noise, rows)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 522, SHEET_WIDTH, 536), fill=(150, 144, 134))
    draw.rectangle((0, 536, SHEET_WIDTH, 542), fill=(88, 84, 78))
    if shop:
        _shop_front(image, rng, noise)
    _ground(image, noise)
    # Daylight from one side, and the soft shadow of the house across the street.
    light = np.linspace(0.86, 1.1, SHEET_WIDTH, dtype=np.float32)[None, :, None]
    if rng.random() < 0.5:
        light = light[:, ::-1]
    image = _to_image(np.asarray(image, np.float32) * light)
    shade = Image.new("L", image.size, 0)
    foot, lean = rng.randrange(200, 1500), rng.randrange(-300, 300)
    corners = [(foot, 0), (foot + 900, 0), (foot + 900 + lean, SHEET_HEIGHT), (foot + lean, SHEET_HEIGHT)]
    ImageDraw.Draw(shade).polygon(corners, fill=rng.randrange(20, 56))
    dark = Image.new("RGB", image.size, (16, 18, 28))
    return Image.composite(dark, image, shade.filter(ImageFilter.GaussianBlur(30))).convert("RGBA")


def country_road(rng: random.Random, noise: np.random.Generator) -> Image.Image:
    """Return sky, hills, trees and a road to the horizon, in photo size, RGB, a little out of focus."""
    horizon = int(HEIGHT * rng.uniform(0.52, 0.62))
    sky = _gradient(
        rng.choice([(96, 146, 206), (142, 168, 196), (170, 180, 190)]), (214, 222, 226), WIDTH, HEIGHT
    )
    veil = np.clip((clouds((HEIGHT, WIDTH), noise, octaves=6) - 0.46) * 3.2, 0, 1)[..., None]
    image = _to_image(sky * (1 - 0.8 * veil) + 238 * 0.8 * veil)
    draw = ImageDraw.Draw(image)
    for depth in range(3):
        peaks = noise.random(14) * 120 + np.sin(np.arange(14) + depth) * 20
        ridge = np.interp(np.arange(WIDTH), np.linspace(0, WIDTH, 14), peaks)
        tone = (150 - 34 * depth, 166 - 26 * depth, 172 - 46 * depth)
        line = [(x, horizon - 96 + 34 * depth + int(ridge[x]) - 60) for x in range(0, WIDTH, 6)]
        draw.polygon([(0, HEIGHT), *line, (WIDTH, HEIGHT)], fill=tone)
    grass = np.asarray((104, 122, 58), np.float32) * (
        0.6 + 0.8 * clouds((HEIGHT, WIDTH), noise, octaves=7, base=6)[..., None]
    )
    image.paste(_to_image(grass).crop((0, horizon, WIDTH, HEIGHT)), (0, horizon))
    _road(image, horizon, rng.uniform(0.2, 0.8), noise)
    trees = foliage((WIDTH, HEIGHT), 60, (0, horizon - 60, WIDTH, horizon + 10), rng, noise)
    image.paste(trees, (0, 0), trees)
    side = rng.choice([(-60, 0, 150, horizon), (WIDTH - 150, 0, WIDTH + 60, horizon)])
    near = foliage((WIDTH, HEIGHT), 40, (side[0], horizon // 3, side[2], horizon + 20), rng, noise)
    image.paste(near, (0, 0), near)
    return image.filter(ImageFilter.GaussianBlur(rng.uniform(1.4, 2.6)))


def _road(image: Image.Image, horizon: int, where: float, noise: np.random.Generator) -> None:
    tone = 84 + 24 * clouds((HEIGHT, WIDTH), noise, octaves=6, base=8)[..., None]
    asphalt = _to_image(
        np.repeat(tone, 3, axis=2) + noise.normal(0, 4, (HEIGHT, WIDTH, 1)).astype(np.float32)
    )
    vanish, foot = int(WIDTH * where), int(WIDTH * (0.5 + (where - 0.5) * 0.3))
    mask = Image.new("L", image.size, 0)
    body = [(vanish - 6, horizon), (vanish + 6, horizon), (foot + 560, HEIGHT), (foot - 560, HEIGHT)]
    ImageDraw.Draw(mask).polygon(body, fill=255)
    image.paste(asphalt, (0, 0), mask)
    draw = ImageDraw.Draw(image)
    steps = [(i / 12) ** 2.2 for i in range(13)]
    for near, far in zip(steps[1::2], steps[::2], strict=False):
        (x0, y0), (x1, y1) = (
            (vanish + (foot - vanish) * t, horizon + (HEIGHT - horizon) * t) for t in (near, far)
        )
        draw.polygon(
            [(x0 - 9 * near, y0), (x0 + 9 * near, y0), (x1 + 9 * far, y1), (x1 - 9 * far, y1)],
            fill=(226, 224, 214),
        )
