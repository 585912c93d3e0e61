"""What lies on top of a map: numbered pins, the radius circle, scale bar, north arrow, attribution."""

from __future__ import annotations

import io
import math
import zlib
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from wheretaken.maps.offline.render import fonts, palette
from wheretaken.maps.offline.render.style import Layer, Rule, fill, stroke
from wheretaken.maps.offline.render.view import MAX_LAT, WORLD, mercator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from wheretaken.geo import LatLon
    from wheretaken.maps.offline.render.view import View

PIN_WIDTH, PIN_HEIGHT = 24, 32
"""A pin's pixels; its tip, the middle of the lower edge, is on the position."""
SMOOTH = 4
"""Pins are drawn this much larger and scaled down: Pillow does not smooth edges itself."""
NORTH_WIDTH, NORTH_HEIGHT = 18, 30
MARGIN = 6
BAR_HEIGHT = 5
CIRCLE_POINTS = 180


class Box(NamedTuple):
    """Pixels of a picture that no label may use."""

    left: float
    top: float
    right: float
    bottom: float


class ScaleBar(NamedTuple):
    """A round length and how many pixels it takes."""

    metres: float
    pixels: float

    @property
    def label(self) -> str:
        """The length as written beside the bar."""
        return f"{self.metres / 1000:g} km" if self.metres >= 1000 else f"{self.metres:g} m"


def scale_bar(view: View) -> ScaleBar:
    """Return the longest bar of 1, 2 or 5 times a power of ten that is at most a quarter of the picture wide.

    Its length is right in the middle of the picture: in Web Mercator the scale grows towards the poles.
    """
    metres_per_pixel = view.metres_per_pixel(view.height / 2)
    most = min(110.0, view.width / 4) * metres_per_pixel
    power = 10.0 ** math.floor(math.log10(most))
    metres = max(step * power for step in (1, 2, 5) if step * power <= most)
    return ScaleBar(metres, metres / metres_per_pixel)


def pin_box(view: View, position: LatLon) -> Box | None:
    """Return the pixels of the pin on a position, None when its tip is outside the picture."""
    x, y = view.pixel(position)
    if not (0 <= x < view.width and 0 <= y < view.height and abs(position.lat) <= MAX_LAT):
        return None
    return Box(x - PIN_WIDTH / 2, y - PIN_HEIGHT, x + PIN_WIDTH / 2, y)


def scale_box(view: View) -> Box:
    """Return the pixels of the scale bar and its length."""
    bar = scale_bar(view)
    bottom = view.height - MARGIN
    return Box(MARGIN, bottom - BAR_HEIGHT - 14, MARGIN + max(bar.pixels, 40), bottom)


def north_box(view: View) -> Box:
    """Return the pixels of the north arrow in the upper right corner."""
    right = view.width - MARGIN
    return Box(right - NORTH_WIDTH, MARGIN, right, MARGIN + NORTH_HEIGHT)


def draw(picture: Image.Image, view: View, *, markers: Sequence[LatLon], attribution: str) -> None:
    """Draw pins, scale bar, north arrow and attribution onto a picture, in place.

    The first marker's pin lies on top; a marker outside the picture has none. The attribution is left out
    where it does not fit into two lines (it is still in the `MapPicture`).
    """
    _draw_scale(picture, view)
    arrow, corner = _north(), north_box(view)
    picture.paste(arrow, (round(corner.left), round(corner.top)), arrow)
    _draw_attribution(picture, attribution, left=scale_box(view).right + MARGIN)
    for number, position in reversed(list(enumerate(markers, start=1))):
        box = pin_box(view, position)
        if box is not None:
            sprite = _pin(str(number))
            picture.paste(sprite, (round(box.left), round(box.top)), sprite)


def png(picture: Image.Image) -> bytes:
    """Encode without time stamps: the same picture gives the same bytes.

    Run-length matching suits flat colours, and imagery as well: about as small as the default search makes
    it, in less than half the time.
    """
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_type=zlib.Z_RLE)
    return buffer.getvalue()


def circle_layer(view: View, centre: LatLon, radius_km: float) -> Layer:
    """Return the circle of a radius (kilometres on the ellipsoid) around a position, wide near the poles."""
    from pyproj import Geod  # noqa: PLC0415 - 0.2 s that a map without a circle need not pay

    azimuths = [360 * index / CIRCLE_POINTS for index in range(CIRCLE_POINTS)]
    count = len(azimuths)
    lons, lats, _ = Geod(ellps="WGS84").fwd(
        [centre.lon] * count, [centre.lat] * count, azimuths, [radius_km * 1000] * count
    )
    ring: list[tuple[float, float]] = []
    last = view.x + math.remainder(mercator(centre.lat, centre.lon)[0] - view.x, WORLD)
    for lat, lon in zip([*lats, lats[0]], [*lons, lons[0]], strict=True):
        x, y = mercator(lat, lon)
        last += math.remainder(x - last, WORLD)
        ring.append((last, y))
    return Layer(
        "circle", _ring_csv(ring, north=centre.lat > 0), (_circle_rules(),), inline=True, srs="epsg:3857"
    )


def _ring_csv(ring: list[tuple[float, float]], *, north: bool) -> str:
    """Return the CSV of the ring and of its neighbours a world east and west, for views across the edge.

    A circle around a pole does not close on the map: it is led round along the map's upper or lower edge.
    """
    if abs(ring[-1][0] - ring[0][0]) > WORLD / 2:
        edge = WORLD / 2 if north else -WORLD / 2
        ring = [*ring, (ring[-1][0], edge), (ring[0][0], edge)]
    rows = ["wkt"]
    for shift in (-WORLD, 0.0, WORLD):
        points = ", ".join(f"{x + shift:.2f} {y:.2f}" for x, y in [*ring, ring[0]])
        rows.append(f'"POLYGON(({points}))"')
    return "\n".join(rows)


def _circle_rules() -> tuple[Rule, ...]:
    return (Rule((fill(palette.CIRCLE, opacity=0.08), stroke(palette.CIRCLE, 1.8, opacity=0.9))),)


@cache
def _pin(number: str) -> Image.Image:
    """Return a red pin with a white number, RGBA."""
    from PIL import Image, ImageDraw  # noqa: PLC0415

    width, height = PIN_WIDTH * SMOOTH, PIN_HEIGHT * SMOOTH
    sprite = Image.new("RGBA", (width, height))
    pen = ImageDraw.Draw(sprite)
    for inset, colour in ((0, (255, 255, 255, 255)), (SMOOTH * 1.5, (*palette.PIN, 255))):
        radius = width / 2 - inset
        middle = width / 2
        pen.ellipse((inset, inset, width - inset, inset + 2 * radius), fill=colour)
        # The sides touch the disc where its tangent passes through the tip.
        reach = height - inset * 1.6 - middle
        sine = radius / reach
        dx, dy = radius * math.sqrt(1 - sine * sine), radius * sine
        pen.polygon(
            [(middle - dx, middle + dy), (middle + dx, middle + dy), (middle, middle + reach)], fill=colour
        )
    font = fonts.latin((13 if len(number) < 2 else 11) * SMOOTH)
    pen.text(
        (width / 2, width / 2),
        number,
        font=font,
        fill="white",
        anchor="mm",
        stroke_width=1,
        stroke_fill="white",
    )
    return sprite.resize((PIN_WIDTH, PIN_HEIGHT), Image.Resampling.BOX)


@cache
def _north() -> Image.Image:
    """Return an arrow upwards over the letter N, RGBA, with a white edge."""
    from PIL import Image, ImageDraw  # noqa: PLC0415

    width, height = NORTH_WIDTH * SMOOTH, NORTH_HEIGHT * SMOOTH
    sprite = Image.new("RGBA", (width, height))
    pen = ImageDraw.Draw(sprite)
    middle, foot = width / 2, height * 0.55
    arrow = [(middle, 4), (width * 0.82, foot), (middle, foot * 0.78), (width * 0.18, foot)]
    pen.polygon(arrow, fill=palette.FURNITURE, outline="white", width=SMOOTH)
    pen.text(
        (middle, height - 3),
        "N",
        font=fonts.latin(11 * SMOOTH),
        fill=palette.FURNITURE,
        anchor="ms",
        stroke_width=SMOOTH * 3 // 2,
        stroke_fill="white",
    )
    return sprite.resize((NORTH_WIDTH, NORTH_HEIGHT), Image.Resampling.BOX)


def _draw_scale(picture: Image.Image, view: View) -> None:
    from PIL import ImageDraw  # noqa: PLC0415

    bar, box = scale_bar(view), scale_box(view)
    pen = ImageDraw.Draw(picture)
    left, right = MARGIN, MARGIN + round(bar.pixels)
    line = [
        (left, box.bottom - BAR_HEIGHT),
        (left, box.bottom),
        (right, box.bottom),
        (right, box.bottom - BAR_HEIGHT),
    ]
    pen.line(line, fill="white", width=4, joint="curve")
    pen.line(line, fill=palette.FURNITURE, width=2)
    at = (left + 3, box.bottom - BAR_HEIGHT - 3)
    pen.text(
        at,
        bar.label,
        font=fonts.latin(10),
        fill=palette.FURNITURE,
        anchor="ls",
        stroke_width=2,
        stroke_fill="white",
    )


def _draw_attribution(picture: Image.Image, attribution: str, *, left: float) -> None:
    """Write the attribution right-aligned into the lower right corner, in one line or two."""
    from PIL import Image, ImageDraw  # noqa: PLC0415

    font = fonts.latin(9)
    room = picture.width - left - 4
    lines = [attribution] if font.getlength(attribution) <= room else attribution.split(" · ")
    wide = max(font.getlength(line) for line in lines)
    if wide > room or len(lines) > 2:
        return
    height = 12 * len(lines) + 2
    corner = (round(picture.width - wide - 6), picture.height - height)
    veil = Image.new("RGB", (picture.width - corner[0], height), "white")
    under = picture.crop((*corner, picture.width, picture.height))
    picture.paste(Image.blend(under, veil, 0.65), corner)
    pen = ImageDraw.Draw(picture)
    for index, line in enumerate(lines):
        at = (picture.width - 3, corner[1] + 10 + 12 * index)
        pen.text(at, line, font=font, fill=palette.FURNITURE, anchor="rs")
