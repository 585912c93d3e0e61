"""A store that fails costs answers that were kept, and nothing else."""

import asyncio
import logging
import sqlite3
import time
from pathlib import Path

import pytest

from wheretaken.server.cache import ToolCache, opened
from wheretaken.server.cache import cache as module


@pytest.fixture
def brief_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.2)


async def test_redis_killed_in_mid_load_is_missed_and_comes_back(
    redis_server, made, brief_pause: None, caplog: pytest.LogCaptureFixture
) -> None:
    service = made.Service(0.01)
    stop = False

    async def load(cache: ToolCache, worker: int) -> int:
        asked = 0
        while not stop:
            await cache.get_or_call(made.key(f"{worker} {asked}"), service)
            asked += 1
        return asked

    async with ToolCache(opened(redis_server.url), policy=made.policy) as cache:
        workers = [asyncio.create_task(load(cache, n)) for n in range(16)]
        await asyncio.sleep(0.3)
        await asyncio.to_thread(redis_server.kill)
        await asyncio.sleep(0.5)
        assert "cache" not in cache.trouble
        assert str(redis_server.port) in cache.trouble
        await asyncio.to_thread(redis_server.start)
        await asyncio.sleep(0.6)
        stop = True
        asked = sum(await asyncio.gather(*workers))
        assert service.calls == asked
        assert cache.trouble == ""
        told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
        assert [text.split()[-1] for text in told] == ["it", "again"], "said once each, not for every request"
        again = await cache.get_or_call(made.key("after"), service)
    assert not again.cached
    async with ToolCache(opened(redis_server.url), policy=made.policy) as elsewhere:
        kept = await elsewhere.get_or_call(made.key("after"), service)
    assert kept.cached, "what is asked after the outage is shared again"


async def test_a_redis_that_hangs_delays_one_request_only(redis_server, made) -> None:
    service = made.Service()
    async with ToolCache(opened(redis_server.url), policy=made.policy) as cache:
        await cache.get_or_call(made.key("before"), service)
        redis_server.hang()
        try:
            started = time.monotonic()
            await asyncio.gather(*(cache.get_or_call(made.key(f"{n}"), service) for n in range(16)))
            first = time.monotonic() - started
            started = time.monotonic()
            answers = [await cache.get_or_call(made.key(f"{n}"), service) for n in range(16)]
            second = time.monotonic() - started
        finally:
            redis_server.go_on()
    assert first < 4
    assert second < 1
    assert all(answer.cached for answer in answers), "from memory"


async def test_a_server_that_is_not_there_at_the_start_is_used_when_it_is(
    redis_server, made, brief_pause: None
) -> None:
    redis_server.kill()
    service = made.Service()
    async with ToolCache(opened(redis_server.url), policy=made.policy) as cache:
        await cache.get_or_call(made.key("one"), service)
        assert cache.trouble
        redis_server.start()
        await asyncio.sleep(0.3)
        await cache.get_or_call(made.key("two"), service)
        assert not cache.trouble
        store = opened(redis_server.url)
        assert store
        assert await store.get(made.key("two").digest)
        await store.aclose()


async def test_a_file_that_cannot_be_written_any_more_is_done_without(tmp_path: Path, made) -> None:
    path = tmp_path / "c.sqlite"
    service = made.Service()
    async with ToolCache(opened(f"sqlite:{path}"), policy=made.policy) as cache:
        await cache.get_or_call(made.key("one"), service)
        other = sqlite3.connect(path)
        other.execute("DROP TABLE entries")
        other.close()
        answers = [await cache.get_or_call(made.key("two"), service) for _ in range(2)]
        assert [answer.cached for answer in answers] == [False, True]
        assert "c.sqlite: no such table" in cache.trouble
        assert cache.tally.store_errors >= 1


async def test_memory_is_used_past_its_time_while_the_store_is_away(
    redis_server, made, brief_pause: None
) -> None:
    clock = [time.time()]
    service = made.Service()
    async with ToolCache(opened(redis_server.url), policy=made.policy, now=lambda: clock[0]) as cache:
        await cache.get_or_call(made.key(), service)
        redis_server.kill()
        clock[0] += 3600
        answer = await cache.get_or_call(made.key(), service)
    assert (service.calls, answer.cached) == (1, True)
    assert answer.age_s == pytest.approx(3600, abs=1)
