"""Caches as files: what goes out comes in, in our form and in the published one."""

import asyncio
import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wheretaken.errors import DataError
from wheretaken.messages import Picture
from wheretaken.server.cache import CacheKey, opened, transfer
from wheretaken.server.cache.entries import Entry
from wheretaken.tools import ToolResult

NOW = time.time()


def entry(query: str, data: dict, *images: bytes, now: float = NOW) -> Entry:
    pictures = tuple(Picture.wrap(b"\x89PNG\r\n" + image, "image/png", 3, 4) for image in images)
    key = CacheKey.of("google_search", {"query": query}, "serper", "2")
    return Entry.of(key, ToolResult(data, pictures, "© test"), now=now, seconds=86_400)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    query=st.text(max_size=10),
    data=st.dictionaries(st.text(max_size=5), st.text(alphabet=st.characters(codec=None), max_size=10)),
    images=st.lists(st.binary(), max_size=2),
    now=st.floats(1e9, 4e9),
)
def test_a_line_comes_back_as_the_entry_it_was(
    tmp_path: Path, query: str, data: dict, images: list[bytes], now: float
) -> None:
    file = tmp_path / "cache.jsonl"
    put = entry(query, data, *images, now=now)
    file.write_text(transfer.line(put) + "\n\n", "utf-8")
    (got,) = transfer.read(file)
    assert got == put


FLAT = {
    "amap_keyword_search:天安门": "id: B000A60DA1",
    "google_search:what: a  question?": "```\n[1]...\n```",
    "google_search:empty": "```\n\n```",
    "google_map_search:nothing": "",
    "google_map_search:null": None,
    "weather:Paris": "rain",
}


@pytest.mark.parametrize("grouped", [False, True])
def test_both_published_forms_are_read(tmp_path: Path, *, grouped: bool) -> None:
    file = tmp_path / "api_cache.json"
    told: dict = FLAT
    if grouped:
        told = {}
        for name, text in FLAT.items():
            api, _, query = name.partition(":")
            told.setdefault(api, {})[query] = text
    file.write_text(json.dumps(told, indent=2), "utf-8")
    os.utime(file, (1000, 1000))
    square, question = transfer.read(file)
    assert square.key == CacheKey.of("amap_keyword_search", {"query": "天安门"}, "amap", "published")
    assert square.result == ToolResult({"text": "id: B000A60DA1"}, (), "AMap (高德)")
    assert (square.stored_at, square.expires_at) == (1000, 1000 + 30 * 86_400)
    assert question.key == CacheKey.of("google_search", {"query": "what: a question?"}, "serper", "published")
    assert transfer.published(question) == ("google_search", "what: a question?", "```\n[1]...\n```")


def test_the_published_form_holds_queries_and_texts_only() -> None:
    assert transfer.published(entry("q", {"results": []})) == ("google_search", "q", '{"results":[]}')
    assert transfer.published(entry("q", {"text": "t"}, b"image")) is None
    key = CacheKey.of("reverse_geocode", {"lat": 1, "lon": 2}, "osm")
    assert transfer.published(Entry(key, "{}")) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"stored_at": "yesterday"}, "stored_at: "),
        ({"data": []}, "data: "),
        ({"extra": 1}, "extra: "),
        ({"arguments": {"query": "cut \ud83d"}}, "surrogate"),
        (
            {"pictures": [{"mime": "image/png", "sha256": "0", "width": 1, "height": 1, "data": "AAAA"}]},
            "sha256 says",
        ),
        ({"pictures": [{"mime": "text/html", "sha256": "0", "width": 1, "height": 1, "data": ""}]}, "mime"),
        (
            {"pictures": [{"mime": "image/png", "sha256": "0", "width": 1, "height": 1, "data": "?"}]},
            "data: ",
        ),
    ],
)
def test_a_broken_line_is_named_and_those_before_it_are_taken(
    tmp_path: Path, change: dict, reason: str
) -> None:
    file = tmp_path / "cache.jsonl"
    good = transfer.line(entry("good", {}))
    file.write_text(good + "\n" + json.dumps(json.loads(good) | change) + "\n", "utf-8")

    async def add() -> int:
        store = opened(f"sqlite:{tmp_path / 'c.sqlite'}")
        assert store
        with pytest.raises(DataError, match=rf"cache\.jsonl:2: .*{reason}"):
            await transfer.add(store, transfer.read(file), NOW)
        kept = [row async for row in store.rows()]
        await store.aclose()
        return len(kept)

    assert asyncio.run(add()) == 1


def test_a_picture_that_is_something_else_is_refused(tmp_path: Path) -> None:
    page = Picture.wrap(b"<html>", "image/png", 1, 1)
    file = tmp_path / "cache.jsonl"
    file.write_text(transfer.line(Entry(entry("q", {}).key, "{}", (page,), "", NOW, NOW + 9)), "utf-8")
    with pytest.raises(DataError, match="no image/png"):
        list(transfer.read(file))


@pytest.mark.parametrize("content", [b"[1, 2]", b"not json", b"\xff\xfe\x00", b'{"tool": 3, '])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file.json"
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"file\.json: "):
        list(transfer.read(file))
    with pytest.raises(DataError, match=r"none\.json: "):
        list(transfer.read(tmp_path / "none.json"))


async def test_answers_that_have_expired_are_left_out(tmp_path: Path) -> None:
    store = opened(f"sqlite:{tmp_path / 'c.sqlite'}")
    assert store
    old, new = entry("old", {}), entry("new", {})
    assert await transfer.add(store, [Entry(old.key, "{}", (), "", 0, 1), new], NOW) == (1, 2)
    await store.put(Entry(old.key, "{}", (), "", 0, NOW - 1))
    assert [kept.key async for kept in transfer.kept(store, NOW)] == [new.key]
    await store.aclose()
