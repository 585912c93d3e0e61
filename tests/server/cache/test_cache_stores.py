"""What a store must keep, and what it must say when it cannot."""

import asyncio
import json
import math
import sqlite3
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from wheretaken.errors import BusyError, DataError, UserError
from wheretaken.messages import Picture
from wheretaken.server.cache import CacheKey, Store, StoreError, opened
from wheretaken.server.cache.entries import Entry
from wheretaken.server.cache.stores import Claim, Uses
from wheretaken.server.cache.upkeep import clear, prune, stats
from wheretaken.tools import ToolResult

NOW = time.time()
TEXT = st.text(max_size=20)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
async def store(place: str):
    made = opened(place)
    assert made
    yield made
    await made.aclose()


def entry(name: str, *, age: float = 0, days: float = 1, pictures: int = 0, provider: str = "test") -> Entry:
    shown = tuple(Picture.wrap(b"\x89PNG" + bytes([n]) * 996, "image/png", 5, 4) for n in range(pictures))
    key = CacheKey.of("search_places", {"query": name}, provider, "1")
    return Entry.of(key, ToolResult({"name": name}, shown, "© test"), now=NOW - age, seconds=days * 86_400)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.dictionaries(TEXT, JSON, max_size=4),
    source=TEXT,
    images=st.lists(st.binary(min_size=1), max_size=3),
)
def test_what_was_put_is_got(tmp_path: Path, data: dict, source: str, images: list[bytes]) -> None:
    pictures = tuple(Picture.wrap(image, "image/webp", 7, 9) for image in images)
    key = CacheKey.of("road_map", {"lat": 1.5}, "test", "2")
    put = Entry.of(key, ToolResult(data, pictures, source), now=NOW, seconds=86_400)

    async def roundtrip() -> Entry | None:
        store = opened(f"sqlite:{tmp_path / 'c.sqlite'}")
        assert store
        await store.put(put)
        got = await store.get(key.digest)
        await store.aclose()
        return got

    got = asyncio.run(roundtrip())
    assert got == put
    assert got is not None
    assert got.result == ToolResult(data, pictures, source)


async def test_an_entry_comes_back_as_it_was(store: Store) -> None:
    put = entry("東京 \N{GRINNING FACE}", pictures=3)
    assert await store.get(put.key.digest) is None
    await store.put(put)
    assert await store.get(put.key.digest) == put
    shown = put.pictures[1]
    assert await store.picture(shown.sha256) == shown
    assert await store.picture("0" * 64) is None


async def test_half_a_surrogate_pair_survives(store: Store) -> None:
    key = CacheKey.of("search_places", {"query": "x"}, "test")
    put = Entry.of(key, ToolResult({"name": "cut \ud83d"}), now=NOW, seconds=86_400)
    await store.put(put)
    got = await store.get(key.digest)
    assert got
    assert got.result.data == {"name": "cut \ud83d"}


async def test_a_picture_is_stored_once_and_goes_with_its_last_entry(store: Store) -> None:
    both, one = entry("both", pictures=2), entry("one", pictures=1)
    await store.put(both)
    await store.put(one)
    found = await stats(store, NOW)
    assert (found.entries, found.pictures, found.picture_bytes) == (2, 2, 2000)
    await store.delete([both.key.digest])
    await store.sweep()
    assert await store.picture(both.pictures[1].sha256) is None
    assert await store.get(one.key.digest) == one
    await store.put(entry("one"))
    await store.sweep()
    assert await store.picture(both.pictures[0].sha256) is None


async def test_the_newest_of_two_answers_stays(store: Store) -> None:
    old, new = entry("x", age=100), entry("x", age=10)
    assert await store.merge([new]) == 1
    assert await store.merge([old, entry("y")]) == 1
    got = await store.get(new.key.digest)
    assert got
    assert math.isclose(got.stored_at, new.stored_at)
    assert await store.merge([entry("x", age=5)]) == 1


async def test_a_lease_is_one_holders_until_it_gives_it_back(store: Store) -> None:
    digest = entry("x").key.digest
    assert await store.claim(digest, "a", 60, 0) is Claim.MINE
    assert await store.claim(digest, "b", 60, 0) is Claim.HELD
    await store.release(digest, "b")
    assert await store.claim(digest, "b", 60, 0) is Claim.HELD
    await store.release(digest, "a")
    assert await store.claim(digest, "b", 0.05, 0) is Claim.MINE
    await asyncio.sleep(0.1)
    assert await store.claim(digest, "c", 60, 0) is Claim.MINE
    await store.renew(digest, "b", 60)
    await store.put(entry("x"), "b")
    assert await store.claim(digest, "d", 60, NOW + 1) is Claim.HELD, "the late one took nobody's lease"
    assert await store.claim(digest, "d", 60, NOW - 1) is Claim.STORED


async def test_uses_add_up(store: Store) -> None:
    await store.count({("search_places", "test"): Uses(3, 1)})
    await store.count({("search_places", "test"): Uses(2, 1), ("road_map", "a:b"): Uses(0, 1)})
    assert await store.uses() == {("search_places", "test"): Uses(5, 2), ("road_map", "a:b"): Uses(0, 1)}
    found = await stats(store, NOW)
    assert (found.hits, found.misses, [tool.tool for tool in found.tools]) == (
        5,
        3,
        ["road_map", "search_places"],
    )


async def test_failures_are_no_answers_in_the_numbers(store: Store) -> None:
    key = CacheKey.of("search_places", {"query": "x"}, "test")
    await store.put(Entry.of_failure(key, BusyError("full"), now=NOW, seconds=86_400))
    assert (await stats(store, NOW)).entries == 0
    assert await clear(store) == 1
    assert [row async for row in store.rows()] == []


async def test_a_failure_gives_way_to_an_older_answer(store: Store) -> None:
    answer = entry("x", age=1000)
    await store.put(Entry.of_failure(answer.key, BusyError("full"), now=NOW, seconds=86_400))
    assert await store.merge([answer]) == 1
    assert await store.get(answer.key.digest) == answer


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        ({}, {"new", "old", "other"}),
        ({"older_than": 3600}, {"new", "other"}),
        ({"provider": "other"}, {"new", "old"}),
        ({"tool": "road_map"}, {"new", "old", "other"}),
        ({"provider": "other", "older_than": 3600}, {"new", "old", "other"}),
        ({"max_bytes": 1_200}, {"new"}),
        ({"max_bytes": 1_200, "provider": "other"}, {"new", "old"}),
        ({"max_bytes": 0}, set()),
    ],
)
async def test_pruning_takes_what_the_limits_do_not_allow(store: Store, limits: dict, left: set[str]) -> None:
    """Three answers of about 1,000 bytes of pictures; that of "old" and "other" is the same one."""
    picture = Picture.wrap(b"\x89PNG" + b"n" * 996, "image/png", 5, 4)
    for made in (
        entry("old", age=7200, pictures=1),
        entry("other", age=60, pictures=1, provider="other"),
    ):
        await store.put(made)
    new = entry("new", age=1)
    await store.put(Entry(new.key, new.text, (picture,), "", new.stored_at, new.expires_at))
    done = await prune(store, NOW, **limits)
    rows = [row async for row in store.rows()]
    names = set()
    for row in rows:
        found = await store.get(row.digest)
        assert found
        names.add(json.loads(found.key.arguments)["query"])
    assert names == left
    assert (done.removed, done.left) == (3 - len(left), len(left))


async def test_what_has_expired_is_removed_in_passing(tmp_path: Path) -> None:
    store = opened(f"sqlite:{tmp_path / 'c.sqlite'}")
    assert store
    gone = entry("gone", age=7200, days=1 / 24, pictures=1)
    await store.put(gone)
    for n in range(500):
        await store.put(entry(f"{n}"))
    assert await store.get(gone.key.digest) is None
    assert await store.picture(gone.pictures[0].sha256) is None
    assert len([row async for row in store.rows()]) == 500
    await store.aclose()


async def test_an_entry_whose_picture_redis_forgot_is_none(redis_server) -> None:
    store = opened(redis_server.url)
    assert store
    put = entry("x", pictures=1)
    await store.put(put)
    with Redis.from_url(redis_server.url) as client:
        assert client.unlink(f"wheretaken:cache:1:p:{put.pictures[0].sha256}") == 1
    assert await store.get(put.key.digest) is None
    assert await store.claim(put.key.digest, "a", 60, 0) is Claim.MINE
    await store.aclose()


async def test_a_shared_picture_lives_as_long_as_its_last_entry(redis_server) -> None:
    store = opened(redis_server.url)
    assert store
    long, short = entry("long", days=10, pictures=1), entry("short", days=1, pictures=1)
    await store.put(long)
    await store.put(short)
    with Redis.from_url(redis_server.url) as client:
        left = client.ttl(f"wheretaken:cache:1:p:{long.pictures[0].sha256}")
        assert 9 * 86_400 < left <= 10 * 86_400
        assert client.ttl(f"wheretaken:cache:1:e:{short.key.digest.hex()}") <= 86_400
    await store.aclose()


def test_a_file_that_is_no_cache_is_named_with_its_remedy(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    path.write_bytes(b"no database, " * 100)
    with pytest.raises(DataError, match=r"c\.sqlite: .*name another file"):
        opened(f"sqlite:{path}")
    assert path.read_bytes().startswith(b"no database")


def test_a_file_of_another_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 7")
    database.close()
    with pytest.raises(DataError, match="another version of wheretaken"):
        opened(f"sqlite:{path}")


@pytest.mark.parametrize("name", ["mysql:x", "sqlite", "sqlite:", "nonsense", "http://127.0.0.1"])
def test_a_store_of_an_unknown_kind_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="use sqlite:PATH, redis://HOST:PORT or memory"):
        opened(name)


def test_a_cache_in_memory_needs_no_store() -> None:
    assert opened("memory") is None


async def test_no_error_tells_the_password(socket_enabled) -> None:
    store = opened("redis://me:canary@127.0.0.1:1/0")
    assert store
    with pytest.raises(StoreError) as told:
        await store.get(b"x")
    assert "canary" not in str(told.value) + store.name + repr(store)
    assert "127.0.0.1" in str(told.value)
    with pytest.raises(UserError) as refused:
        opened("redis://me:canary@host:port/0")
    assert "canary" not in str(refused.value)
    await store.aclose()
