"""Errors as Google's map services send them.

- Places API (New): an HTTP error and `{"error": {"status": "PERMISSION_DENIED", "message", "details"}}`, the
  codes of https://cloud.google.com/apis/design/errors; of a wrong key the details of `INVALID_ARGUMENT` tell.
- Geocoding and Street View metadata: HTTP 200 and `{"status": "OVER_QUERY_LIMIT", "error_message"}`
  (https://developers.google.com/maps/documentation/geocoding/requests-geocoding#StatusCodes).
- Static Maps and Street View pictures: an HTTP error with a sentence; a map that lacks a part has the header
  `X-Staticmap-API-Warning` (https://developers.google.com/maps/documentation/maps-static/error-messages).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from wheretaken.maps.web import Fault, FaultKind

if TYPE_CHECKING:
    from wheretaken.maps.web import Response

_KINDS = {
    "INVALID_ARGUMENT": FaultKind.ARGUMENT,
    "NOT_FOUND": FaultKind.ARGUMENT,
    "OUT_OF_RANGE": FaultKind.ARGUMENT,
    "PERMISSION_DENIED": FaultKind.ACCESS,
    "UNAUTHENTICATED": FaultKind.ACCESS,
    "FAILED_PRECONDITION": FaultKind.REFUSED,
    "UNIMPLEMENTED": FaultKind.REFUSED,
    "RESOURCE_EXHAUSTED": FaultKind.BUSY,
    "ABORTED": FaultKind.TEMPORARY,
    "CANCELLED": FaultKind.TEMPORARY,
    "DEADLINE_EXCEEDED": FaultKind.TEMPORARY,
    "INTERNAL": FaultKind.TEMPORARY,
    "UNAVAILABLE": FaultKind.TEMPORARY,
    "UNKNOWN": FaultKind.TEMPORARY,
}
"""By `error.status`."""
_OLD_KINDS = {
    "INVALID_REQUEST": FaultKind.ARGUMENT,
    "MAX_ELEMENTS_EXCEEDED": FaultKind.ARGUMENT,
    # Also for an account without billing; a day's limit is told apart by the message.
    "OVER_DAILY_LIMIT": FaultKind.ACCESS,
    "OVER_QUERY_LIMIT": FaultKind.BUSY,
    "REQUEST_DENIED": FaultKind.ACCESS,
    "UNKNOWN_ERROR": FaultKind.TEMPORARY,
}
"""By `status`. What is not here (`OK`, `ZERO_RESULTS`, `NOT_FOUND`) is an answer."""
_REFUSALS = {400: FaultKind.REFUSED, 401: FaultKind.ACCESS, 403: FaultKind.ACCESS, 404: FaultKind.REFUSED}
"""By HTTP status, for pictures: their parameters are ours, so that no model can mend a 400."""
_LIMITED = {FaultKind.BUSY, FaultKind.ACCESS}
_DAILY = ("per day", "perday", "daily")
_LONGEST = 200
"""Characters of a message that are repeated."""


class _Detail(BaseModel):
    """`google.rpc.ErrorInfo` or `RetryInfo`; other details are ignored."""

    reason: str = ""
    metadata: dict[str, str] = {}
    retryDelay: str = ""  # noqa: N815 - the name in the reply


class _Error(BaseModel):
    status: str = ""
    message: str = ""
    details: list[_Detail] = []


class _Reply(BaseModel):
    error: _Error | None = None
    status: str = ""
    error_message: str = ""


def fault(response: Response) -> Fault | None:
    """Return what Google says is wrong; None if nothing is, or if the HTTP status says it all."""
    warning = response.headers.get("x-staticmap-api-warning")
    if warning:
        return Fault(FaultKind.REFUSED, f"the map lacks something: {warning[:_LONGEST]}")
    if response.media_type == "text/plain" and response.status in _REFUSALS:
        said = response.content.decode(errors="replace")
        return _limited(_REFUSALS[response.status], said, said)
    try:
        reply = _Reply.model_validate(response.json)
    except ValidationError:
        return None
    if reply.error:
        return _error(reply.error)
    if reply.status in _OLD_KINDS:
        said = reply.error_message
        return _limited(_OLD_KINDS[reply.status], f"{reply.status}: {said}".rstrip(": "), said)
    return None


def _error(error: _Error) -> Fault | None:
    if error.status not in _KINDS:
        return None
    kind = _KINDS[error.status]
    if any(detail.reason.startswith("API_KEY") for detail in error.details):
        kind = FaultKind.ACCESS
    limits = " ".join(detail.metadata.get("quota_limit", "") for detail in error.details)
    waits = [_seconds(detail.retryDelay) for detail in error.details]
    wait = next((seconds for seconds in waits if seconds is not None), None)
    return _limited(kind, f"{error.status}: {error.message}", f"{error.message} {limits}", wait)


def _limited(kind: FaultKind, message: str, told: str, wait: float | None = None) -> Fault:
    """Return the fault, as one of the day's quota where that is what was told."""
    if kind in _LIMITED and "quota" in told.lower() and any(word in told.lower() for word in _DAILY):
        kind = FaultKind.QUOTA
    return Fault(kind, " ".join(message.split())[:_LONGEST], wait)


def _seconds(duration: str) -> float | None:
    """Read a duration as protocol buffers write it in JSON: `41s`, `0.5s`."""
    number = duration.removesuffix("s")
    return float(number) if number.replace(".", "", 1).isdecimal() else None
