import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from wheretaken import photos
from wheretaken.errors import PhotoError

CANARY = b"Kodakanary"
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - untyped


def pixels(seed: int = 0, size: tuple[int, int] = (64, 48)) -> Image.Image:
    blocks = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(blocks).resize(size, Image.Resampling.NEAREST)


def jpeg(picture: Image.Image | None = None, **options: object) -> bytes:
    buffer = io.BytesIO()
    (picture or pixels()).save(buffer, "JPEG", **{"quality": 92, **options})
    return buffer.getvalue()


def decoded(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture)


def markers(data: bytes) -> list[int]:
    """The segments before the first scan."""
    found, at = [], 2
    while data[at + 1] != 0xDA:
        found.append(data[at + 1])
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return found


KINDS = {
    "baseline": {},
    "progressive": {"progressive": True},
    "optimised": {"optimize": True},
    "4:4:4": {"subsampling": 0},
    "restart markers": {"restart_marker_blocks": 1},
    "rgb": {"keep_rgb": True},
    "sRGB profile": {"icc_profile": SRGB + CANARY},
}


GREY = ("baseline", "progressive", "optimised", "restart markers")


@pytest.mark.parametrize(
    ("kind", "mode"), [*((kind, "RGB") for kind in KINDS), *((kind, "L") for kind in GREY)]
)
def test_an_upright_jpeg_keeps_its_coded_pixels_and_nothing_else(kind, mode):
    plain = jpeg(pixels().convert(mode), **KINDS[kind])
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = CANARY.decode(), 1
    rich = jpeg(pixels().convert(mode), exif=exif, comment=CANARY, xmp=CANARY, **KINDS[kind])
    rich += b"\xff\xd8" + CANARY + b"\xff\xd9"
    assert CANARY in rich
    bare = photos.strip(rich)
    assert (bare.format, bare.width, bare.height) == ("JPEG", 64, 48)
    assert np.array_equal(decoded(bare.data), decoded(plain))
    assert CANARY not in bare.data
    assert not {0xE1, 0xE2, 0xED, 0xFE} & set(markers(bare.data))
    with Image.open(io.BytesIO(bare.data)) as picture:
        assert not {"exif", "xmp", "comment", "icc_profile", "photoshop"} & set(picture.info)
    # What was decoded and encoded anew would differ.
    assert len(bare.data) == len(jpeg(pixels().convert(mode), **{**KINDS[kind], "icc_profile": None}))


def test_every_kind_of_metadata_is_gone(photo):
    rich = photo()
    assert rich.count(CANARY) == 7  # EXIF, XMP, IPTC, JFXX, APP5, comment, behind the end
    bare = photos.strip(rich)
    assert CANARY not in bare.data
    assert b"Exif" not in bare.data
    assert bare.data.endswith(b"\xff\xd9")
    assert np.array_equal(decoded(bare.data), decoded(rich))
    assert photos.load(bare.data).content_hash == photos.load(rich).content_hash


def test_a_thumbnail_in_the_jfif_segment_is_cut_off():
    plain = jpeg()
    assert plain[2:4] == b"\xff\xe0"
    thumbnail = b"JFIF\0\x01\x01\0\0\x01\0\x01\x01\x01" + b"Kod"
    rich = plain[:2] + b"\xff\xe0" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail + plain[20:]
    assert np.array_equal(decoded(rich), decoded(plain))
    assert photos.strip(rich).data == plain


def test_fill_bytes_before_markers_are_legal():
    plain = jpeg()
    filled = plain[:20] + b"\xff\xff" + plain[20:-2] + b"\xff\xff" + plain[-2:]
    assert np.array_equal(decoded(photos.strip(filled).data), decoded(plain))


@pytest.mark.parametrize("orientation", range(2, 9))
def test_other_orientations_become_upright(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    rich = jpeg(exif=exif)
    bare, wanted = photos.strip(rich), photos.load(rich)
    assert (bare.width, bare.height) == (wanted.width, wanted.height)
    difference = np.abs(decoded(bare.data).astype(int) - np.asarray(wanted.image).astype(int))
    assert difference.mean() < 10  # encoded anew; turned the wrong way it would be 80


def test_an_orientation_in_xmp_is_followed_as_well():
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" tiff:Orientation="6"></x:xmpmeta>'
    rich = jpeg(xmp=xmp)
    assert photos.load(rich).width == 48
    assert (photos.strip(rich).width, photos.strip(rich).height) == (48, 64)


def test_a_profile_that_is_not_srgb_does_not_travel_along():
    lab = ImageCms.createProfile("LAB")  # no RGB profile: does not fit, so that colours stay as they are
    profile = ImageCms.ImageCmsProfile(lab).tobytes()  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - untyped
    rich = jpeg(icc_profile=profile + CANARY)
    bare = photos.strip(rich)
    assert CANARY not in bare.data
    assert b"ICC_PROFILE" not in bare.data
    assert np.abs(decoded(bare.data).astype(int) - np.asarray(photos.load(rich).image)).mean() < 10


@pytest.mark.parametrize(
    ("file_format", "wanted", "exact"),
    [("PNG", "PNG", True), ("BMP", "PNG", True), ("TIFF", "PNG", True), ("WEBP", "JPEG", False)],
)
def test_other_formats_are_encoded_anew(file_format, wanted, exact):
    buffer = io.BytesIO()
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", CANARY.decode())
    options = {"pnginfo": text} if file_format == "PNG" else {}
    pixels().save(buffer, file_format, **options)
    bare = photos.strip(buffer.getvalue())
    assert bare.format == wanted
    assert CANARY not in bare.data
    assert np.array_equal(decoded(bare.data), np.asarray(pixels())) or not exact


def test_cmyk_becomes_rgb():
    with Image.open(io.BytesIO(photos.strip(jpeg(pixels().convert("CMYK"))).data)) as picture:
        assert picture.mode == "RGB"


@pytest.mark.parametrize("progressive", [False, True])
def test_what_load_refuses_is_refused(progressive):
    """Wherever a file is cut off, both say the same."""
    whole = jpeg(pixels(1, (160, 120)), progressive=progressive)
    for cut in (*range(0, len(whole), 97), len(whole) - 2, len(whole) - 1):
        try:
            photos.load(whole[:cut])
        except PhotoError:
            with pytest.raises(PhotoError):
                photos.strip(whole[:cut])
        else:
            photos.strip(whole[:cut])
    for other in (b"", b"<html>", jpeg(pixels(1, (4, 100)))):
        with pytest.raises(PhotoError):
            photos.strip(other)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_bytes_never_crash(data):
    """A changed file is stripped or refused, and what is stripped can be loaded."""
    broken = bytearray(jpeg(comment=CANARY))
    for _ in range(data.draw(st.integers(1, 8))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    try:
        bare = photos.strip(bytes(broken))
    except PhotoError:
        return
    loaded = photos.load(bare.data)
    assert (loaded.width, loaded.height) == (bare.width, bare.height)


def test_threads_may_strip_at_the_same_time(photo):
    files = [photo(seed) for seed in range(24)]
    one_by_one = [photos.strip(data) for data in files]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(photos.strip, files)) == one_by_one
