"""What went wrong with a server, in one line that says what mends it, and without a key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import openai

from wheretaken.errors import ModelError
from wheretaken.models.openai.reading import as_object, quoted

if TYPE_CHECKING:
    from wheretaken.models.settings import ModelSettings
    from wheretaken.scrub import Scrubber

_OVERLOADED = frozenset({502, 503, 504, 529})
_CONTEXT = re.compile(
    r"context.{0,20}(length|window|size)|max_model_len|maximum.{0,20}(context|tokens)|too (long|many tokens)"
    r"|exceed\w*.{0,40}(context|tokens)|longer than the (maximum|model)",
    re.IGNORECASE,
)
_TOOLS = re.compile(r"tool[ _-]?(choice|call|use)|\btools\b|function call", re.IGNORECASE)
_PICTURES = re.compile(r"image|picture|vision|multi-?modal|mmproj", re.IGNORECASE)
_QUOTA = re.compile(r"insufficient_quota|billing|credit|payment", re.IGNORECASE)


def model_error(error: openai.APIError, name: str, settings: ModelSettings, scrubber: Scrubber) -> ModelError:
    """Say what went wrong, for whoever runs the program."""
    text, reason = _told(error, settings)
    return ModelError(scrubber.text(f"{name} at {settings.base_url}: {text}"), reason=reason)


def _told(error: openai.APIError, settings: ModelSettings) -> tuple[str, str]:
    cause = _first_cause(error)
    if isinstance(error, openai.APITimeoutError) and isinstance(cause, TimeoutError):
        waited = settings.timeouts
        limits = f"connect {waited.connect:g} s, read {waited.read:g} s"
        return f"no reply in time ({limits}); raise timeouts.read, or run fewer at a time", "late"
    if isinstance(error, openai.APIConnectionError):
        named = "no connection" if cause is error else type(cause).__name__
        return f"cannot be reached, or broke off ({named}); does it run, and is base_url right?", "network"
    if isinstance(error, openai.APIStatusError):
        return _status(error.status_code, _said(error), settings)
    return f"broke off with an error: {quoted(error.message)}", "reply"


def _first_cause(error: BaseException) -> BaseException:
    """Return what it began with: on its way here, a connection that breaks is also called a timeout."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _status(status: int, said: str, settings: ModelSettings) -> tuple[str, str]:
    """Say what an HTTP error means: the first of these that it fits."""
    wrong_request = 400 <= status < 500
    key = settings.key_variable or "`key` in the model's settings"
    meanings = (
        (300 <= status < 400, "sends us to another address; give that one as base_url", "network"),
        (status in {401, 403}, f"refuses the key; set {key} to one that may use this model", "key"),
        (status == 429 and _QUOTA.search(said), "has no money or quota left for this key", "key"),
        (status == 429, "has too much to do; run fewer at a time, or raise retries", "overloaded"),
        (
            status == 413 or (wrong_request and _CONTEXT.search(said)),
            "finds the conversation too long; set context_tokens, or lower max_pixels or max_tokens",
            "context",
        ),
        (
            status == 404,
            f"does not know the model {settings.model!r}, or base_url is wrong (it usually ends in /v1)",
            "model",
        ),
        (
            wrong_request and _TOOLS.search(said),
            'takes no tools as it is; turn its tool parser on, or set calls = "text"',
            "tools",
        ),
        (
            wrong_request and _PICTURES.search(said),
            "does not take these pictures; name a vision model, or try another pictures_in_tool_results",
            "pictures",
        ),
        (wrong_request, "refuses the request", "refused"),
        (status in _OVERLOADED, "is overloaded or down; try again later", "overloaded"),
    )
    for fits, meaning, reason in meanings:
        if fits:
            return f"{meaning} (HTTP {status}: {said})", reason
    return f"failed (HTTP {status}: {said})", "reply"


def _said(error: openai.APIStatusError) -> str:
    """What the server said; a web page, as proxies send it, is not repeated."""
    body = error.body
    if isinstance(body, str) and body.lstrip()[:1] == "<":
        return "a web page came instead of a reply"
    inner = as_object(body)
    code = inner.get("code") or inner.get("type")
    words = quoted(inner or body or error.message)
    return f"{words} ({code})" if isinstance(code, str) and code not in words else words
