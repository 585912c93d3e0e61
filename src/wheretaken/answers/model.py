"""What reading a text gives: an `Answer` with what it rests on, or the reason why there is none."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from wheretaken.geo import LatLon


class Repair(StrEnum):
    """What had to be put right, or trusted, before a text gave a position."""

    SYNTAX = "syntax"
    """An object that is not JSON to the letter: trailing comma, bare words, comments, other quotes."""
    TRUNCATED = "truncated"
    """An object that breaks off after its coordinates."""
    PROSE = "prose"
    """There was no object: the position was read from running text."""
    SWAPPED = "swapped"
    """Latitude and longitude were exchanged: only that way they are a position, or fit their letters."""
    SIGN = "sign"
    """A minus sign beside a hemisphere letter: `-118.25° W` is read as west, `-34.6° N` as south."""


class Evidence(BaseModel):
    """Something that the picture shows, and the place that it speaks for."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    reads: str
    """What is read or seen."""
    place: str = ""
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    """Of that place, WGS-84; None for evidence of a country or a language."""
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    call: str = ""
    """The id of the tool call that showed it."""


class Candidate(BaseModel):
    """A place that was considered, WGS-84 degrees."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    city: str = ""
    country: str = ""
    weight: Annotated[float, Field(ge=0, le=1)] | None = None
    """Its share of the probability, as the answerer sees it."""


class Answer(BaseModel):
    """A place that was given as the answer, WGS-84 degrees."""

    model_config = ConfigDict(frozen=True)

    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    city: str = ""
    country: str = ""
    radius_km: Annotated[float, Field(ge=0)] | None = None
    """The radius within which the answerer expects the place."""
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    evidence: tuple[Evidence, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    raw: str = ""
    """The part of the text that was read as the answer."""
    repairs: tuple[Repair, ...] = ()
    """What was put right to read it, in the order of `Repair`; empty for an answer as it should be."""

    @property
    def position(self) -> LatLon:
        """Where it is."""
        return LatLon(self.lat, self.lon)


class NoAnswer(BaseModel):
    """Why a text holds no position."""

    model_config = ConfigDict(frozen=True)

    reason: Literal["refused", "unparsed"]
    """`refused`: it says that it gives no place; `unparsed`: it is something else, or cut off."""
    detail: str
