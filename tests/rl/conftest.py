"""A photo, a map of a few places, and rollouts over them."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wheretaken.agent import Case
from wheretaken.maps import Place
from wheretaken.testing.maps import FewPlaces

PLACES = (Place(id="osm:n1", name="Kiosk", kind="kiosk", lat=60.17, lon=24.94, source="nobody"),)
ANSWER = '{"lat": 60.17, "lon": 24.94, "city": "Helsinki", "country": "Finland"}'


@pytest.fixture(scope="session")
def case() -> Case:
    buffer = io.BytesIO()
    Image.effect_noise((640, 360), 60).convert("RGB").save(buffer, "JPEG")
    return Case.of(buffer.getvalue())


@pytest.fixture
def few() -> FewPlaces:
    return FewPlaces(PLACES)


@pytest.fixture
def answer() -> str:
    return ANSWER


def told_photo(seed: int, place: str) -> bytes:
    """A JPEG of its own for each seed, whose metadata tells where it was taken."""
    chance = np.random.default_rng(seed)
    picture = Image.fromarray(chance.integers(0, 255, (6, 8, 3), dtype=np.uint8)).resize((64, 48), 0)
    exif = Image.Exif()
    exif[0x010E] = f"Kodakanary {place}"
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=92, exif=exif, comment=f"Kodakanary {place}")
    return buffer.getvalue()


@pytest.fixture
def make_set(tmp_path: Path) -> Callable[..., Path]:
    """Makes a table of so many photos, whose names, folders and metadata tell their place."""

    def make(count: int = 4, name: str = "Kodakanary", *, first: int = 0, apart: float = 1.0) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        lines = []
        for seed in range(first, first + count):
            place = {"lat": 10.123 + seed * apart, "lon": 20.456 + seed * apart, "city": f"Kodaktown {seed}"}
            (folder / f"Kodaktown {seed}.jpg").write_bytes(told_photo(seed, f"{place['lat']}"))
            row = {"id": f"Kodaktown {seed}", "image": f"Kodaktown {seed}.jpg", **place, "country": "Kodakia"}
            lines.append(json.dumps(row) + "\n")
        (folder / "set.jsonl").write_text("".join(lines))
        return folder / "set.jsonl"

    return make
