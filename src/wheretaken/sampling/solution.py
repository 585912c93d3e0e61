"""What N runs of a photo came to, as it is returned, written and read again.

A directory of runs holds, beside `trajectories.jsonl`, a file `solutions.jsonl`: one `Solution` a line as
JSON, appended when it is reached; its `runs` name the trajectories. The last line about a photo is the one
that counts; half a last line, which a killed process leaves, is passed over.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wheretaken.agent import PhotoInfo, Status, StopReason, Trajectory
from wheretaken.agent.trajectory import append_line, whole_lines
from wheretaken.answers import Answer
from wheretaken.errors import DataError
from wheretaken.geo import LatLon, distance_km
from wheretaken.messages import Usage
from wheretaken.sampling.calibration import AGREE_KM
from wheretaken.sampling.grounding import Grounding, Support, supports
from wheretaken.sampling.model import Verdict
from wheretaken.sampling.vote import decide

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from wheretaken.sampling.parallel import Statement

FILE = "solutions.jsonl"
_TELLING = (Status.REFUSED, Status.UNPARSED, Status.FAILED)
"""Of runs without an answer, what says most about the photo comes first."""


class RunSummary(BaseModel):
    """One of the runs, in a line; the whole of it is its trajectory."""

    model_config = ConfigDict(frozen=True)

    id: str
    model: str
    toolset: str
    seed: int
    status: Status
    stop_reason: StopReason
    lat: float | None = None
    """WGS-84 degrees of its answer."""
    lon: float | None = None
    grounding: Grounding = Grounding()

    @property
    def counts(self) -> bool:
        """Whether it has a say: a run that was ended because it was not needed, or by the user, has none."""
        return ended_itself(self.stop_reason)


class RunnerUp(BaseModel):
    """A place that other runs gave: the one among them that they agree on most."""

    model_config = ConfigDict(frozen=True)

    lat: float
    """WGS-84 degrees."""
    lon: float
    city: str
    country: str
    runs: tuple[str, ...]
    """The runs whose answers lie within 25 km of it, itself first."""


class Solution(BaseModel):
    """The answer to a photo, why it is the answer, and what else was said."""

    model_config = ConfigDict(frozen=True)

    schema_version: int = 1
    at: str
    """When it was reached: UTC, ISO 8601 with milliseconds."""
    photo: PhotoInfo
    verifier: str
    """Who was to decide."""
    planned: int
    """How many runs were to be made."""
    runs: tuple[RunSummary, ...]
    """Those that were begun, in the order in which they were planned."""
    verdict: Verdict
    """`chosen` is an index into `runs`; `of` counts the runs that ended by themselves."""
    status: Status
    """`answered`, or why there is no answer: what says most of the runs' own."""
    answer: Answer | None
    """WGS-84, with the radius and the confidence of the decision; its evidence is as it was stated."""
    grounding: Grounding = Grounding()
    """What the answer rests on."""
    evidence: tuple[Support, ...] = ()
    """What the answer states for itself, each with the call that told of it."""
    runners_up: tuple[RunnerUp, ...] = ()
    """Other places, those that most runs agree on first."""
    detail: str = ""
    """Why there is no answer, for people."""
    seconds: float = 0.0
    """Of all runs together."""
    usage: Usage = Usage()
    """Of all runs together, and of the verifier."""
    trajectories: tuple[Trajectory, ...] = Field(default=(), exclude=True, repr=False)
    """The runs themselves; not in the file, which has them beside it."""

    @property
    def source(self) -> Literal["candidate", "verifier"]:
        """Who gave the answer: a run, or the verifier, which rejected what the runs gave."""
        return self.verdict.source

    @property
    def run(self) -> RunSummary | None:
        """The run whose answer it is; None where there is no answer, or it is the verifier's own."""
        return None if self.verdict.chosen is None else self.runs[self.verdict.chosen]

    @classmethod
    def of(
        cls,
        photo: PhotoInfo,
        verifier: str,
        planned: int,
        trajectories: Sequence[Trajectory],
        heard: Sequence[Statement],
        verdict: Verdict,
    ) -> Self:
        """Put together what is known.

        Args:
            photo: Of which photo.
            verifier: Who decided.
            planned: How many runs were to be made.
            trajectories: The runs that were begun.
            heard: What each of the runs that count says, in the same order.
            verdict: The decision over `heard`.
        """
        counting = [k for k, run in enumerate(trajectories) if ended_itself(run.stop_reason)]
        chosen = None if verdict.chosen is None else counting[verdict.chosen]
        verdict = replace(verdict, chosen=chosen)
        groundings = {k: statement.grounding for k, statement in zip(counting, heard, strict=True)}
        runs = tuple(_summary(run, groundings.get(k, Grounding())) for k, run in enumerate(trajectories))
        told = min((trajectories[k] for k in counting or range(len(trajectories))), key=_says, default=None)
        answer = verdict.own if chosen is None else trajectories[chosen].answer
        sure = {"radius_km": verdict.radius_km, "confidence": verdict.confidence}
        found = answer and answer.model_copy(update={k: v for k, v in sure.items() if v is not None})
        return cls(
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            photo=photo,
            verifier=verifier,
            planned=planned,
            runs=runs,
            verdict=verdict,
            status=Status.ANSWERED if found else told.status if told else Status.FAILED,
            answer=found,
            grounding=groundings[chosen] if chosen is not None else Grounding(),
            evidence=supports(trajectories[chosen]) if chosen is not None else (),
            runners_up=_runners_up(runs, trajectories, heard, found),
            detail="" if found else told.detail if told else "stopped before a run had ended",
            seconds=round(sum(run.seconds for run in trajectories), 3),
            usage=sum((run.usage for run in trajectories), verdict.usage),
            trajectories=tuple(trajectories),
        )


def write(directory: Path, solution: Solution) -> None:
    """Append a solution to those of a directory of runs."""
    append_line(directory / FILE, solution.model_dump_json())


def read_solutions(directory: Path) -> Iterator[Solution]:
    """Yield the solutions of a directory of runs, in the order in which they were reached.

    Raises:
        DataError: a whole line is damaged.
    """
    for line in whole_lines(directory / FILE):
        try:
            yield Solution.model_validate_json(line)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            where = ".".join(map(str, problem["loc"]))
            raise DataError(
                f"{directory / FILE} has a line that is no solution ({where}: {problem['msg']}): remove it"
            ) from error


def ended_itself(stop_reason: StopReason) -> bool:
    """Tell whether a run ended by itself, with whatever result, and so has a say."""
    return stop_reason not in {StopReason.ENOUGH, StopReason.CANCELLED, StopReason.KILLED}


def _says(run: Trajectory) -> int:
    return _TELLING.index(run.status) if run.status in _TELLING else len(_TELLING)


def _summary(run: Trajectory, grounding: Grounding) -> RunSummary:
    answer = run.answer
    return RunSummary(
        id=run.id,
        model=run.model,
        toolset=run.toolset,
        seed=run.seed,
        status=run.status,
        stop_reason=run.stop_reason,
        lat=answer.lat if answer else None,
        lon=answer.lon if answer else None,
        grounding=grounding,
    )


def _runners_up(
    runs: Sequence[RunSummary],
    trajectories: Sequence[Trajectory],
    heard: Sequence[Statement],
    answer: Answer | None,
) -> tuple[RunnerUp, ...]:
    """Vote again over what lies elsewhere, until nothing does."""
    ballots = iter(statement.ballot for statement in heard)
    left = [
        (run, ballot, own)
        for run, trajectory in zip(runs, trajectories, strict=True)
        if run.counts and (ballot := next(ballots)) and (own := trajectory.answer)
    ]
    found: list[RunnerUp] = []
    here = answer
    while here is not None:
        left = [entry for entry in left if _apart(entry[2], here) >= AGREE_KM]
        if not left:
            break
        chosen = decide([[ballot for _, ballot, _ in left]])[0].chosen
        assert chosen is not None, "all that are left have a position"
        first, _, here = left[chosen]
        near = [run.id for run, _, own in left if _apart(own, here) < AGREE_KM and run is not first]
        found.append(
            RunnerUp(lat=here.lat, lon=here.lon, city=here.city, country=here.country, runs=(first.id, *near))
        )
    return tuple(sorted(found, key=lambda one: -len(one.runs)))


def _apart(one: Answer, other: Answer) -> float:
    return distance_km(LatLon(one.lat, one.lon), LatLon(other.lat, other.lon))
