"""What callers are given: data, pictures, age, and numbers for metrics."""

import time
from pathlib import Path

import pytest

from wheretaken.errors import ServiceError
from wheretaken.server.cache import CacheKey, ToolCache, opened
from wheretaken.server.cache.entries import Entry
from wheretaken.tools import ToolResult


async def test_an_answer_says_what_the_service_said_and_how_old_it_is(place: str, made) -> None:
    clock = [time.time()]
    said = made.result(pictures=2)

    async def call() -> ToolResult:
        return said

    async with ToolCache(opened(place), policy=made.policy, now=lambda: clock[0]) as cache:
        first = await cache.get_or_call(made.key(), call)
        clock[0] += 60
        second = await cache.get_or_call(made.key(), call)
    async with ToolCache(opened(place), policy=made.policy, now=lambda: clock[0]) as restarted:
        third = await restarted.get_or_call(made.key(), call)
        picture = await restarted.picture(said.pictures[1].sha256)
        nothing = await restarted.picture("0" * 64)
    assert [first.result, second.result, third.result] == [said] * 3
    assert [first.cached, second.cached, third.cached] == [False, True, True]
    assert (first.age_s, second.age_s, third.age_s) == pytest.approx((0, 60, 60), abs=0.01)
    assert {first.text, second.text, third.text} == {said.text}
    assert third.result.source == "© test"
    assert (picture, nothing) == (said.pictures[1], None)


async def test_an_answer_is_asked_for_again_when_its_time_is_over(place: str, made) -> None:
    clock = [time.time()]
    service = made.Service()
    month = made.policy.seconds("search_places", "test")
    async with ToolCache(opened(place), policy=made.policy, now=lambda: clock[0]) as cache:
        await cache.get_or_call(made.key(), service)
        clock[0] += month - 1
        assert (await cache.get_or_call(made.key(), service)).cached
        clock[0] += 2
        assert not (await cache.get_or_call(made.key(), service)).cached
    assert service.calls == 2


async def test_a_published_answer_stands_in_for_any_providers(place: str, made) -> None:
    key = CacheKey.of("amap_keyword_search", {"query": " 天安门"}, "test", "v5")
    published = CacheKey.of_published("amap_keyword_search", "天安门")
    assert published
    service = made.Service()
    store = opened(place)
    assert store
    now = time.time()
    await store.put(Entry(published, '{"text":"id: B000A60DA1"}', (), "AMap", now - 60, now + 3600))
    async with ToolCache(store, policy=made.policy) as cache:
        answers = [await cache.get_or_call(key, service) for _ in range(2)]
        assert {answer.text for answer in answers} == {'{"text":"id: B000A60DA1"}'}
        assert cache.tally.memory == 1
        other = await cache.get_or_call(
            CacheKey.of("amap_keyword_search", {"query": "故宫"}, "test"), service
        )
        assert (service.calls, other.cached) == (1, False)
    store = opened(place)
    assert store
    failed = Entry.of_failure(key, ServiceError("gone"), now=now - 60, seconds=86_400)
    await store.put(failed)
    async with ToolCache(store, policy=made.policy) as cache:
        assert (await cache.get_or_call(key, service)).text == '{"text":"id: B000A60DA1"}'
    async with ToolCache(opened(place), policy=made.policy, use_published=False) as without:
        answer = await without.get_or_call(key, service)
    assert (service.calls, answer.cached) == (2, False)


async def test_stricter_terms_hold_for_what_is_kept_already(place: str, made) -> None:
    clock = [time.time()]
    service = made.Service()
    async with ToolCache(opened(place), policy=made.policy, now=lambda: clock[0]) as cache:
        await cache.get_or_call(made.key(), service)
    clock[0] += 2 * 86_400
    strict = type(made.policy)(made.policy.terms, {"test": 1.0})
    async with ToolCache(opened(place), policy=strict, now=lambda: clock[0]) as cache:
        assert not (await cache.get_or_call(made.key(), service)).cached
    assert service.calls == 2


async def test_the_store_has_the_numbers_of_all_processes(place: str, made) -> None:
    service = made.Service()
    for _ in range(2):
        async with ToolCache(opened(place), policy=made.policy) as cache:
            for query in ("a", "b", "a"):
                await cache.get_or_call(made.key(query), service)
            tally = cache.tally
    assert (tally.memory, tally.stored, tally.joined, tally.called) == (1, 2, 0, 0)
    store = opened(place)
    assert store
    uses = await store.uses()
    await store.aclose()
    assert (uses["search_places", "test"].hits, uses["search_places", "test"].misses) == (4, 2)


async def test_what_another_process_removed_is_gone_after_some_minutes(tmp_path: Path, made) -> None:
    place, clock, service = f"sqlite:{tmp_path / 'c.sqlite'}", [time.time()], made.Service()
    async with ToolCache(opened(place), policy=made.policy, now=lambda: clock[0]) as cache:
        await cache.get_or_call(made.key(), service)
        store = opened(place)
        assert store
        await store.delete([made.key().digest])
        await store.aclose()
        assert (await cache.get_or_call(made.key(), service)).cached
        clock[0] += 301
        assert not (await cache.get_or_call(made.key(), service)).cached
    assert service.calls == 2
