"""Service tests run on virtual time, except those that are allowed real sockets."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from wheretaken.maps.web import Ledger, Service, ServiceLimits
from wheretaken.testing.services import FakeService, FakeTransport, VirtualTimeLoop, loop_time


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    real = item.get_closest_marker("enable_socket") is not None
    return {"real": asyncio.new_event_loop} if real else {"virtual": VirtualTimeLoop}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Count on the loop's clock, so that days and rates pass in virtual time as well."""
    with Ledger(tmp_path / "services.sqlite", now=loop_time) as made:
        yield made


@pytest.fixture
def make_service(ledger: Ledger) -> Callable[..., Service]:
    """Make a service that asks a fake; keywords that are limits become limits."""

    def make(fake: FakeService, *, base_url: str = "https://maps.test/v1", **rest: Any) -> Service:
        known = {name: rest.pop(name) for name in list(rest) if name in ServiceLimits.model_fields}
        limits = ServiceLimits(**{"per_second": 1000, "burst": 1000, **known})
        rest.setdefault("transport", FakeTransport(fake))
        return Service("maps", base_url, limits, ledger=ledger, **rest)

    return make
