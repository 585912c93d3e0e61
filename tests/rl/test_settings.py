"""The settings of a training: what is read is what was written, and what is wrong is named."""

import pytest

from wheretaken.errors import UserError
from wheretaken.rl.settings import RewardSettings, TrainSettings

BASE = "engine: trl\ndata: {train: train.parquet}\nmodel: {path: toy}\n"


def load(tmp_path, text: str) -> TrainSettings:
    (tmp_path / "config.yaml").write_text(text)
    return TrainSettings.load(tmp_path)


def test_paths_are_those_beside_the_file(tmp_path):
    (tmp_path / "toy").mkdir()
    settings = load(tmp_path, BASE)
    assert settings.data.train == tmp_path / "train.parquet"
    assert settings.output == tmp_path / "run"
    assert settings.model.path == str(tmp_path / "toy")


def test_a_model_that_is_no_directory_is_a_name(tmp_path):
    assert load(tmp_path, BASE.replace("toy", "Qwen/Qwen3-VL-4B-Instruct")).model.path.startswith("Qwen/")


def test_what_is_written_is_read_again(tmp_path):
    settings = load(tmp_path, BASE + "recipe: {learning_rate: 1e-5, steps: 3}\nreward: {smooth: 0.5}\n")
    assert settings.recipe.learning_rate == 1e-5
    settings.save(tmp_path / "again.yaml")
    assert TrainSettings.load(tmp_path / "again.yaml") == settings
    assert "verl:" not in (tmp_path / "again.yaml").read_text()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("recipe: {step: 3}\n", "recipe.step is no setting; did you mean steps?"),
        ("rewards: {}\n", "rewards is no setting; did you mean reward?"),
        ("reward: {length: {xyz: 1, start_tokens: 1, full_tokens: 2}}\n", "there are start_tokens"),
        ("reward: {length: {start_tokens: 5, full_tokens: 5}}\n", "full_tokens must be more"),
        ("recipe: {group: 1}\n", "recipe.group: input should be greater than or equal to 2"),
        ("reward: {smooth: .nan}\n", "reward.smooth"),
        ("tools: {server: 'http://example.com'}\n", "tools.server: http:// is for hosts in your own"),
        ("tools: {server: 'http://user:pw@127.0.0.1'}\n", "must not contain a user name"),
        ("a: [\n", "no YAML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, more, said):
    with pytest.raises(UserError, match=r"config\.yaml") as error:
        load(tmp_path, BASE + more)
    assert said in str(error.value)
    assert "pw" not in str(error.value)


@pytest.mark.parametrize("text", ["", "- 1\n", "hello\n"])
def test_a_file_without_settings_is_refused(tmp_path, text):
    with pytest.raises(UserError, match="must hold settings"):
        load(tmp_path, text)


def test_a_missing_file_says_who_writes_one(tmp_path):
    with pytest.raises(UserError, match="train export"):
        TrainSettings.load(tmp_path / "config.yaml")


def test_everything_beyond_the_ladder_is_off():
    usual = RewardSettings()
    assert (usual.smooth, usual.grounding_bonus, usual.fault_neutral, usual.length) == (0, 0, False, None)


def test_the_token_comes_from_the_environment_and_is_in_no_text(tmp_path, monkeypatch):
    settings = load(tmp_path, BASE + "tools: {token_env: MY_TOKEN}\n")
    assert settings.tools.token() is None
    monkeypatch.setenv("MY_TOKEN", "s3cret")
    token = settings.tools.token()
    assert token is not None
    assert token.get_secret_value() == "s3cret"
    assert "s3cret" not in f"{settings!r}{token!r}{settings.model_dump_json()}"


def test_a_file_says_what_its_settings_mean(tmp_path):
    settings = load(tmp_path, BASE + "reward: {length: {start_tokens: 1, full_tokens: 2}}\n")
    settings.save(tmp_path / "again.yaml")
    text = (tmp_path / "again.yaml").read_text()
    assert "  # Rollouts of one prompt.\n  group: 16\n" in text
    assert "    # Tokens that the model may write for nothing.\n    start_tokens: 1\n" in text
    assert all(len(line) <= 110 for line in text.splitlines())
    assert TrainSettings.load(tmp_path / "again.yaml") == settings


def test_every_setting_that_has_more_than_its_name_to_say_says_it():
    described = [field.description for field in RewardSettings.model_fields.values()]
    assert all(described)
