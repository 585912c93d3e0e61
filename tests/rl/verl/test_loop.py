"""Rollouts in verl's own worker of agent loops: what a model reads, what is trained on, what it earns."""

import asyncio
import itertools
import json

import pytest

from wheretaken.agent import Case, Limits, prompts, record
from wheretaken.agent.trajectory import read
from wheretaken.errors import ServiceError
from wheretaken.maps import Place
from wheretaken.models.templates import conversation
from wheretaken.rl import records
from wheretaken.rl.settings import ToolSettings
from wheretaken.rl.toolbox import LocalToolbox
from wheretaken.rl.verl import shared
from wheretaken.rl.verl.rehearsal import rehearse
from wheretaken.testing.scripted import ScriptedModel, say
from wheretaken.testing.toy_model.world import PLACES, ToyMaps
from wheretaken.testing.verl_cpu.scripted import ScriptedServer
from wheretaken.tools import Toolset
from wheretaken.tools.worldwide import WORLDWIDE

NAMES = {"zoom", "road_map", "search_places"}
TOOLS = Toolset("toy", tuple(tool for tool in WORLDWIDE.tools if tool.name in NAMES))
RED, GREEN = PLACES["red"], PLACES["green"]
MANY = tuple(
    Place(id=f"toy:{n}", name="Many", kind="city", lat=n / 10, lon=n / 10, country="Toyland", population=n)
    for n in range(30)
)


class Moody(ToyMaps):
    """Maps that fail in the south and hang in the far south."""

    def __init__(self):
        super().__init__()
        self._places |= {place.id: place for place in MANY}

    async def road_map(self, centre, **options):
        if centre.lat == -10:
            raise ServiceError("the map service is away, and key 1234 was refused")
        if centre.lat == -20:
            await asyncio.sleep(60)
        return await super().road_map(centre, **options)


def call(tool="road_map", **arguments):
    body = json.dumps({"name": tool, "arguments": arguments})
    return f"<tool_call>\n{body}\n</tool_call>"


def answer(place=RED):
    return json.dumps({"lat": place.lat, "lon": place.lon, "city": place.name, "country": place.country})


def look(lat=RED.lat, lon=RED.lon):
    return call(lat=lat, lon=lon)


SCRIPTS = {
    "one call": [look(), answer()],
    "parallel calls": ["\n".join([look(), look(50, 60), look(30, 80)]), answer()],
    "tool error": [look(200, 20), answer()],
    "unknown tool": [call("fly", to="there"), answer()],
    "malformed call": ['<tool_call>\n{"name": "road_map", "arguments": {"lat"\n</tool_call>', answer()],
    "no call": ["Somewhere in the north."],
    "turn limit": [look()] * 3 + ["It must be here:\n" + look(RED.lat, RED.lon)],
    "overlong answer": ["think " * 1000],
    "hanging tool": [look(-20, 20) + "\n" + look(), answer()],
    "service fault": [look(-10, 20), answer()],
    "long text": [call("search_places", query="Many"), answer()],
    "early guess": [answer(GREEN) + "\n" + look(), call("zoom", bbox_2d=[0, 0, 500, 500], image=1), answer()],
}
ROW = {name: number for number, name in enumerate(SCRIPTS)}
"""The photo of a script: its first pixel is this number."""
ALIKE = [
    name for name in SCRIPTS if name not in {"no call", "overlong answer", "hanging tool", "service fault"}
]
"""Those that go the same way in `locate`, which asks again for an answer, and fails with a service."""
LIMITS = {"calls_per_turn": 2, "longest_text_chars": 4000}


def script(photo, turn):
    return list(SCRIPTS.values())[photo.getpixel((0, 0))[0]][turn]


@pytest.fixture(scope="module")
def settings(exported, tmp_path_factory):
    made = exported(tmp_path_factory.mktemp("rollouts"))
    recipe = made.recipe.model_copy(update={"samples": 8, "response_tokens": 1024, "turns": 4})
    tools = ToolSettings(deadline_s=1.0, **LIMITS)
    reward = made.reward.model_copy(update={"fault_neutral": True})
    return made.model_copy(update={"recipe": recipe, "tools": tools, "reward": reward})


@pytest.fixture(scope="module")
def done(settings):
    caches = (shared.settings, shared.specs, shared.datum, shared.recorder)
    for cached in caches:
        cached.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared, "open_toolbox", lambda _settings: LocalToolbox(TOOLS, Moody()))
        yield asyncio.run(rehearse(settings, lambda tokenizer: ScriptedServer(tokenizer, script)))
    for cached in caches:
        cached.cache_clear()


def lines(settings):
    return {line.id: line for line in records.read_scores(settings.output)}


def kept(settings):
    directory = records.samples(settings.output, 1)
    return {list(SCRIPTS)[int(one.id.split("-")[0])]: one for one in read(directory)}


@pytest.mark.parametrize("name", SCRIPTS)
def test_only_what_the_model_wrote_is_trained_on(done, name):
    row = ROW[name]
    trained = [token for token, ours in zip(done.response(row), done.mask(row), strict=True) if ours]
    wrote = "".join(f"{turn}<|im_end|>" for turn in SCRIPTS[name])
    if name in {"hanging tool", "service fault"}:  # of a rollout that is left out, nothing
        assert trained == []
    elif name == "overlong answer":
        assert len(trained) == 1024
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
    monkeypatch.setattr(shared, "open_toolbox", lambda _settings: LocalToolbox(TOOLS, Moody()))
    row = ROW["long text"]
    cut = asyncio.run(rehearse(short, lambda tokenizer: ScriptedServer(tokenizer, script), [row])).text(0)
    told = cut.split("<data>\n")[1].split("\n</data>")[0]
    head, _, tail = told.partition("\n[... ")
    assert head.startswith('{"results":[{"')
    assert tail.endswith("}")
    assert "characters left out ...]" in tail
    assert len(told.replace("\\u003c", "<")) <= 400


def test_schemas_are_told_whole(done):
    prompt = done.worker.tokenizer.decode(done.prompt(0))
    told = [json.loads(line) for line in prompt.splitlines() if line.startswith('{"type": "function"')]
    assert [one["function"] for one in told] == [spec.model_dump(mode="json") for spec in TOOLS.specs]
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
def ours(settings):
    """The same scripts in our own loop."""

    async def run(name):
        photo = settings.output.parent / "media"
        found = {Case.of(path).picture.open().getpixel((0, 0))[0]: path for path in photo.glob("*.png")}
        model = ScriptedModel([say(turn) for turn in SCRIPTS[name]], strict=False)
        limits = Limits(turns=4, calls_per_turn=2)
        return await record(Case.of(found[ROW[name]]), model, TOOLS, Moody(), limits=limits)

    return {name: asyncio.run(run(name)) for name in ALIKE}


def said(trajectory):
    """Messages without what differs by design: ids are given at different times."""
    return [
        (
            message.role,
            message.text,
            [picture.sha256 for picture in message.pictures],
            [(one.name, one.arguments) for one in message.tool_calls],
        )
        for message in trajectory.messages
    ]


@pytest.mark.parametrize("name", ALIKE)
@pytest.mark.usefixtures("done")
def test_the_record_is_that_of_the_agent_loop(settings, ours, name):
    theirs = kept(settings)[name]
    assert said(theirs) == said(ours[name])
    assert theirs.status == ours[name].status
    assert theirs.stop_reason == ours[name].stop_reason
    assert theirs.answer == ours[name].answer
    assert theirs.photo.sha256 == ours[name].photo.sha256


@pytest.mark.parametrize("name", [name for name in ALIKE if name != "malformed call"])
def test_the_tokens_are_those_of_the_chat_template_over_the_agent_loops_messages(done, ours, name):
    from wheretaken.models.openai.wire import tools_of

    messages, pictures = conversation(ours[name].messages)
    processor = done.worker.processor
    text = processor.apply_chat_template(messages, tools=tools_of(TOOLS.specs), tokenize=False)
    whole = processor(text=[text], images=[picture.open() for picture in pictures])["input_ids"][0]
    ended = list(itertools.chain(done.prompt(ROW[name]), done.response(ROW[name])))
    # The template ends each turn with a line break, which nobody writes after the last one.
    assert done.worker.tokenizer.decode(whole).rstrip("\n") == done.worker.tokenizer.decode(ended)
