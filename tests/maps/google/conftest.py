"""Google over a handful of places, asked in virtual time."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from wheretaken.geo import LatLon
from wheretaken.maps.google import Google
from wheretaken.maps.web import Connection, Ledger, WebSettings
from wheretaken.testing.services import FakeService, FakeTransport, VirtualTimeLoop, loop_time
from wheretaken.testing.services.google import Panorama, Spot, google

KEY = "k3y-canary-0123456789"
FINLAND, CHINA = ("Finland", "FI"), ("China", "CN")
CAFE = Spot(
    "ChIJcafe",
    "Café Strindberg",
    LatLon(60.16764, 24.94706),
    ("cafe", "restaurant", "food", "point_of_interest", "establishment"),
    "33",
    "Pohjoisesplanadi",
    "Helsinki",
    "Uusimaa",
    FINLAND,
    attribution="Listings by Example",
)
SHADOW = Spot("ChIJshadow", "Café Strindberg", LatLon(59.3293, 18.0686), ("cafe",), country=("Sweden", "SE"))
HELSINKI = Spot(
    "ChIJhelsinki",
    "Helsinki",
    LatLon(60.1699, 24.9384),
    ("locality", "political"),
    city="Helsinki",
    region="Uusimaa",
    country=FINLAND,
    degrees=0.15,
)
GATE = Spot(
    "ChIJgate",
    "天安门",
    LatLon(39.90735, 116.39128),
    ("tourist_attraction", "point_of_interest"),
    city="北京市",
    country=CHINA,
)
PANORAMA = Panorama("pano-1", LatLon(60.16790, 24.94720), copyright="© 2023 Google")


class Asked(NamedTuple):
    """A provider and what it asks."""

    provider: Google
    fake: FakeService


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    real = item.get_closest_marker("enable_socket") is not None
    return {"real": asyncio.new_event_loop} if real else {"virtual": VirtualTimeLoop}


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    fake = FakeService(google([CAFE, SHADOW, HELSINKI, GATE], [PANORAMA], key=KEY))
    settings = WebSettings.model_validate({"google": {"key": KEY}})
    with Ledger(tmp_path / "services.sqlite", now=loop_time) as ledger:
        yield Asked(Google.connected(Connection(settings, FakeTransport(fake), ledger)), fake)
