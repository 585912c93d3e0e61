"""Pictures from outside, made safe: decoded, upright, RGB, and without any metadata.

The model: `load` is the only way in. It reads a file or bytes, refuses what is too large before decoding
it, turns the picture upright by its EXIF orientation, converts it to sRGB, and copies the pixels into a new
image, so that nothing else of the file (EXIF position, XMP, IPTC, comments, file name) can reach a model or
a tool. Whatever is wrong with the file becomes one `PhotoError` with one line. A `Photo` is what everybody
else works with. `strip` does the same from file to file, for data sets of many photos: where the file allows
it, the coded pixels are copied as they are.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import hashlib
import io
import math
import os
import re
import stat
import struct
import threading
import warnings
import zlib
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from PIL import ExifTags, Image, UnidentifiedImageError

from wheretaken.errors import PhotoError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from PIL.ImageCms import ImageCmsProfile

MAX_PIXELS = 100_000_000
"""Default limit on width x height, checked before decoding (300 MB once decoded)."""
MAX_FILE_BYTES = 200_000_000
MIN_SIDE = 8
"""A picture with a shorter side than this shows nothing that could be located."""

_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF")
"""Pillow's decoders that may see foreign bytes; HEIF joins them when a file asks for it."""
_READABLE = "JPEG, PNG, WebP, TIFF, HEIC, AVIF, GIF and BMP can be read"
_DECODER_ERRORS = (
    # What decoders of foreign bytes raise for damaged ones; all of them mean "this file is broken".
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError),
    *(EOFError, RuntimeError, AssertionError, struct.error, zlib.error),
)
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF 2.32, tag 0x0112: how the stored pixels become upright."""
_decoding = threading.Lock()
"""Warning filters belong to the process: only one thread at a time may hold them changed."""

_LOSSLESS = frozenset({"PNG", "GIF", "BMP", "TIFF"})
_SIMPLE_PIXELS = 80_000_000
"""Below the size at which Pillow warns, which threads that share warning filters must not let it do."""
_APP0, _APP1, _APP2, _APP14, _APP15, _COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_CODING = _FRAMES | {0xC4, 0xCC, _START_OF_SCAN, 0xDB, 0xDC, 0xDD}
"""JPEG markers (ITU-T T.81, table B.1) of what a decoder needs: frames, scans, and tables for them."""
_MARKER = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""Within coded data FF is followed by 00 or is a restart marker."""


@dataclass(frozen=True)
class BareFile:
    """A picture's file with nothing in it but the picture: upright, sRGB, no metadata."""

    data: bytes
    format: Literal["JPEG", "PNG"]
    width: int
    height: int
    source_sha256: str
    """Hex digest of the bytes that it was made from."""

    @property
    def mime(self) -> Literal["image/jpeg", "image/png"]:
        """The media type of `data`."""
        return "image/png" if self.format == "PNG" else "image/jpeg"

    @cached_property
    def sha256(self) -> str:
        """Hex digest of `data`: the same for JPEG files that differ in their metadata only."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """An upright sRGB picture without metadata."""

    image: Image.Image
    """Mode RGB, empty `info`. Not to be changed in place."""
    sha256: str
    """Hex digest of the original file's bytes; a crop or a resized copy keeps that of its file."""
    format: str
    """Of the original file, in Pillow's spelling: `JPEG`, `PNG`, `WEBP`, `TIFF`, `HEIF`, ..."""
    size_bytes: int
    """Of the original file."""

    @property
    def width(self) -> int:
        """Width in pixels, after turning upright."""
        return self.image.width

    @property
    def height(self) -> int:
        """Height in pixels, after turning upright."""
        return self.image.height

    @property
    def content_hash(self) -> str:
        """Hex SHA-256 of size and pixels: equal for equal pictures, whatever file they came from."""
        header = f"RGB {self.width} {self.height} ".encode()
        return hashlib.sha256(header + self.image.tobytes()).hexdigest()

    def png_bytes(self) -> bytes:
        """Return the picture as a PNG file without metadata."""
        buffer = io.BytesIO()
        self.image.save(buffer, "PNG")
        return buffer.getvalue()

    def jpeg_bytes(self, quality: int = 90) -> bytes:
        """Return the picture as a JPEG file without metadata; `quality` is 1 to 95."""
        buffer = io.BytesIO()
        self.image.save(buffer, "JPEG", quality=quality)
        return buffer.getvalue()

    def data_url(self, max_pixels: int | None = None, min_pixels: int | None = None) -> str:
        """Return the picture as a `data:image/jpeg;base64,` URL for a model.

        Args:
            max_pixels: a larger picture is reduced to at most this many pixels.
            min_pixels: a smaller one is enlarged to at least this many, as some models refuse tiny pictures.
        """
        photo = self if max_pixels is None else self.resized(max_pixels)
        if min_pixels is not None and photo.width * photo.height < min_pixels:
            scale = math.sqrt(min_pixels / (photo.width * photo.height))
            size = math.ceil(photo.width * scale), math.ceil(photo.height * scale)
            photo = replace(photo, image=photo.image.resize(size, Image.Resampling.LANCZOS))
        return "data:image/jpeg;base64," + base64.b64encode(photo.jpeg_bytes()).decode("ascii")

    def crop(self, left: int, top: int, right: int, bottom: int) -> Photo:
        """Return a part, in pixels from the upper left corner; what lies outside the picture is left out.

        Raises:
            ValueError: nothing of the picture is in the box.
        """
        box = max(left, 0), max(top, 0), min(right, self.width), min(bottom, self.height)
        if box[0] >= box[2] or box[1] >= box[3]:
            size = f"{self.width}x{self.height}"
            raise ValueError(f"the box {(left, top, right, bottom)} holds nothing of the {size} picture")
        return replace(self, image=self.image.crop(box))

    def resized(self, max_pixels: int) -> Photo:
        """Return a copy of at most `max_pixels` (>= 1), same proportions; itself when small enough."""
        if self.width * self.height <= max_pixels:
            return self
        scale = math.sqrt(max_pixels / (self.width * self.height))
        # A side that is rounded up to one pixel leaves less room for the other.
        width = max(int(self.width * scale), 1)
        height = max(min(int(self.height * scale), max_pixels // width), 1)
        size = min(width, max_pixels // height), height
        return replace(self, image=self.image.resize(size, Image.Resampling.LANCZOS))


def load(source: str | os.PathLike[str] | bytes, *, max_pixels: int = MAX_PIXELS) -> Photo:
    """Read a picture from a file or from a file's bytes; of an animation, the first frame.

    Args:
        source: a path, or the bytes of a file.
        max_pixels: a picture with more pixels (width x height) is refused before it is decoded.

    Raises:
        PhotoError: it cannot be used; the message is one line that names the file and says what to do.
    """
    name, data = _opened(source)
    return _load(name, data, max_pixels)


def _opened(source: str | os.PathLike[str] | bytes) -> tuple[str, bytes]:
    """Return what errors call a source, and its bytes."""
    if isinstance(source, bytes):
        name, data = "the picture", source
    else:
        path = Path(source)
        name = str(path) if str(path).isprintable() else ascii(str(path))
        data = _read(path, name)
    if not data:
        raise PhotoError(f"{name} is empty (0 bytes): copy it again from its source")
    if len(data) > MAX_FILE_BYTES:
        raise PhotoError(_too_large(name, len(data)))
    return name, data


def _load(name: str, data: bytes, max_pixels: int) -> Photo:
    with quiet():
        image, file_format = _decode(data, name, max_pixels)
    return Photo(image, hashlib.sha256(data).hexdigest(), file_format, len(data))


@contextlib.contextmanager
def quiet() -> Generator[None]:
    """Silence decoders, whose complaints are about a file that is read or refused; one thread at a time."""
    with _decoding, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def strip(source: str | os.PathLike[str] | bytes) -> BareFile:
    """Return the picture of a file as a file without metadata, checked by decoding it.

    An upright 8-bit JPEG in sRGB keeps its coded pixels bit for bit: only what a decoder needs is copied. All
    others are decoded by `load` and encoded anew, as PNG where the file was lossless, else as JPEG. A colour
    profile is never kept, as its texts may tell a place; a picture that needs one is converted to sRGB.
    Threads may call this at the same time: decoding does not hold the interpreter's lock.

    Args:
        source: a path, or the bytes of a file.

    Raises:
        PhotoError: `load` refuses the file.
    """
    name, data = _opened(source)
    found = _bare_jpeg(data)
    if found and _decodes(found):
        return found
    photo = _load(name, data, MAX_PIXELS)
    if photo.format in _LOSSLESS:
        return BareFile(photo.png_bytes(), "PNG", photo.width, photo.height, photo.sha256)
    return BareFile(photo.jpeg_bytes(quality=95), "JPEG", photo.width, photo.height, photo.sha256)


def _decodes(file: BareFile) -> bool:
    """Tell whether all coded data can be read; of the pixels, small grey ones are made, which is quicker."""
    try:
        with Image.open(io.BytesIO(file.data), formats=("JPEG",)) as picture:
            picture.draft("L", (file.width // 8, file.height // 8))
            picture.load()
    except (UnidentifiedImageError, *_DECODER_ERRORS):
        return False
    return True


def _bare_jpeg(data: bytes) -> BareFile | None:
    """Copy what a decoder needs of a JPEG; None for other files and for all that is out of the ordinary."""
    parts, profile, frames, exif = [b"\xff\xd8"], b"", list[bytes](), 0
    try:
        for marker, body, scan in _segments(data):
            if marker in _CODING:
                parts += (_segment(marker, body), scan)
                frames += [body] if marker in _FRAMES else []
            elif marker == _APP1:
                exif += body.startswith(b"Exif\0")
                if exif > 1 or not _upright_by(body):
                    return None
            elif marker == _APP2 and body.startswith(b"ICC_PROFILE\0"):
                profile += body[14:]
            else:
                parts.append(_colour_hint(marker, body))
    except ValueError:
        return None
    if len(frames) != 1 or (profile and not _is_srgb(profile)):
        return None
    return _with_frame(data, b"".join((*parts, b"\xff\xd9")), frames[0])


def _segments(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield a JPEG's segments up to the end of the image: marker, content, coded data that follow a scan.

    Raises:
        ValueError: it is no JPEG, ends too early, or has segments of an unknown kind.
    """
    at = 2
    while mark := _MARKER.match(data, at):
        marker, start = data[mark.end() - 1], mark.end()
        if marker == _END_OF_IMAGE:
            break
        if marker not in _CODING and not _APP0 <= marker <= _APP15 and marker != _COMMENT:
            raise ValueError("unknown segment")
        end = at = start + int.from_bytes(data[start : start + 2], "big")
        if marker == _START_OF_SCAN and (scan_end := _SCAN_END.search(data, end)):
            at = scan_end.start()
        yield marker, data[start + 2 : end], data[end:at]
    if not mark or not data.startswith(b"\xff\xd8"):
        raise ValueError("no JPEG, or cut off")


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _with_frame(source: bytes, bare: bytes, frame: bytes) -> BareFile | None:
    """Add the size that the frame header tells; None when decoding takes more than is usual."""
    if len(frame) < 6:
        return None
    bits, height, width, components = struct.unpack(">BHHB", frame[:6])
    usual = bits == 8 and components in {1, 3} and min(width, height) >= MIN_SIDE
    if not usual or width * height > _SIMPLE_PIXELS:
        return None
    return BareFile(bare, "JPEG", width, height, hashlib.sha256(source).hexdigest())


def _colour_hint(marker: int, body: bytes) -> bytes:
    """Return what a segment tells of how colours are coded: JFIF without its thumbnail, Adobe's transform."""
    if marker == _APP0 and body.startswith(b"JFIF\0") and len(body) >= 14:
        return _segment(marker, body[:12] + b"\0\0")
    if marker == _APP14 and body.startswith(b"Adobe") and len(body) >= 12:
        return _segment(marker, body[:12])
    return b""


def _upright_by(segment: bytes) -> bool:
    """Tell whether EXIF (2.32, section 4.6) or XMP surely leaves the picture as it is stored."""
    if not segment.startswith(b"Exif\0"):
        return b"Orientation" not in segment
    tiff = segment[6:]
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return False
    try:
        (directory,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, directory)
        entries = [struct.unpack_from(order + "HHIH", tiff, directory + 2 + 12 * i) for i in range(count)]
    except struct.error:
        return False
    return all(entry[1:] == (3, 1, 1) for entry in entries if entry[0] == ExifTags.Base.Orientation)


@lru_cache(maxsize=16)
def _is_srgb(profile: bytes) -> bool:
    """Tell whether a colour profile says what a viewer assumes without one."""
    from PIL import ImageCms  # noqa: PLC0415 - few pictures need it

    try:
        description = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    except (ImageCms.PyCMSError, *_DECODER_ERRORS):
        return False
    return "sRGB" in description


def _read(path: Path, name: str) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise PhotoError(
                f"{name} is a directory: name the pictures in it, such as {name.rstrip('/')}/*.jpg"
            )
        if not stat.S_ISREG(status.st_mode):
            raise PhotoError(f"{name} is not a regular file: save the picture to a file first")
        if status.st_size > MAX_FILE_BYTES:
            raise PhotoError(_too_large(name, status.st_size))
        return path.read_bytes()
    except FileNotFoundError:
        raise PhotoError(f"{name} does not exist: check the path") from None
    except PermissionError:
        raise PhotoError(f"{name} cannot be read: you lack the permission, see its owner and mode") from None
    except OSError as error:
        raise PhotoError(f"{name} cannot be read: {os.strerror(error.errno or errno.EIO)}") from error
    except ValueError:
        raise PhotoError(f"{name} is not a usable path: check it for null characters") from None


def _too_large(name: str, size: int) -> str:
    limit = f"{MAX_FILE_BYTES // 1_000_000} MB"
    return f"{name} is too large ({size // 1_000_000} MB, the limit is {limit}): save it as a smaller JPEG"


def _decode(data: bytes, name: str, max_pixels: int) -> tuple[Image.Image, str]:
    """Return a fresh upright RGB image and the name of the file's format."""
    too_many = f"save it smaller than {max_pixels / 1e6:g} megapixels"
    try:
        with Image.open(io.BytesIO(data), formats=_formats_for(data)) as picture:
            width, height = picture.size
            if width * height > max_pixels:
                raise PhotoError(f"{name} has too many pixels ({width}x{height}): {too_many}")
            picture.load()
            if min(picture.size) < MIN_SIDE:
                raise PhotoError(f"{name} is only {width}x{height} pixels: find a larger copy of the picture")
            return _clean(_upright(picture)), picture.format or ""
    except UnidentifiedImageError:
        raise PhotoError(f"{name} is {_what_it_is(data)}") from None
    except Image.DecompressionBombError:
        raise PhotoError(f"{name} has far too many pixels: {too_many}") from None
    except MemoryError:
        raise PhotoError(f"{name} needs more memory than there is: {too_many}") from None
    except _DECODER_ERRORS as error:
        raise PhotoError(f"{name} is truncated or damaged: copy it again from its source") from error


def _formats_for(data: bytes) -> tuple[str, ...]:
    if data[4:8] != b"ftyp":  # the first box of every HEIC and AVIF file
        return _FORMATS
    _register_heif()
    return (*_FORMATS, "HEIF")


@cache
def _register_heif() -> None:
    import pillow_heif  # noqa: PLC0415 - libheif takes time to load and few pictures need it

    pillow_heif.register_heif_opener()  # pyright: ignore[reportUnknownMemberType] - no types


def _what_it_is(data: bytes) -> str:
    if (
        data.startswith((b"\xff\xd8", b"\x89PNG", b"RIFF", b"II*\0", b"MM\0*", b"GIF8", b"BM"))
        or data[4:8] == b"ftyp"
    ):
        return f"damaged, or of an unusual kind: copy it again from its source ({_READABLE})"
    head = data[:512]
    if b"\0" not in head and sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head) == 0:
        return f"text, not a picture, whatever its name says: choose another file ({_READABLE})"
    return f"not a picture of a known format: convert it to JPEG or PNG ({_READABLE})"


def _upright(picture: Image.Image) -> Image.Image:
    """Apply the EXIF orientation; one that cannot be read is none."""
    try:
        orientation = picture.getexif().get(ExifTags.Base.Orientation)
    except _DECODER_ERRORS:
        return picture
    turn = _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return picture if turn is None else picture.transpose(turn)


def _clean(picture: Image.Image) -> Image.Image:
    """Return a new RGB image with nothing but the pixels, transparent parts on white."""
    colours = _srgb(_eight_bit(picture))
    clean = Image.new("RGB", colours.size, "white")
    if colours.has_transparency_data:
        layer = colours.convert("RGBA")
        clean.paste(layer, mask=layer.getchannel("A"))
    else:
        clean.paste(colours.convert("RGB"))
    return clean


def _eight_bit(picture: Image.Image) -> Image.Image:
    """Return grey pictures of 16 and 32 bits in 8, others as they are."""
    if picture.mode != "F" and not picture.mode.startswith("I"):
        return picture
    import numpy as np  # noqa: PLC0415 - few pictures need it, and it takes long to load

    values = np.nan_to_num(np.asarray(picture, dtype=np.float64), posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 65_535:
        values, white = (values - low) / (high - low), 1.0  # no convention: show the range that is there
    elif picture.mode.startswith("I;16"):
        white = 65_535.0
    else:
        white = next(white for white in (1.0, 255.0, 65_535.0) if high <= white)
    return Image.fromarray((values * (255 / white)).round().astype(np.uint8))


def _srgb(picture: Image.Image) -> Image.Image:
    """Convert to sRGB by the embedded ICC profile; a profile that is damaged or does not fit is ignored."""
    profile = None if picture.mode == "LAB" else cast("bytes | None", picture.info.get("icc_profile"))
    if picture.mode != "LAB" and not (profile and picture.mode in {"RGB", "RGBA", "L", "CMYK"}):
        return picture
    from PIL import ImageCms  # noqa: PLC0415 - few pictures need it

    try:
        source = (
            _built_in_profile("LAB") if profile is None else ImageCms.ImageCmsProfile(io.BytesIO(profile))
        )
        mode = "RGBA" if picture.mode == "RGBA" else "RGB"
        done = ImageCms.profileToProfile(picture, source, _built_in_profile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, *_DECODER_ERRORS):
        return picture
    return done or picture


def _built_in_profile(name: Literal["LAB", "sRGB"]) -> ImageCmsProfile:
    from PIL import ImageCms  # noqa: PLC0415 - as above

    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - untyped
