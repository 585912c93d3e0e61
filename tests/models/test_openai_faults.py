"""Whatever a server does, a turn ends in its time: well, or with an error that says what mends it."""

import asyncio
import logging
import time
import traceback

import pytest

from wheretaken.agent import Case, Status, StopReason, record
from wheretaken.errors import ModelError
from wheretaken.messages import Message
from wheretaken.models.opening import open_models
from wheretaken.models.settings import ModelSettings, ModelsSettings
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.scripted import call, say
from wheretaken.testing.services import (
    FakeService,
    Reply,
    garbage,
    half_body,
    hang,
    reset,
    serve,
    stalled_body,
    status,
    wrong_type,
)
from wheretaken.testing.services.chat import ChatService, failure, whole
from wheretaken.tools.worldwide import WORLDWIDE

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

QUESTION = [Message.of("user", "Where?")]
QUICK = {"retries": 1, "timeouts": {"read": 0.4, "total": 3}}
ANSWER = '{"lat": 60.17, "lon": 24.94, "city": "Helsinki", "country": "Finland"}'


async def drained(model):
    *_, message = [piece async for piece in model.stream(QUESTION, ())]
    return message


@pytest.mark.parametrize(
    "mishap",
    [
        status(429, 0.1),
        status(500),
        status(503, 0.1),
        status(529),
        reset(),
        half_body(),
        hang(),
        stalled_body(),
    ],
    ids=["429", "500", "503", "529", "reset", "half", "hang", "stalled"],
)
async def test_what_may_pass_is_asked_again_by_the_sdk(connect, mishap):
    service = ChatService([say("lost"), say("hi")])
    service.fail(mishap)
    message = await connect(service, **QUICK).complete(QUESTION, ())
    assert (message.text, len(service.requests)) == ("hi", 2)


async def test_the_time_that_a_server_asks_for_is_waited(connect):
    service = ChatService([say("lost"), say("hi")])
    service.fail(status(429, 1))
    began = time.monotonic()
    await connect(service, retries=1).complete(QUESTION, ())
    assert time.monotonic() - began >= 1


async def test_a_server_that_asks_for_more_time_than_there_is_ends_in_time(connect):
    service = ChatService([say("lost")] * 9)
    service.fail(*[status(429, 60)] * 9)
    began = time.monotonic()
    with pytest.raises(ModelError, match=r"no whole reply within 0\.5 s") as caught:
        await connect(service, timeouts={"total": 0.5}).complete(QUESTION, ())
    assert (caught.value.reason, time.monotonic() - began < 2) == ("late", True)


@pytest.mark.parametrize(
    ("mishap", "reason"),
    [
        (garbage(), "reply"),
        (wrong_type(), "reply"),
        (status(429), "overloaded"),
        (status(500), "reply"),
        (status(502), "overloaded"),
        (hang(), "late"),
        (stalled_body(), "late"),
        (half_body(), "network"),
        (reset(), "network"),
        (status(302), "network"),
    ],
    ids=["garbage", "page", "429", "500", "502", "hang", "stalled", "half", "reset", "redirect"],
)
@pytest.mark.parametrize("way", ["whole", "stream"])
async def test_what_does_not_pass_is_an_error_of_its_kind(connect, mishap, reason, way):
    service = ChatService([say("hi, this is long enough to be cut in half")] * 3)
    service.fail(mishap, mishap)
    model = connect(service, **QUICK | {"retries": 0})
    if way == "stream" and mishap.__qualname__.startswith(("garbage", "wrong_type")):
        reason = {"garbage": "reply", "wrong_type": "network"}[mishap.__qualname__.partition(".")[0]]
    with pytest.raises(ModelError) as caught:
        await (drained(model) if way == "stream" else model.complete(QUESTION, ()))
    assert caught.value.reason == reason, str(caught.value)
    assert str(caught.value).startswith("toy at http://127.0.0.1:")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "reason", "told"),
    [
        (failure(401, "Incorrect API key"), "key", "set `key` in the model's settings"),
        (failure(404, "no such model"), "model", "does not know the model 'scripted'"),
        (failure(400, "maximum context length is 4096 tokens"), "context", "set context_tokens"),
        (failure(400, "too big", "context_length_exceeded"), "context", "lower max_pixels"),
        (failure(413, "too large"), "context", "set context_tokens"),
        (failure(400, '"auto" tool choice requires --enable-auto-tool-choice'), "tools", 'calls = "text"'),
        (failure(400, "image input is not supported"), "pictures", "name a vision model"),
        (failure(429, "You exceeded your quota", "insufficient_quota"), "key", "no money or quota"),
        (failure(422, "extra field"), "refused", "refuses the request (HTTP 422: extra field"),
        (failure(500, "KeyError: 'arguments'"), "reply", "failed (HTTP 500: KeyError: 'arguments'"),
        (Reply(b"<html>Bad gateway</html>", "text/html", 502), "overloaded", "a web page came instead"),
        (Reply.json({"choices": []}), "reply", "no message"),
        (Reply.json({"choices": None}), "reply", "no message"),
        (Reply.json(["what"]), "reply", "no message"),
        (Reply.json({"error": {"message": "boom"}}), "reply", "boom"),
        (Reply(b'{"choices": [', "application/json"), "reply", "no JSON"),
    ],
)
async def test_an_error_says_what_mends_it(connect, reply, reason, told):
    with pytest.raises(ModelError) as caught:
        await connect(ChatService([reply]), retries=0).complete(QUESTION, ())
    assert told in str(caught.value)
    assert caught.value.reason == reason


async def test_an_error_in_the_middle_of_a_stream_is_told(connect):
    begun = b'data: {"choices": [{"delta": {"content": "It"}}]}\n\n'
    body = begun + b'data: {"error": {"message": "out of memory"}}\n\n'
    early = begun + b"data: [DONE]\n\n"
    broken = b'data: {"choices"\n\n'
    model = connect(ChatService([Reply(b, "text/event-stream") for b in (body, early, broken)]))
    for told in ("out of memory", "ended before the turn did", "broken stream"):
        with pytest.raises(ModelError, match=told):
            await drained(model)


async def test_a_server_that_is_not_there_is_named():
    entry = ModelSettings.model_validate({"base_url": "http://127.0.0.1:9/v1", "model": "m", "retries": 0})
    model = open_models("mine", ModelsSettings(models={"mine": entry}))(0)
    with pytest.raises(ModelError, match=r"mine at http://127\.0\.0\.1:9/v1: cannot be reached"):
        await model.complete(QUESTION, ())


async def test_a_redirect_is_not_followed_with_the_photo(connect):
    elsewhere = FakeService(lambda _asked: whole(say("hi")))
    with serve(elsewhere) as url:
        moved = Reply(b"", "text/plain", 307, {"Location": f"{url}/v1/chat/completions"})
        with pytest.raises(ModelError, match="give that one as base_url"):
            await connect(ChatService([moved])).complete(QUESTION, ())
    assert not elsewhere.asked


async def test_a_failing_server_makes_a_failed_run_not_a_crash(connect, photo):
    service = ChatService([call(("search_places", {"query": "x"})), failure(500, "KeyError: 'arguments'")])
    model = connect(service, retries=0)
    trajectory = await record(photo, model, WORLDWIDE, FewPlaces([]))
    assert (trajectory.status, trajectory.stop_reason) == (Status.FAILED, StopReason.MODEL_ERROR)
    assert "KeyError" in trajectory.detail


async def test_arguments_that_decode_to_a_string_are_understood(connect, photo):
    quoted = call(("search_places", '"{\\"query\\": \\"Helsinki\\"}"'))
    maps = FewPlaces([])
    trajectory = await record(photo, connect(ChatService([quoted, say(ANSWER)])), WORLDWIDE, maps)
    assert trajectory.status == Status.ANSWERED
    assert len(maps.asked) == 1


KEY = "sk-canary-7Kx"


async def test_a_key_reaches_its_server_and_nothing_that_can_be_read(connect, photo, caplog, tmp_path):
    caplog.set_level(logging.DEBUG)

    def careless(asked):
        return failure(401, f"Incorrect API key: {asked.headers['authorization']}", KEY)

    service = FakeService(careless)
    with serve(service) as url:
        entry = ModelSettings.model_validate({"base_url": f"{url}/v1", "model": "m", "key": KEY})
        settings = ModelsSettings(models={"mine": entry})
        model = open_models("mine", settings)(0)
        with pytest.raises(ModelError) as caught:
            await model.complete(QUESTION, ())
        trajectory = await record(photo, model, WORLDWIDE, FewPlaces([]), out=tmp_path / "runs")
    assert service.asked[0].headers["authorization"] == f"Bearer {KEY}"
    said = [repr(settings), repr(entry), str(caught.value), *traceback.format_exception(caught.value)]
    said += [trajectory.model_dump_json()]
    said += [p.read_text("utf-8") for p in (tmp_path / "runs").rglob("*.jsonl")]
    said += [f"{record.getMessage()} {vars(record)}" for record in caplog.records]
    assert not [text for text in said if KEY in text]


async def test_nothing_of_us_or_of_the_environment_is_sent_along(connect, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-canary")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Own: canary")
    service = ChatService([say("hi")])
    await connect(service).complete(QUESTION, ())
    headers = service.asked[0].headers
    assert "authorization" not in headers
    assert not [name for name in headers if name.startswith(("x-", "openai"))]
    assert "canary" not in str(headers)


def test_connections_do_not_outlive_their_event_loop(connect):
    model = connect(ChatService([say("one"), say("two")]))
    texts = [asyncio.run(model.complete(QUESTION, ())).text for _ in range(2)]
    assert texts == ["one", "two"]


@pytest.fixture
def photo():
    from io import BytesIO

    from PIL import Image

    buffer = BytesIO()
    Image.new("RGB", (320, 240), (9, 99, 199)).save(buffer, "JPEG")
    return Case.of(buffer.getvalue())


@pytest.mark.parametrize(("url", "asked"), [("https://model.example/v1", 1), ("http://127.0.0.1:9/v1", 0)])
async def test_only_what_leaves_this_network_passes_the_proxy_and_the_key_does_not_reach_it(
    monkeypatch, url, asked
):
    got = []

    async def refuse(reader, writer):
        got.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 502 no\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        given = {"base_url": url, "model": "m", "retries": 0, "key": "sk-secret"}
        entry = ModelSettings.model_validate(given)
        model = open_models("mine", ModelsSettings(models={"mine": entry}))(0)
        with pytest.raises(ModelError, match="cannot be reached"):
            await model.complete(QUESTION, ())
    assert len(got) == asked
    assert all(line.startswith("CONNECT model.example:443") and "sk-secret" not in line for line in got)
