"""What a rollout earns: one function for TRL, for verl and for evaluation.

It is told the last words of the model and how the rollout went (`Outcome`), and the truth. Only these last
words are read: neither earlier guesses nor anything that a tool wrote can be taken for the answer.

    reward = step x (1 + bonus x grounded) x (1 - penalty x too long)

- step: the ladder of the paper, or partly a slope with the same corners (`smooth`)
- a bonus and a penalty are shares of it: what earns nothing gains and loses nothing by them, so that neither
  tools nor silence are worth anything in themselves
- what a service's failure spoilt is marked (`Scored.masked`) for the engine to leave out; `neutral` says how
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from wheretaken import answers, scoring
from wheretaken.agent.datums import in_wgs84
from wheretaken.agent.events import Status
from wheretaken.answers import Answer, NoAnswer
from wheretaken.geo import Datum, distance_km

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from wheretaken.geo import LatLon
    from wheretaken.rl.settings import LengthPenalty, RewardSettings

BEYOND, NONE = "beyond", "none"
BANDS = (*map(scoring.label, scoring.ACC_KM), BEYOND, NONE)
"""How far an answer is from the truth: within 500 m, ..., beyond 750 km, or there is none."""
SLOPE_ENDS_KM = 2500.0
"""Where the slope reaches 0, the continent level of IM2GPS: an answer that is always the middle of the world
must not live on it."""


@dataclass(frozen=True)
class ToolUse:
    """A tool call of a rollout."""

    name: str
    ok: bool
    """Whether the model got what it asked for."""
    fault: bool = False
    """Whether a service failed, which is no fault of the model."""
    seconds: float = 0.0
    pictures: int = 0
    error: str = ""
    """What the model was told instead of a result."""


@dataclass(frozen=True)
class Outcome:
    """How a rollout ended."""

    final: str
    """The text of the model's last turn, and of no other."""
    stop: str = "finished"
    """Why it ended: `finished`, `turns`, `length`, `service_error`, ..."""
    tools: tuple[ToolUse, ...] = ()
    tokens: int = 0
    """That the model wrote; what tools returned does not count."""
    turns: int = 0
    grounded: bool | None = None
    """Whether a tool told of, or showed, the place of the answer; None where nobody looked."""


@dataclass(frozen=True)
class Scored:
    """What a rollout earned, and why."""

    score: float
    km: float
    """From the answer to the truth; infinite without an answer."""
    band: str
    """One of `BANDS`."""
    status: Status
    masked: bool = False
    """Whether the engine should leave it out, as a service failed in it."""
    calls: int = 0
    failed_calls: int = 0
    """That the model got wrong."""
    faults: int = 0
    """Calls in which a service failed."""
    parts: Mapping[str, float] = field(default_factory=dict[str, float])
    """`step`, `grounding` (gained) and `length` (lost)."""

    def numbers(self) -> dict[str, float]:
        """Return it as the engines log it: always the same names, and no infinity."""
        return {
            "score": self.score,
            "answered": float(self.status is Status.ANSWERED),
            "refused": float(self.status is Status.REFUSED),
            "unparsed": float(self.status is Status.UNPARSED),
            "failed": float(self.status is Status.FAILED),
            "geoscore": scoring.geoscore(self.km),
            **{f"acc_{scoring.label(limit)}": float(self.km < limit) for limit in scoring.ACC_KM},
            "calls": float(self.calls),
            "failed_calls": float(self.failed_calls),
            "faults": float(self.faults),
            "masked": float(self.masked),
            **{f"part_{name}": value for name, value in self.parts.items()},
        }


def score(outcome: Outcome, truth: LatLon, settings: RewardSettings, datum: Datum = Datum.WGS84) -> Scored:
    """Score a rollout.

    Args:
        outcome: How it ended.
        truth: Where the photo was taken.
        settings: What counts.
        datum: In which the rollout's tools gave positions, and its model therefore answers
            (`Toolset.datum`).
    """
    read = answers.parse if settings.reading == "tolerant" else answers.parse_strict
    parsed = read(outcome.final)
    km = math.inf
    if isinstance(parsed, Answer):
        km = distance_km(in_wgs84(parsed, datum).position, truth.wgs84)
    step = _step(km, settings.smooth)
    grounded = outcome.grounded is True and len(outcome.tools) <= settings.grounding_calls
    bonus = step * settings.grounding_bonus if grounded else 0.0
    lost = (step + bonus) * _too_long(outcome.tokens, settings.length)
    faults = sum(use.fault for use in outcome.tools)
    return Scored(
        score=step + bonus - lost,
        km=km,
        band=band(km),
        status=status_of(parsed, outcome.stop),
        masked=spoilt(outcome, settings),
        calls=len(outcome.tools),
        failed_calls=sum(not use.ok and not use.fault for use in outcome.tools),
        faults=faults,
        parts={"step": step, "grounding": bonus, "length": -lost},
    )


_FAILED = frozenset({"service_error", "model_error", "killed", "cancelled"})


def status_of(parsed: Answer | NoAnswer, stop: str) -> Status:
    """Return what became of a rollout.

    Args:
        parsed: Its last words as they were read.
        stop: Why it ended.
    """
    if isinstance(parsed, Answer):
        return Status.ANSWERED
    if stop in _FAILED:
        return Status.FAILED
    return Status.REFUSED if parsed.reason == "refused" else Status.UNPARSED


def spoilt(outcome: Outcome, settings: RewardSettings) -> bool:
    """Tell whether a service's failure in it makes a rollout one to leave out."""
    failed = outcome.stop == "service_error" or any(use.fault for use in outcome.tools)
    return settings.fault_neutral and failed


def neutral(scores: Sequence[float], masked: Sequence[bool], groups: Sequence[Hashable]) -> list[float]:
    """Return scores in which masked rollouts count for nothing, for engines that cannot leave any out.

    They get the mean of the rest of their group, so that their advantage is 0 and that of the others is
    compared with the others alone. A group without any other gets 0 throughout.

    Args:
        scores: Of the rollouts of whole groups.
        masked: Whether each is to be left out.
        groups: To which group each belongs.
    """
    kept: dict[Hashable, list[float]] = {}
    for value, left_out, group in zip(scores, masked, groups, strict=True):
        kept.setdefault(group, []).extend([] if left_out else [value])
    means = {group: math.fsum(values) / len(values) if values else 0.0 for group, values in kept.items()}
    return [
        means[group] if left_out else value
        for value, left_out, group in zip(scores, masked, groups, strict=True)
    ]


def band(km: float) -> str:
    """Return how far that is, as one of `BANDS`."""
    if not math.isfinite(km):
        return NONE
    return next((scoring.label(limit) for limit in scoring.ACC_KM if km < limit), BEYOND)


def _step(km: float, smooth: float) -> float:
    return (1 - smooth) * scoring.reward(km) + smooth * slope(km) if smooth else scoring.reward(km)


def slope(km: float) -> float:
    """Return the ladder without steps: linear in the logarithm of the distance between its corners.

    1 up to 500 m, 0.8 at 2 km, ..., 0.1 at 750 km, 0 from 2,500 km on and without an answer. It is never
    below the ladder and never above the ladder's next better step.
    """
    if not math.isfinite(km):
        return 0.0
    corners = [*scoring.LADDER, (SLOPE_ENDS_KM, 0.0)]
    for (near, more), (far, less) in pairwise(corners):
        if km <= near:
            return more
        if km < far:
            return more - (more - less) * math.log(km / near) / math.log(far / near)
    return 0.0


def _too_long(tokens: int, penalty: LengthPenalty | None) -> float:
    """Return the share that is lost."""
    if penalty is None:
        return 0.0
    over = (tokens - penalty.start_tokens) / (penalty.full_tokens - penalty.start_tokens)
    return penalty.share * min(max(over, 0.0), 1.0)
