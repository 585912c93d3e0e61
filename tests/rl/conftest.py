"""A photo, a map of a few places, and rollouts over them."""

import io

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
