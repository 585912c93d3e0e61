"""Which models there are, where, with which key, and what their servers can do.

A model has a table `[models.NAME]` in `wheretaken.toml`; `WHERETAKEN_MODELS__NAME__SETTING` in the
environment goes before it. A table may start from a preset (`preset = "vllm"`), which knows the address and
the abilities of a kind of server. Keys come from these two places and from the variable that the preset
names, and no text form of the settings shows one. A key belongs to one address: a preset's key is never sent
anywhere else.
"""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from wheretaken.environment import FileAndEnvironment
from wheretaken.models.openai.pictures import MAX_PIXELS, MIN_PIXELS
from wheretaken.models.presets import PRESETS
from wheretaken.origins import origin_of
from wheretaken.settings import Count, Key, Positive, ServiceUrl

KEY_VARIABLE = "WHERETAKEN_MODEL_KEY"
"""Holds the key for a server that was named by its URL only."""

_FROZEN = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True)
Dollars = Annotated[float, Field(ge=0)]


class Price(BaseModel):
    """US dollars per million tokens."""

    model_config = _FROZEN

    prompt: Dollars = 0.0
    """Prompt tokens."""
    completion: Dollars = 0.0
    """Completion tokens, thinking included."""
    cached: Dollars | None = None
    """Prompt tokens that the server had in its cache; none for the price of all others."""


class Timeouts(BaseModel):
    """How long is waited, in seconds."""

    model_config = _FROZEN

    connect: Positive = 5.0
    """For a connection."""
    read: Positive = 180.0
    """For the next byte: without streaming, this is the time in which the model writes its whole turn."""
    total: Positive = 600.0
    """For a turn, with all retries."""


class ModelSettings(BaseModel):
    """One model on an OpenAI-compatible server."""

    model_config = _FROZEN

    preset: str = ""
    """The kind of server, such as `vllm`, of which everything is taken that is not given here."""
    model: str = ""
    """What the server calls the model; by default the only one that it serves."""
    base_url: ServiceUrl
    """The server's API, up to and including `/v1`."""
    key: Key | None = None
    """The key for the server."""
    key_variable: str = ""
    """The environment variable with the key, where `key` is not given."""
    calls: Literal["native", "text"] = "native"
    """How tools are called: by the server's own means, or written into the text in the Hermes form."""
    pictures_in_tool_results: bool = False
    """Whether a `tool` message may hold pictures; else they follow in a `user` message."""
    parallel_calls: bool | None = None
    """Sent as `parallel_tool_calls`; none where the server does not know it."""
    takes_seed: bool = True
    """Whether `seed` is sent."""
    stream_usage: bool = True
    """Whether a stream is asked for its usage (`stream_options`)."""
    max_tokens_name: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """Under which name the limit on a turn's tokens is sent."""
    delimit: bool = True
    """Whether results of tools are marked as data; off for weights that were trained without the marks."""
    temperature: Annotated[float, Field(ge=0)] | None = None
    """Sent where given."""
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    """Sent where given."""
    top_k: Count | None = None
    """Sent where given; not part of OpenAI's own API."""
    max_tokens: Count | None = None
    """Most tokens of a turn; sent where given."""
    extra: dict[str, Any] = Field(default_factory=dict[str, Any])
    """Further fields of every request, as the server knows them."""
    min_pixels: Count = MIN_PIXELS
    """A smaller picture is enlarged to so many pixels."""
    max_pixels: Count = MAX_PIXELS
    """A larger picture is reduced to so many pixels."""
    context_tokens: Count | None = None
    """The server's context length; when a conversation comes close, its oldest pictures are left out."""
    pixels_per_token: Positive = 1024.0
    """Pixels of a picture that make a token, for the estimate of a conversation's length."""
    retries: Annotated[int, Field(ge=0, le=20)] = 3
    """How often a request is sent again after a failure that may pass."""
    timeouts: Timeouts = Timeouts()
    """How long is waited."""
    price: Price = Price()
    """What tokens cost."""

    @model_validator(mode="before")
    @classmethod
    def _on_preset(cls, data: Any) -> Any:
        """Put what was given on top of the preset."""
        if not isinstance(data, dict):
            return data
        given = cast("dict[str, Any]", data)
        name = str(given.get("preset", ""))
        if not name:
            return given
        if name not in PRESETS:
            raise ValueError(f"no preset named {name!r}; there are: {', '.join(PRESETS)}")
        preset = dict(PRESETS[name].settings)
        if moved(preset["base_url"], str(given.get("base_url", preset["base_url"]))):
            preset.pop("key_variable", None)
        return preset | given

    @field_validator("max_pixels")
    @classmethod
    def _enough_pixels(cls, value: int) -> int:
        if value < 1024:
            raise ValueError("a picture needs 1,024 pixels at least")
        return value

    @model_validator(mode="after")
    def _pixels_in_order(self) -> Self:
        if self.min_pixels > self.max_pixels:
            raise ValueError("min_pixels is above max_pixels")
        return self

    def with_key(self) -> ModelSettings:
        """Return the settings with the key that the environment holds, where none is given."""
        text = os.environ.get(self.key_variable, "").strip() if self.key_variable and not self.key else ""
        return ModelSettings.model_validate(_given(self) | {"key": text}) if text else self


def _given(settings: ModelSettings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in ModelSettings.model_fields if name != "preset"}


def moved(base: str, other: str) -> bool:
    """Tell whether a URL has another origin than the one that a key is for; nonsense has."""
    try:
        return origin_of(base) != origin_of(other)
    except ValueError:
        return True


class ModelsSettings(FileAndEnvironment):
    """Every model that has settings of its own; `ModelsSettings.load()` reads them."""

    model_config = SettingsConfigDict(env_nested_delimiter="__")
    table = "models"

    models: dict[str, ModelSettings] = Field(default_factory=dict[str, ModelSettings])
    """By the name that `--model` takes."""

    @classmethod
    def from_table(cls, values: dict[str, Any]) -> Self:
        """Take the tables by their names."""
        return cls(models=values)
