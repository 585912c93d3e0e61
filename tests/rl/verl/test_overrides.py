"""What verl is told: its own configuration takes every preset and every value, and nothing secret."""

import json
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from wheretaken.rl.presets import PRESETS
from wheretaken.rl.settings import (
    DataSettings,
    LoraSettings,
    ModelSettings,
    RewardSettings,
    TrainSettings,
    VerlSettings,
)
from wheretaken.rl.verl.checks import composed
from wheretaken.rl.verl.overrides import ADVANTAGE, Files, arguments, overrides

LARGE = "Qwen/Qwen3-VL-30B-A3B-Instruct"
ROOT = Path("/training")


def settings(name="paper", *, val=True, **verl) -> TrainSettings:
    preset = PRESETS[name]
    return TrainSettings(
        engine="verl",
        data=DataSettings(train=ROOT / "train.parquet", val=ROOT / "val.parquet" if val else None),
        model=ModelSettings(path=LARGE, lora=preset.lora),
        output=ROOT / "run",
        recipe=preset.recipe,
        verl=preset.verl.model_copy(update=verl),
    )


def made(asked: TrainSettings, **options):
    return composed(overrides(asked, Files.of(asked, 7), **options))


@pytest.mark.parametrize("name", PRESETS)
def test_verl_takes_every_preset(name):
    assert made(settings(name)).actor_rollout_ref.rollout.n == PRESETS[name].recipe.group


def test_adapters_reach_verl():
    asked = settings("single")
    asked = asked.model_copy(update={"model": asked.model.model_copy(update={"lora": LoraSettings(rank=8)})})
    model = made(asked).actor_rollout_ref.model
    assert (model.lora_rank, model.lora_alpha) == (8, 32)


def test_rollouts_are_left_out_by_advantages_of_our_own():
    asked = settings().model_copy(update={"reward": RewardSettings(fault_neutral=True)})
    config = made(asked)
    assert config.algorithm.adv_estimator == ADVANTAGE
    assert "advantage" in config.ray_kwargs.ray_init.runtime_env.env_vars.VERL_USE_EXTERNAL_MODULES


def test_no_validation_without_photos_for_it():
    trainer = made(settings(val=False)).trainer
    assert (trainer.test_freq, trainer.val_before_train) == (-1, False)


def test_without_tools_there_is_no_file_of_tools():
    assert made(settings(), tools=False).actor_rollout_ref.rollout.multi_turn.tool_config_path is None


WORDS = st.sampled_from(["null", "True", "NaN", "inf", "1e5", "-", "a:b", "a=b", "[", "${x}", "'", "\\"])
LETTERS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30)
TEXTS = st.one_of(LETTERS, st.lists(WORDS, max_size=3).map("".join))
VALUES = st.one_of(
    TEXTS,
    st.booleans(),
    st.none(),
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(TEXTS, max_size=3),
)


@given(VALUES)
def test_every_value_reaches_verl_as_it_is(value):
    (argument,) = arguments({"a.b": value})
    parsed = OverridesParser.create().parse_override(argument)
    assert parsed.value() == value
    assert type(parsed.value()) is type(value)


def test_files_name_where_the_training_lies(tmp_path):
    asked = settings().model_copy(update={"output": tmp_path / "moved" / "run"})
    files = Files.of(asked, 7)
    assert not files.config.exists()
    files.write(asked, ["road_map"])
    (tool,) = json.loads(files.tools.read_text())["tools"]
    assert tool["config"]["settings"] == str(files.config)
    assert {loop["config"] for loop in json.loads(files.agent.read_text())} == {str(files.config)}
    assert TrainSettings.load(files.config) == asked.model_copy(
        update={"trl": TrainSettings.load(files.config).trl}
    )
    assert files.offers_tools()


def test_nothing_secret_is_in_what_verl_is_told(monkeypatch):
    monkeypatch.setenv("WHERETAKEN_SERVER_TOKEN", "a-secret")
    asked = settings()
    assert "a-secret" not in " ".join(arguments(overrides(asked, Files.of(asked, 7))))


def test_settings_of_verl_have_plain_values():
    with pytest.raises(ValueError, match="overrides"):
        VerlSettings(overrides={"a": {"b": 1}})
