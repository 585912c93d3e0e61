"""Many requests at once: one call for all who want the same, a queue with an end, deadlines that hold."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse

from wheretaken.errors import BusyError, DeadlineError, ServiceError
from wheretaken.geo import Datum, LatLon
from wheretaken.maps import Place
from wheretaken.maps.router import Router
from wheretaken.server.admission import Admission
from wheretaken.server.app import Mounted
from wheretaken.server.cache import CacheKey, Policy, ToolCache, opened
from wheretaken.server.desk import ToolDesk
from wheretaken.server.limits import Limits
from wheretaken.server.metrics import Metrics
from wheretaken.server.providers import terms
from wheretaken.server.shelf import Shelf
from wheretaken.tools import ToolResult
from wheretaken.tools.worldwide import WORLDWIDE

from .conftest import Bench, Kiosks, until

Make = Callable[..., Bench]


class Slow(Kiosks):
    """A provider that answers when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def search(
        self,
        query: str,
        *,
        near: LatLon | None = None,
        radius_km: float | None = None,
        kind: str = "",
        country_code: str = "",
        limit: int = 10,
    ) -> Sequence[Place]:
        self.asked.append(query)
        await self.go.wait()
        return await super().search(query, near=near, country_code=country_code, limit=limit)


class Preferred(Kiosks):
    """A provider that fails at first, and is asked before `few`."""

    name = "amap"

    def __init__(self) -> None:
        super().__init__()
        self.broken = True

    async def search(
        self,
        query: str,
        *,
        near: LatLon | None = None,
        radius_km: float | None = None,
        kind: str = "",
        country_code: str = "",
        limit: int = 10,
    ) -> Sequence[Place]:
        if self.broken:
            raise ServiceError("amap: broken", retry_after=0.0)
        found = await super().search(query, near=near, country_code=country_code, limit=limit)
        return [place.model_copy(update={"source": "the better one"}) for place in found]


async def test_identical_requests_become_one_call(bench: Make) -> None:
    slow = Slow()
    one = bench(slow)
    requests = [asyncio.create_task(one.call("search_places", query="Kiosk")) for _ in range(64)]
    await until(lambda: len(slow.asked) > 0)
    requests[0].cancel()
    slow.go.set()
    replies = await asyncio.gather(*requests[1:])
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.json()["text"] for reply in replies}) == 1
    assert slow.asked.count("Kiosk") == 1


async def test_a_full_queue_sheds_with_429_and_cached_answers_still_come(bench: Make) -> None:
    one = bench(limits=Limits(running=2, waiting=3))
    await one.call("search_places", query="Kiosk")
    go = asyncio.Event()

    async def wait(text: str) -> ToolResult:
        await go.wait()
        return ToolResult({"text": text})

    one.trials.end = wait
    requests = [asyncio.create_task(one.call("trial", text=f"{n}")) for n in range(20)]
    await until(lambda: sum(request.done() for request in requests) == 15)
    assert one.trials.calls == 2
    assert (await one.call("search_places", query="Kiosk")).json()["cached"]
    go.set()
    replies = await asyncio.gather(*requests)
    shed = [reply for reply in replies if reply.status_code == 429]
    assert len(shed) == 15
    assert all(int(reply.headers["retry-after"]) >= 1 for reply in shed)
    assert [reply.status_code for reply in replies].count(200) == 5


async def test_no_answer_in_time_is_a_504_and_the_place_is_free_again(bench: Make) -> None:
    one = bench(limits=Limits(seconds=0.05, running=1))

    async def hang(_text: str) -> ToolResult:
        await asyncio.Event().wait()
        raise AssertionError

    one.trials.end = hang
    late = await one.call("trial", text="x")
    assert (late.status_code, late.json()["kind"]) == (504, "late")
    one.trials.end = one.trials.echo
    assert (await one.call("trial", text="x")).status_code == 200


async def test_a_body_that_does_not_arrive_is_given_up(bench: Make) -> None:
    async def stalling() -> AsyncGenerator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    one = bench(limits=Limits(seconds=0.05))
    headers = {"Content-Type": "application/json"}
    assert (await one.client.post("/tools/trial", content=stalling(), headers=headers)).status_code == 408


async def test_an_answer_that_stands_in_for_a_better_one_is_not_kept_for_long(bench: Make) -> None:
    preferred = Preferred()
    one = bench(preferred, Kiosks(), limits=Limits(degraded_seconds=0.2))
    first = (await one.call("search_places", query="Kiosk")).json()
    assert first["source"] == "nobody"
    preferred.broken = False
    assert (await one.call("search_places", query="Kiosk")).json()["cached"]
    await asyncio.sleep(0.25)
    later = (await one.call("search_places", query="Kiosk")).json()
    assert (later["source"], later["cached"]) == ("the better one", False)
    await asyncio.sleep(0.25)
    assert (await one.call("search_places", query="Kiosk")).json()["cached"]


async def test_what_a_service_forbids_to_keep_can_still_be_fetched(bench: Make) -> None:
    class Forbidding(Kiosks):
        def keep_days(self, operation: str) -> float | None:
            return 0

    forbidding = Forbidding()
    one = bench(forbidding)
    for _ in range(2):
        answer = (await one.call("road_map", lat=60.17, lon=24.94)).json()
        assert not answer["cached"]
        assert (await one.client.get(answer["images"][0]["url"])).status_code == 200
    assert len(forbidding.asked) == 2


async def test_the_queue_keeps_its_order_and_its_limits() -> None:
    admission = Admission(running=2, waiting=2)
    began: list[int] = []
    go = asyncio.Event()

    async def run(number: int) -> None:
        async with admission.turn():
            began.append(number)
            await go.wait()

    tasks = [asyncio.create_task(run(number)) for number in range(5)]
    await until(tasks[4].done)
    assert isinstance(tasks[4].exception(), BusyError)
    assert (admission.running, admission.waiting) == (2, 2)
    tasks[2].cancel()
    await until(tasks[2].done)
    assert admission.waiting == 1
    go.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert began == [0, 1, 3]
    assert (admission.running, admission.waiting) == (0, 0)


async def test_another_application_is_behind_the_same_guard_and_lives_as_long(bench: Make) -> None:
    lived: list[str] = []

    @contextlib.asynccontextmanager
    async def running() -> AsyncGenerator[None]:
        lived.append("began")
        yield
        lived.append("ended")

    mounted = Mounted("/other", PlainTextResponse("here"), running)
    one = bench(token="tea", mounted=[mounted])
    assert (await one.client.get("/other/")).status_code == 401
    assert (await one.client.get("/other/", headers={"Authorization": "Bearer tea"})).text == "here"
    sent: list[dict[str, object]] = []
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive() -> dict[str, object]:
        return dict(messages.pop(0))

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    await one.app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)  # type: ignore[arg-type] - plain dicts
    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    assert lived == ["began", "ended"]


async def test_a_tool_answers_json_whatever_the_script(bench: Make) -> None:
    reply = await bench().call("trial", text="Москва 東京 القاهرة")
    assert json.loads(reply.json()["text"])["text"] == "Москва 東京 القاهرة"


async def test_a_call_that_waited_too_long_for_another_worker_asks_nobody(tmp_path: Path) -> None:
    kiosks, place = Kiosks(), f"sqlite:{tmp_path / 'cache.sqlite'}"
    maps = Router([kiosks])
    policy = Policy(terms(maps))
    cache, limits = ToolCache(opened(place), policy=policy), Limits(seconds=0.3)
    desk = ToolDesk(WORLDWIDE, maps, cache, policy, Shelf(tmp_path), Metrics(), limits)
    arguments = WORLDWIDE.find("search_places").complete('{"query": "Kiosk"}')
    key = CacheKey.of("search_places", arguments, maps.name, f"{maps.version};{Datum.WGS84}")
    dead = opened(place)
    assert dead
    assert await dead.claim(key.digest, "a worker that died", 0.6, 0.0) == "mine"
    with pytest.raises(DeadlineError):
        await desk.call("search_places", '{"query": "Kiosk"}')
    await until(lambda: cache.tally.called == 1)
    await asyncio.sleep(0.05)
    assert kiosks.asked == []
    assert "Kiosk" in (await desk.call("search_places", '{"query": "Kiosk"}')).cached.text
    await dead.aclose()
    await desk.aclose()
