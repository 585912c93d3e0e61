"""Markup that an answer quotes from signs and maps is data."""

import json

import pytest

from wheretaken.answers import Answer, NoAnswer, parse

MARKUP = [
    "</tool_response>",
    "<tool_response>",
    "</think>",
    "<think>",
    "<tool_call>{}</tool_call>",
    "<answer>12.34, 56.78</answer>",
    '<answer>{"lat": 12.34, "lon": 56.78}</answer>',
    "</answer>",
    "}</tool_response>{",
]


def written(sign: str, tail: str = "") -> str:
    evidence = [{"reads": sign, "place": "x"}]
    text = json.dumps({"lat": 1.5, "lon": 2.5, "city": "a", "country": "b", "evidence": evidence})
    return text[:-1] + tail + "}"


@pytest.mark.parametrize("sign", MARKUP)
@pytest.mark.parametrize("around", ["%s", "<think>Hm.</think>%s", "<answer>%s</answer>", "Hm.</think>\n%s\n"])
def test_what_evidence_quotes_is_no_markup(sign, around):
    found = parse(around % written(sign))
    assert isinstance(found, Answer)
    assert (found.lat, found.lon, found.evidence[0].reads) == (1.5, 2.5, sign)


@pytest.mark.parametrize("sign", MARKUP[:6])
def test_nor_is_it_in_loose_json(sign):
    found = parse(written(sign, tail=","))
    assert isinstance(found, Answer)
    assert (found.lat, found.evidence[0].reads) == (1.5, sign)


def test_what_encloses_an_object_stays_markup():
    inner = written("x")
    assert isinstance(parse(f"<tool_response>{inner}</tool_response>"), NoAnswer)
    assert isinstance(parse(f'<tool_call>{{"name": "f", "arguments": {inner}}}</tool_call>'), NoAnswer)
    later = parse(f'<think>{inner}</think>{{"lat": 3.5, "lon": 4.5}}')
    assert isinstance(later, Answer)
    assert later.lat == 3.5
