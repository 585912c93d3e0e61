"""Kinds of servers: where they are, which variable holds their key, and what they can do.

The abilities are those that their makers' documentation names, looked up on the date of each; a server can be
set up otherwise, and `wheretaken models check` finds out what one really does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Preset:
    """A kind of server."""

    about: str
    settings: Mapping[str, Any]
    """Fields of `ModelSettings` that are not their defaults."""
    source: str
    """Where its abilities are documented."""
    looked_up: str
    """ISO 8601 date."""
    local: bool = False
    """Whether it runs on the user's own machine, without a key."""


PRESETS: Mapping[str, Preset] = {
    "vllm": Preset(
        "vLLM on this machine; pictures in tool results as Qwen-VL's template takes them",
        {"base_url": "http://127.0.0.1:8000/v1", "pictures_in_tool_results": True},
        "https://docs.vllm.ai/en/latest/serving/openai_compatible_server/",
        "2026-11-27",
        local=True,
    ),
    "sglang": Preset(
        "SGLang on this machine",
        {"base_url": "http://127.0.0.1:30000/v1"},
        "https://docs.sglang.ai/basic_usage/openai_api_vision.html",
        "2026-11-27",
        local=True,
    ),
    "ollama": Preset(
        "Ollama on this machine",
        {"base_url": "http://127.0.0.1:11434/v1"},
        "https://docs.ollama.com/api/openai-compatibility",
        "2026-11-27",
        local=True,
    ),
    "llamacpp": Preset(
        "llama.cpp's llama-server on this machine, started with --jinja and --mmproj",
        {"base_url": "http://127.0.0.1:8080/v1"},
        "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
        "2026-11-27",
        local=True,
    ),
    "openai": Preset(
        "OpenAI",
        {
            "base_url": "https://api.openai.com/v1",
            "key_variable": "OPENAI_API_KEY",
            "max_tokens_name": "max_completion_tokens",
            "parallel_calls": True,
            "pixels_per_token": 1000.0,
        },
        "https://platform.openai.com/docs/api-reference/chat",
        "2026-11-27",
    ),
    "gemini": Preset(
        "Google Gemini, by its OpenAI-compatible address",
        {
            "base_url": "https://generativelanguage.googleapis.com/v1beta/openai",
            "key_variable": "GEMINI_API_KEY",
            "takes_seed": False,
        },
        "https://ai.google.dev/gemini-api/docs/openai",
        "2026-11-27",
    ),
    "claude": Preset(
        "Anthropic Claude, by its OpenAI-compatible address, where seeds are ignored",
        {
            "base_url": "https://api.anthropic.com/v1",
            "key_variable": "ANTHROPIC_API_KEY",
            "takes_seed": False,
            "parallel_calls": True,
            "max_tokens": 8192,
            "pixels_per_token": 750.0,
        },
        "https://platform.claude.com/docs/en/cli-sdks-libraries/libraries/openai-sdk",
        "2026-11-27",
    ),
    "dashscope": Preset(
        "Alibaba Cloud Model Studio (Qwen), international; give base_url for another region",
        {
            "base_url": "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
            "key_variable": "DASHSCOPE_API_KEY",
        },
        "https://www.alibabacloud.com/help/en/model-studio/qwen-vl-compatible-with-openai",
        "2026-11-27",
    ),
}
