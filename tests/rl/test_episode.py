"""One rollout's tools: the same as in the agent loop, and nothing that goes wrong ends a rollout."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheretaken.agent import Case, prompts, run
from wheretaken.agent.events import MessageAdded
from wheretaken.errors import DataError, DeadlineError, ServiceError
from wheretaken.maps import MapProvider
from wheretaken.rl.episode import Episode, shortened
from wheretaken.rl.settings import ToolSettings
from wheretaken.rl.toolbox import LocalToolbox
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.scripted import ScriptedModel, call, say
from wheretaken.tools import Tool, ToolContext, ToolResult, Toolset
from wheretaken.tools.worldwide import WORLDWIDE

TURNS = (
    (
        ("zoom", {"bbox_2d": [100, 100, 900, 900], "label": "sign"}),
        ("road_map", {"lat": 60.17, "lon": 24.94}),
        ("search_places", {"query": "Kiosk"}),
        ("zoom", {"bbox_2d": [0, 0, 500, 500], "image": 1}),  # not there yet when the turn begins
        ("fly", {}),
        ("road_map", '{"lat": 60.17, "lon": 24.94'),  # mended
        ("road_map", "no JSON at all"),
        ("road_map", {"lat": 600, "lon": 24.94}),
        ("", {}),
    ),
    (("zoom", {"bbox_2d": [0, 0, 500, 500], "image": 2}), ("zoom", {"bbox_2d": []})),
)


def episode(case: Case, maps: MapProvider, **settings) -> Episode:
    return Episode(LocalToolbox(WORLDWIDE, maps), case.picture, ToolSettings(**settings))


def told(replies) -> list[tuple[str, list[str]]]:
    return [(reply.text, [picture.sha256 for picture in reply.pictures]) for reply in replies]


async def told_by_the_loop(case: Case, maps: MapProvider, answer: str) -> list[tuple[str, list[str]]]:
    model = ScriptedModel([*(call(*turn) for turn in TURNS), say(answer)], strict=False)
    events = [event async for event in run(case, model, WORLDWIDE, maps)]
    said = [event.message for event in events if isinstance(event, MessageAdded)]
    return [(one.text, [picture.sha256 for picture in one.pictures]) for one in said if one.role == "tool"]


async def test_texts_and_pictures_are_those_of_the_loop(case, few, answer):
    rollout = episode(case, few)
    replies = [reply for turn in TURNS for reply in await rollout.turn(turn)]
    assert told(replies) == await told_by_the_loop(case, few, answer)
    assert len(rollout.pictures) == 5
    assert [made.turn for made in rollout.log] == [1] * 9 + [2] * 2
    assert [made.call.id for made in rollout.log[-2:]] == ["call-2-0", "call-2-1"]


async def test_arguments_may_come_as_text_or_read(case, few):
    one, other = episode(case, few), episode(case, few)
    for name, arguments in TURNS[0][:3]:
        as_text = await one.call(name, json.dumps(arguments))
        assert told([as_text]) == told([await other.call(name, arguments)])


class Timed:
    """A tool that shows a picture after as long as it is told."""

    def __init__(self, case: Case) -> None:
        self._picture = case.picture
        self.seen: list[int] = []

    async def wait(self, context: ToolContext, seconds: float) -> ToolResult:
        """Wait.

        Args:
            seconds: For how long.
        """
        self.seen.append(len(context.pictures))
        await asyncio.sleep(seconds)
        return ToolResult({"image": len(context.pictures), "seconds": seconds}, (self._picture,))

    def episode(self, case: Case, **settings) -> Episode:
        toolset = Toolset("timed", (Tool(self.wait),))
        return Episode(LocalToolbox(toolset, MapProvider()), case.picture, ToolSettings(**settings))


async def test_pictures_are_numbered_in_the_order_of_the_calls(case):
    timed = Timed(case)
    rollout = timed.episode(case)
    for turn in range(2):
        replies = await rollout.turn([("wait", {"seconds": s}) for s in (0.05, 0.0, 0.02)])
        numbers = [json.loads(reply.text)["image"] for reply in replies]
        assert numbers == [1 + 3 * turn, 2 + 3 * turn, 3 + 3 * turn]
        assert [json.loads(reply.text)["seconds"] for reply in replies] == [0.05, 0.0, 0.02]
    assert timed.seen == [1] * 3 + [4] * 3
    assert [made.reply.text for made in rollout.log] == [
        f'{{"image":{n + 1},"seconds":{s}}}' for n, s in enumerate((0.05, 0.0, 0.02) * 2)
    ]


async def test_a_call_that_is_cancelled_holds_nobody_up(case):
    rollout = Timed(case).episode(case)
    first = asyncio.create_task(rollout.call("wait", {"seconds": 30}))
    second = asyncio.create_task(rollout.call("wait", {"seconds": 0}))
    await asyncio.sleep(0.01)
    first.cancel()
    assert json.loads((await second).text)["image"] == 1
    assert json.loads((await rollout.call("wait", {"seconds": 0})).text)["image"] == 2


async def test_a_tool_that_hangs_is_a_neutral_record(case):
    rollout = Timed(case).episode(case, deadline_s=0.05)
    hung, quick = await rollout.turn([("wait", {"seconds": 60}), ("wait", {"seconds": 0})])
    assert hung.text == f"error: {prompts.UNANSWERED}"
    assert (hung.use.ok, hung.use.fault, hung.use.error) == (False, True, "no answer within 0.05 s")
    assert hung.pictures == ()
    assert quick.use.ok
    assert (await rollout.call("wait", {"seconds": 0})).use.ok


@pytest.mark.parametrize(
    "failure",
    [ServiceError("key 1234 refused", service="x"), DeadlineError("late"), DataError("no index: rebuild it")],
)
async def test_a_service_that_fails_is_a_neutral_record(case, failure):
    rollout = episode(case, FewPlaces(failure=failure))
    reply = await rollout.call("search_places", {"query": "Kiosk"})
    assert reply.text == f"error: {prompts.UNANSWERED}"  # what failed is for people, not for the model
    assert reply.use.fault
    assert reply.use.error == str(failure)


async def test_a_bug_in_a_tool_is_seen(case):
    class Broken(FewPlaces):
        async def search(self, query, **options):
            raise KeyError("bug")

    with pytest.raises(KeyError):
        await episode(case, Broken()).call("search_places", {"query": "Kiosk"})


async def test_calls_beyond_the_limit_are_refused_in_words(case, few):
    rollout = episode(case, few, calls_per_turn=2)
    replies = await rollout.turn([("search_places", {"query": "Kiosk"})] * 3)
    assert [reply.use.ok for reply in replies] == [True, True, False]
    assert replies[2].text == f"error: {prompts.too_many_calls(2)}"
    assert (await rollout.call("search_places", {"query": "Kiosk"})).use.ok


async def test_a_long_text_keeps_its_head_and_its_tail(case):
    async def much(_context: ToolContext) -> ToolResult:
        """Say much."""
        return ToolResult({"text": "x" * 5000, "end": "last"})

    toolbox = LocalToolbox(Toolset("much", (Tool(much),)), MapProvider())
    rollout = Episode(toolbox, case.picture, ToolSettings(longest_text_chars=300))
    reply = await rollout.call("much", {})
    assert len(reply.text) <= 300
    assert reply.text.startswith('{"text":"xxx')
    assert reply.text.endswith('"end":"last"}')
    assert "characters left out" in reply.text
    assert len(rollout.log[0].whole) > 5000


@given(st.text(max_size=1000), st.integers(60, 900))
def test_shortening(text, most):
    short = shortened(text, most)
    assert len(short) <= most
    if len(text) <= most:
        assert short == text
    else:
        head, rest = short.split("\n[... ", 1) if text.count("\n[... ") == 0 else ("", short)
        if head:
            number, tail = rest.split(" characters left out ...]\n", 1)
            assert text.startswith(head)
            assert text.endswith(tail)
            assert len(head) + len(tail) + int(number) == len(text)


@pytest.mark.parametrize(
    ("calls", "grounded"),
    [
        ([("search_places", {"query": "Kiosk"})], True),
        ([("road_map", {"lat": 60.17, "lon": 24.94})], True),
        ([("road_map", {"lat": 10.0, "lon": 24.94})], False),
        ([("zoom", {"bbox_2d": [0, 0, 500, 500]})], False),
        ([("read_clue", {"text": "+358 9 1234567"})], False),
        ([], False),
    ],
)
async def test_grounded_is_what_a_tool_told_or_showed(case, few, answer, calls, grounded):
    rollout = episode(case, few)
    await rollout.turn(calls)
    assert rollout.outcome(answer).grounded is grounded
    assert rollout.outcome("I do not know").grounded is False


async def test_an_outcome_tells_of_every_call(case, few, answer):
    rollout = episode(case, few)
    for turn in TURNS:
        await rollout.turn(turn)
    outcome = rollout.outcome(answer, "turns", tokens=9, turns=3)
    assert (outcome.final, outcome.stop, outcome.tokens, outcome.turns) == (answer, "turns", 9, 3)
    assert [use.ok for use in outcome.tools] == [True] * 3 + [False] * 2 + [True] + [False] * 3 + [
        True,
        False,
    ]
    assert not any(use.fault for use in outcome.tools)
