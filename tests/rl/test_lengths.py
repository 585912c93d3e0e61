"""Photos whose prompts are too long are left out, and told of, by one rule for both engines."""

import io
import struct
import zlib

import pytest
from PIL import Image

from wheretaken.errors import PhotoError, UserError
from wheretaken.rl.data import size
from wheretaken.rl.lengths import fitting


def test_nothing_is_said_where_all_prompts_fit():
    fit = fitting([10, 12, 11], 12, "photos")
    assert (fit.kept, fit.said) == ((0, 1, 2), "")


def test_longer_prompts_are_left_out_and_told_of():
    fit = fitting([10, 13, 12, 20], 12, "photos", 2)
    assert fit.kept == (0, 2)
    assert fit.said == (
        "photos: 2 of 4 photos have prompts longer than recipe.prompt_tokens (12); "
        "the longest has 20 tokens; they are left out"
    )


@pytest.mark.parametrize(("lengths", "least"), [([13, 20], 1), ([10, 13, 12, 20], 3)])
def test_too_few_that_fit_are_refused_with_what_to_do(lengths, least):
    with pytest.raises(
        UserError, match=r"has 20 tokens, and \d photos are too few: raise recipe\.prompt_tokens"
    ):
        fitting(lengths, 12, "photos", least)


@pytest.mark.parametrize(("orientation", "shown"), [(None, (40, 30)), (1, (40, 30)), (6, (30, 40))])
def test_the_size_of_a_photo_is_that_in_which_it_is_shown(tmp_path, orientation, shown):
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(buffer, "JPEG", exif=exif)
    (tmp_path / "photo.jpg").write_bytes(buffer.getvalue())
    assert size(buffer.getvalue()) == size(tmp_path / "photo.jpg") == shown


def test_a_photo_that_claims_to_be_larger_than_any_is_refused():
    buffer = io.BytesIO()
    Image.new("1", (1, 1)).save(buffer, "PNG")
    png = bytearray(buffer.getvalue())
    png[16:24] = struct.pack(">II", 60_000, 60_000)
    png[29:33] = struct.pack(">I", zlib.crc32(png[12:29]))
    with pytest.raises(PhotoError):
        size(bytes(png))


def test_a_photo_that_cannot_be_read_is_said(tmp_path):
    (tmp_path / "photo.jpg").write_text("no picture")
    with pytest.raises(PhotoError, match=r"photo\.jpg"):
        size(tmp_path / "photo.jpg")
