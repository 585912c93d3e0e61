"""The vote over several files of answers: one answer a photo, and what voting is worth.

The vote is measured on the same photos beside the single files (one with several lines about a photo counts
with their mean), the best of them, and the oracle that always knows the best candidate. Truth is used to fit
weights and to measure; the vote itself sees ballots only (`wheretaken.sampling.vote`).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from wheretaken.errors import DataError
from wheretaken.evals.crossfit import Weighting, chosen_km, crossfit, fingerprint, fit, half
from wheretaken.evals.model import Result
from wheretaken.messages import Usage
from wheretaken.sampling.vote import decide, verdicts
from wheretaken.scoring import ACC_KM, label
from wheretaken.scoring.intervals import wilson
from wheretaken.scoring.tally import rewards

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from wheretaken.evals.candidates import Candidates, Photo
    from wheretaken.evals.crossfit import Case
    from wheretaken.sampling.model import Verdict

_RIGHT_KM = 25.0
_BINS = 10


class Rates(BaseModel):
    """How good answers are; a photo without one counts as wrong."""

    model_config = ConfigDict(frozen=True)

    score: float
    """Mean reward, 0 to 1."""
    acc: dict[str, float]
    """The share of photos whose answer is strictly nearer than `500m`, `2km`, ..."""


class VoteRates(Rates):
    """The vote's."""

    ci95: dict[str, tuple[float, float]]
    """Wilson's 95 % interval for each distance of `acc`."""


class FileRates(Rates):
    """Of a file by itself."""

    file: str
    voter: str
    lacking: int
    """Photos that other files have and this one does not; they count as wrong."""


class Agreement(BaseModel):
    """The photos on which so many ballots agree with the answer."""

    model_config = ConfigDict(frozen=True)

    share: float
    """`agree / of`."""
    agree: int
    """Ballots within 25 km of the answer, itself counted; 0 where no ballot has a position."""
    of: int
    n: int
    """Photos."""
    acc_25km: float


class Reliability(BaseModel):
    """Whether the stated radius and confidence hold."""

    model_config = ConfigDict(frozen=True)

    n: int
    """Answers that state both."""
    radius_holds: float
    """The share whose truth lies within the radius; 0.8 is promised."""
    ece_25km: float
    """Expected calibration error of the confidence in ten bins (Guo et al., ICML 2017)."""


class VoteReport(BaseModel):
    """The JSON of `eval vote`; shares are fractions of all `n`."""

    model_config = ConfigDict(frozen=True)

    n: int
    """Photos in any of the files."""
    vote: VoteRates
    best_single: FileRates
    """The file with the best score."""
    mean_single: Rates
    oracle: Rates
    """The best candidate of every photo."""
    agreement: tuple[Agreement, ...]
    reliability: Reliability | None
    """None where no answer states radius and confidence."""
    files: tuple[FileRates, ...]
    weighting: Weighting | None
    """For other photos: fitted on all of these (cross-fitting), or what was given. None without weights."""
    halves: tuple[dict[str, float], ...]
    """With cross-fitting, the weights that were used on each half of these photos."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What came of a vote."""

    report: VoteReport
    results: list[Result]
    """One for every photo."""


def vote(candidates: Candidates, weights: Literal["none", "crossfit"] | Weighting = "none") -> Vote:
    """Vote on every photo and measure the answers.

    Args:
        candidates: at least one photo.
        weights: `none` lets every ballot count the same; `crossfit` fits weights and calibration on one half
            of the photos for the other half; or what was fitted on other photos.

    Raises:
        DataError: a weighting does not say how much one of the voters counts.
    """
    cases = candidates.cases()
    weighting, halves = None, ()
    if weights == "none":
        found = _verdicts(cases, Weighting(weights={}))
    elif weights == "crossfit":
        halves, weighting = crossfit(cases), fit(cases)
        own = [iter(_verdicts([case for case in cases if half(case.id) == k], halves[k])) for k in (0, 1)]
        found = [next(own[half(case.id)]) for case in cases]
    else:
        _check_voters(candidates, weights)
        found, weighting = _verdicts(cases, weights), weights
    km = chosen_km(cases, [verdict.chosen for verdict in found])
    files = _singles(candidates)
    report = VoteReport(
        n=len(cases),
        vote=_vote_rates(km),
        best_single=max(files, key=lambda file: file.score),
        mean_single=_mean(files),
        oracle=_rates([min(case.km)] for case in cases),
        agreement=_agreement(found, km),
        reliability=_reliability(found, km),
        files=files,
        weighting=weighting,
        halves=tuple(fitted.weights for fitted in halves),
    )
    return Vote(report, [_result(*pair) for pair in zip(candidates.photos, found, strict=True)])


def read_weighting(path: Path) -> Weighting:
    """Read weights that cross-fitting wrote: its file beside the answers, or the JSON of the whole vote.

    Raises:
        DataError: it cannot be read, or is something else.
    """
    remedy = "`eval vote --weights crossfit -o OUT.jsonl` writes one; `none` and `crossfit` need no file"
    try:
        content: Any = from_json(path.read_bytes())
        whole = cast("dict[str, Any]", content) if isinstance(content, dict) else {}
        return Weighting.model_validate(whole.get("weighting", content))
    except OSError as error:
        raise DataError(f"no weights at {path} ({error.strerror}): {remedy}") from error
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        field = ".".join(map(str, problem["loc"])) or "the whole"
        raise DataError(f"{path} holds no weights ({field}: {problem['msg']}): {remedy}") from error
    except ValueError as error:
        raise DataError(f"{path} is no JSON ({error}): {remedy}") from error


def knows(weighting: Weighting, candidates: Candidates) -> bool:
    """Tell whether these are the photos that it was fitted on: measured on them, it has seen the answers."""
    return weighting.fitted_on == fingerprint(photo.id for photo in candidates.photos)


def _check_voters(candidates: Candidates, weighting: Weighting) -> None:
    for file, voter in zip(candidates.files, candidates.voters, strict=True):
        if voter not in weighting.weights:
            raise DataError(
                f"the weights have none for {voter!r} ({file}): they are for"
                f" {', '.join(map(repr, weighting.weights)) or 'nobody'}; add it to them, or rename the file"
            )


def _verdicts(cases: Sequence[Case], weighting: Weighting) -> list[Verdict]:
    ballots = [case.ballots for case in cases]
    return verdicts(ballots, decide(ballots, weighting.weights, weighting.trust), weighting.calibration)


def _result(photo: Photo, verdict: Verdict) -> Result:
    """Return the chosen candidate's answer, as sure as the vote is; it cost what all runs cost."""
    flat = photo.flat()
    known = [result for result in flat if result is not None]
    base = known[0] if verdict.chosen is None else flat[verdict.chosen] or known[0]
    sure = {"radius_km": verdict.radius_km, "confidence": verdict.confidence}
    seconds = [result.seconds for result in known if result.seconds is not None]
    usages = [result.usage for result in known if result.usage is not None]
    return Result(
        id=photo.id,
        index=base.index,
        truth=photo.truth,
        status=base.status,
        answer=base.answer.model_copy(update=sure) if base.answer else None,
        detail=base.detail,
        image=base.image,
        data_source=base.data_source,
        split=base.split,
        sha256=base.sha256,
        model="vote",
        runs=tuple(run for result in known for run in result.runs),
        agree=verdict.agree,
        seconds=sum(seconds) if seconds else None,
        usage=sum(usages, Usage()) if usages else None,
    )


def _rates(photos: Iterable[Sequence[float]]) -> Rates:
    """Return the rates of photos, each with the distances of its answers, which count as much together."""
    groups = list(photos)
    km = np.array([km for group in groups for km in group], dtype=np.float64)
    weight = np.array([1 / len(group) / len(groups) for group in groups for _ in group], dtype=np.float64)
    return Rates(
        score=float(weight @ rewards(km)),
        acc={label(limit): float(weight @ (km < limit)) for limit in ACC_KM},
    )


def _vote_rates(km: npt.NDArray[np.float64]) -> VoteRates:
    right = {label(limit): int((km < limit).sum()) for limit in ACC_KM}
    return VoteRates(
        score=float(rewards(km).mean()),
        acc={name: count / len(km) for name, count in right.items()},
        ci95={name: wilson(count, len(km)) for name, count in right.items()},
    )


def _singles(candidates: Candidates) -> tuple[FileRates, ...]:
    found: list[FileRates] = []
    names = zip(candidates.files, candidates.voters, candidates.lacking(), strict=True)
    for k, (file, voter, lacking) in enumerate(names):
        rates = _rates(photo.km[k] or [np.inf] for photo in candidates.photos)
        found.append(FileRates(file=file, voter=voter, lacking=lacking, score=rates.score, acc=rates.acc))
    return tuple(found)


def _mean(files: Sequence[Rates]) -> Rates:
    return Rates(
        score=sum(file.score for file in files) / len(files),
        acc={name: sum(file.acc[name] for file in files) / len(files) for name in files[0].acc},
    )


def _agreement(found: Sequence[Verdict], km: npt.NDArray[np.float64]) -> tuple[Agreement, ...]:
    groups: defaultdict[tuple[int, int], list[bool]] = defaultdict(list)
    for verdict, right in zip(found, (km < _RIGHT_KM).tolist(), strict=True):
        groups[verdict.of, verdict.agree].append(right)
    return tuple(
        Agreement(share=agree / of, agree=agree, of=of, n=len(right), acc_25km=sum(right) / len(right))
        for (of, agree), right in sorted(groups.items(), reverse=True)
    )


def _reliability(found: Sequence[Verdict], km: npt.NDArray[np.float64]) -> Reliability | None:
    stated = [
        (verdict.confidence, verdict.radius_km, distance)
        for verdict, distance in zip(found, km.tolist(), strict=True)
        if verdict.confidence is not None and verdict.radius_km is not None
    ]
    if not stated:
        return None
    sure, radius, own = np.array(stated, dtype=np.float64).T
    bins = np.minimum((sure * _BINS).astype(np.int64), _BINS - 1)
    gaps = np.bincount(bins, sure - (own < _RIGHT_KM))
    return Reliability(
        n=len(stated),
        radius_holds=float((own <= radius).mean()),
        ece_25km=float(np.abs(gaps).sum() / len(stated)),
    )
