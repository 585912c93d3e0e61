"""Texts made to be slow to read take time in proportion to their length."""

import time
from collections.abc import Callable

import pytest

from wheretaken.answers import parse, parse_strict

UNITS = [
    *"{}[]\"'\\1-.,:°/#*N度<“”‘\ud800",
    *(
        "纬度",
        "北纬",
        " ",
        "\n",
        "lat",
        "latlong",
        "lat: ",
        "lat- - ",
        "lat 1 ",
        "lat, lon ",
        "approx about ",
    ),
    *(
        "48.85",
        "1.",
        "1   ",
        "12,",
        "1.5, ",
        "1.55, ",
        "N1.5 ",
        "N  ",
        "- ",
        "48°51'",
        "48°51'24\"N ",
        "cannot ",
    ),
    *(
        "{}",
        "{a}",
        "{a:1}",
        "{lat:1,lon:2}",
        '{"',
        '{"a":',
        '{"a":[',
        "{a:[",
        '{"a":1}',
        '{"lat":1.5,"lon":2.5}',
    ),
    *("{'a", '{a:"', "{/*", "{//", "{,,", '{"a":"x', '{"a":"x, ', "{a:1,", "{a:1e5,", '", "', '"x": ', '\\"'),
    *('"   ', '{a:"x" ', '{a:"x"      ', "{[(\"'", '{"lat":1,', '{"location":', '{"location":[', "{a:1 } "),
    *(
        "<answer>",
        "<answer>x</answer>",
        "<tool_call>",
        "<tool_response>",
        "<think>",
        "</think>",
        "</tool_call>",
        '{"<think>',
        '{"a":"<think>',
        '{"a":"<think>"}',
        '{"a":{"<answer>x',
    ),
    *('{"name":"a","arguments":{"lat":1}}', "{name:a,arguments:{lat:1}", '{"a":' + "9" * 5000 + "}"),
    *('{"lat":1,"lon":2,"city":"a","country":}', '{"a":{}},', "so", "can't "),
]
PREFIXES = ["", '{"a":"', "{a:[", "{'", '{"lat":1,"lon":2,"x":', "lat: "]
SMALL, LARGE = 3_000, 12_000
"""Below the length to which `parse` looks back."""


def _seconds(read: Callable[[str], object], text: str) -> float:
    start = time.process_time()
    read(text)
    return time.process_time() - start


def _growth(read: Callable[[str], object], unit: str, prefix: str) -> float:
    small, large = (prefix + unit * (length // len(unit)) for length in (SMALL, LARGE))
    # Below 2 ms the clock says nothing.
    return _seconds(read, large) / max(_seconds(read, small), 0.002)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: repr(unit[:20]))
@pytest.mark.parametrize("read", [parse, parse_strict])
def test_four_times_the_text_takes_about_four_times_as_long(read: Callable[[str], object], unit: str):
    for prefix in PREFIXES:
        # Quadratic time would be a factor of 16, every time.
        assert any(_growth(read, unit, prefix) < 8 for _ in range(4)), prefix


@pytest.mark.parametrize("unit", ["{", "<think>"])
def test_a_long_text_takes_no_longer_than_its_end(unit: str):
    text = unit * (1_000_000 // len(unit))
    whole, end = (min(_seconds(parse, part) for _ in range(2)) for part in (text, text[-100_000:]))
    assert whole < 3 * max(end, 0.01)
