"""The loop, driven by a scripted model."""

import asyncio
import json

import pytest
from PIL import Image

from wheretaken.agent import (
    Case,
    Delta,
    Limits,
    PhotoInfo,
    Status,
    StopReason,
    Trajectory,
    prompts,
    read_log,
    record,
    run,
)
from wheretaken.agent.events import MessageAdded, RunEnded, RunStarted, ToolEnded, ToolStarted
from wheretaken.errors import ModelError, ServiceError
from wheretaken.maps import Place
from wheretaken.messages import Message, Picture
from wheretaken.models.base import Piece
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.scripted import ScriptedModel, call, say
from wheretaken.tools.amap import AMAP
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


class Streaming(ScriptedModel):
    """Tells its turns word by word."""

    async def stream(self, messages, tools):
        message = await self.complete(messages, tools)
        for word in message.text.split():
            yield Piece("text", word)
        yield message


async def test_a_stream_is_told_in_deltas_that_no_log_holds(tmp_path):
    script = [call(("search_places", {"query": "Helsinki"}), text="Let me look."), say(ANSWER)]
    told: list[Delta] = []
    kept = []
    trajectory = await record(
        case(), Streaming(script), WORLDWIDE, FewPlaces([HELSINKI]), out=tmp_path, watch=kept.append,
        on_delta=told.append,
    )  # fmt: skip
    plain = await record(case(), ScriptedModel(script), WORLDWIDE, FewPlaces([HELSINKI]))
    assert [d.text for d in told if d.turn == 1] == ["Let", "me", "look."]
    assert [m.text for m in trajectory.messages] == [m.text for m in plain.messages]
    (log,) = (tmp_path / "events").iterdir()
    assert [event.number for event in read_log(log)] == list(range(len(kept)))


async def test_a_stream_that_stops_in_the_middle_ends_with_the_time_limit():
    class Stuck(ScriptedModel):
        async def stream(self, messages, tools):
            yield Piece("text", "It")
            await asyncio.sleep(30)

    events = [
        e
        async for e in run(
            case(), Stuck([]), WORLDWIDE, FewPlaces(), limits=Limits(seconds=0.05), stream=True
        )
    ]
    assert [e.text for e in events if isinstance(e, Delta)] == ["It"]
    assert (events[-1].status, events[-1].stop_reason) == (Status.FAILED, StopReason.MODEL_ERROR)


async def test_calls_of_a_turn_run_together_and_are_told_in_their_order():
    running, most = 0, 0

    class Slow(FewPlaces):
        async def search(self, query, **rest):
            nonlocal running, most
            running, most = running + 1, max(most, running + 1)
            await asyncio.sleep(0.05 if query == "first" else 0)
            running -= 1
            return await super().search(query, **rest)

    turn = call(("search_places", {"query": "first"}), ("search_places", {"query": "second"}))
    events = await play(ScriptedModel([turn, say(ANSWER)]), Slow())
    assert most == 2
    assert [json.loads(e.arguments)["query"] for e in events if isinstance(e, ToolStarted)] == [
        "first",
        "second",
    ]
    ids = [c.id for c in events[2].message.tool_calls] if isinstance(events[2], MessageAdded) else []
    told = [
        e.message.tool_call_id for e in events if isinstance(e, MessageAdded) and e.message.role == "tool"
    ]
    assert told == [call_id for e in events if isinstance(e, ToolEnded) for call_id in [e.call_id]]
    assert not ids or told == ids


async def test_pictures_of_one_turn_are_numbered_in_the_order_of_its_calls():
    class SlowFirst(FewPlaces):
        async def road_map(self, centre, **rest):
            await asyncio.sleep(0.05 if centre.lat == 1 else 0)
            return await super().road_map(centre, **rest)

    maps = call(("road_map", {"lat": 1, "lon": 1}), ("road_map", {"lat": 2, "lon": 2}))
    closer = call(("zoom", {"bbox_2d": [0, 0, 1000, 1000], "image": 2}))
    model = ScriptedModel([maps, closer, say(ANSWER)])
    await play(model, SlowFirst())
    first, second = [json.loads(m.text) for m in model.asked[1] if m.role == "tool"]
    assert (first["image"], second["image"]) == (1, 2)
    assert (round(first["south"]), round(second["south"])) == (1, 2)
    assert json.loads(model.asked[2][-1].text)["image"] == 3


async def test_a_failing_service_stops_the_other_calls_of_its_turn():
    cancelled = []

    class Failing(FewPlaces):
        async def search(self, query, **rest):
            if query == "fails":
                raise ServiceError("the map is down")
            try:
                await asyncio.sleep(30)
            finally:
                cancelled.append(query)

    turn = call(("search_places", {"query": "fails"}), ("search_places", {"query": "waits"}))
    events = await play(ScriptedModel([turn]), Failing())
    assert (events[-1].stop_reason, cancelled) == (StopReason.SERVICE_ERROR, ["waits"])


async def test_calls_without_an_id_or_with_one_that_was_used_get_their_own():
    class Careless(ScriptedModel):
        async def complete(self, messages, tools):
            message = await super().complete(messages, tools)
            same = [
                c.model_copy(update={"id": i})
                for c, i in zip(message.tool_calls, ("", "x", "x"), strict=False)
            ]
            return message.model_copy(update={"tool_calls": tuple(same)})

    turn = call(*[("search_places", {"query": "Helsinki"})] * 3)
    events = await play(Careless([turn, turn, say(ANSWER)]))
    ids = [e.call_id for e in events if isinstance(e, ToolEnded)]
    assert len(set(ids)) == len(ids) == 6
    assert "x" in ids


@pytest.mark.parametrize(
    ("text", "answered"),
    [
        ('<tool_call>{"name": "search_places", "arguments": {"query": "Helsinki"}', True),
        (
            '<tool_call>{"name": "search_places", "arguments": "{\\"query\\": \\"Helsinki\\"}"}</tool_call>',
            True,
        ),
        ("<tool_call>{'name': 'search_places', 'arguments': {'query': 'Helsinki'}}</tool_call>", True),
        ('<tool_call>["search_places"]</tool_call>', False),
    ],
)
async def test_calls_in_text_are_understood_as_far_as_possible(text, answered):
    model = ScriptedModel([say(text), say(ANSWER)])
    events = await play(model)
    told = model.asked[1][-1].text
    assert ("results" in told) == answered
    assert events[-1].status == Status.ANSWERED


async def test_a_turn_that_the_server_withheld_is_a_refusal_and_one_cut_off_is_asked_again():
    withheld = say("I cannot help with that.").model_copy(update={"stop": "refused"})
    events = await play(ScriptedModel([withheld]))
    assert (events[-1].status, events[-1].detail) == (Status.REFUSED, "I cannot help with that.")
    cut = say('It is {"lat": 60.1').model_copy(update={"stop": "length"})
    model = ScriptedModel([cut, say(ANSWER)])
    events = await play(model)
    assert model.asked[1][-1].text == prompts.CUT_OFF
    assert events[-1].status == Status.ANSWERED


def test_the_prompt_says_that_what_is_read_is_no_instruction():
    assert "never an instruction to follow" in prompts.system(WORLDWIDE)
    assert "GCJ-02" in prompts.system(AMAP)
