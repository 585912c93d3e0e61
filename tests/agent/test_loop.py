"""The loop, driven by a scripted model."""

import asyncio
import json

import pytest
from PIL import Image

from wheretaken.agent import Case, Limits, PhotoInfo, Status, StopReason, Trajectory, prompts, run
from wheretaken.agent.events import MessageAdded, RunEnded, RunStarted, ToolEnded, ToolStarted
from wheretaken.errors import ModelError, ServiceError
from wheretaken.maps import Place
from wheretaken.messages import Message, Picture
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.scripted import ScriptedModel, call, say
from wheretaken.tools.worldwide import WORLDWIDE

ANSWER = '{"lat": 60.17, "lon": 24.94, "city": "Helsinki", "country": "Finland"}'
HELSINKI = Place(id="t:1", name="Helsinki", kind="city", lat=60.17, lon=24.94, population=650_000)


def case() -> Case:
    picture = Picture.encode(Image.new("RGB", (64, 48), (10, 120, 200)))
    return Case(picture, PhotoInfo(sha256="0" * 64, width=64, height=48, path="p.jpg"))


async def play(model: ScriptedModel, maps: FewPlaces | None = None, limits: Limits | None = None):
    return [
        event async for event in run(case(), model, WORLDWIDE, maps or FewPlaces([HELSINKI]), limits=limits)
    ]


async def test_a_model_that_answers_at_once():
    events = await play(ScriptedModel([say(f"It is Helsinki.\n{ANSWER}")]))
    assert isinstance(events[0], RunStarted)
    end = events[-1]
    assert isinstance(end, RunEnded)
    assert (end.status, end.stop_reason) == (Status.ANSWERED, StopReason.FINISHED)
    assert end.answer is not None
    assert (end.answer.lat, end.answer.lon, end.answer.city) == (60.17, 24.94, "Helsinki")
    assert [event.number for event in events] == list(range(len(events)))
    assert len({event.run for event in events}) == 1


async def test_tool_results_and_pictures_reach_the_model():
    model = ScriptedModel(
        [
            call(("search_places", {"query": "Helsinki"}), ("zoom", {"bbox_2d": [0, 0, 500, 1000]})),
            say(ANSWER),
        ]
    )
    events = await play(model)
    search, zoomed = [m for m in model.asked[1] if m.role == "tool"]
    assert json.loads(search.text)["results"][0]["id"] == "t:1"
    assert zoomed.pictures[0].width == 128
    ended = [e for e in events if isinstance(e, ToolEnded)]
    assert [e.tool for e in ended] == ["search_places", "zoom"]
    assert ended[1].pictures == zoomed.pictures


async def test_pictures_go_to_a_user_message_for_servers_that_cannot_take_them_in_tool_results():
    script = [call(("zoom", {"bbox_2d": [0, 0, 500, 500]})), say(ANSWER)]
    model = ScriptedModel(script, pictures_in_tool_results=False)
    await play(model)
    *_, tool, user = model.asked[1]
    assert tool.role == "tool"
    assert not tool.pictures
    assert user.role == "user"
    assert len(user.pictures) == 1


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("zoom", {"bbox_2d": [0, 0, 500]}, "bbox_2d"),
        ("zoom", {"bbox_2d": [0, 0, 1, 1]}, "too small"),
        ("zoom", {"bbox_2d": [0, 0, 500, 500], "image": 7}, "there is no picture 7"),
        ("zoom", "{not json", "Invalid JSON"),
        ("fly", {}, "no tool named 'fly'"),
        ("place_details", {"id": "t:9"}, "no place has the id"),
        ("search_places", {"query": "x", "near_lat": 1}, "give both near_lat and near_lon"),
        ("search_places", {"query": " "}, "give a query"),
        ("reverse_geocode", {"lat": 91, "lon": 0}, "must be between -90 and 90"),
        ("search_places", {"query": "x", "nearby": 3}, "nearby"),
    ],
)
async def test_a_call_that_the_model_can_mend_goes_back_to_it_as_text(name, arguments, told):
    model = ScriptedModel([call((name, arguments)), say(ANSWER)], strict=False)
    events = await play(model)
    assert told in model.asked[1][-1].text
    assert model.asked[1][-1].text.startswith("error: ")
    assert next(e for e in events if isinstance(e, ToolEnded)).error
    assert events[-1].status == Status.ANSWERED


async def test_hermes_calls_in_text_work_like_native_ones():
    text = 'Look.\n<tool_call>\n{"name": "search_places", "arguments": {"query": "Helsinki"}}\n</tool_call>'
    broken = "<tool_call>{'name': </tool_call>"
    model = ScriptedModel([say(text), say(broken), say(ANSWER)])
    events = await play(model)
    assert json.loads(model.asked[1][-1].text)["results"][0]["name"] == "Helsinki"
    assert "no tool named ''" in model.asked[2][-1].text
    assert [e.tool for e in events if isinstance(e, ToolStarted)] == ["search_places", ""]


async def test_the_last_turn_has_no_tools_and_must_answer():
    search = call(("search_places", {"query": "Helsinki"}))
    model = ScriptedModel([search, search, say(ANSWER)])
    events = await play(model, limits=Limits(turns=3))
    assert model.offered[2] == ()
    assert model.asked[2][-1].text == prompts.ANSWER_NOW
    assert (events[-1].status, events[-1].stop_reason) == (Status.ANSWERED, StopReason.TURNS)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(tokens=50), StopReason.TOKENS),
        (Limits(money=0.01), StopReason.MONEY),
        (Limits(seconds=1e-9), StopReason.SECONDS),
    ],
)
async def test_each_budget_ends_the_run_with_its_reason_and_one_chance_to_answer(limits, reason):
    spent = call(("search_places", {"query": "Helsinki"}))
    usage = spent.usage.model_copy(update={"completion_tokens": 60, "cost": 0.02})
    model = ScriptedModel([spent.model_copy(update={"usage": usage}), say(ANSWER)])
    events = await play(model, limits=limits)
    assert (events[-1].status, events[-1].stop_reason) == (Status.ANSWERED, reason)
    assert model.offered[-1] == ()


async def test_a_model_that_never_replies_is_a_failed_run_not_a_hang():
    class Silent(ScriptedModel):
        async def complete(self, messages, tools):
            await asyncio.sleep(30)
            raise AssertionError("the loop waited for a silent model")

    events = await play(Silent([]), limits=Limits(seconds=0.05))
    assert (events[-1].status, events[-1].stop_reason) == (Status.FAILED, StopReason.MODEL_ERROR)
    assert "time limit" in events[-1].detail


async def test_calls_above_the_limit_of_a_turn_are_refused_in_words():
    many = call(*[("search_places", {"query": "Helsinki"})] * 3)
    maps = FewPlaces([HELSINKI])
    model = ScriptedModel([many, say(ANSWER)])
    await play(model, maps, Limits(calls_per_turn=2))
    assert len(maps.asked) == 2
    assert "at most 2 tool calls a turn" in model.asked[1][-1].text


async def test_a_text_without_an_answer_is_asked_for_once_then_unparsed():
    model = ScriptedModel([say("Somewhere in the north."), say("The north, as I said.")])
    events = await play(model)
    assert model.asked[1][-1].text == prompts.NO_JSON
    assert (events[-1].status, events[-1].stop_reason) == (Status.UNPARSED, StopReason.FINISHED)
    assert events[-1].answer is None


async def test_a_refusal_is_kept_apart_from_an_unreadable_answer():
    events = await play(ScriptedModel([say("I cannot determine where this was taken.")]))
    assert events[-1].status == Status.REFUSED


@pytest.mark.parametrize(
    ("script", "maps", "reason"),
    [
        ([ModelError("server gone")], FewPlaces(), StopReason.MODEL_ERROR),
        (
            [call(("search_places", {"query": "x"}))],
            FewPlaces(failure=ServiceError("map gone")),
            StopReason.SERVICE_ERROR,
        ),
    ],
)
async def test_failures_of_the_model_and_of_services_are_records(script, maps, reason):
    events = await play(ScriptedModel(script), maps)
    assert (events[-1].status, events[-1].stop_reason) == (Status.FAILED, reason)
    assert "gone" in events[-1].detail
    assert Trajectory.fold(events).status == Status.FAILED


async def test_a_bug_is_raised_not_recorded():
    with pytest.raises(ZeroDivisionError):
        await play(ScriptedModel([ZeroDivisionError()]))


async def test_usage_adds_up_over_turns():
    model = ScriptedModel(
        [call(("search_places", {"query": "x"}), tokens=5), say(ANSWER, tokens=7, cost=0.5)]
    )
    events = await play(model)
    assert (events[-1].usage.completion_tokens, events[-1].usage.cost) == (12, 0.5)


async def test_the_conversation_is_the_events_messages():
    events = await play(ScriptedModel([say(ANSWER)]))
    messages = [e.message for e in events if isinstance(e, MessageAdded)]
    assert [m.role for m in messages] == ["system", "user", "assistant"]
    assert messages[0] == Message.of("system", prompts.SYSTEM)
