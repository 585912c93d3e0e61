import base64
import dataclasses
import io
import os
import random
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw, PngImagePlugin

from wheretaken.errors import PhotoError
from wheretaken.photos import Photo, load

FORMATS = ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "HEIF", "AVIF"]
EXIF_ORIENTATION, EXIF_GPS = 0x0112, 0x8825


def corner(size: tuple[int, int] = (48, 32)) -> Image.Image:
    """Blue with a red upper left quarter, so that every orientation looks different."""
    image = Image.new("RGB", size, "blue")
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 2 - 1, size[1] // 2 - 1), fill="red")
    return image


def encoded(image: Image.Image, file_format: str = "PNG", **options: object) -> bytes:
    if file_format == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def profile(name: Literal["LAB", "sRGB"]) -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - untyped


def is_corner(image: Image.Image) -> bool:
    def near(at: tuple[int, int], wanted: tuple[int, int, int]) -> bool:
        pixel = image.getpixel(at)
        assert isinstance(pixel, tuple)
        return all(abs(a - b) < 60 for a, b in zip(pixel, wanted, strict=True))

    red, blue = (255, 0, 0), (0, 0, 255)
    return near((8, 6), red) and near((40, 6), blue) and near((8, 26), blue) and near((40, 26), blue)


@pytest.mark.parametrize("file_format", FORMATS)
def test_every_format_loads_upright_rgb_and_bare(file_format: str):
    data = encoded(corner(), file_format)
    photo = load(data)
    assert (photo.width, photo.height, photo.image.mode, photo.image.info) == (48, 32, "RGB", {})
    assert (photo.format, photo.size_bytes) == (file_format, len(data))
    assert is_corner(photo.image)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_applied(file_format: str, orientation: int):
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = corner()
    if orientation in undo:
        stored = stored.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    photo = load(encoded(stored, file_format, exif=exif))
    assert (photo.width, photo.height) == (48, 32)
    assert is_corner(photo.image)


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGBA", "CMYK", "I;16", "I", "F", "YCbCr", "LAB"]
)
def test_every_mode_becomes_the_same_grey(mode: str):
    grey = Image.new("L", (16, 16), 255 if mode == "1" else 102)
    if mode in {"I;16", "I", "F"}:
        wide = {"I;16": 102 * 257, "I": 102 * 257, "F": 0.4}[mode]
        image = Image.new(mode, (16, 16), wide)
    elif mode == "LAB":
        image = ImageCms.profileToProfile(
            grey.convert("RGB"), profile("sRGB"), profile("LAB"), outputMode="LAB"
        )
        assert image is not None
    elif mode == "PA":
        image = grey.convert("LA")
    else:
        image = grey.convert("RGB").convert(mode) if mode in {"CMYK", "YCbCr"} else grey.convert(mode)
    file_format = "TIFF" if mode in {"CMYK", "F", "YCbCr", "LAB", "I"} else "PNG"
    pixel = load(encoded(image, file_format)).image.getpixel((8, 8))
    wanted = 255 if mode == "1" else 102
    assert isinstance(pixel, tuple)
    assert all(abs(channel - wanted) <= 3 for channel in pixel)


def test_transparent_parts_are_white():
    image = Image.new("RGBA", (16, 16), (255, 0, 0, 0))
    assert load(encoded(image)).image.getpixel((3, 3)) == (255, 255, 255)


def test_of_an_animation_the_first_frame_is_taken():
    data = encoded(
        Image.new("RGB", (16, 16), "red"), "GIF", save_all=True, append_images=[Image.new("RGB", (16, 16))]
    )
    assert load(data).image.getpixel((0, 0)) == (255, 0, 0)


def test_no_metadata_survives():
    canary = b"CANARY-51.4778"
    exif = Image.Exif()
    exif[0x010E] = canary.decode()
    exif[EXIF_GPS] = {1: "N", 2: (51.0, 28.0, 40.0), 3: "W", 4: (0.0, 0.0, 5.0)}
    icc = profile("sRGB").tobytes()
    iptc = b"\xff\xed" + (len(canary) + 2 + 14).to_bytes(2, "big") + b"Photoshop 3.0\0" + canary
    jpeg = encoded(
        corner(), "JPEG", exif=exif, xmp=b"<x>" + canary + b"</x>", comment=canary, icc_profile=icc
    )
    jpeg = jpeg[:2] + iptc + jpeg[2:]
    assert jpeg.count(canary) == 4
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", canary.decode())
    for data in (jpeg, encoded(corner(), "PNG", exif=exif, pnginfo=text)):
        photo = load(data)
        assert photo.image.info == {}
        assert dict(photo.image.getexif()) == {}
        for part in (photo, photo.crop(0, 0, 20, 20), photo.resized(200)):
            url = part.data_url()
            for out in (part.png_bytes(), part.jpeg_bytes(), base64.b64decode(url.partition(",")[2])):
                assert canary not in out
                assert not any(
                    mark in out for mark in (b"Exif", b"eXIf", b"ICC_PROFILE", b"iCCP", b"xmp", b"tEXt")
                )


def test_a_photo_does_not_know_its_file_name(tmp_path: Path):
    path = tmp_path / "eiffel_tower.png"
    path.write_bytes(encoded(corner()))
    photo = load(path)
    assert "eiffel" not in repr([getattr(photo, field.name) for field in dataclasses.fields(Photo)])


def test_hashes():
    one, other = load(encoded(corner(), "PNG")), load(encoded(corner(), "BMP"))
    assert one.sha256 != other.sha256
    assert one.content_hash == other.content_hash
    assert one.crop(0, 0, 30, 30).content_hash != one.content_hash
    assert one.crop(0, 0, 30, 30).sha256 == one.sha256


def test_crop_is_kept_inside_the_picture():
    photo = load(encoded(corner()))
    part = photo.crop(-10, 16, 24, 100)
    assert (part.width, part.height) == (24, 16)
    with pytest.raises(ValueError, match="holds nothing of the 48x32 picture"):
        photo.crop(50, 0, 60, 10)


@given(width=st.integers(8, 300), height=st.integers(8, 300), limit=st.integers(1, 2000))
@settings(max_examples=40, deadline=None)
def test_resized_is_within_the_limit(width: int, height: int, limit: int):
    small = load(encoded(Image.new("RGB", (width, height)), "BMP")).resized(limit)
    assert 1 <= small.width * small.height <= limit


def test_data_url_limits():
    photo = load(encoded(corner()))

    def pixels(url: str) -> int:
        with Image.open(io.BytesIO(base64.b64decode(url.removeprefix("data:image/jpeg;base64,")))) as image:
            return image.width * image.height

    assert pixels(photo.data_url()) == 48 * 32
    assert pixels(photo.data_url(max_pixels=500)) <= 500
    assert pixels(photo.data_url(min_pixels=5000)) >= 5000


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"Dear editor,\n\nplease find the picture attached.\n", "is text, not a picture"),
        (b"%PDF-1.7\n\0\0", "is not a picture of a known format"),
        (encoded(corner(), "JPEG")[:-200], "is truncated or damaged"),
        (encoded(corner(), "HEIF")[:200], "damaged"),
        (encoded(Image.new("RGB", (4, 30))), "is only 4x30 pixels"),
        (encoded(Image.new("1", (20_000, 20_000))), "far too many pixels"),
    ],
)
def test_unusable_files_say_why_in_one_line(tmp_path: Path, data: bytes, message: str):
    path = tmp_path / "a photo.jpg"
    path.write_bytes(data)
    with pytest.raises(PhotoError, match=message) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_pixel_limit_is_checked_before_decoding():
    with pytest.raises(
        PhotoError, match=r"has too many pixels \(48x32\): save it smaller than 0\.001 megapixels"
    ):
        load(encoded(corner())[:100], max_pixels=1000)


def test_unusable_paths(tmp_path: Path):
    with pytest.raises(PhotoError, match="does not exist"):
        load(tmp_path / "missing.jpg")
    with pytest.raises(PhotoError, match="is a directory"):
        load(tmp_path)
    with pytest.raises(PhotoError, match="is not a regular file"):
        load("/dev/zero")
    with pytest.raises(PhotoError, match="is not a usable path"):
        load("a\0b")
    huge = tmp_path / "huge.tif"
    with huge.open("wb") as file:
        file.truncate(200_000_001)
    with pytest.raises(PhotoError, match=r"too large \(200 MB"):
        load(huge)


@pytest.fixture
def ordinary_user():
    """Root may read everything; the test runs as nobody instead."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    yield
    os.seteuid(was)


def test_a_file_without_permission(ordinary_user):
    path = Path(tempfile.mkdtemp()) / "locked.png"
    path.write_bytes(encoded(corner()))
    path.chmod(0)
    with pytest.raises(PhotoError, match="you lack the permission"):
        load(path)
    shutil.rmtree(path.parent)


def test_a_corrupt_exif_block_does_not_lose_the_photo():
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6
    data = bytearray(encoded(corner(), "JPEG", exif=exif))
    start = data.index(b"Exif\0\0") + 6
    data[start : start + 16] = b"\xff" * 16
    assert is_corner(load(bytes(data)).image)


def loads_or_refuses(data: bytes) -> None:
    refusal = ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            assert load(data, max_pixels=1_000_000).image.mode == "RGB"
        except PhotoError as error:
            refusal = str(error)
    assert "\n" not in refusal
    assert not caught


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_random_bytes_load_or_are_refused(data: bytes):
    loads_or_refuses(data)


@pytest.mark.parametrize("file_format", FORMATS)
@given(seed=st.integers(0, 2**32), flips=st.integers(0, 30), keep=st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_damaged_files_load_or_are_refused(file_format: str, seed: int, flips: int, keep: float):
    generator = random.Random(seed)
    data = bytearray(encoded(corner(), file_format))
    for _ in range(flips):
        data[generator.randrange(len(data))] = generator.randrange(256)
    loads_or_refuses(bytes(data[: int(len(data) * keep) + 1] if keep < 0.5 else data))
