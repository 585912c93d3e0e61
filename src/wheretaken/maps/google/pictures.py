"""What Static Maps is asked for, and which area its picture shows.

https://developers.google.com/maps/documentation/maps-static/start: a picture is at most 640 pixels wide
and high, times a scale of 1 or 2 that shows the same area in twice the pixels; the zoom is a whole
number. A marker carries one letter or digit. In its lower edge the picture says whose data it is made of,
which must stay visible, so Google draws the markers, and there is no scale bar.
"""

from __future__ import annotations

import io
import math
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from wheretaken.errors import ServiceError, ToolError
from wheretaken.geo import Datum, LatLon
from wheretaken.maps.base import MapPicture
from wheretaken.maps.google.reading import pair
from wheretaken.maps.offline.render.view import RADIUS, TILE, View, latitude

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.maps.web.wire import Params

LARGEST = 640
"""Pixels of a side at scale 1."""
_LABELS = string.digits[1:] + string.ascii_uppercase
_ATTRIBUTION = "Google Maps; the picture names whose data it shows"


@dataclass(frozen=True)
class StaticMap:
    """A map picture as it is asked for."""

    view: View
    """What it shows, on the map that it is drawn on."""
    scale: int
    datum: Datum
    """Of that map."""
    markers: tuple[LatLon, ...]
    """On that map."""

    @classmethod
    def around(
        cls, centre: LatLon, *, zoom: float, width: int, height: int, markers: Sequence[LatLon], datum: Datum
    ) -> Self:
        """Choose whole zoom and scale for a picture; an odd side over 640 pixels becomes one pixel longer.

        Raises:
            ToolError: Google draws no such picture, or cannot number so many markers.
        """
        scale = 1 if max(width, height) <= LARGEST else 2
        if max(width, height) > scale * LARGEST:
            raise ToolError(f"Google draws at most {2 * LARGEST}x{2 * LARGEST} pixels, not {width}x{height}")
        if len(markers) > len(_LABELS):
            raise ToolError(f"Google numbers at most {len(_LABELS)} markers, not {len(markers)}")
        width, height = (math.ceil(side / scale) * scale for side in (width, height))
        middle = _drawn(centre, datum)
        nearest = math.floor(View.around(middle, zoom=zoom, width=width, height=height).zoom + 0.5)
        # Zoomed out farther, the world would be smaller than the picture and be shown several times.
        whole = max(nearest, math.ceil(math.log2(max(width, height) / TILE)))
        view = View.around(middle, zoom=whole, width=width, height=height)
        return cls(view, scale, datum, tuple(_drawn(marker, datum) for marker in markers))

    @property
    def params(self) -> Params:
        """The parameters of the request, without those of the map's kind."""
        view = self.view
        middle = LatLon(latitude(view.y), math.remainder(math.degrees(view.x / RADIUS), 360))
        pins = [
            f"color:red|label:{label}|{pair(marker)}"
            for label, marker in zip(_LABELS, self.markers, strict=False)
        ]
        return {
            "center": pair(middle),
            "zoom": round(view.zoom - math.log2(self.scale)),
            "size": f"{view.width // self.scale}x{view.height // self.scale}",
            "scale": self.scale,
            **({"markers": pins} if pins else {}),
        }

    def picture(self, service: str, data: bytes) -> MapPicture:
        """Return the reply with the area that it shows.

        Raises:
            ServiceError: it is no PNG of the size that was asked for.
        """
        kind, size = measure(service, data)
        view = self.view
        if (kind, size) != ("PNG", (view.width, view.height)):
            raise ServiceError(
                f"{service}: sent a {kind} of {size[0]}x{size[1]} pixels "
                f"where a PNG of {view.width}x{view.height} was asked for",
                service=service,
            )
        south, west, north, east = view.bounds
        low, high = LatLon(south, west, self.datum).wgs84, LatLon(north, east, self.datum).wgs84
        lettered = len(self.markers) > len(string.digits[1:])
        return MapPicture(
            png=data,
            width=view.width,
            height=view.height,
            south=low.lat,
            west=low.lon,
            north=high.lat,
            east=high.lon,
            zoom=view.zoom,
            attribution=_ATTRIBUTION,
            note="markers from the tenth on are labelled A, B, C and so on" if lettered else "",
        )


def measure(service: str, data: bytes) -> tuple[str, tuple[int, int]]:
    """Return format and size of a picture without decoding it.

    Raises:
        ServiceError: it is none.
    """
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - searching needs no pictures

    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "GIF", "WEBP")) as picture:
            return picture.format or "", picture.size
    except (UnidentifiedImageError, OSError) as error:
        raise ServiceError(f"{service}: sent a picture that cannot be read", service=service) from error


def heading(camera: LatLon, target: LatLon) -> float:
    """Return the direction from a camera to something near it, in degrees clockwise from north."""
    north = target.lat - camera.lat
    east = math.remainder(target.lon - camera.lon, 360) * math.cos(math.radians(camera.lat))
    return math.degrees(math.atan2(east, north)) % 360


def _drawn(position: LatLon, datum: Datum) -> LatLon:
    """Return where a map in `datum` shows a position, under the label that `View` knows."""
    shown = position.to(datum)
    return LatLon(shown.lat, shown.lon)
