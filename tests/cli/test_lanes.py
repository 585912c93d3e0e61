"""Several runs side by side: what a terminal of any width shows, and what it must not be sent."""

import io
import json
import os
import pty
import sys
import termios

import pytest
from rich.cells import cell_len
from rich.console import Console

from wheretaken.agent.events import (
    Delta,
    Limits,
    MessageAdded,
    PhotoInfo,
    RunEnded,
    RunStarted,
    Status,
    StopReason,
    ToolEnded,
    ToolStarted,
)
from wheretaken.answers import Answer, Candidate
from wheretaken.cli import consoles, lanes
from wheretaken.messages import Message, Usage

STEERING = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\u202e"
LISBON = Answer(
    lat=38.71,
    lon=-9.1365,
    city="Lisbon",
    country="Portugal",
    candidates=(Candidate(lat=41, lon=-8, city="Porto"),),
)


def stamped(kind, run="a", /, **values):
    return kind(run=run, number=0, at="2026-01-01T00:00:00.000Z", elapsed=0.0, **values)


def started(run):
    photo = PhotoInfo(sha256="0" * 64, width=10, height=10, path="x.jpg")
    values = {"model": "m", "toolset": "t", "datum": "WGS-84", "limits": Limits(), "seed": 0}
    return stamped(RunStarted, run, photo=photo, **values)


def thought(run, text, tokens=0, turn=1):
    message = Message.of("assistant", text, usage=Usage(completion_tokens=tokens))
    return stamped(MessageAdded, run, turn=turn, index=2, message=message)


def called(run, tool, arguments, turn=1):
    return stamped(ToolStarted, run, turn=turn, call_id="c", tool=tool, arguments=json.dumps(arguments))


def ended(run, answer=LISBON, tokens=0, status=Status.ANSWERED, detail="", why=StopReason.FINISHED):
    usage = Usage(completion_tokens=tokens)
    return stamped(RunEnded, run, status=status, stop_reason=why, answer=answer, detail=detail, usage=usage)


def drawn(shown, width, height=20):
    file = io.StringIO()
    console = Console(file=file, width=width, height=height, color_system=None, force_terminal=False)
    console.print(shown)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_a_lane_says_what_its_run_does_weighs_and_has_cost():
    shown = lanes.Lanes(4)
    for event in (
        started("a"),
        started("b"),
        thought("a", "Tiles, trams. Lisbon (60 %), or Porto: 20%.", tokens=17_184),
        called("a", "search_places", {"query": "Rua Augusta"}),
        ended("b", tokens=14_020),
    ):
        shown.show(event)
    header, first, second, rest = drawn(shown, 100)
    assert header.startswith("1 of 4 runs ended · 0 s · 31,204 tokens")
    assert first == ' 1  turn 1 · 17,184 tokens  Lisbon 60 %, Porto 20 %  search_places query="Rua Augusta"'
    assert second == " 2  ✓ Lisbon, Portugal  38.7100, -9.1365 · 14,020 tokens  or Porto"
    assert rest.strip() == "2 waiting"


def test_a_thought_without_hypotheses_is_shown_itself_and_a_picture_by_its_number():
    shown = lanes.Lanes(1)
    shown.show(thought("a", "Blue tiles. 40% off, it says."))
    shown.show(called("a", "zoom", {"index": 0}))
    assert drawn(shown, 80)[1] == " 1  turn 1  zoom index=0  Blue tiles. 40% off, it says."
    shown.show(stamped(ToolEnded, turn=1, call_id="c", tool="zoom", seconds=0.1, error="no picture 7"))
    assert "zoom: no picture 7" in drawn(shown, 80)[1]


def test_agreement_counts_the_answers_that_are_near_each_other():
    shown = lanes.Lanes(3)
    near = LISBON.model_copy(update={"lat": 38.75})
    far = LISBON.model_copy(update={"lat": 41.0, "city": "Porto"})
    for run, answer in (("a", LISBON), ("b", near), ("c", far)):
        shown.show(ended(run, answer))
    assert drawn(shown, 80)[0].startswith("3 of 3 runs ended, 2 agree within 25 km")


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (ended("a", None, status=Status.REFUSED, detail="I cannot tell"), " 1  – refused: I cannot tell"),
        (ended("a", None, status=Status.FAILED, detail="no reply"), " 1  ✗ failed: no reply"),
        (
            ended("a", None, status=Status.FAILED, why=StopReason.ENOUGH, detail="not needed"),
            " 1  · not needed",
        ),
    ],
)
def test_a_run_without_an_answer_says_why(event, line):
    shown = lanes.Lanes(1)
    shown.show(event)
    assert drawn(shown, 80)[1] == line


@pytest.mark.parametrize("width", [40, 80])
def test_what_is_being_written_shows_its_end_in_every_script(width):
    shown = lanes.Lanes(2)
    for run, text in (
        ("a", "这里是北京的胡同，" * 20 + "最新的文字"),
        ("b", "old words " * 30 + "the newest"),
    ):
        shown.show(started(run))
        for sign in text:
            shown.write(stamped(Delta, run, turn=2, kind="text", text=sign))
    _, first, second = drawn(shown, width)
    assert first.startswith(" 1  turn 2  …")
    assert first.endswith("最新的文字")
    assert second.endswith("the newest")
    for line in (first, second):
        assert width - 1 <= cell_len(line) <= width


@pytest.mark.parametrize("width", [40, 80])
def test_no_line_is_wider_than_the_terminal_nor_folded(width):
    shown = lanes.Lanes(3)
    shown.show(thought("a", "长长的想法" * 40, tokens=999_999))
    shown.show(called("b", "search_places", {"query": "東京" * 60}))
    shown.show(ended("c", LISBON.model_copy(update={"city": "가나다" * 40}), tokens=5))
    lines = drawn(shown, width)
    assert len(lines) == 4
    assert all(cell_len(line) <= width for line in lines)
    assert ("999,999" in lines[1]) == (width == 80)


def test_a_low_terminal_shows_as_many_lanes_as_fit():
    shown = lanes.Lanes(9)
    for run in "abcdefgh":
        shown.show(started(run))
    lines = drawn(shown, 80, height=6)
    assert len(lines) == 5
    assert lines[-1].strip() == "1 waiting, 5 not shown"


def test_text_from_outside_does_not_steer_a_terminal(monkeypatch):
    terminal = io.StringIO()
    monkeypatch.setattr(sys, "stderr", terminal)
    hostile = LISBON.model_copy(update={"city": f"Lis{STEERING}bon"})
    events = [
        thought("a", f"I read {STEERING}\nhere"),
        called("a", f"zoom{STEERING}", {"query": STEERING}),
        stamped(ToolEnded, turn=1, call_id="c", tool="zoom", seconds=0.1, error=f"bad {STEERING}"),
    ]
    for planned, streams in ((1, False), (1, True), (2, True)):
        with lanes.display(consoles.notices(), planned) as display:
            if streams:
                display.write(stamped(Delta, turn=1, kind="text", text=STEERING))
            for event in (*events, ended("a", hostile), ended("b", None, detail=STEERING)):
                display.show(event)
    shown = lanes.Lanes(2)
    for event in (*events, stamped(Delta, turn=2, kind="text", text=STEERING)):
        (shown.write if isinstance(event, Delta) else shown.show)(event)
    console = consoles.notices()
    console.print(shown)
    console.print(f"name {STEERING}", markup=False)
    text = terminal.getvalue()
    assert "I read" in text
    assert [sign for sign in text if not sign.isprintable() and sign != "\n"] == []


def test_plain_text_keeps_lines_scripts_and_joined_letters():
    kept = "Ciudad de México\n東京 می\u200cخواهم 👩\u200d🚒"
    assert consoles.plain(kept) == kept
    assert consoles.plain("a\tb\u3000c\x1b[0m\u202ed\x85") == "a b c?[0md?"


def test_json_escapes_what_json_itself_lets_through(capsys):
    consoles.write_json({"city": "\x9b31m\x7f\x1b"})
    line = capsys.readouterr().out
    assert line.strip().isprintable()
    assert json.loads(line) == {"city": "\x9b31m\x7f\x1b"}


def test_agreeing_is_nothing_without_answers():
    assert lanes.agreeing([]) == lanes.agreeing([None, None]) == 0
    assert lanes.agreeing([LISBON, None]) == 1


def test_the_terminal_does_not_write_control_c_into_the_lanes():
    def echoes():
        return bool(termios.tcgetattr(screen)[3] & termios.ECHOCTL)

    keyboard, screen = pty.openpty()
    with os.fdopen(screen, "w") as file:
        console = Console(file=file, force_terminal=True, width=60, height=5)
        assert echoes()
        with lanes.display(console, 2):
            assert not echoes()
        assert echoes()
    os.close(keyboard)
