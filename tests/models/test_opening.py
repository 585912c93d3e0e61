"""Which model a name stands for, and where its key may go."""

import json
import subprocess
import sys

import pytest

from wheretaken.errors import MissingExtraError, UserError
from wheretaken.models.opening import open_models, resolve
from wheretaken.models.presets import PRESETS
from wheretaken.models.settings import ModelSettings, ModelsSettings

TABLE = """\
[models.mine]
preset = "vllm"
model = "qwen"
temperature = 1.0
price = {prompt = 1, completion = 2}
"""


def test_the_reader_needs_no_settings():
    assert open_models("reader")(0).name == "reader"
    with pytest.raises(UserError, match="has no --base-url"):
        open_models("reader", base_url="http://127.0.0.1:1/v1")


def test_an_unknown_name_lists_what_there_is(tmp_path):
    (tmp_path / "wheretaken.toml").write_text(TABLE)
    with pytest.raises(UserError, match=r"no model named 'oracle'; there are: reader, mine, vllm\[:NAME\], "):
        open_models("oracle")


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_makes_valid_settings(name, monkeypatch):
    preset = PRESETS[name]
    if not preset.local:
        with pytest.raises(UserError, match="needs a key: set "):
            resolve(f"{name}:m")
        with pytest.raises(UserError, match="serves many models"):
            resolve(name)
        monkeypatch.setenv(preset.settings["key_variable"], "sk-1")
    made = resolve(f"{name}:m")
    assert (made.model, made.key is None) == ("m", preset.local)
    assert made.base_url.startswith("http://127.0.0.1:" if preset.local else "https://")


def test_a_table_on_a_preset_and_the_environment_before_it(tmp_path, monkeypatch):
    (tmp_path / "wheretaken.toml").write_text(TABLE)
    monkeypatch.setenv("WHERETAKEN_MODELS__MINE__TEMPERATURE", "0.2")
    monkeypatch.setenv("WHERETAKEN_MODELS__MINE__KEY", "sk-1")
    made = resolve("mine")
    assert (made.model, made.temperature, made.price.completion) == ("qwen", 0.2, 2)
    assert made.pictures_in_tool_results
    assert "sk-1" not in repr(made)
    assert made.key is not None
    assert resolve("mine:other").model == "other"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[models.a]\npreset = "gtp"\n', "models.a: no preset named 'gtp'; there are: vllm"),
        ("[models.a]\nmodel = 'm'\n", "models.a.base_url: Field required"),
        (
            "[models.a]\nbase_url = 'http://example.org/v1'\n",
            "models.a.base_url: http:// is for hosts in your own",
        ),
        ("[models.a]\npreset = 'vllm'\ntemprature = 1\n", "models.a.temprature: Extra inputs"),
        ("[models.a]\npreset = 'vllm'\nkey = 'sk canary'\n", "models.a.key: a key consists of"),
        ("[models.a]\npreset = 'vllm'\nmin_pixels = 9000000\n", "models.a: min_pixels is above max_pixels"),
        ("models = 3\n", "models must be a table"),
    ],
)
def test_a_wrong_setting_is_named_without_its_value(tmp_path, text, told):
    (tmp_path / "wheretaken.toml").write_text(text)
    with pytest.raises(UserError) as caught:
        ModelsSettings.load()
    assert told in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_key_goes_to_the_server_that_it_is_for_and_to_no_other(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai")
    assert resolve("openai:m").key is not None
    assert resolve("openai:m", base_url="https://api.openai.com/v1").key is not None
    assert resolve("openai:m", base_url="http://127.0.0.1:8000/v1").key is None
    assert resolve("openai:m", base_url="https://evil.example/v1").key is None
    moved = {"preset": "openai", "model": "m", "base_url": "https://other.example/v1"}
    entry = ModelSettings.model_validate(moved)
    assert resolve("a", ModelsSettings(models={"a": entry})).key is None
    keyed = ModelSettings.model_validate(moved | {"key": "sk-other"})
    assert resolve("a", ModelsSettings(models={"a": keyed}), base_url="https://evil.example/v1").key is None
    monkeypatch.setenv("WHERETAKEN_MODEL_KEY", "sk-mine")
    elsewhere = resolve("openai:m", base_url="https://other.example/v1").key
    assert elsewhere is not None
    assert elsewhere.get_secret_value() == "sk-mine"


def test_a_known_address_brings_its_abilities(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-a")
    assert not resolve("openai:claude-x", base_url="https://api.anthropic.com/v1").takes_seed


@pytest.mark.parametrize("missing", ["openai", "pydantic_settings"])
def test_without_the_extra_its_name_is_told(missing):
    code = f"""
import sys
sys.modules[{missing!r}] = None
from wheretaken.errors import MissingExtraError
from wheretaken.models.opening import open_models
try:
    open_models("vllm:m")
except MissingExtraError as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pip install 'wheretaken[models]'" in said, json.dumps(said)
    assert issubclass(MissingExtraError, UserError)
