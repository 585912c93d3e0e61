"""A few real places of Helsinki and Tokyo, and providers that ask fakes about them, on virtual time."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from wheretaken.maps.web import Connection, Ledger, WebSettings
from wheretaken.testing.services import FakeService, FakeTransport, VirtualTimeLoop, loop_time
from wheretaken.testing.services.osm import Element

FINLAND = {"city": "Helsinki", "state": "Uusimaa", "country": "Finland", "country_code": "fi"}


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"virtual": VirtualTimeLoop}


@pytest.fixture
def elements() -> list[Element]:
    return [
        Element(
            "r34914",
            60.1675,
            24.9427,
            {
                "boundary": "administrative",
                "admin_level": "8",
                "name": "Helsinki",
                "name:sv": "Helsingfors",
                "population": "658457",
            },
            FINLAND,
            (59.92, 24.78, 60.30, 25.25),
        ),
        Element(
            "n1",
            60.16614,
            24.94946,
            {"amenity": "restaurant", "name": "Zucchini", "phone": "+358 9 622 2907", "wheelchair": "no"},
            {"house_number": "4", "road": "Fabianinkatu", **FINLAND},
        ),
        Element(
            "w2",
            60.1680,
            24.9495,
            {"highway": "residential", "name": "Fabianinkatu", "name:sv": "Fabiansgatan"},
            {"road": "Fabianinkatu", **FINLAND},
            (60.1655, 24.9490, 60.1705, 24.9500),
        ),
        Element(
            "n3",
            35.6812,
            139.7671,
            {"railway": "station", "name": "東京", "name:en": "Tokyo"},
            {"city": "Chiyoda", "state": "Tokyo", "country": "Japan", "country_code": "jp"},
        ),
        Element(
            "n4",
            60.1662,
            24.9496,
            {"place": "house"},
            {"house_number": "4b", "road": "Fabianinkatu", **FINLAND},
        ),
    ]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "services.sqlite", now=loop_time) as made:
        yield made


@pytest.fixture
def make(ledger: Ledger) -> Callable[..., Any]:
    """Make a provider over a fake; keywords are settings."""

    def made(provider: Any, fake: FakeService, **settings: Any) -> Any:
        return provider.connected(Connection(WebSettings(**settings), FakeTransport(fake), ledger))

    return made
