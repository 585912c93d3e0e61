"""A canary key goes through everything that can fail, and must come out nowhere."""

import logging
import traceback
from collections.abc import Callable
from urllib.parse import quote

import httpx2
import pytest
from pydantic import SecretStr

from wheretaken.errors import WheretakenError
from wheretaken.maps.web import Fault, FaultKind, Response, Service, WebSettings
from wheretaken.scrub import Scrubber
from wheretaken.testing.services import (
    EVERY,
    Asked,
    FakeService,
    FakeTransport,
    Mishap,
    Reply,
    serve,
)

Make = Callable[..., Service]
KEY = 'canary/7"Kx+Zß'
FORMS = (KEY, quote(KEY, safe=""), "canary")


def keyed(make: Make, upstream: FakeService, **rest: object) -> Service:
    key = SecretStr(KEY)
    return make(upstream, query={"key": key}, headers={"X-Token": SecretStr("canary-token")}, **rest)


async def everything_said(service: Service, caplog: pytest.LogCaptureFixture) -> str:
    """Ask, and return all that can be read about it afterwards."""
    caplog.set_level(logging.DEBUG)
    said = [repr(service), str(service.health())]
    try:
        said.append(repr(await service.json("/start")))
    except WheretakenError as error:
        said += [str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)]
        cause: BaseException | None = error
        while cause := (cause.__cause__ or cause.__context__):
            said.append(repr(cause))
    said += [f"{record.getMessage()} {vars(record)}" for record in caplog.records]
    return "\n".join(said)


def assert_no_key(text: str) -> None:
    assert not [form for form in FORMS if form in text], text


def echo(asked: Asked) -> Reply:
    """Repeat what was asked, as careless services do, in every place there is."""
    url = f"https://maps.test{asked.path}?key={quote(asked.params['key'], safe='')}"
    headers = {"X-Asked": url, "Content-Location": url}
    return Reply.json({"url": url, "params": dict(asked.params)}, headers=headers)


@pytest.mark.parametrize("mishap", EVERY.values(), ids=EVERY)
async def test_no_key_in_what_is_said_about_a_mishap(
    mishap: Mishap, make_service: Make, caplog: pytest.LogCaptureFixture
) -> None:
    upstream = FakeService(echo, mishaps=[mishap] * 3)
    assert_no_key(await everything_said(keyed(make_service, upstream, attempt=1), caplog))
    assert upstream.asked[0].params["key"] == KEY
    assert upstream.asked[0].headers["x-token"] == "canary-token"


async def test_no_key_in_what_a_service_repeats(make_service: Make, caplog: pytest.LogCaptureFixture) -> None:
    said = await everything_said(keyed(make_service, FakeService(echo)), caplog)
    assert "key=***" in said
    assert_no_key(said)


@pytest.mark.parametrize("kind", FaultKind)
async def test_no_key_in_what_an_adapter_repeats(
    kind: FaultKind, make_service: Make, caplog: pytest.LogCaptureFixture
) -> None:
    service = keyed(
        make_service,
        FakeService(echo),
        fault=lambda response: Fault(kind, f"INVALID KEY {KEY} {response.headers['x-asked']}"),
    )
    said = await everything_said(service, caplog)
    assert "INVALID KEY *** " in said
    assert_no_key(said)


async def test_no_key_in_what_an_adapter_gets_to_see(make_service: Make) -> None:
    seen: list[Response] = []
    await keyed(make_service, FakeService(echo), fault=seen.append).json("/start")
    assert "key=***" in seen[0].headers["x-asked"]
    assert_no_key(repr(seen))


class Talkative(httpx2.AsyncBaseTransport):
    """Fails with the whole request in its words."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError(f"cannot reach {request.url} with {request.headers['x-token']}")


async def test_no_key_in_what_a_transport_repeats(
    make_service: Make, caplog: pytest.LogCaptureFixture
) -> None:
    said = await everything_said(keyed(make_service, FakeService(echo), transport=Talkative()), caplog)
    assert "ConnectError: cannot reach https://maps.test/v1/start?key=*** with ***" in said
    assert_no_key(said)


@pytest.mark.parametrize("code", [301, 400, 401, 403, 404, 429, 500, 503])
async def test_no_key_in_what_is_said_about_a_status(
    code: int, make_service: Make, caplog: pytest.LogCaptureFixture
) -> None:
    upstream = FakeService(
        lambda asked: Reply(
            KEY.encode(), "text/plain", code, {"Location": f"https://evil.test/?key={quote(KEY)}"}
        )
    )
    assert_no_key(await everything_said(keyed(make_service, upstream), caplog))


@pytest.mark.enable_socket
@pytest.mark.parametrize("mishap", [None, EVERY["reset"], EVERY["half a body"], EVERY["500"]])
async def test_no_key_in_the_logs_of_the_http_library(
    mishap: Mishap | None, make_service: Make, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/start":
            return Reply(
                b"", "text/plain", 302, {"Location": f"/there?key={quote(asked.params['key'], safe='')}"}
            )
        return echo(asked)

    upstream = FakeService(answer)
    upstream.fail(None, mishap)
    with serve(upstream) as base_url:
        service = keyed(make_service, upstream, base_url=base_url, transport=None, attempts=1)
        async with service:
            said = await everything_said(service, caplog)
    assert "receive_response_headers" in said
    assert [asked.params["key"] for asked in upstream.asked] == [KEY, KEY]
    assert_no_key(said)


@pytest.mark.parametrize("scheme", ["ftp", "socks5"])
async def test_a_proxy_that_cannot_be_used_is_told_without_its_password(
    scheme: str, make_service: Make, caplog: pytest.LogCaptureFixture
) -> None:
    proxy = SecretStr(f"{scheme}://canary:canary@proxy.test")
    service = make_service(FakeService(echo), transport=None, proxy=proxy)
    said = await everything_said(service, caplog)
    assert "check WHERETAKEN_PROXY" in said
    assert_no_key(said)


def test_settings_show_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERETAKEN_AMAP_KEY", "canary")
    monkeypatch.setenv("WHERETAKEN_PROXY", "http://canary@proxy.test")
    settings = WebSettings.load()
    assert settings.amap.key
    assert settings.amap.key.get_secret_value() == "canary"
    shown = (repr, str, WebSettings.model_dump, WebSettings.model_dump_json)
    assert_no_key(" ".join(str(show(settings)) for show in shown))


def test_a_scrubber_knows_a_secret_in_every_writing() -> None:
    scrubber = Scrubber([SecretStr('a"b c/d'), SecretStr(""), SecretStr('a"b c/d&more')])
    text = 'a"b c/d | a%22b%20c%2Fd | a%22b+c%2Fd | a\\"b c/d | a"b c/d&more | harmless'
    assert scrubber.text(text) == "*** | *** | *** | *** | *** | harmless"
    assert scrubber.data(text.encode()) == scrubber.text(text).encode()
    assert 'a"b' not in repr(scrubber)


async def test_pictures_are_not_searched_for_keys(make_service: Make) -> None:
    png = b"\x89PNG\r\n\x1a\n" + b"ab" * 40 + b"IEND\xaeB`\x82"
    service = make_service(FakeService(lambda _: Reply(png, "image/png")), query={"key": SecretStr("ab")})
    assert await service.picture("/a") == png


async def test_an_adapter_without_secrets_needs_none() -> None:
    upstream = FakeService(lambda _: Reply.json({}))
    async with Service("maps", "https://maps.test", transport=FakeTransport(upstream)) as service:
        assert await service.json("") == {}
