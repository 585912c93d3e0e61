"""What the scripts come to, with which TRL and verl are compared, is what our own loop makes of them."""

from pathlib import Path

import pytest

from wheretaken.testing import parity

FILE = Path(__file__).with_name("parity.json")


def test_the_file_is_what_our_own_loop_makes_of_the_scripts():
    made = parity.every()
    assert FILE.read_text("utf-8") == made, "run  python -m wheretaken.testing.parity tests/rl/parity.json"


@pytest.mark.parametrize(
    ("name", "stop", "reward", "pictures", "text"),
    [
        ("parallel calls", "finished", 1.0, 3, "error: not run: at most 2 tool calls a turn"),
        ("tool error", "finished", 0.4, 1, "error: road_map: lat must be between -90 and 90"),
        ("unknown tool", "finished", 0.0, 1, "error: no tool named 'fly'"),
        ("malformed call", "finished", 1.0, 1, "error: road_map: arguments: Input should be an object"),
        ("no call", "finished", 0.0, 1, "Somewhere in the north."),
        ("turn limit", "turns", 0.0, 4, "This was the last turn with tools."),
        ("overlong answer", "length", 0.0, 1, "7" * parity.TOKENS),
        ("service fault", "finished", 1.0, 1, "error: the service behind this tool gave no answer"),
        ("result without room", "length", 0.0, 2, '{"image":1,'),
        ("answer when asked", "turns", 1.0, 4, "This was the last turn with tools."),
    ],
)
def test_the_scripts_are_of_what_they_are_called(name, stop, reward, pictures, text):
    kept = parity.read(FILE)[name]
    assert (kept["stop"], kept["reward"]) == (stop, reward)
    assert sum(len(message["pictures"]) for message in kept["messages"]) == pictures
    assert any(message["text"].startswith(text) for message in kept["messages"])
