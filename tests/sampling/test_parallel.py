"""Several runs at the same time: seeds, failures, bounds, and what a verifier is given."""

import asyncio

import pytest
from PIL import Image

from wheretaken.agent import Case, PhotoInfo, Status, read
from wheretaken.errors import ModelError
from wheretaken.messages import Picture
from wheretaken.sampling.parallel import DIRECT, Attempt, Statement, Vote, sample
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.scripted import ScriptedModel, call, say
from wheretaken.tools.worldwide import WORLDWIDE

ANSWER = '{"lat": 1.5, "lon": 2.5, "confidence": 0.75, "radius_km": 3}'
SEARCH = call(("search_places", {"query": "A"}))


def case() -> Case:
    picture = Picture.encode(Image.new("RGB", (40, 30), (90, 20, 20)))
    return Case(picture, PhotoInfo(sha256="1" * 64, width=40, height=30, path="secret-name.jpg"))


def attempt(seed: int, *script, toolset=WORLDWIDE) -> Attempt:
    return Attempt(seed, ScriptedModel(script), toolset, f"run-{seed}")


async def test_runs_with_and_without_tools_are_mixed_and_come_back_in_order(tmp_path):
    attempts = [attempt(7, SEARCH, say(ANSWER)), attempt(8, say(ANSWER), toolset=DIRECT)]
    runs = await sample(case(), attempts, FewPlaces(), out=tmp_path)
    assert [(run.id, run.seed, run.toolset) for run in runs] == [
        ("run-7", 7, "worldwide"),
        ("run-8", 8, "direct"),
    ]
    assert not attempts[1].model.offered[0]
    assert {run.id for run in read(tmp_path)} == {"run-7", "run-8"}


async def test_a_failed_run_is_a_ballot_without_a_position():
    runs = await sample(
        case(),
        [attempt(0, ModelError("down")), attempt(1, say(ANSWER)), attempt(2, say(ANSWER))],
        FewPlaces(),
    )
    heard = [Statement.of(run) for run in runs]
    assert runs[0].status == Status.FAILED
    assert (heard[0].ballot.lat, heard[0].ballot.confidence) == (None, None)
    ballot = heard[1].ballot
    assert (ballot.lat, ballot.lon, ballot.confidence, ballot.radius_km) == (1.5, 2.5, 0.75, 3)
    verdict = await Vote().decide(heard)
    assert (verdict.chosen in {1, 2}, verdict.agree, verdict.of) == (True, 2, 3)
    assert (await Vote().decide(heard[:1])).chosen is None


async def test_a_verifier_is_given_the_conversation_and_no_file_name():
    (run,) = await sample(case(), [attempt(0, SEARCH, say(ANSWER))], FewPlaces())
    heard = Statement.of(run)
    assert [message.role for message in heard.messages] == [
        "system",
        "user",
        "assistant",
        "tool",
        "assistant",
    ]
    assert run.photo.path == "secret-name.jpg"
    assert "secret" not in repr(heard)


async def test_weights_belong_to_models():
    far = '{"lat": -40.0, "lon": 100.0}'
    attempts = [
        Attempt(0, ScriptedModel([say(ANSWER)], name="good"), DIRECT),
        Attempt(1, ScriptedModel([say(far)], name="poor"), DIRECT),
        Attempt(2, ScriptedModel([say(far)], name="poor"), DIRECT),
    ]
    heard = [Statement.of(run) for run in await sample(case(), attempts, FewPlaces())]
    assert (await Vote().decide(heard)).chosen in {1, 2}
    assert (await Vote({"good": 9.0, "poor": 1.0}).decide(heard)).chosen == 0


async def test_a_bug_is_raised_as_itself_and_stops_the_other_runs(tmp_path):
    class Hanging(ScriptedModel):
        async def complete(self, messages, tools):
            await asyncio.sleep(60)
            return say(ANSWER)

    cause = KeyError("cause")
    bug = ZeroDivisionError("bug")
    bug.__cause__ = cause
    with pytest.raises(ZeroDivisionError) as raised:
        await asyncio.wait_for(
            sample(case(), [Attempt(0, Hanging([]), DIRECT), attempt(1, bug)], FewPlaces(), out=tmp_path), 20
        )
    assert raised.value is bug
    assert raised.value.__cause__ is cause


async def test_slots_bound_several_calls_together():
    slots, events, most = asyncio.Semaphore(2), [], 0

    class Counting(ScriptedModel):
        async def complete(self, messages, tools):
            nonlocal most
            events.append(1)
            most = max(most, sum(events))
            await asyncio.sleep(0.005)
            events.append(-1)
            return await super().complete(messages, tools)

    def attempts() -> list[Attempt]:
        return [Attempt(n, Counting([say(ANSWER)]), DIRECT) for n in range(3)]

    await asyncio.gather(*(sample(case(), attempts(), FewPlaces(), slots=slots) for _ in range(3)))
    assert most == 2
    assert len(events) == 18
