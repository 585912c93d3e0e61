"""Which spellings are the same call, for how long answers are kept, and what memory holds."""

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheretaken.errors import ToolError, UserError
from wheretaken.maps import MapProvider
from wheretaken.messages import Picture
from wheretaken.server.cache import CacheKey, Policy
from wheretaken.server.cache.entries import Entry
from wheretaken.server.cache.keys import canonical
from wheretaken.server.cache.memory import RECHECK_SECONDS, Memory
from wheretaken.server.cache.policy import OPERATIONS
from wheretaken.tools import ToolResult, online
from wheretaken.tools.amap import AMAP
from wheretaken.tools.google import GOOGLE
from wheretaken.tools.worldwide import WORLDWIDE

ARGUMENTS = st.dictionaries(
    st.text(min_size=1, max_size=5),
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(-200, 200) | st.text(max_size=12),
    max_size=4,
)


@given(ARGUMENTS)
def test_the_order_and_form_of_arguments_do_not_matter(arguments: dict) -> None:
    respelled = {
        name: f"  {unicodedata.normalize('NFD', value)}\n" if isinstance(value, str) else value
        for name, value in reversed(arguments.items())
    }
    assert canonical(respelled) == canonical(arguments)
    assert canonical(json.loads(canonical(arguments))) == canonical(arguments)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"query": "Café  du\tNord "}, {"query": "Cafe\u0301 du Nord"}),
        ({"zoom": 15}, {"zoom": 15.0}),
        ({"lat": 60.17}, {"lat": 60.170000000001}),
        ({"lat": 0.0}, {"lat": -0.0}),
        ({"markers": [[1.0, 2]]}, {"markers": ((1, 2.0),)}),
    ],
)
def test_these_are_the_same(one: dict, other: dict) -> None:
    assert CacheKey.of("t", one, "p").digest == CacheKey.of("t", other, "p").digest


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("t", {"query": "a"}, "p", "1"), ("t", {"query": "A"}, "p", "1")),
        (("t", {"query": "1"}, "p", "1"), ("t", {"query": 1}, "p", "1")),
        (("t", {"flag": True}, "p", "1"), ("t", {"flag": 1}, "p", "1")),
        (("t", {"lat": 60.17}, "p", "1"), ("t", {"lat": 60.170001}, "p", "1")),
        (("t", {}, "p", "1"), ("t", {}, "p", "2")),
        (("t", {}, "p", "1"), ("t", {}, "q", "1")),
        (("t", {}, "p", "1"), ("u", {}, "p", "1")),
        (("tp", {}, "", ""), ("t", {}, "p", "")),
        (("t", {"query": None}, "p", ""), ("t", {}, "p", "")),
    ],
)
def test_these_are_not(one: tuple, other: tuple) -> None:
    assert CacheKey.of(*one).digest != CacheKey.of(*other).digest


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "cut \ud83d", {"deep": [float("-inf")]}])
def test_what_has_no_one_form_is_told_to_the_model(value: object) -> None:
    with pytest.raises(ToolError, match=r"finite|whole characters"):
        CacheKey.of("t", {"value": value}, "p")


def test_defaults_are_filled_in() -> None:
    tool = WORLDWIDE.find("road_map")
    short = tool.complete('{"lat": 60, "lon": 25}')
    long = tool.complete('{"lon": 25.0, "zoom": 15, "lat": 60.0, "markers": null}')
    assert canonical(short) == canonical(long) == '{"language":"","lat":60,"lon":25,"markers":null,"zoom":15}'
    with pytest.raises(ToolError, match="road_map: lat"):
        tool.complete('{"lat": 91, "lon": 25}')


def test_terms_decide_and_settings_shorten(tmp_path: Path) -> None:
    file = tmp_path / "wheretaken.toml"
    file.write_text('[cache.days]\nosm = 90\n"osm/road_map" = 7\ngoogle = 90\namap = 0\n')

    def google(operation: str) -> float | None:
        return 30 if operation in {"search", "details"} else 0

    policy = Policy.load(
        {"osm": lambda _: None, "amap": lambda _: None, "google": google, "other": lambda _: None}, file
    )
    day = 86_400
    assert policy.seconds("search_places", "osm") == 90 * day
    assert policy.seconds("road_map", "osm") == 7 * day
    assert policy.seconds("place_details", "google") == 30 * day
    assert policy.seconds("google_static_map", "google") == 0
    assert policy.seconds("amap_poi_detail", "amap") == 0
    assert policy.seconds("road_map", "other") == 30 * day
    assert policy.seconds("road_map", "unknown") == 0
    assert policy.seconds("zoom", "osm") is None
    assert policy.seconds("image_zoom_in_tool", "amap") is None


def test_an_agreement_takes_the_place_of_the_terms(tmp_path: Path) -> None:
    file = tmp_path / "wheretaken.toml"
    file.write_text('[cache.days]\namap = 60\n[cache.agreed]\namap = 45\n"google/google_static_map" = 1\n')
    policy = Policy.load({"amap": lambda _: 0, "google": lambda _: 0}, file)
    assert policy.seconds("amap_poi_detail", "amap") == 45 * 86_400
    assert policy.seconds("google_static_map", "google") == 86_400
    assert policy.seconds("google_map_search", "google") == 0


@pytest.mark.parametrize(
    "text",
    [
        "[cache]\ndays = 3",
        "[cache.agreed]\nosm = -1",
        "cache = 3",
        "[cache.days]\nosm = -1",
        '[cache.days]\nosm = "x"',
        "[cache.days]\na = nan",
        "[",
    ],
)
def test_wrong_settings_name_the_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "wheretaken.toml"
    file.write_text(text)
    with pytest.raises(UserError, match=r"wheretaken\.toml: "):
        Policy.load({}, file)


def test_every_tool_that_asks_a_map_is_known() -> None:
    local = {"zoom", "image_zoom_in_tool", "read_clue"}
    tools = {tool.name for toolset in (WORLDWIDE, AMAP, GOOGLE) for tool in toolset.tools}
    tools |= {function.__name__ for function in (online.satellite_map, online.street_view, online.web_search)}
    assert tools - local == set(OPERATIONS)
    assert all(callable(getattr(MapProvider, operation)) for operation in OPERATIONS.values())


def entry(name: str, *images: bytes, size: int = 10) -> Entry:
    pictures = tuple(Picture.wrap(image, "image/png", 1, 1) for image in images)
    result = ToolResult({"text": "x" * size}, pictures)
    return Entry.of(CacheKey.of("search_places", {"query": name}, "p"), result, now=0, seconds=1e6)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 3), st.integers(0, 5000)), max_size=40))
def test_memory_never_holds_more_than_it_may(puts: list[tuple[str, int, int]]) -> None:
    memory = Memory(20_000)
    for name, images, size in puts:
        put = entry(name, *(bytes([n]) * 3000 for n in range(images)), size=size)
        memory.put(put, 0)
        assert memory.bytes <= 20_000
        if put.memory_bytes + images * 3000 <= 20_000:
            assert memory.get(put.key, 0) == put
    for name in "abcdef":
        memory.drop(entry(name).key)
    assert (memory.bytes, len(memory)) == (0, 0)


def test_the_least_recently_used_goes_first() -> None:
    memory = Memory(3 * entry("a").memory_bytes)
    for name in "abc":
        memory.put(entry(name), 0)
    assert memory.get(entry("a").key, 0)
    memory.put(entry("d"), 0)
    assert [name for name in "abcd" if memory.get(entry(name).key, 0)] == ["a", "c", "d"]


def test_a_picture_is_held_once_and_as_long_as_somebody_shows_it() -> None:
    memory = Memory()
    first = memory.put(entry("a", b"image"), 0)
    second = memory.put(entry("b", b"image"), 0)
    assert first.pictures[0] is second.pictures[0]
    memory.drop(first.key)
    assert memory.picture(second.pictures[0].sha256) is second.pictures[0]
    memory.drop(second.key)
    assert memory.picture(second.pictures[0].sha256) is None


def test_memory_asks_to_look_into_the_store_again_after_some_minutes() -> None:
    memory = Memory()
    put = memory.put(entry("a"), 1000)
    assert memory.get(put.key, 1000 + RECHECK_SECONDS - 1) is put
    assert memory.get(put.key, 1000 + RECHECK_SECONDS) is None
    assert memory.last(put.key) is put
