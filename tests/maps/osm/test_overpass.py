import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheretaken.errors import BusyError, DeadlineError, ServiceError, ToolError
from wheretaken.geo import LatLon
from wheretaken.maps import UnsupportedError
from wheretaken.maps.osm import Overpass
from wheretaken.maps.osm.overpass import _literal, _quoted
from wheretaken.testing.services import FakeService, Reply
from wheretaken.testing.services.osm import Element, overpass

Make = Callable[..., Any]

HERE = LatLon(60.16614, 24.94946)
AREAS = [
    {"admin_level": "2", "name": "Suomi / Finland", "name:en": "Finland", "ISO3166-1:alpha2": "FI"},
    {"admin_level": "4", "name": "Uusimaa"},
    {"admin_level": "8", "name": "Helsinki"},
]


def query_of(fake: FakeService, number: int = -1) -> str:
    return parse_qs(fake.asked[number].body.decode())["data"][0]


async def test_what_is_around_comes_closest_first_with_its_divisions(
    make: Make, elements: list[Element]
) -> None:
    upstream = FakeService(overpass(elements, AREAS))
    found = await make(Overpass, upstream).reverse(HERE)
    assert [(place.id, place.kind) for place in found] == [("osm:n1", "restaurant")]
    place = found[0]
    assert (place.city, place.admin1, place.country, place.country_code) == (
        "Helsinki",
        "Uusimaa",
        "Finland",
        "FI",
    )
    assert place.more == {"phone": "+358 9 622 2907"}
    asked = upstream.asked[0]
    assert (asked.method, asked.path) == ("POST", "/api/interpreter")
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert query_of(upstream).startswith(
        "[out:json][timeout:38][maxsize:67108864];is_in(60.166140,24.949460);"
    )


async def test_the_limit_is_kept(make: Make, elements: list[Element]) -> None:
    around = [
        Element(f"n{n}", HERE.lat, HERE.lon + n * 1e-5, {"shop": "yes", "name": str(n)}) for n in range(9)
    ]
    found = await make(Overpass, FakeService(overpass(around))).reverse(HERE, limit=3)
    assert [place.name for place in found] == ["0", "1", "2"]


async def test_a_name_is_searched_around_a_position_only(make: Make, elements: list[Element]) -> None:
    provider = make(Overpass, FakeService(overpass(elements, AREAS)))
    found = await provider.search("fabiansgatan", near=HERE)
    assert [(place.id, place.name, place.kind) for place in found] == [("osm:w2", "Fabianinkatu", "street")]
    assert found[0].match is not None
    assert found[0].match.alias == "Fabiansgatan"
    assert await provider.search("fabiansgatan", near=HERE, country_code="se") == []
    with pytest.raises(UnsupportedError):
        await provider.search("fabiansgatan")
    with pytest.raises(ToolError, match="two letters"):
        await provider.search("x", near=HERE)


async def test_details_of_nodes_and_ways(make: Make, elements: list[Element]) -> None:
    provider = make(Overpass, FakeService(overpass(elements)))
    node, way = await provider.details("osm:n3"), await provider.details("osm:w2")
    assert (node.name, node.english, node.kind) == ("東京", "Tokyo", "station")
    assert (way.kind, way.lat) == ("street", 60.1680)
    assert await provider.details("osm:r1") is None
    assert await provider.details("osm:n1);node(2") is None


class _Strings:
    """Reads string literals of the query language: only a backslash and a quote have a meaning in one."""

    pattern = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)

    @classmethod
    def read(cls, literal: str) -> str:
        found = cls.pattern.fullmatch(literal)
        assert found, literal
        return re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL)


@given(st.text(max_size=60))
def test_foreign_text_stays_inside_its_string_and_stands_for_itself(text: str) -> None:
    literal = _quoted(_literal(text))
    pattern = _Strings.read(literal)
    visible = "".join(char if char.isprintable() else " " for char in text)
    assert re.fullmatch(pattern, visible)
    assert literal.isprintable()


@pytest.mark.parametrize("text", ['x"];node(1);out;//', r"a\"b", "a.*b", "café\n[out:csv]", "(((", "a|b"])
async def test_hostile_names_find_nothing_and_break_nothing(
    make: Make, elements: list[Element], text: str
) -> None:
    upstream = FakeService(overpass(elements))
    assert await make(Overpass, upstream).search(text, near=HERE) == []
    query = query_of(upstream)
    outside = _Strings.pattern.sub('""', query)
    assert outside.count(";") == 6
    assert "out:csv" not in outside


@pytest.mark.parametrize(
    ("remark", "error"),
    [
        ('runtime error: Query timed out in "query" at line 1 after 39 seconds.', DeadlineError),
        ("runtime error: open64: ... timeout. The server is probably too busy to handle it", BusyError),
        (
            'runtime error: Query run out of memory in "query" at line 1 using about 64 MB of RAM.',
            ServiceError,
        ),
    ],
)
async def test_errors_come_with_status_200_after_half_an_answer(
    make: Make, remark: str, error: type[Exception]
) -> None:
    half = {
        "elements": [{"type": "node", "id": 1, "lat": 0, "lon": 0, "tags": {"name": "x"}}],
        "remark": remark,
    }
    with pytest.raises(error, match="overpass: "):
        await make(Overpass, FakeService(lambda _: Reply.json(half))).reverse(HERE)


async def test_a_harmless_remark_is_no_error(make: Make) -> None:
    answer = {"elements": [], "remark": "the only allowed values are 1 and 2"}
    assert await make(Overpass, FakeService(lambda _: Reply.json(answer))).reverse(HERE) == []
