"""`Clue`: one fact read out of a piece of text, with what it says about where the text is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from wheretaken.geo import LatLon

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal[
    "telephone",
    "domain",
    "email",
    "brand",
    "language",
    "units",
    "drive_side",
    "airport",
    "currency",
    "postcode",
    "vehicle_code",
]
ClueKind = Kind | Literal["auto"]
"""What a text is to be read as; `auto` tries every kind and keeps only what is distinctive."""

_ROUNDING = 1e-4


class Clue(BaseModel):
    """One fact read out of a text."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    text: str
    """The part of the text that was read."""
    reading: str
    """One line for a person or a model: "+33 1 42 60 30 30 is a landline in Paris, France"."""
    countries: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict[str, float])
    """ISO 3166-1 alpha-2 -> probability that the text is there, given that it was read rightly. What is
    missing to 1 is "anywhere else". Sorted, most probable first."""
    places: list[str] = Field(default_factory=list[str])
    """Names to look up on the map, such as the region of a telephone prefix."""
    position: LatLon | None = None
    """Where the thing that was named is, for facts that have one position (airports). WGS-84."""
    radius_km: float | None = None
    """How far from `position` the text may be."""
    confidence: Annotated[float, Field(ge=0, le=1)]
    """How sure it is that the text is what it was read as."""
    source: str
    """Where the fact is from."""

    @model_validator(mode="after")
    def _is_a_distribution(self) -> Clue:
        if sum(self.countries.values()) > 1 + _ROUNDING:
            raise ValueError("the weights of the countries sum to more than 1")
        return self


def scaled(weights: Mapping[str, float], mass: float) -> dict[str, float]:
    """Return `weights` rescaled to sum to `mass`, most probable first (ties by code); empty stays empty."""
    total = sum(weights.values())
    if total <= 0:
        return {}
    ordered = sorted(weights.items(), key=lambda item: (-item[1], item[0]))
    return {code: round(mass * weight / total, 6) for code, weight in ordered if weight > 0}
