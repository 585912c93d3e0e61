"""The fakes behave over a real connection as they do in process."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator

import httpx2
import pytest

from wheretaken.testing.services import (
    EVERY,
    Asked,
    FakeService,
    FakeTransport,
    Mishap,
    Reply,
    VirtualTimeLoop,
    at_random,
    garbage,
    half_body,
    hang,
    reset,
    run,
    serve,
    slow,
    stalled_body,
    status,
    wrong_type,
)

BODY = b"x" * 5000


def answer(asked: Asked) -> Reply:
    return Reply(BODY, "text/plain", headers={"X-Path": asked.path})


@pytest.fixture(params=["in process", "server"])
async def client(
    request: pytest.FixtureRequest,
) -> AsyncIterator[tuple[FakeService, httpx2.AsyncClient]]:
    fake = FakeService(answer)
    timeout = httpx2.Timeout(1.0)
    if request.param == "server":
        with serve(fake) as base_url:
            async with httpx2.AsyncClient(base_url=base_url, timeout=timeout, trust_env=False) as made:
                yield fake, made
        return
    async with httpx2.AsyncClient(base_url="http://fake.test", transport=FakeTransport(fake)) as made:
        yield fake, made


Client = tuple[FakeService, httpx2.AsyncClient]
pytestmark = pytest.mark.enable_socket


async def test_the_fake_answers_and_remembers(client: Client) -> None:
    fake, http = client
    reply = await http.post("/a/%E5%A4%96?q=%C3%A9&empty=", json={"n": 1}, headers={"X-Y": "z"})
    assert (reply.status_code, reply.content, reply.headers["x-path"]) == (200, BODY, "/a/%E5%A4%96")
    (asked,) = fake.asked
    assert (asked.method, asked.params, asked.json) == ("POST", {"q": "é", "empty": ""}, {"n": 1})
    assert asked.headers["x-y"] == "z"
    assert asked.host in {"fake.test", "127.0.0.1"}
    assert fake.counts == {"/a/%E5%A4%96": 1}


@pytest.mark.parametrize(
    ("mishap", "code", "header"),
    [
        (status(429, 2), 429, ("retry-after", "2")),
        (status(503), 503, ("content-type", "text/plain")),
        (wrong_type(), 200, ("content-type", "text/html; charset=utf-8")),
        (garbage(), 200, ("content-length", "5000")),
    ],
)
async def test_a_reply_is_replaced(
    mishap: Mishap, code: int, header: tuple[str, str], client: Client
) -> None:
    fake, http = client
    fake.fail(mishap)
    reply = await http.get("/a")
    assert (reply.status_code, reply.headers[header[0]]) == (code, header[1])
    assert reply.content != BODY
    assert (await http.get("/a")).content == BODY


@pytest.mark.parametrize(
    ("mishap", "error"), [(half_body(), httpx2.RemoteProtocolError), (reset(), httpx2.ReadError)]
)
async def test_a_connection_breaks(mishap: Mishap, error: type[Exception], client: Client) -> None:
    fake, http = client
    fake.fail(mishap)
    with pytest.raises(error):
        await http.get("/a")
    assert (await http.get("/a")).content == BODY


@pytest.mark.parametrize("mishap", [hang(), stalled_body()])
async def test_a_connection_stands_still(mishap: Mishap, client: Client) -> None:
    fake, http = client
    fake.fail(mishap)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await http.get("/a")
    assert (await http.get("/a")).content == BODY


async def test_a_reply_is_late(client: Client) -> None:
    fake, http = client
    fake.fail(slow(0.2), None)
    began = time.monotonic()
    await http.get("/a")
    assert time.monotonic() - began >= 0.2


async def test_open_requests_are_counted(client: Client) -> None:
    fake, http = client
    fake.fail(*[slow(0.2)] * 3)
    await asyncio.gather(*(http.get("/a") for _ in range(3)))
    assert fake.most_open == 3
    for _ in range(100):
        if not fake.open:
            break
        await asyncio.sleep(0.01)
    assert fake.open == 0


def test_chance_is_repeatable_and_as_frequent_as_asked() -> None:
    one, same, other = (list(itertools.islice(at_random(0.2, seed), 2000)) for seed in (1, 1, 2))
    assert one == same != other
    assert 300 < sum(mishap is not None for mishap in one) < 500
    assert set(one) == {None, *EVERY.values()}


def test_virtual_time_passes_in_order_and_takes_none() -> None:
    seen: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        seen.append((name, asyncio.get_running_loop().time()))

    async def main() -> str:
        assert isinstance(asyncio.get_running_loop(), VirtualTimeLoop)
        await asyncio.gather(sleeper("week", 604_800), sleeper("minute", 60), sleeper("now", 0))
        return "done"

    began = time.monotonic()
    assert run(main()) == "done"
    assert time.monotonic() - began < 5
    assert [name for name, _ in seen] == ["now", "minute", "week"]
    assert [at for _, at in seen] == pytest.approx([0, 60, 604_800])
