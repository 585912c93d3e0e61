"""What a training leaves behind is read by what reads runs, and a resumed one counts no step twice."""

import json

import pytest

from wheretaken.agent import Case, record
from wheretaken.agent.trajectory import read
from wheretaken.errors import DataError, UserError
from wheretaken.evals.datasets import open_dataset
from wheretaken.evals.results import read_results
from wheretaken.geo import LatLon
from wheretaken.rl import records
from wheretaken.rl.episode import Episode
from wheretaken.rl.records import Line, Recorder
from wheretaken.rl.reward import score
from wheretaken.rl.settings import RewardSettings, ToolSettings
from wheretaken.rl.toolbox import LocalToolbox
from wheretaken.testing.scripted import ScriptedModel, call, say
from wheretaken.tools.worldwide import WORLDWIDE
from wheretaken.web.records import recorded

CALLS = (
    ("zoom", {"bbox_2d": [100, 100, 900, 900]}),
    ("road_map", {"lat": 60.17, "lon": 24.94}),
    ("fly", {"to": "the moon"}),
)
ROLLOUT = ("I look.", "Again.")


def as_text(*calls) -> str:
    return "".join(
        f'<tool_call>\n{{"name": "{name}", "arguments": {json.dumps(arguments)}}}\n</tool_call>'
        for name, arguments in calls
    )


async def rollout(case: Case, maps, answer: str):
    toolbox = LocalToolbox(WORLDWIDE, maps)
    episode = Episode(toolbox, case.picture, ToolSettings())
    said = [f"I look.\n{as_text(*CALLS)}", f"Again.\n{as_text(CALLS[0])}", answer]
    await episode.turn(CALLS)
    await episode.turn(CALLS[:1])
    outcome = episode.outcome(answer, tokens=77, turns=3)
    return toolbox, said, episode, outcome


async def test_a_rollout_is_the_record_of_a_run(case, few, answer):
    toolbox, said, episode, outcome = await rollout(case, few, answer)
    kept = records.trajectory(toolbox, case.picture, said, episode.log, outcome, id="r1", model="toy")
    turns = [say(text) for text in said]  # calls in the text, as the engines' models write them
    run = await record(case, ScriptedModel(turns, strict=False), WORLDWIDE, few)
    for ours, theirs in zip(kept.messages, run.messages, strict=True):
        assert ours.text == theirs.text
        assert ours.pictures == theirs.pictures
        assert [(c.name, json.loads(c.arguments)) for c in ours.tool_calls] == [
            (c.name, json.loads(c.arguments)) for c in theirs.tool_calls
        ]
    assert (kept.answer, kept.status, kept.stop_reason) == (run.answer, run.status, run.stop_reason)
    assert [event.type for event in kept.tools] == ["tool_started", "tool_ended"] * 4
    assert kept.usage.completion_tokens == 77


async def test_calls_that_the_engine_did_not_run_stay_unanswered(case, few, answer):
    toolbox = LocalToolbox(WORLDWIDE, few)
    episode = Episode(toolbox, case.picture, ToolSettings())
    await episode.turn(CALLS[1:2])
    said = [as_text(("", {})), as_text(*CALLS), as_text(CALLS[0]), answer]
    messages = records.conversation(toolbox, case.picture, said, episode.log)
    assert [message.role for message in messages[2:]] == ["assistant", "assistant", "tool"] + [
        "assistant"
    ] * 2
    assert [call.name for call in messages[3].tool_calls] == ["road_map"]


async def test_calls_that_came_apart_are_kept(case, few, answer):
    toolbox = LocalToolbox(WORLDWIDE, few)
    episode = Episode(toolbox, case.picture, ToolSettings())
    await episode.turn(CALLS)
    messages = records.conversation(toolbox, case.picture, [call(*CALLS, text="hm"), answer], episode.log)
    assert [message.role for message in messages] == [
        "system",
        "user",
        "assistant",
        *["tool"] * 3,
        "assistant",
    ]
    assert messages[2].text == "hm"


async def test_samples_are_read_by_web_and_eval(case, few, answer, tmp_path):
    toolbox, said, episode, outcome = await rollout(case, few, answer)
    writer = Recorder(tmp_path)
    for number in range(3):
        made = records.trajectory(
            toolbox, case.picture, said, episode.log, outcome, id=f"r{number}", model="m"
        )
        writer.sample(made, 20, "val", truth=LatLon(60.17, 24.94 + number))
    kept = tmp_path / "samples" / "val-000020"
    assert [one.id for one in read(kept)] == ["r0", "r1", "r2"]
    assert len(list((kept / "media").iterdir())) == 3
    assert [(one.id, one.status, one.truth.lon) for one in read_results(kept)] == [
        (f"r{number}", "answered", 24.94 + number) for number in range(3)
    ]
    table = recorded([kept])["val-000020"].table()
    assert table["runs"] == [["r0"], ["r1"], ["r2"]]
    assert table["km"][0] == 0


async def test_rollouts_without_truth_are_scored_with_the_data_set(case, few, answer, tmp_path):
    toolbox, said, episode, outcome = await rollout(case, few, answer)
    made = records.trajectory(toolbox, case.picture, said, episode.log, outcome, id="r0", model="m")
    kept = Recorder(tmp_path).sample(made, 1)
    (tmp_path / "photo.jpg").write_bytes(case.picture.data)
    (tmp_path / "set.jsonl").write_text(json.dumps({"image": "photo.jpg", "lat": 60.17, "lon": 24.94}))
    (result,) = read_results(kept, data=open_dataset(tmp_path / "set.jsonl"))
    assert result.status == "answered"


async def test_a_step_that_is_sampled_again_gets_a_directory_of_its_own(case, few, answer, tmp_path):
    toolbox, said, episode, outcome = await rollout(case, few, answer)
    made = records.trajectory(toolbox, case.picture, said, episode.log, outcome, id="r0", model="m")
    for attempt, process in ((1, 0), (1, 1), (2, 0), (2, 1)):
        named = made.model_copy(update={"id": f"r{process}"})
        Recorder(tmp_path, attempt=attempt).sample(named, 3, truth=LatLon(1, 2))
    for name in ("train-000003", "train-000003-2"):
        assert [result.id for result in read_results(tmp_path / "samples" / name)] == ["r0", "r1"]


@pytest.mark.parametrize("stop", ["finished", "turns", "length", "service_error", "cancelled", "anything"])
async def test_every_way_to_end_is_a_record(case, few, stop):
    toolbox, said, episode, _ = await rollout(case, few, "I do not know.")
    outcome = episode.outcome("", stop)
    kept = records.trajectory(toolbox, case.picture, [*said[:2], ""], episode.log, outcome, id="x", model="m")
    assert kept.status == ("failed" if stop in {"service_error", "cancelled"} else "unparsed")
    assert kept.status == score(outcome, LatLon(60.17, 24.94), RewardSettings()).status
    assert kept.answer is None


async def line(case, few, answer, **place) -> Line:
    outcome = (await rollout(case, few, answer))[3]
    scored = score(outcome, LatLon(60.17, 24.94), RewardSettings())
    return Line.of(scored, outcome, group=case.picture.sha256, **place)


async def test_a_step_that_was_done_again_counts_once(case, few, answer, tmp_path):
    one = await line(case, few, answer, step=1, id="a")
    first, second = Recorder(tmp_path, attempt=1), Recorder(tmp_path, attempt=2)
    for step in (1, 2, 3):
        first.metrics(step, {"loss": float(step)})
        first.scores([one.model_copy(update={"step": step})] * 2)
    first.metrics(3, {"reward": 0.5}, "val")
    for step in (3, 4):
        second.metrics(step, {"loss": -float(step)})
        second.scores([one.model_copy(update={"step": step, "id": "b"})])
    found = [(n.split, n.step, n.values.get("loss")) for n in records.read_metrics(tmp_path)]
    assert found == [("train", 1, 1), ("train", 2, 2), ("train", 3, -3), ("train", 4, -4), ("val", 3, None)]
    assert [(one.step, one.id) for one in records.read_scores(tmp_path)] == [
        *[(1, "a")] * 2,
        *[(2, "a")] * 2,
        (3, "b"),
        (4, "b"),
    ]


async def test_a_line_says_what_was_called_and_no_place(case, few, answer, tmp_path):
    one = await line(case, few, answer, step=1, id="a")
    assert one.tools == {"zoom": 2, "road_map": 1, "fly": 1}
    assert (one.calls, one.failed_calls, one.faults, one.tokens, one.turns) == (4, 1, 0, 77, 3)
    assert one.grounded
    Recorder(tmp_path).scores([one])
    assert "60.17" not in (tmp_path / "scores.jsonl").read_text()


def test_half_a_line_of_a_killed_process_is_passed_over(tmp_path):
    writer = Recorder(tmp_path)
    writer.metrics(1, {"loss": 1.0, "kl": float("nan"), "entropy": float("inf")})
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 2, "lo')
    (only,) = records.read_metrics(tmp_path)
    assert only.values == {"loss": 1.0}
    writer.metrics(2, {"loss": 0.5})
    assert [one.step for one in records.read_metrics(tmp_path)] == [1, 2]


def test_a_damaged_line_is_named(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n{"stepp": 1}\n')
    with pytest.raises(DataError, match=r"metrics\.jsonl:2: .*remove the line"):
        records.read_metrics(tmp_path)


def test_an_output_that_cannot_be_written_is_said_before_anything_runs(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="choose another output"):
        Recorder(tmp_path / "file" / "run")
