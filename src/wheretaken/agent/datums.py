"""Answers in the datum of the tools that led to them, turned into WGS-84."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from wheretaken.geo import Datum, LatLon

if TYPE_CHECKING:
    from wheretaken.answers import Answer, Candidate, Evidence

    _Placed = TypeVar("_Placed", Answer, Candidate, Evidence)


def in_wgs84(answer: Answer, datum: Datum) -> Answer:
    """Return an answer with the same places in WGS-84; its `raw` text stays as it was given.

    Args:
        answer: As it was read; its numbers are in `datum`, whatever its fields say.
        datum: In which the model's tools gave it positions (`Toolset.datum`).
    """
    if datum is Datum.WGS84:
        return answer
    parts = {
        "evidence": tuple(_moved(one, datum) for one in answer.evidence),
        "candidates": tuple(_moved(one, datum) for one in answer.candidates),
    }
    return _moved(answer, datum).model_copy(update=parts)


def _moved(part: _Placed, datum: Datum) -> _Placed:
    if part.lat is None or part.lon is None:
        return part
    true = LatLon(part.lat, part.lon, datum).wgs84
    return part.model_copy(update={"lat": true.lat, "lon": true.lon})
