"""Which calls in a text are made, and which are only quoted."""

import json

import pytest

from wheretaken.messages import Message
from wheretaken.models import hermes

CALL = '<tool_call>{"name": "zoom", "arguments": {}}</tool_call>'
ANSWER = json.dumps({"lat": 1.5, "lon": 2.5, "evidence": [{"reads": CALL, "place": "x"}]})


def made(text: str) -> list[tuple[str, str]]:
    return [(c.name, c.arguments) for c in hermes.with_calls(Message.of("assistant", text)).tool_calls]


@pytest.mark.parametrize(
    "text",
    [
        ANSWER,
        f"The sign is odd.\n```json\n{ANSWER}\n```",
        ANSWER[:-1] + ",}",
        f"<answer>{ANSWER}</answer>",
        f"<tool_response>\n{CALL}\n</tool_response>",
    ],
)
def test_a_quoted_call_is_not_made(text):
    assert made(text) == []
    assert hermes.without_calls(text) == text


def test_a_call_may_quote_one():
    query = {"query": f"</tool_call>{CALL}"}
    text = f"Now.\n<tool_call>{json.dumps({'name': 'search_places', 'arguments': query})}</tool_call>"
    assert [(name, json.loads(arguments)) for name, arguments in made(text)] == [("search_places", query)]
    assert hermes.without_calls(text) == "Now."


@pytest.mark.parametrize(
    "text", [f"{ANSWER}\n{CALL}", f"{CALL}\n{ANSWER}", f"{{ hm {CALL}", f'{{"a": {CALL}']
)
def test_a_call_beside_an_object_is_made(text):
    assert made(text) == [("zoom", "{}")]
    assert CALL not in hermes.without_calls(text.replace(ANSWER, ""))
