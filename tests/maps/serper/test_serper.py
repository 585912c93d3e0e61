"""Serper's places and pages, its errors, and its key."""

import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from wheretaken.errors import AccessError, BusyError, ServiceError, ToolError, UserError, WheretakenError
from wheretaken.geo import LatLon, distance_km
from wheretaken.maps import MatchKind, UnsupportedError, WebPage
from wheretaken.maps.serper import Serper
from wheretaken.maps.web import Connection, Ledger, WebSettings
from wheretaken.testing.services import (
    EVERY,
    FakeService,
    FakeTransport,
    Mishap,
    Reply,
    loop_time,
    status,
)
from wheretaken.testing.services.serper import refusal, serper

KEY = "k3y-canary-0123456789"
PLACES = [
    {
        "title": "Café Strindberg",
        "address": "Pohjoisesplanadi 33, 00100 Helsinki, Finland",
        "latitude": 60.16764,
        "longitude": 24.94706,
        "type": "Tourist attraction",
        "types": ["Tourist attraction", "Cafe"],
        "description": "Coffee since 1996",
        "cid": "11",
        "placeId": "ChIJcafe",
    },
    {"title": "Café Ekberg", "latitude": 60.16318, "longitude": 24.93894, "cid": "12"},
    {"title": "Café without a place", "cid": "13"},
    {"title": "天安门", "latitude": 39.9087202, "longitude": 116.3974799, "cid": "14"},
]
PAGES = [
    {"title": "Strindberg", "link": "https://example.org/a", "snippet": "A café", "date": "Mar 2, 2024"},
    {"title": "Strindberg, August", "link": "https://example.org/b"},
]


class Asked(NamedTuple):
    provider: Serper
    fake: FakeService


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    fake = FakeService(serper(PLACES, PAGES, key=KEY))
    settings = WebSettings.model_validate({"serper": {"key": KEY}})
    with Ledger(tmp_path / "services.sqlite", now=loop_time) as ledger:
        yield Asked(Serper.connected(Connection(settings, FakeTransport(fake), ledger)), fake)


async def test_places(asked: Asked) -> None:
    first, second = await asked.provider.search("café", near=LatLon(60.17, 24.94), country_code="FI")
    assert first.model_dump(exclude={"match", "distance_km"}, exclude_defaults=True) == {
        "id": "google:ChIJcafe",
        "name": "Café Strindberg",
        "kind": "tourist_attraction",
        "lat": 60.16764,
        "lon": 24.94706,
        "address": "Pohjoisesplanadi 33, 00100 Helsinki, Finland",
        "extent_km": 0.1,
        "source": "Google, through Serper",
        "more": {"types": "Tourist attraction, Cafe", "description": "Coffee since 1996"},
    }
    assert first.distance_km == pytest.approx(0.47, abs=0.02)
    assert (second.id, second.kind, second.more) == ("serper:12", "poi", {})
    (request,) = asked.fake.asked
    assert (request.host, request.path) == ("google.serper.dev", "/maps")
    assert request.json == {"q": "café", "hl": "en", "gl": "fi", "ll": "@60.170000,24.940000,11z"}


async def test_a_match_and_a_limit(asked: Asked) -> None:
    (only,) = await asked.provider.search("café ekberg", limit=1)
    assert only.match.kind is MatchKind.EXACT
    assert await asked.provider.search("nowhere") == []


async def test_positions_in_mainland_china_are_converted(asked: Asked) -> None:
    (gate,) = await asked.provider.search("天安门", near=LatLon(39.9073, 116.3912))
    assert distance_km(LatLon(gate.lat, gate.lon), LatLon(39.9073, 116.3912)) < 0.05
    request = asked.fake.asked[0].json
    assert request["hl"] == "zh-CN"
    lat, lon, _ = request["ll"].removeprefix("@").split(",")
    assert distance_km(LatLon(float(lat), float(lon)), LatLon(39.9087202, 116.3974799)) < 0.05


async def test_an_empty_query_is_for_another_provider(asked: Asked) -> None:
    with pytest.raises(UnsupportedError):
        await asked.provider.search("", country_code="FI")
    assert asked.fake.asked == []


async def test_pages(asked: Asked) -> None:
    source = "Google, through Serper"
    assert await asked.provider.web_search("strindberg") == [
        WebPage(
            title="Strindberg",
            url="https://example.org/a",
            snippet="A café",
            date="Mar 2, 2024",
            source=source,
        ),
        WebPage(title="Strindberg, August", url="https://example.org/b", source=source),
    ]
    assert asked.fake.asked[0].json == {"q": "strindberg", "hl": "en", "num": 10}
    assert len(await asked.provider.web_search("strindberg", limit=1)) == 1


@pytest.mark.parametrize(
    ("mishap", "error", "said", "times"),
    [
        (refusal("Unauthorized.", 403), AccessError, "key is refused", 1),
        (refusal("Not enough credits", 400), AccessError, "account is used up", 1),
        (refusal("Query not allowed for free accounts.", 400), ToolError, "not allowed for free", 1),
        (lambda delivery: delivery.__class__(Reply(b"[]", status=400)), ServiceError, "HTTP 400", 1),
        (refusal("Too many requests", 429), BusyError, "HTTP 429", 3),
        (status(500), ServiceError, "HTTP 500", 3),
        (lambda delivery: delivery.__class__(Reply.json({"organic": [{}]})), ServiceError, "unexpected", 1),
    ],
)
async def test_errors(
    mishap: Mishap, error: type[WheretakenError], said: str, times: int, asked: Asked
) -> None:
    asked.fake.fail(*[mishap] * times)
    with pytest.raises(error, match=rf"^serper: .*{said}") as caught:
        await asked.provider.web_search("strindberg")
    assert type(caught.value) is error
    assert len(asked.fake.asked) == times


@pytest.mark.parametrize("mishap", [*EVERY.values(), refusal(f"key {KEY} has no credits", 400)])
async def test_the_key_is_never_shown(mishap: Mishap, asked: Asked, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    asked.fake.fail(*[mishap] * 3)
    said = [repr(asked.provider.services)]
    try:
        said.append(repr(await asked.provider.web_search("strindberg")))
    except WheretakenError as error:
        said += [str(error), *traceback.format_exception(error)]
    said += [f"{record.getMessage()} {vars(record)}" for record in caplog.records]
    assert asked.fake.asked[0].headers["x-api-key"] == KEY
    assert "canary" not in "\n".join(said)


def test_without_a_key_there_is_no_serper() -> None:
    with pytest.raises(UserError, match="WHERETAKEN_SERPER_KEY"):
        Serper.connected(Connection(WebSettings()))


def test_what_it_can_and_may_keep(asked: Asked) -> None:
    assert [asked.provider.can(name) for name in ("search", "web_search", "details")] == [True, True, False]
    assert asked.provider.keep_days("search") == asked.provider.keep_days("web_search") == 0
