"""What a training leaves behind, whichever engine ran it.

A training's directory holds
- `metrics.jsonl`: a line a step, `{"step", "split", "attempt", NAME: VALUE, ...}`
- `scores.jsonl`: a line a rollout, which is `Line`; distances to the truth stand here and nowhere else
- `samples/SPLIT-STEP/`: rollouts as trajectories with their pictures, as `eval run` keeps them, for
  `wheretaken web` and `wheretaken eval`; those of a validation are all there

Lines are appended whole, by any number of processes. A training that is resumed does steps again that it had
done after its last checkpoint: of a step, only the lines of its latest attempt count.
"""

from __future__ import annotations

import json
import math
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from wheretaken import answers
from wheretaken.agent import prompts
from wheretaken.agent.datums import in_wgs84
from wheretaken.agent.events import Limits, PhotoInfo, Status, StopReason, ToolEnded, ToolStarted
from wheretaken.agent.trajectory import Trajectory, append, append_line, keep, whole_lines
from wheretaken.answers import Answer
from wheretaken.errors import DataError, UserError
from wheretaken.evals.model import Truth
from wheretaken.evals.results.runs import result_of
from wheretaken.evals.running.manifest import MANIFEST, Entry
from wheretaken.evals.running.runner import RESULTS
from wheretaken.messages import Message, Usage
from wheretaken.models import hermes
from wheretaken.rl.reward import status_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from wheretaken.geo import LatLon
    from wheretaken.messages import Picture
    from wheretaken.rl.episode import Made
    from wheretaken.rl.reward import Outcome, Scored
    from wheretaken.rl.toolbox import Toolbox

METRICS, SCORES, SAMPLES = "metrics.jsonl", "scores.jsonl", "samples"
Split = Literal["train", "val"]
_STOPS = {"length": StopReason.TOKENS}
"""What engines call otherwise."""
_Line = TypeVar("_Line", "Line", "Numbers")


class Line(BaseModel):
    """How one rollout ended: a line of `scores.jsonl`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    step: int
    split: Split = "train"
    attempt: int = 0
    id: str
    """Of its trajectory, if it was kept."""
    group: str
    """Which photo it was about, by the hash of its bytes."""
    score: float
    km: float | None
    """From the answer to the truth; None without an answer."""
    band: str
    status: Status
    stop: str
    masked: bool = False
    calls: int = 0
    failed_calls: int = 0
    faults: int = 0
    turns: int = 0
    tokens: int = 0
    grounded: bool | None = None
    tools: dict[str, int] = {}
    """Calls by tool."""

    @classmethod
    def of(
        cls,
        scored: Scored,
        outcome: Outcome,
        *,
        step: int,
        id: str,  # noqa: A002 - its name in the file
        group: str,
        split: Split = "train",
    ) -> Line:
        """Return the line of a rollout."""
        tools: dict[str, int] = {}
        for use in outcome.tools:
            tools[use.name] = tools.get(use.name, 0) + 1
        return cls(
            step=step,
            split=split,
            id=id,
            group=group,
            score=scored.score,
            km=round(scored.km, 4) if math.isfinite(scored.km) else None,
            band=scored.band,
            status=scored.status,
            stop=outcome.stop,
            masked=scored.masked,
            calls=scored.calls,
            failed_calls=scored.failed_calls,
            faults=scored.faults,
            turns=outcome.turns,
            tokens=outcome.tokens,
            grounded=outcome.grounded,
            tools=tools,
        )


class Numbers(BaseModel):
    """What an engine measured in one step: a line of `metrics.jsonl`."""

    model_config = ConfigDict(frozen=True, extra="allow")

    step: int
    split: Split = "train"
    attempt: int = 0

    @property
    def values(self) -> dict[str, float]:
        """The numbers by their names."""
        return {
            name: float(value)
            for name, value in (self.__pydantic_extra__ or {}).items()
            if isinstance(value, int | float)
        }


class Recorder:
    """Appends to a training's directory."""

    def __init__(self, directory: Path, *, attempt: int | None = None) -> None:
        """Write into this directory, which is made when missing.

        Args:
            directory: Of the training.
            attempt: A number that grows with every start of the training and is the same in all its
                processes; by default the time.

        Raises:
            UserError: it cannot be written to.
        """
        self.directory = directory
        self.attempt = int(time.time()) if attempt is None else attempt
        try:
            (directory / SAMPLES).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"cannot write to {directory} ({error.strerror}): choose another output"
            ) from error

    def metrics(self, step: int, values: Mapping[str, float], split: Split = "train") -> None:
        """Append what was measured in a step; what is no finite number is left out, as JSON has none."""
        kept = {name: value for name, value in values.items() if math.isfinite(value)}
        line = {"step": step, "split": split, "attempt": self.attempt, **kept}
        append_line(self.directory / METRICS, json.dumps(line))

    def scores(self, lines: Iterable[Line]) -> None:
        """Append how rollouts ended."""
        marked = [line.model_copy(update={"attempt": self.attempt}).model_dump_json() for line in lines]
        if marked:
            append_line(self.directory / SCORES, "\n".join(marked))

    def sample(
        self,
        trajectory: Trajectory,
        step: int,
        split: Split = "train",
        *,
        truth: LatLon | None = None,
    ) -> Path:
        """Keep a rollout, with its pictures, and return the directory of its step.

        Args:
            trajectory: The rollout; its id is new in the step.
            step: Of the optimiser.
            split: Of the data.
            truth: Where the photo was taken: kept beside the trajectories, as `eval run` keeps it, so that
                they can be scored and shown on a map. No trajectory holds it.
        """
        directory = self._claimed(samples(self.directory, step, split))
        for message in trajectory.messages:
            for picture in message.pictures:
                keep(directory, picture)
        append(directory, trajectory)
        if truth is not None:
            place = truth.wgs84
            entry = Entry(
                id=trajectory.id,
                image=trajectory.messages[1].pictures[0].reference,
                sha256=trajectory.photo.sha256,
                truth=Truth(lat=place.lat, lon=place.lon),
                split=split,
            )
            append_line(directory / MANIFEST, entry.model_dump_json())
            append_line(directory / RESULTS, result_of(trajectory, entry).model_dump_json())
        return directory

    def _claimed(self, directory: Path) -> Path:
        """Return the directory of a step, or another one where an earlier attempt at the step has been.

        Attempts leave a mark there, so that the processes of one attempt need not speak to each other.
        """
        directory.mkdir(exist_ok=True)
        mine = f".attempt-{self.attempt}"
        if any(path.name != mine for path in directory.glob(".attempt-*")):
            directory = directory.with_name(f"{directory.name}-{self.attempt}")
            directory.mkdir(exist_ok=True)
        (directory / mine).touch()
        return directory


def samples(directory: Path, step: int, split: Split = "train") -> Path:
    """Return where a training keeps the rollouts of a step."""
    return directory / SAMPLES / f"{split}-{step:06d}"


def read_metrics(directory: Path) -> list[Numbers]:
    """Return the numbers of a training, a line for each step and split, in this order.

    Raises:
        DataError: a line is damaged.
    """
    return _latest(_lines(directory / METRICS, Numbers))


def read_scores(directory: Path) -> list[Line]:
    """Return how the rollouts of a training ended.

    Raises:
        DataError: a line is damaged.
    """
    return _latest(_lines(directory / SCORES, Line))


def _lines(path: Path, kind: type[_Line]) -> list[_Line]:
    found: list[_Line] = []
    for number, text in enumerate(whole_lines(path), 1):
        try:
            found.append(kind.model_validate_json(text))
        except ValidationError as error:
            why = error.errors(include_url=False)[0]["msg"]
            raise DataError(f"{path}:{number}: {why}; remove the line") from None
    return found


def _latest(lines: list[_Line]) -> list[_Line]:
    """Leave out what an earlier attempt at the same step wrote."""
    attempts: dict[tuple[str, int], int] = {}
    for line in lines:
        place = line.split, line.step
        attempts[place] = max(attempts.get(place, line.attempt), line.attempt)
    kept = [line for line in lines if line.attempt == attempts[line.split, line.step]]
    return sorted(kept, key=lambda line: (line.split, line.step))


def conversation(
    toolbox: Toolbox, photo: Picture, said: Sequence[Message | str], log: Sequence[Made]
) -> tuple[Message, ...]:
    """Put a rollout's messages together as the agent loop has them.

    Args:
        toolbox: Its tools.
        photo: Its photo.
        said: The model's turns, whole, with their calls in the text or apart.
        log: Of its episode.
    """
    messages = [
        Message.of("system", prompts.system(toolbox.toolset)),
        Message.of("user", photo, prompts.question()),
    ]
    left = list(log)
    for turn in said:
        message = Message.of("assistant", turn) if isinstance(turn, str) else turn
        if not message.tool_calls:
            message = hermes.with_calls(message)
        made = _taken(left, [call.name for call in message.tool_calls])
        if made:
            message = message.model_copy(update={"tool_calls": tuple(one.call for one in made)})
        messages.append(message)
        messages += [
            Message.of("tool", one.reply.text, *one.reply.pictures, tool_call_id=one.call.id) for one in made
        ]
    return tuple(messages)


def _taken(left: list[Made], names: Sequence[str]) -> list[Made]:
    """Take the calls of the next turn out of a log, if it is the turn with these calls.

    An engine may leave out calls, such as broken ones or those beyond its limit, or not run a turn at all.
    """
    made = [one for one in left if one.turn == left[0].turn]
    wanted = iter(names)
    if not made or not all(one.call.name in wanted for one in made):
        return []
    del left[: len(made)]
    return made


def trajectory(
    toolbox: Toolbox,
    photo: Picture,
    said: Sequence[Message | str],
    log: Sequence[Made],
    outcome: Outcome,
    *,
    id: str,  # noqa: A002 - its name in the record
    model: str,
    asked: int = 0,
    limits: Limits | None = None,
    seed: int = 0,
    seconds: float = 0.0,
) -> Trajectory:
    """Return a rollout as the record of a run.

    Nothing that the reward knows is in it.

    Args:
        toolbox: Its tools.
        photo: Its photo; the record knows it by its content alone.
        said: The model's turns, the last of which is `outcome.final`.
        log: Of its episode.
        outcome: How it ended.
        id: New in the training.
        model: What the record calls the model, such as `run/step-20`.
        asked: After how many of its turns the model was told that it has to answer; 0 if it was not.
        limits: Turns and calls that it had.
        seed: Of the sampling, where there is one.
        seconds: How long it took.
    """
    parsed = answers.parse(outcome.final)
    answer = in_wgs84(parsed, toolbox.datum) if isinstance(parsed, Answer) else None
    stop = _stop(outcome.stop)
    told = [Message.of("user", prompts.ANSWER_NOW)] if asked else []
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return Trajectory(
        id=id,
        photo=PhotoInfo(sha256=photo.sha256, width=photo.width, height=photo.height),
        model=model,
        toolset=toolbox.name,
        datum=toolbox.datum,
        limits=limits or Limits(),
        seed=seed,
        started=now,
        seconds=round(seconds, 3),
        messages=conversation(toolbox, photo, [*said[:asked], *told, *said[asked:]], log),
        tools=tuple(_events(id, now, log)),
        usage=Usage(completion_tokens=outcome.tokens),
        status=status_of(parsed, stop),
        stop_reason=stop,
        answer=answer,
        detail="" if isinstance(parsed, Answer) else parsed.detail,
    )


def _stop(stop: str) -> StopReason:
    known: Any = _STOPS.get(stop, stop)
    return StopReason(known) if known in set(StopReason) else StopReason.FINISHED


def _events(run: str, at: str, log: Sequence[Made]) -> Iterable[ToolStarted | ToolEnded]:
    number = 0
    for made in log:
        stamp: dict[str, Any] = {"run": run, "at": at, "elapsed": 0.0, "turn": made.turn}
        call, use = made.call, made.reply.use
        stamp |= {"call_id": call.id, "tool": call.name}
        yield ToolStarted(number=number, arguments=call.arguments, **stamp)
        yield ToolEnded(
            number=number + 1,
            seconds=use.seconds,
            error=use.error,
            pictures=made.reply.pictures,
            source=made.source,
            **stamp,
        )
        number += 2
