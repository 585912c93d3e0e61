"""Pictures that are here for a while."""

import os
import time
from pathlib import Path

import pytest
from PIL import Image

from wheretaken.errors import DataError, PhotoError
from wheretaken.messages import Picture
from wheretaken.server.shelf import Shelf


def picture(grey: int) -> Picture:
    return Picture.encode(Image.new("RGB", (40, 30), (grey, grey, grey)), "image/png")


async def test_another_worker_finds_what_one_put_there(tmp_path: Path) -> None:
    put = picture(1)
    await Shelf(tmp_path / "shelf").put(put)
    got = await Shelf(tmp_path / "shelf").get(put.sha256)
    assert got is not None
    assert (got.data, got.mime, got.width, got.height) == (put.data, "image/png", 40, 30)
    assert (tmp_path / "shelf").stat().st_mode & 0o077 == 0


async def test_what_nobody_used_goes_and_what_was_used_stays(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, keep_seconds=100)
    old, used = picture(1), picture(2)
    for one in (old, used):
        await shelf.put(one)
        os.utime(tmp_path / f"{one.sha256}.png", (0, time.time() - 200))
    assert await shelf.get(used.sha256)
    await Shelf(tmp_path, keep_seconds=100).put(picture(3))
    assert await shelf.get(old.sha256) is None
    assert await shelf.get(used.sha256)


async def test_the_least_recently_used_goes_when_there_is_no_room(tmp_path: Path) -> None:
    pictures = [picture(grey) for grey in range(6)]
    for age, one in enumerate(pictures):
        await Shelf(tmp_path).put(one)
        os.utime(tmp_path / f"{one.sha256}.png", (0, time.time() - 50 + age))
    size = max(len(one.data) for one in pictures)
    await Shelf(tmp_path, most_bytes=3 * size).put(picture(99))
    left = [await Shelf(tmp_path).get(one.sha256) is not None for one in pictures]
    assert left == [False, False, False, True, True, True]


async def test_a_picture_with_too_many_pixels_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("L", (2000, 2000)).save(path)
    with pytest.raises(PhotoError):
        await Shelf(tmp_path / "shelf").take_in(path.read_bytes(), max_pixels=1_000_000)


async def test_a_directory_that_is_gone_is_told(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf")
    (tmp_path / "shelf").rmdir()
    (tmp_path / "shelf").write_text("a file")
    with pytest.raises(DataError, match="pictures cannot be kept there"):
        await shelf.put(picture(1))
