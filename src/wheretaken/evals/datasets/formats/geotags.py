"""A folder of photos whose EXIF says where they were taken: the position is the truth, and stays behind."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from PIL import ExifTags, Image, UnidentifiedImageError

from wheretaken import photos
from wheretaken.evals.datasets.reading import datum_named
from wheretaken.evals.datasets.sources import Record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".heic", ".heif", ".avif"})
_NAMED = 5
"""Photos without a position that a note names."""
_UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    UnidentifiedImageError,
)


@dataclass(frozen=True)
class Geotags:
    """The photos of a folder and of those in it, in the order of their paths."""

    folder: Path
    kind: str = "folder of geotagged photos"

    @property
    def name(self) -> str:
        """The folder, for messages."""
        return str(self.folder)

    def columns(self) -> list[str]:
        """Return what is read from a photo."""
        return ["image", "lat", "lon", "datum"]

    @cached_property
    def without(self) -> tuple[int, tuple[str, ...]]:
        """How many photos have no position, and the first of them."""
        names: list[str] = []
        count = 0
        for path in self._photos():
            if position(path) is None:
                count += 1
                names += [self._named(path)] if len(names) < _NAMED else []
        return count, tuple(names)

    def records(self, columns: object = None) -> Iterator[Record]:
        """Yield the photos that have a position; see `Source.records`."""
        del columns
        for number, path in enumerate(self._photos(), 1):
            if found := position(path):
                lat, lon, datum = found
                values = {"image": self._named(path), "lat": lat, "lon": lon, "datum": datum}
                yield Record(values, str(path), number)

    def _photos(self) -> Iterator[Path]:
        return (path for path in sorted(self.folder.rglob("*")) if path.suffix.lower() in SUFFIXES)

    def _named(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()


def position(path: Path) -> tuple[float, float, str] | None:
    """Return degrees north, degrees east and the datum that a photo's EXIF names ("" for none), or None.

    Format: EXIF 2.32, section 4.6.6: GPSLatitude and GPSLongitude are three rationals; GPSMapDatum is text.
    """
    if path.suffix.lower() in {".heic", ".heif"}:
        import pillow_heif  # noqa: PLC0415 - libheif takes time to load and few folders need it

        pillow_heif.register_heif_opener()  # pyright: ignore[reportUnknownMemberType] - no types
    try:
        with photos.quiet(), Image.open(path) as picture:
            tags = picture.getexif().get_ifd(ExifTags.IFD.GPSInfo)
        lat = _degrees(tags[ExifTags.GPS.GPSLatitude], tags[ExifTags.GPS.GPSLatitudeRef], "S")
        lon = _degrees(tags[ExifTags.GPS.GPSLongitude], tags[ExifTags.GPS.GPSLongitudeRef], "W")
    except _UNREADABLE:
        return None
    known = abs(lat) <= 90 and abs(lon) <= 180 and (lat, lon) != (0.0, 0.0)
    datum = datum_named(str(tags.get(ExifTags.GPS.GPSMapDatum, "")))
    return (lat, lon, datum or "") if known else None


def _degrees(angle: Any, reference: Any, negative: str) -> float:
    degrees, minutes, seconds = (float(part) for part in angle)
    size = degrees + minutes / 60 + seconds / 3600
    return -size if str(reference).strip("\0 ").upper() == negative else size
