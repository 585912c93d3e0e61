"""AMap over a handful of POIs, asked in virtual time, except by tests that are allowed real sockets."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from wheretaken.geo import LatLon
from wheretaken.maps.amap import AmapProvider
from wheretaken.maps.web import Connection, Ledger, WebSettings
from wheretaken.testing.services import FakeService, FakeTransport, VirtualTimeLoop, loop_time
from wheretaken.testing.services.amap import Poi, amap

KEY = "k3y-canary-0123456789"
UNIVERSITY = Poi(
    "B000A816R6",
    "北京大学",
    LatLon(39.991402, 116.304729),
    address="颐和园路5号",
    alias="PKU|北大",
    business_area="西苑",
)
CAFE = Poi(
    "B0FFKEPXS2",
    "漫咖啡(北京大学店)",
    LatLon(39.9880, 116.3030),
    typecode="050500",
    type="餐饮服务;咖啡厅;咖啡厅",
)
HARBOUR = Poi(
    "B0FFG9VLP5",
    "维多利亚港",
    LatLon(22.2888, 114.1722),
    typecode="110000",
    type="风景名胜;风景名胜相关;旅游景点",
    province="香港特别行政区",
    city="香港特别行政区",
    district="油尖旺区",
    adcode="810005",
)


class Amap(NamedTuple):
    """A provider and what it asks."""

    provider: AmapProvider
    fake: FakeService


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    real = item.get_closest_marker("enable_socket") is not None
    return {"real": asyncio.new_event_loop} if real else {"virtual": VirtualTimeLoop}


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Amap]:
    fake = FakeService(amap([UNIVERSITY, CAFE, HARBOUR], key=KEY))
    settings = WebSettings.model_validate({"amap": {"key": KEY}})
    with Ledger(tmp_path / "services.sqlite", now=loop_time) as ledger:
        yield Amap(AmapProvider.connected(Connection(settings, FakeTransport(fake), ledger)), fake)
