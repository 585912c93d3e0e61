"""Rollouts in TRL: the same as in the agent loop, token for token, and trained on as they were seen."""

import json

import pytest

from wheretaken import agent
from wheretaken.agent import Case
from wheretaken.maps import Place
from wheretaken.models.openai.wire import tools_of
from wheretaken.models.templates import conversation
from wheretaken.rl.data import samples
from wheretaken.rl.records import read_scores
from wheretaken.rl.records import samples as kept_in
from wheretaken.rl.settings import ModelSettings
from wheretaken.rl.toolbox import LocalToolbox
from wheretaken.testing import island
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.scripted import ScriptedModel, say
from wheretaken.tools import Toolset
from wheretaken.tools.worldwide import WORLDWIDE

pytestmark = pytest.mark.usefixtures("trl_libraries")
TOOLS = Toolset("some", tuple(t for t in WORLDWIDE.tools if t.name in {"zoom", "search_places", "road_map"}))
PLACES = [Place(id="osm:n1", name="Kiosk <1>", kind="kiosk", lat=60.17, lon=24.94, source="nobody")]
ANSWER = '{"lat": 60.17, "lon": 24.94}'


def called(name: str, **arguments: object) -> str:
    return f'<tool_call>\n{{"name": "{name}", "arguments": {json.dumps(arguments)}}}\n</tool_call>'


LOOK, FIND = called("road_map", lat=60.17, lon=24.94), called("search_places", query="Kiosk <1>")
WELL = [
    FIND,
    f"Two at once.\n{LOOK}\n{called('zoom', bbox_2d=[0, 0, 500, 500])}",
    called("zoom", bbox_2d=[0, 0, 900, 900], image=1),
    ANSWER,
]
ODD = [
    called("fly", to="the moon"),
    f"{called('road_map', lat=160, lon=24.94)}\n{LOOK}",
    '<tool_call>\n{"name": "road_map", "arguments": {"lat": 60.17, "lon": 24.94}',
    "<tool_call>\nnothing that is JSON\n</tool_call>",
    '<tool_call>\n{"name": "zoom", "arguments": "{\\"bbox_2d\\": [0, 0, 500, 500]}"}\n</tool_call>',
    f"It is there: {ANSWER}",
]


class Scripted:
    """Generation that writes the same turns in every rollout."""

    def __init__(self, tokenizer, turns):
        self.turns = iter([tokenizer(turn, add_special_tokens=False).input_ids for turn in turns])
        self.end = tokenizer.eos_token_id

    def __call__(self, input_ids, **_):
        import torch

        written = torch.tensor([[*next(self.turns), self.end]]).expand(len(input_ids), -1)
        return torch.cat([input_ids, written], dim=1)


def rollouts(settings, toolbox, turns=None):
    """Run two rollouts of one photo, and return the trainer, what it would train on, and the photo."""
    from wheretaken.rl.trl import training

    with training._trainer(settings, toolbox, print) as (trainer, _):
        trainer.model.train()
        if turns:
            trainer.model.generate = Scripted(trainer.processing_class.tokenizer, turns)
        row = trainer.train_dataset[0]
        made = trainer._generate_and_score_completions([dict(row), dict(row)])
    return trainer, made, next(samples(settings.data.train)).picture()


def seen(run: agent.Trajectory):
    return [
        (m.role, m.text, [p.sha256 for p in m.pictures], [(c.name, c.arguments) for c in m.tool_calls])
        for m in run.messages
    ]


def event(told):
    return told.turn, told.call_id, told.tool, type(told).__name__, getattr(told, "error", "")


async def looped(photo, turns, most):
    model = ScriptedModel([say(t) for t in turns], strict=False)
    limits = agent.Limits(turns=most)
    return await agent.record(Case.of(photo.data), model, TOOLS, FewPlaces(PLACES), limits=limits)


@pytest.mark.parametrize(("turns", "most"), [(WELL, 4), (ODD, 8)], ids=["well-formed", "odd"])
def test_the_same_turns_give_the_same_trajectory_as_in_the_agent_loop(settings, turns, most):
    import asyncio

    asked = settings({"turns": most, "response_tokens": 4000, "samples": 2, "batch": 1, "group": 2})
    trainer, made, photo = rollouts(asked, LocalToolbox(TOOLS, FewPlaces(PLACES)), turns)
    (kept, _) = agent.read(kept_in(asked.output, 1))
    loop = asyncio.run(looped(photo, turns, most))
    assert seen(kept) == seen(loop)
    assert kept.status == loop.status == "answered"
    assert kept.answer == loop.answer
    assert sorted(map(event, kept.tools)) == sorted(map(event, loop.tools))
    # The first uses its turns up, before the last of which it is told to answer.
    assert {line.stop for line in read_scores(asked.output)} == {"turns" if turns is WELL else "finished"}
    if turns is WELL:
        written, pictures = conversation(loop.messages)
        ids = rendered(trainer.processing_class, written, [p.open() for p in pictures])
        real = made["prompt_ids"][0][made["prompt_mask"][0].bool()].tolist()
        real += made["completion_ids"][0][made["completion_mask"][0].bool()].tolist()
        assert real == ids[: len(real)]
        assert trainer.processing_class.tokenizer.decode(ids[len(real) :]) == "\n"


def rendered(processor, messages, pictures) -> list[int]:
    """The tokens of a conversation as a server's chat template makes them."""
    shown = iter(pictures)
    for message in messages:
        for part in message["content"]:
            if isinstance(part, dict) and part["type"] == "image":
                part["image"] = next(shown)
    return processor.apply_chat_template(
        [messages], tools=tools_of(TOOLS.specs), tokenize=True, return_dict=True
    )["input_ids"][0]


@pytest.fixture(scope="module")
def models(island_model, tmp_path_factory):
    """A model of each family, by name; but for the first, with random weights."""
    from wheretaken.testing.toy_model.build import Size, build

    root = tmp_path_factory.mktemp("models")
    small = Size(layers=2, vocabulary=512, picture_tokens=1)
    build(root / "qwen3_vl_moe", [ANSWER, LOOK, FIND], moe=True, size=small)
    older(island_model, root / "qwen2_5_vl")
    return {"qwen3_vl": island_model} | {name: root / name for name in ("qwen3_vl_moe", "qwen2_5_vl")}


def older(island_model, out) -> None:
    """Make a tiny Qwen2.5-VL, with its own chat template, which knows no tools."""
    import torch
    import transformers
    from trl.chat_template_utils import qwen2_5_vl_chat_template

    tokenizer = transformers.AutoProcessor.from_pretrained(island_model).tokenizer
    tokenizer.chat_template, tokenizer.response_template = qwen2_5_vl_chat_template, None
    patches = {"patch_size": 14, "temporal_patch_size": 2, "merge_size": 2}
    size = {"shortest_edge": 28 * 28, "longest_edge": 28 * 28}
    transformers.Qwen2_5_VLProcessor(
        image_processor=transformers.Qwen2VLImageProcessor(**patches, size=size),
        tokenizer=tokenizer,
        video_processor=transformers.Qwen2VLVideoProcessor(**patches),
        chat_template=qwen2_5_vl_chat_template,
    ).save_pretrained(out)
    number = tokenizer.convert_tokens_to_ids
    text = {
        "vocab_size": len(tokenizer), "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 2, "tie_word_embeddings": True,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [6, 5, 5]},
        "bos_token_id": number("<|endoftext|>"), "eos_token_id": number("<|im_end|>"),
        "pad_token_id": number("<|endoftext|>"),
    }  # fmt: skip
    vision = {
        "depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "out_hidden_size": 64,
        "patch_size": 14, "window_size": 56, "fullatt_block_indexes": [1],
    }  # fmt: skip
    config = transformers.Qwen2_5_VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=number("<|image_pad|>"),
        video_token_id=number("<|video_pad|>"),
        vision_start_token_id=number("<|vision_start|>"),
        vision_end_token_id=number("<|vision_end|>"),
    )
    torch.manual_seed(0)
    transformers.Qwen2_5_VLForConditionalGeneration(config).save_pretrained(out)


@pytest.mark.parametrize("family", ["qwen3_vl", "qwen3_vl_moe", "qwen2_5_vl"])
def test_probabilities_that_are_trained_on_are_those_of_what_was_seen(settings, models, family):
    import torch

    # The first writes itself what it has learned; the others would only write noise.
    turns = None if family == "qwen3_vl" else [LOOK, ANSWER]
    asked = settings(
        {"turns": 3, "batch": 1, "group": 2, "response_tokens": 300},
        model=ModelSettings(path=str(models[family])),
    )
    trainer, made, _ = rollouts(asked, LocalToolbox(island.ISLAND, island.IslandMaps()), turns)
    assert "road_map" in str(trainer.processing_class.tokenizer.decode(made["prompt_ids"][0]))
    ids = torch.cat([made["prompt_ids"], made["completion_ids"]], 1)
    mask = torch.cat([made["prompt_mask"], made["completion_mask"]], 1)
    names = ("pixel_values", "image_grid_thw", "num_images", "mm_token_type_ids")
    pictures = {name: made[name] for name in names if name in made}
    with torch.no_grad():
        theirs = trainer._get_per_token_logps_and_entropies(
            trainer.model, ids, mask, made["completion_ids"].size(1), batch_size=2, **pictures
        )[0]
    token, processor = trainer.model.config.image_token_id, trainer.processing_class
    compared = 0
    for number, rollout in enumerate(trainer.environments):
        whole = ids[number][mask[number].bool()]
        images = [picture.open() for picture in rollout.episode.pictures]
        given = processor.image_processor(images=images, return_tensors="pt")
        kinds = (whole == token).long()[None]
        assert len(images) == 2
        assert int(kinds.sum()) == len(images)
        with torch.no_grad():
            logits = trainer.model(input_ids=whole[None], mm_token_type_ids=kinds, **given).logits[0]
        written = int(made["completion_mask"][number].sum())
        ours = logits[-written - 1 : -1].log_softmax(-1).gather(1, whole[-written:, None])[:, 0]
        wrote = made["tool_mask"][number][:written].bool()
        assert torch.allclose(ours[wrote], theirs[number][:written][wrote], atol=1e-4)
        # What a tool said is not trained on; what the model wrote is, and nothing else.
        assert int(wrote.sum()) == rollout.tokens
        compared += int(wrote.sum())
    assert compared > 16


def test_a_call_in_the_last_turn_is_no_answer(settings):
    """Its coordinates are right, and it was never asked for an answer."""
    asked = settings({"turns": 2, "batch": 1, "group": 2})
    town = island.towns()[0]
    look = called("road_map", lat=town.lat, lon=town.lon)
    rollouts(asked, LocalToolbox(island.ISLAND, island.IslandMaps()), [look, look])
    lines = read_scores(asked.output)
    assert [(line.stop, line.turns, line.calls, line.score) for line in lines] == [("turns", 2, 1, 0.0)] * 2
    (run, _) = agent.read(kept_in(asked.output, 1))
    assert [m.role for m in run.messages] == ["system", "user", "assistant", "tool", "user", "assistant"]


def test_a_result_that_is_too_long_ends_the_rollout_before_its_picture(settings):
    asked = settings({"turns": 4, "batch": 1, "group": 2, "response_tokens": 20})
    _, made, _ = rollouts(asked, LocalToolbox(TOOLS, FewPlaces(PLACES)), [LOOK, ANSWER])
    assert {line.stop for line in read_scores(asked.output)} == {"length"}
    assert made["image_grid_thw"].shape[0] == 2
