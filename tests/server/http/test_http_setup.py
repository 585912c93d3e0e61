"""What is served follows from the settings."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from wheretaken.errors import UserError
from wheretaken.geo import Datum
from wheretaken.maps.router import Router
from wheretaken.maps.web import WebSettings
from wheretaken.maps.web.settings import AmapSettings, GoogleSettings, ImagerySettings, PhotonSettings
from wheretaken.server.cache import Policy, ToolCache
from wheretaken.server.desk import ToolDesk
from wheretaken.server.metrics import Metrics
from wheretaken.server.providers import connect, terms
from wheretaken.server.settings import ServerSettings
from wheretaken.server.shelf import Shelf
from wheretaken.server.toolsets import toolset
from wheretaken.testing.maps import FewPlaces

from .conftest import Kiosks


async def test_services_with_a_key_or_switched_on_are_asked_in_the_settings_order() -> None:
    settings = WebSettings(
        amap=AmapSettings(key=SecretStr("k")),
        google=GoogleSettings(key=SecretStr("k")),
        photon=PhotonSettings(enabled=True),
    )
    maps = connect(settings, [FewPlaces()])
    assert [one.name for one in maps.providers] == ["google", "amap", "photon", "few"]
    allowed = terms(maps)
    assert set(allowed) == {"router", "google", "amap", "photon", "few"}
    assert allowed["google"]("road_map") == 0
    assert allowed["router"]("road_map") is None
    await maps.aclose()


async def test_worldwide_has_the_tools_that_its_maps_can_serve() -> None:
    plain = connect(WebSettings(), [FewPlaces()])
    assert "satellite_map" not in {tool.name for tool in toolset("worldwide", plain).tools}
    imagery = ImagerySettings(enabled=True, url="https://tiles.test/{z}/{x}/{y}.jpg", attribution="nobody")
    seeing = connect(WebSettings(imagery=imagery), [FewPlaces()])
    assert "satellite_map" in {tool.name for tool in toolset("worldwide", seeing).tools}
    for maps in (plain, seeing):
        await maps.aclose()


def test_all_has_every_tool_once() -> None:
    maps = connect(WebSettings(), [FewPlaces()])
    together = toolset("all", maps)
    names = [tool.name for tool in together.tools]
    assert (together.datum, toolset("amap", maps).datum) == (Datum.WGS84, Datum.GCJ02)
    assert len(names) == len(set(names))
    assert {"zoom", "amap_static_map", "google_search"} <= set(names)
    with pytest.raises(UserError, match="worldwide, amap, google, all"):
        toolset("moon", maps)


async def test_toolsets_of_two_datums_never_share_an_answer(tmp_path: Path) -> None:
    maps = Router([Kiosks()])
    policy = Policy(terms(maps))
    cache = ToolCache(policy=policy)
    told: list[str] = []
    for name in ("amap", "all", "amap"):
        desk = ToolDesk(toolset(name, maps), maps, cache, policy, Shelf(tmp_path), Metrics())
        served = await desk.call("amap_poi_detail", '{"query": "B01"}')
        told.append(served.cached.result.data["location"])
    assert served.cached.cached
    assert told[1] == "116.397400,39.909300"
    assert told[0] == told[2] == "116.403644,39.910704"
    await cache.aclose()


@pytest.mark.parametrize(
    ("host", "allowed", "names"),
    [
        ("127.0.0.1", (), {"localhost", "127.0.0.1", "[::1]"}),
        ("::1", ("maps.example",), {"localhost", "127.0.0.1", "[::1]", "maps.example"}),
        ("10.0.0.7", (), {"localhost", "127.0.0.1", "[::1]", "10.0.0.7"}),
        ("0.0.0.0", (), None),
        ("0.0.0.0", ("maps.example",), {"localhost", "127.0.0.1", "[::1]", "0.0.0.0", "maps.example"}),
    ],
)
def test_by_which_names_it_may_be_addressed(
    host: str, allowed: tuple[str, ...], names: set[str] | None
) -> None:
    assert ServerSettings(host=host, allow_hosts=allowed).hosts == names


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "example.org"])
def test_others_reach_nothing_without_a_token(host: str) -> None:
    with pytest.raises(UserError, match="set a token"):
        ServerSettings(host=host).check()
    ServerSettings(host=host, token=SecretStr("tea")).check()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machine_needs_no_token(host: str) -> None:
    ServerSettings(host=host).check()
