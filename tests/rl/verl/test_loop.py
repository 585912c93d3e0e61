"""Rollouts in verl's own worker of agent loops: what a model reads, what is trained on, what it earns."""

import asyncio
import itertools
import json
from pathlib import Path

import pytest

from wheretaken.agent import prompts
from wheretaken.models.templates import conversation
from wheretaken.rl import records
from wheretaken.rl.settings import ToolSettings
from wheretaken.rl.toolbox import LocalToolbox
from wheretaken.rl.verl import shared
from wheretaken.rl.verl.rehearsal import rehearse
from wheretaken.testing import parity
from wheretaken.testing.parity import GREEN, RED, SCRIPTS
from wheretaken.testing.toy_model.world import PLACES
from wheretaken.testing.verl_cpu.scripted import ScriptedServer

FILE = Path(__file__).parents[1] / "parity.json"
ROW = {name: number for number, name in enumerate(SCRIPTS)}
"""The photo of a script."""
LEFT_OUT = {"hanging tool", "service fault"}
LIKE_LOCATE = [
    name for name in SCRIPTS if name not in LEFT_OUT | {"no call", "overlong answer", "result without room"}
]
"""Those that go the same way in `locate` to their end."""


@pytest.fixture(scope="module")
def settings(exported, tmp_path_factory):
    made = exported(tmp_path_factory.mktemp("rollouts"), photos=len(SCRIPTS))
    limits = {"response_tokens": parity.TOKENS, "turns": parity.TURNS}
    recipe = made.recipe.model_copy(update={"samples": 8} | limits)
    tools = ToolSettings(deadline_s=parity.DEADLINE_S, calls_per_turn=parity.CALLS)
    reward = made.reward.model_copy(update={"fault_neutral": True})
    return made.model_copy(update={"recipe": recipe, "tools": tools, "reward": reward})


@pytest.fixture(scope="module")
def done(settings):
    caches = (shared.settings, shared.specs, shared.datum, shared.recorder)
    for cached in caches:
        cached.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared, "open_toolbox", lambda _settings: LocalToolbox(parity.TOOLS, parity.Moody()))
        yield asyncio.run(rehearse(settings, lambda tokenizer: ScriptedServer(tokenizer, parity.script)))
    for cached in caches:
        cached.cache_clear()


def lines(settings):
    return {line.id: line for line in records.read_scores(settings.output)}


@pytest.mark.parametrize("name", SCRIPTS)
def test_only_what_the_model_wrote_is_trained_on(done, name):
    row = ROW[name]
    trained = [token for token, ours in zip(done.response(row), done.mask(row), strict=True) if ours]
    wrote = "".join(f"{turn}<|im_end|>" for turn in SCRIPTS[name])
    if name in LEFT_OUT:  # of a rollout that is left out, nothing
        assert trained == []
    elif name == "overlong answer":
        assert len(trained) == parity.TOKENS
        assert wrote.startswith(done.worker.tokenizer.decode(trained))
    else:
        assert done.worker.tokenizer.decode(trained) == wrote


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_picture_reaches_the_model(done, name):
    row = ROW[name]
    grid = done.batch.non_tensor_batch["multi_modal_inputs"][row]["image_grid_thw"]
    tokens = [*done.prompt(row), *done.response(row)].count(done.worker.processor.image_token_id)
    assert tokens == int((grid.prod(1) // 4).sum())
    shown = {"parallel calls": 3, "turn limit": 4, "one call": 2, "early guess": 3, "hanging tool": 2}
    shown["answer when asked"] = 4
    assert len(grid) == shown.get(name, 1)
    whole = (*done.prompt(row), *done.response(row))
    turns = [one for one in done.worker.llm_client.asked if whole[: len(one.prompt)] == one.prompt]
    assert turns[-1].pictures == len(grid)


@pytest.mark.parametrize(
    ("name", "stop", "score"),
    [
        ("one call", "finished", 1.0),
        ("no call", "finished", 0.0),
        ("turn limit", "turns", 0.0),
        ("overlong answer", "length", 0.0),
    ],
)
def test_the_reward_reads_the_last_words_and_why_the_rollout_ended(done, name, stop, score):
    # The photos of one colour are at one place; the first of each four is red.
    truth = (RED, GREEN, PLACES["blue"], PLACES["white"])[ROW[name] % 4]
    assert done.outcome(ROW[name]).stop == stop
    assert done.score(ROW[name]) == (score if truth is RED else 0.0)


@pytest.mark.parametrize(("missing", "stop"), [(0, "finished"), (1, "length")])
@pytest.mark.parametrize("name", ["no call", "one call"])
def test_the_last_token_that_there_is_room_for_may_end_an_answer(
    done, settings, tmp_path, monkeypatch, name, missing, stop
):
    room = len(done.response(ROW[name])) - missing
    recipe = settings.recipe.model_copy(update={"response_tokens": room})
    narrow = settings.model_copy(update={"recipe": recipe, "output": tmp_path})
    monkeypatch.setattr(shared, "open_toolbox", lambda _settings: LocalToolbox(parity.TOOLS, parity.Moody()))
    server = lambda tokenizer: ScriptedServer(tokenizer, parity.script)  # noqa: E731 - shorter than it is good
    assert asyncio.run(rehearse(narrow, server, [ROW[name]])).outcome(0).stop == stop


def test_an_early_guess_and_the_words_of_tools_are_no_answer(done):
    final = done.outcome(ROW["early guess"]).final
    assert json.loads(final)["city"] == RED.name
    assert done.outcome(ROW["turn limit"]).final.strip() == "It must be here:"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("parallel calls", prompts.too_many_calls(2)),
        ("unknown tool", "error: "),
        ("malformed call", "error: "),
        ("tool error", "error: "),
        ("hanging tool", prompts.UNANSWERED),
        ("service fault", prompts.UNANSWERED),
        ("turn limit", prompts.ANSWER_NOW),
    ],
)
def test_what_goes_wrong_is_said_in_the_words_of_the_agent_loop(done, name, text):
    assert text in done.text(ROW[name])
    assert "1234" not in done.text(ROW[name])


def test_a_fault_is_a_record_that_neither_rewards_nor_punishes(done, settings):
    hung, broken = (done.outcome(ROW[name]) for name in ("hanging tool", "service fault"))
    assert [use.fault for use in hung.tools] == [True, False]
    assert [use.fault for use in broken.tools] == [True]
    found = lines(settings)
    masked = {line.id.split("-")[0] for line in found.values() if line.masked}
    assert masked == {f"{ROW[name]}" for name in ("hanging tool", "service fault")}


def test_long_texts_keep_their_head_and_tail(exported, tmp_path, settings, monkeypatch):
    tools = settings.tools.model_copy(update={"longest_text_chars": 400})
    short = settings.model_copy(update={"tools": tools, "output": tmp_path})
    monkeypatch.setattr(shared, "open_toolbox", lambda _settings: LocalToolbox(parity.TOOLS, parity.Moody()))
    row = ROW["long text"]
    cut = asyncio.run(
        rehearse(short, lambda tokenizer: ScriptedServer(tokenizer, parity.script), [row])
    ).text(0)
    told = cut.split("<data>\n")[1].split("\n</data>")[0]
    head, _, tail = told.partition("\n[... ")
    assert head.startswith('{"results":[{"')
    assert tail.endswith("}")
    assert "characters left out ...]" in tail
    assert len(told.replace("\\u003c", "<")) <= 400


def test_schemas_are_told_whole(done):
    prompt = done.worker.tokenizer.decode(done.prompt(0))
    told = [json.loads(line) for line in prompt.splitlines() if line.startswith('{"type": "function"')]
    assert [one["function"] for one in told] == [spec.model_dump(mode="json") for spec in parity.TOOLS.specs]
    assert '"minItems": 4' in prompt
    assert '"anyOf"' in prompt


def test_the_model_cannot_write_the_token_of_pictures(done):
    processor = done.worker.processor
    never = {processor.image_token_id: -100.0, processor.video_token_id: -100.0}
    assert all(one.sampling["logit_bias"] == never for one in done.worker.llm_client.asked)


def test_truth_reaches_no_model(done, settings):
    told = {done.worker.tokenizer.decode(one.prompt) for one in done.worker.llm_client.asked}
    assert len(told) > len(SCRIPTS)
    assert not any("Kodak" in prompt for prompt in told)
    trajectories = (records.samples(settings.output, 1) / "trajectories.jsonl").read_text()
    assert "Kodak" not in trajectories


@pytest.fixture(scope="module")
def found(done, settings):
    ended = {line.id: (line.stop, line.score) for line in lines(settings).values()}
    return parity.rolled(records.samples(settings.output, 1), ended)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_rollout_is_what_our_own_loop_makes_of_it(found, name):
    """And so it is what it comes to in TRL, of which the same is tested."""
    assert found[name] == [parity.read(FILE)[name]]


@pytest.mark.parametrize("name", [name for name in LIKE_LOCATE if name != "malformed call"])
def test_the_tokens_are_those_of_the_chat_template_over_the_agent_loops_messages(done, name):
    from wheretaken.models.openai.wire import tools_of

    messages, pictures = conversation(parity.looped(name).messages)
    processor = done.worker.processor
    text = processor.apply_chat_template(messages, tools=tools_of(parity.TOOLS.specs), tokenize=False)
    whole = processor(text=[text], images=[picture.open() for picture in pictures])["input_ids"][0]
    ended = list(itertools.chain(done.prompt(ROW[name]), done.response(ROW[name])))
    # The template ends each turn with a line break, which nobody writes after the last one.
    assert done.worker.tokenizer.decode(whole).rstrip("\n") == done.worker.tokenizer.decode(ended)
