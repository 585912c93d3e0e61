"""Replies: JSON, and failures with the status that says who can mend them.

| what happened | status |
|---|---|
| no such tool, picture or page | 404 |
| the call cannot be served as it is (`ToolError`, `PhotoError`) | 422 |
| not JSON, too large, wrong type, no token | 400, 413, 415, 401 |
| too many calls wait (`BusyError`) | 429 |
| a service failed, or refuses our key | 502 |
| a service rests or its quota is used up; something on this machine is missing | 503 |
| no answer in time | 504 |

The body is `{"error": SENTENCE, "kind": ..., "service"?: ..., "retry_after"?: SECONDS}`; the sentence is
written for the model (4xx) or for the person who runs the server.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response

from wheretaken import errors
from wheretaken.errors import BusyError, ServiceError, WheretakenError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

JSON = "application/json"

KINDS: tuple[tuple[type[WheretakenError], int, str], ...] = (
    (errors.ToolError, 422, "bad_call"),
    (errors.PhotoError, 422, "bad_picture"),
    (errors.BusyError, 429, "busy"),
    (errors.DeadlineError, 504, "late"),
    (errors.UnavailableError, 503, "unavailable"),
    (errors.QuotaError, 503, "quota"),
    (errors.AccessError, 502, "access"),
    (errors.ServiceError, 502, "service"),
    (errors.UserError, 503, "setup"),
)
"""Status and kind of every failure that a call may end with; the first that fits holds."""


_BUSY_SECONDS = 1.0
"""After which to try again where a service said that it is busy, but not for how long."""


class Refused(HTTPException):
    """A request that is refused before any tool sees it."""

    def __init__(
        self, status: int, kind: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        """Refuse with this sentence."""
        super().__init__(status, message, dict(headers or {}))
        self.kind = kind


def json(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Reply with JSON."""
    return Response(orjson.dumps(data), status, dict(headers or {}), JSON)


def failed(error: WheretakenError) -> Response:
    """Reply with a failure."""
    status, kind = next((status, kind) for base, status, kind in KINDS if isinstance(error, base))
    body: dict[str, Any] = {"error": str(error), "kind": kind}
    headers: dict[str, str] = {}
    if isinstance(error, ServiceError):
        if error.service:
            body["service"] = error.service
        wait = error.retry_after
        if wait is None and isinstance(error, BusyError):
            wait = _BUSY_SECONDS
        if wait is not None:
            body["retry_after"] = round(wait, 3)
            headers["Retry-After"] = str(max(math.ceil(wait), 1))
    return json(body, status, headers)


async def on_failure(_request: Request, error: Exception) -> Response:
    """Starlette's handler for what the desk raises."""
    assert isinstance(error, WheretakenError)
    return failed(error)


async def on_refusal(_request: Request, error: Exception) -> Response:
    """Starlette's handler for refusals, its own (no such page or method) and ours."""
    assert isinstance(error, HTTPException)
    kind = error.kind if isinstance(error, Refused) else error.detail.lower().replace(" ", "_")
    return json({"error": error.detail, "kind": kind}, error.status_code, error.headers)


async def on_bug(_request: Request, _error: Exception) -> Response:
    """Starlette's handler for what nobody expects; the server's log has the traceback."""
    return json({"error": "the server has a bug here; its log tells more", "kind": "bug"}, 500)
