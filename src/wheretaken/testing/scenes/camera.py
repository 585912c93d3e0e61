"""The photographer: from a flat sheet of signs to a photo of it, at one of three levels of difficulty.

A pinhole camera looks at the sheet's plane from `yaw`, `pitch` and `roll`; the frame is then moved and zoomed
so that every decisive text is inside it. After that come, in the order in which light meets them: what stands
in front, uneven light, lens blur, motion, resolution, sensor noise, JPEG.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from wheretaken.testing.scenes.backdrops import clouds, foliage
from wheretaken.testing.scenes.plates import SHEET_HEIGHT, SHEET_WIDTH
from wheretaken.testing.scenes.scene import HEIGHT, WIDTH, Difficulty, Mark, Quad

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from wheretaken.testing.scenes.plates import Box, Sheet

Pixels = npt.NDArray[np.floating[Any]]
Matrix = npt.NDArray[np.float64]

_FOCAL = 1.25 * WIDTH
_MARGIN = 46
_COVERABLE, _COVERABLE_LETTER = 0.1, 0.4
"""Share of a decisive text, and of any one letter of it, that something in front may hide."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """How a photo was taken. Angles in degrees, lengths in pixels of the photo."""

    yaw: float
    pitch: float
    roll: float
    blur: float
    """Standard deviation of the lens blur."""
    motion: int
    """Length of the motion blur; 0 for none."""
    noise: float
    """Standard deviation of the sensor noise, of 255."""
    gain: float
    """Exposure; 1 is right."""
    uneven: float
    """How much darker the dark side is than the bright one, 0..1."""
    resolution: float
    """Share of the picture's own resolution that the sensor resolves."""
    jpeg: int
    """JPEG quality the photo was once saved with."""
    covered: bool
    """Whether a pole or leaves are in front and dirt on the signs."""


def conditions(difficulty: Difficulty, rng: random.Random) -> Conditions:
    """Draw the conditions of a photo of the given difficulty."""

    def either(low: float, high: float) -> float:
        return rng.choice((-1, 1)) * rng.uniform(low, high)

    draw = rng.uniform
    if difficulty == 1:
        return Conditions(
            yaw=either(0, 8), pitch=either(0, 3), roll=either(0, 1.5),
            blur=draw(0.3, 0.7), motion=0, noise=draw(1, 2.5),
            gain=draw(1.0, 1.14), uneven=draw(0, 0.1), resolution=1.0, jpeg=93, covered=False,
        )  # fmt: skip
    if difficulty == 2:
        return Conditions(
            yaw=either(12, 25), pitch=either(0, 8), roll=either(0, 3.5),
            blur=draw(0.8, 1.3), motion=0, noise=draw(3.5, 6),
            gain=draw(0.9, 1.15), uneven=draw(0.2, 0.4), resolution=1.0, jpeg=rng.randrange(62, 78),
            covered=False,
        )  # fmt: skip
    return Conditions(
        yaw=either(20, 34), pitch=either(3, 11), roll=either(2, 8),
        blur=draw(0.7, 1.2), motion=rng.randrange(3, 7), noise=draw(6, 10),
        gain=draw(0.6, 0.82), uneven=draw(0.2, 0.4), resolution=draw(0.6, 0.75), jpeg=rng.randrange(46, 62),
        covered=True,
    )  # fmt: skip


def _rotation(yaw: float, pitch: float, roll: float) -> Matrix:
    a, b, c = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return about_z @ about_x @ about_y


def _project(matrix: Matrix, points: npt.ArrayLike) -> Matrix:
    """Apply a 3x3 homography to an (n, 2) array of points."""
    flat = np.asarray(points, np.float64).reshape(-1, 2)
    mapped = np.column_stack([flat, np.ones(len(flat))]) @ matrix.T
    return mapped[:, :2] / mapped[:, 2:]


def homography(how: Conditions, decisive: Sequence[Quad], rng: random.Random) -> Matrix:
    """Return the 3x3 matrix from sheet pixels to photo pixels that shows all decisive texts.

    The plane is turned about the middle of these texts; zoom is at most 1 (sheet and photo pixels alike), and
    less where the texts would not fit in the frame.
    """
    corners = np.asarray(decisive, np.float64).reshape(-1, 2)
    middle = (corners.min(0) + corners.max(0)) / 2
    turn = _rotation(how.yaw, how.pitch, how.roll)
    # Plane point (x, y, 0), turned, then pushed `focal` away: one sheet pixel is one photo pixel at the
    # middle.
    to_plane = np.array([[1, 0, -middle[0]], [0, 1, -middle[1]], [0, 0, 1.0]])
    pose = np.column_stack([turn[:, 0], turn[:, 1], np.array([0, 0, _FOCAL])])
    matrix = np.diag([_FOCAL, _FOCAL, 1.0]) @ pose @ to_plane
    seen = _project(matrix, corners)
    low, high = seen.min(0), seen.max(0)
    room = np.array([WIDTH - 2 * _MARGIN, HEIGHT - 2 * _MARGIN], np.float64)
    zoom = min(1.0, *(room / np.maximum(high - low, 1)))
    slack = (room - zoom * (high - low)) / 2
    aim = np.array([rng.uniform(-0.35, 0.35), rng.uniform(-0.3, 0.3)]) * slack
    shift = np.array([WIDTH, HEIGHT]) / 2 + aim - zoom * (low + high) / 2
    frame = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]], [0, 0, 1.0]])
    return frame @ matrix


def photograph(
    sheet: Sheet,
    background: Image.Image | None,
    how: Conditions,
    rng: random.Random,
    noise: np.random.Generator,
) -> tuple[Image.Image, tuple[Mark, ...]]:
    """Take the photo.

    Args:
        sheet: the plane with the signs; transparent parts show the background.
        background: RGB picture of photo size, or None for a sheet without transparent parts.
        how: the conditions.
        rng: choices.
        noise: pixels.

    Returns:
        The RGB photo and the sheet's marks in its pixels; distractors outside the frame are dropped.
    """
    matrix = homography(how, [mark.quad for mark in sheet.marks if mark.decisive], rng)
    marks = [replace(mark, quad=_quad(_project(matrix, mark.quad))) for mark in sheet.marks]
    flat = np.asarray(sheet.image)
    if how.covered:
        flat = _dirty(flat, noise)
    if background is None:
        pixels = _warp(flat[..., :3], matrix, cv2.BORDER_REPLICATE)
    else:
        # Colours are multiplied by their coverage first, so that the empty surroundings do not bleed into
        # edges.
        alpha = flat[..., 3:].astype(np.float32) / 255
        layer = _warp(np.dstack([flat[..., :3] * alpha, alpha]), matrix, cv2.BORDER_CONSTANT)
        pixels = np.asarray(background, np.float32) * (1 - layer[..., 3:]) + layer[..., :3]
    if how.covered:
        pixels = _in_front(pixels, [_box(mark.quad) for mark in marks if mark.decisive], rng, noise)
    inside = tuple(mark for mark in marks if mark.decisive or _within_frame(mark.quad))
    return _expose(pixels, how, rng, noise), inside


def _warp(pixels: npt.NDArray[np.generic], matrix: Matrix, border: int) -> Pixels:
    return cast(
        "Pixels",
        cv2.warpPerspective(
            pixels.astype(np.float32), matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=border
        ),
    )


def _quad(points: Matrix) -> Quad:
    a, b, c, d = ((round(float(x), 2), round(float(y), 2)) for x, y in points)
    return (a, b, c, d)


def _box(quad: Quad) -> Box:
    xs, ys = zip(*quad, strict=True)
    return (int(min(xs)), int(min(ys)), int(max(xs)), int(max(ys)))


def _within_frame(quad: Quad) -> bool:
    return all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in quad)


def _dirty(flat: npt.NDArray[np.uint8], noise: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Darken the sheet in stains and add specks."""
    stains = np.clip((clouds((SHEET_HEIGHT, SHEET_WIDTH), noise, octaves=6, base=6) - 0.5) * 3, 0, 0.34)
    specks = clouds((SHEET_HEIGHT, SHEET_WIDTH), noise, octaves=2, base=150) > 0.86
    keep = (1 - stains) * np.where(specks, 0.72, 1)
    dirty = flat.copy()
    dirty[..., :3] = (flat[..., :3] * keep[..., None]).astype(np.uint8)
    return dirty


def _hides_too_much(alpha: npt.NDArray[np.uint8], boxes: Sequence[Box]) -> bool:
    """Return whether an opaque mask covers too much of a text, or of any one letter-sized square of it."""
    for x0, y0, x1, y1 in boxes:
        covered = alpha[max(y0, 0) : y1, max(x0, 0) : x1] > 90
        if covered.size == 0:
            continue
        letters = np.array_split(covered, max(1, round(covered.shape[1] / covered.shape[0])), axis=1)
        if covered.mean() > _COVERABLE or max(letter.mean() for letter in letters) > _COVERABLE_LETTER:
            return True
    return False


def _pole(rng: random.Random) -> Image.Image:
    """Return a lamp post of photo size, RGBA: a band with a lit middle, a little out of focus."""
    post = Image.new("RGBA", (WIDTH, HEIGHT), (60, 62, 64, 0))
    draw = ImageDraw.Draw(post)
    x, wide, lean = rng.randrange(80, WIDTH - 80), rng.randrange(16, 26), rng.randrange(-14, 14)
    for strip in range(wide):
        tone = 46 + int(60 * np.sin(np.pi * (strip + 3) / (wide + 8)))
        line = (x + strip, 0, x + strip + lean, HEIGHT)
        draw.line(line, fill=(tone, tone + 2, tone + 4, 255), width=2)
    return post.filter(ImageFilter.GaussianBlur(1.6))


def _in_front(pixels: Pixels, boxes: Sequence[Box], rng: random.Random, noise: np.random.Generator) -> Pixels:
    """Put a pole or leaves in front of the scene where they hide little of each decisive text."""
    for _ in range(16):
        if not boxes or rng.random() < 0.5:
            thing = _pole(rng)
        else:
            x0, y0, x1, y1 = rng.choice(boxes)
            x, y = rng.choice((x0 - 60, x1 + 60)), rng.choice((y0 - 70, y1 + 70))
            thing = foliage((WIDTH, HEIGHT), 16, (x - 90, y - 70, x + 90, y + 70), rng, noise)
            thing = thing.filter(ImageFilter.GaussianBlur(2))
        layer = np.asarray(thing)
        if not _hides_too_much(layer[..., 3], boxes):
            alpha = layer[..., 3:].astype(np.float32) / 255
            return pixels * (1 - alpha) + layer[..., :3] * alpha
    return pixels


def _expose(pixels: Pixels, how: Conditions, rng: random.Random, noise: np.random.Generator) -> Image.Image:
    """Apply light, lens, motion, resolution, noise and JPEG."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    across, down = x / WIDTH - 0.5, y / HEIGHT - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    slope = 0.5 + across * np.cos(angle) + down * np.sin(angle)
    light = how.gain * (1 - how.uneven * np.clip(slope, 0, 1)) * (1 - 0.45 * (across**2 + down**2))
    seen = cast("Pixels", cv2.GaussianBlur(pixels * light[..., None], (0, 0), how.blur))
    if how.motion:
        seen = cast("Pixels", cv2.filter2D(seen, -1, _smear(how.motion, rng.uniform(0, 180))))
    if how.resolution < 1:
        small = (round(WIDTH * how.resolution), round(HEIGHT * how.resolution))
        seen = cast("Pixels", cv2.resize(seen, small, interpolation=cv2.INTER_AREA))
    height, width = seen.shape[:2]
    # Noise is partly the same in all channels (luminance) and partly colour, as sensors give it.
    grain = noise.normal(0, how.noise, (height, width, 1)) + noise.normal(
        0, how.noise * 0.45, (height, width, 3)
    )
    sensor = np.clip(seen + grain.astype(np.float32), 0, 255).astype(np.uint8)
    done, packed = cv2.imencode(".jpg", sensor[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, how.jpeg])
    if not done:
        raise RuntimeError("OpenCV could not encode a JPEG picture")
    photo = Image.fromarray(
        cast("npt.NDArray[np.uint8]", cv2.imdecode(packed, cv2.IMREAD_COLOR))[..., ::-1].copy(), "RGB"
    )
    return photo if photo.size == (WIDTH, HEIGHT) else photo.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)


def _smear(length: int, angle: float) -> Pixels:
    """Return a convolution kernel that smears along `angle` degrees over `length` pixels."""
    size = length + 2
    kernel = np.zeros((size, size), np.float32)
    middle, reach = (size - 1) / 2, (length - 1) / 2
    for step in np.linspace(-reach, reach, 4 * length):
        column = middle + step * np.cos(np.radians(angle))
        row = middle + step * np.sin(np.radians(angle))
        kernel[round(row), round(column)] += 1
    return kernel / kernel.sum()
