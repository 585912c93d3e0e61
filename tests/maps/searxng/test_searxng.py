"""SearXNG's pages, its errors, and the token for a proxy before it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from wheretaken.errors import AccessError, BusyError, ServiceError
from wheretaken.maps import WebPage
from wheretaken.maps.searxng import Searxng
from wheretaken.maps.web import Connection, Ledger, WebSettings
from wheretaken.testing.services import (
    Asked,
    FakeService,
    FakeTransport,
    Reply,
    loop_time,
    status,
)
from wheretaken.testing.services.searxng import searxng

PAGES = [
    {
        "title": "Café Kafka",
        "url": "https://example.org/kafka",
        "content": "In Oulu",
        "engines": ["brave", "mojeek"],
        "publishedDate": "2024-03-02T00:00:00",
        "score": 3.2,
    },
    {"title": "卡夫卡", "url": "https://example.org/x", "content": None, "publishedDate": None},
]

Answer = Callable[[Asked], Reply]


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., tuple[Searxng, FakeService]]:
    def made(answer: Answer, **section: object) -> tuple[Searxng, FakeService]:
        fake = FakeService(answer)
        settings = WebSettings.model_validate({"searxng": {"enabled": True, **section}})
        ledger = Ledger(tmp_path / "services.sqlite", now=loop_time)
        return Searxng.connected(Connection(settings, FakeTransport(fake), ledger)), fake

    return made


async def test_pages(make) -> None:
    provider, fake = make(searxng(PAGES), url="https://search.example.org")
    assert await provider.web_search("kafka") == [
        WebPage(
            title="Café Kafka",
            url="https://example.org/kafka",
            snippet="In Oulu",
            date="2024-03-02T00:00:00",
            source="SearXNG (brave, mojeek)",
        )
    ]
    (request,) = fake.asked
    assert (request.host, request.path) == ("search.example.org", "/search")
    assert request.params == {"q": "kafka", "format": "json", "language": "auto"}
    assert request.headers["user-agent"].startswith("wheretaken/")
    assert "authorization" not in request.headers
    assert await provider.web_search("nothing like it") == []


async def test_the_query_decides_the_language(make) -> None:
    provider, fake = make(searxng(PAGES))
    (page,) = await provider.web_search("卡夫卡", limit=3)
    assert (page.snippet, page.date, page.source) == ("", "", "SearXNG")
    assert fake.asked[0].params["language"] == "zh-CN"


async def test_a_server_without_json_says_how_to_list_it(make) -> None:
    provider, _ = make(searxng(PAGES, json_listed=False))
    with pytest.raises(AccessError, match=r"list json among search\.formats"):
        await provider.web_search("kafka")


async def test_no_result_because_no_engine_answered_is_a_failure(make) -> None:
    provider, fake = make(searxng([], {"google": "CAPTCHA", "brave": "timeout"}))
    with pytest.raises(ServiceError, match=r"search engines answered \(google: CAPTCHA; brave"):
        await provider.web_search("kafka")
    assert len(fake.asked) == 1
    provider, _ = make(searxng(PAGES, {"google": "CAPTCHA"}))
    assert len(await provider.web_search("kafka")) == 1


async def test_older_servers_name_silent_engines_alone(make) -> None:
    provider, _ = make(lambda _: Reply.json({"results": [], "unresponsive_engines": ["google"]}))
    with pytest.raises(ServiceError, match=r"answered \(google\)"):
        await provider.web_search("kafka")


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (lambda _: Reply(b"Too Many Requests", "text/plain", 429), BusyError, "HTTP 429"),
        (lambda _: Reply(b"No query", "text/plain", 400), ServiceError, "HTTP 400"),
        (lambda _: Reply.json({"results": [{"title": "x"}]}), ServiceError, "results.0.url"),
        (lambda _: Reply(b"<html>", "text/html"), ServiceError, "cannot be read as JSON"),
    ],
)
async def test_errors(answer: Answer, error: type[ServiceError], said: str, make) -> None:
    provider, _ = make(answer)
    with pytest.raises(error, match=said) as caught:
        await provider.web_search("kafka")
    assert type(caught.value) is error


async def test_a_hiccup_is_survived(make) -> None:
    provider, fake = make(searxng(PAGES))
    fake.fail(status(502))
    assert len(await provider.web_search("kafka")) == 1


async def test_a_key_is_a_bearer_token_and_never_shown(make) -> None:
    def echo(asked: Asked) -> Reply:
        return Reply.json({"results": [], "unresponsive_engines": [asked.headers["authorization"]]})

    provider, fake = make(echo, key="canary-token")
    with pytest.raises(ServiceError) as caught:
        await provider.web_search("kafka")
    assert fake.asked[0].headers["authorization"] == "Bearer canary-token"
    assert "canary" not in str(caught.value)
