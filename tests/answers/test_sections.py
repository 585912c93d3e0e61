"""What of a text is the answer: not its thoughts, not what goes to tools or comes from them."""

import pytest

from wheretaken.answers import Answer, NoAnswer, parse

CALL = '{"name": "amap_static_map", "arguments": {"latitude": 1.25, "longitude": 2.25}}'
ANSWER = '{"lat": 48.8566, "lon": 2.3522}'


@pytest.mark.parametrize(
    "text",
    [
        f"<think>1.25, 2.25</think>{ANSWER}",
        f"1.25, 2.25 </think> {ANSWER}",
        f"<thinking>{{'lat': 1, 'lon': 2}}</thinking>{ANSWER}",
        f"{ANSWER}<think>Or 1.25, 2.25?</think> Yes.",
        f"<think>I call <tool_call>{CALL}</tool_call> or {{'lat': 1, 'lon': 2}}</think>{ANSWER}",
        f"<think>x</think>{ANSWER}<tool_call>{CALL}</tool_call>",
        f"{ANSWER} {CALL}",
        f"<tool_call>{CALL}<tool_call>{ANSWER}",
        f"<tool_call>{CALL}</tool_call><tool_response>{{'lat': 1, 'lon': 2}}</tool_response>{ANSWER}",
        f"{{'lat': 1, 'lon': 2}}</tool_response>{ANSWER}",
        f"{ANSWER}<tool_response>{{'lat': 1, 'lon': 2}}",
        f"<think>a</think>{{'lat': 1, 'lon': 2}}<think>b</think><answer>{ANSWER}</answer>",
        f"{ANSWER} <think>",
        f"<THINK>1.25, 2.25</THINK>{ANSWER}",
    ],
)
def test_the_answer_is_what_is_said(text: str):
    answer = parse(text)
    assert isinstance(answer, Answer)
    assert (answer.lat, answer.lon) == (48.8566, 2.3522)


@pytest.mark.parametrize(
    "text",
    [
        CALL,
        f"Let me look: {CALL}",
        f"<tool_call>{CALL}</tool_call>",
        f"<tool_call>{CALL}",
        f"<tool_call>{CALL[:-6]}",
        f"<think>48.8566, 2.3522</think><tool_call>{CALL}</tool_call>",
        f'{{"type": "function", "function": {CALL}}}',
        f'{{"tool_calls": [{CALL}]}}',
        f'{{"thought": "x", "call": {CALL}}}',
        '{"action": "static_map", "action_input": {"lat": 1.25, "lon": 2.25}}',
        '{"name": "static_map", "parameters": "{\\"lat\\": 1.25, \\"lon\\": 2.25}"}',
        "<tool_response>48.8566, 2.3522</tool_response>",
        "<think>48.8566, 2.3522</think>It is Paris.",
        '{"candidates": [{"lat": 1.25, "lon": 2.25}]}',
        '{"bbox": {"lat": 1.25, "lon": 2.25}}',
    ],
)
def test_neither_thoughts_nor_calls_are_answers(text: str):
    assert isinstance(parse(text), NoAnswer)


@pytest.mark.parametrize("text", ["<think>48.8566, 2.3522</think> \n", "<think>so it is 48.8566, 2.3522"])
def test_thoughts_are_read_when_nothing_follows(text: str):
    answer = parse(text)
    assert isinstance(answer, Answer)
    assert (answer.lat, answer.lon) == (48.8566, 2.3522)
