"""Photos and tables as data sets have them; every photo says in its metadata where it was taken."""

import io
import json
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

CANARY = b"Kodakanary"
"""In every kind of metadata of a photo that `photo` makes."""
MakePhoto = Callable[..., bytes]
MakeSet = Callable[..., Path]


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def pixels(seed: int, size: tuple[int, int] = (64, 48)) -> Image.Image:
    """A picture of its own for each seed: JPEG keeps coarse blocks apart."""
    blocks = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(blocks).resize(size, Image.Resampling.NEAREST)


def position_exif(lat: float, lon: float, datum: str = "") -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 1
    exif[0x010F] = CANARY.decode()
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "N" if lat >= 0 else "S", (abs(lat), 0.0, 0.0)
    gps[3], gps[4] = "E" if lon >= 0 else "W", (abs(lon), 0.0, 0.0)
    if datum:
        gps[18] = datum
    return exif


def jpeg(picture: Image.Image, exif: Image.Exif, **options: Any) -> bytes:
    """A JPEG with canaries in EXIF, XMP, IPTC, comments, a multi-picture index, and behind its end."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=92, exif=exif, comment=CANARY, **options)
    plain = buffer.getvalue()
    assert plain[2:4] in {b"\xff\xe0", b"\xff\xe1", b"\xff\xee"}
    xmp = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><City>" + CANARY + b"</City></x:xmpmeta>")
    iptc = segment(0xED, b"Photoshop 3.0\0" + CANARY)
    jfxx = segment(0xE0, b"JFXX\0\x10" + CANARY)
    app5 = segment(0xE5, CANARY)
    first = 4 + int.from_bytes(plain[4:6], "big")
    return plain[:first] + xmp + iptc + jfxx + app5 + plain[first:] + b"\xff\xd8" + CANARY


@pytest.fixture
def photo() -> MakePhoto:
    """Makes a JPEG that tells its place in many ways."""

    def make(
        seed: int = 0, lat: float = 48.5, lon: float = 2.25, size: tuple[int, int] = (64, 48), datum: str = ""
    ) -> bytes:
        return jpeg(pixels(seed, size), position_exif(lat, lon, datum))

    return make


@pytest.fixture
def make_set(tmp_path: Path, photo: MakePhoto) -> MakeSet:
    """Makes a JSONL table of `count` photos with their pictures, and returns the table."""

    def make(
        count: int = 4, name: str = "set", more: Sequence[Mapping[str, Any]] = (), first_seed: int = 0
    ) -> Path:
        folder = tmp_path / name
        (folder / "images").mkdir(parents=True)
        rows: list[Mapping[str, Any]] = []
        for seed in range(first_seed, first_seed + count):
            (folder / "images" / f"{seed}.jpg").write_bytes(photo(seed))
            rows.append(
                {"image": f"images/{seed}.jpg", "lat": 10.0 + seed, "lon": 20.0 + seed, "city": f"C{seed}"}
            )
        lines = [json.dumps(row, ensure_ascii=False) for row in (*rows, *more)]
        (folder / "photos.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return folder / "photos.jsonl"

    return make
