"""Signs that a set of results does not measure what it seems to: looked for in every report.

The model: `check` is given results (and, where there are any, the trajectories behind them) and returns what
it found, worst first; an empty list is good news. It changes no number: whoever shows the numbers shows the
findings above them. Every limit is a constant here, set so that the published answers of models that did look
at the pictures are no error when a person reads them.

Prompts are searched for the truth only before the model first speaks: later text may name the right place
because a tool found it, which is the task. Both coordinates must be there, so that one number that is equal
by chance is no finding; names of cities are not looked for, as a prompt may hold them as an example.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from wheretaken.agent.events import Status
from wheretaken.evals.distances import result_distances_km
from wheretaken.evals.results.register import MISSING
from wheretaken.geo import Datum, LatLon
from wheretaken.geo.latlon import distances_km
from wheretaken.scoring.ladder import label

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wheretaken.agent.trajectory import Trajectory
    from wheretaken.answers import Answer
    from wheretaken.evals.model import Result, Truth

Severity = Literal["error", "warning"]

SHARE_LIMITS: dict[Status, tuple[float, float]] = {
    Status.UNPARSED: (0.05, 0.2),
    Status.REFUSED: (0.1, 0.5),
    Status.FAILED: (0.0, 0.05),
}
"""(warning above, error above): the share of photos with this status. Each moves Acc by up to itself."""
TWICE_SHARE = 0.01
"""Above this share of photos with extra results it is an error; public sets hold a few pictures twice."""
REPEATED_POSITIONS = 3
REPEATED_SHARE = 0.25
"""So many positions may be wrong answers to this share of the photos; published models reach 0.15."""
_REPEATED_DECIMALS = 2
"""Positions are the same when they agree to 0.01 degrees, about a kilometre."""
_FAR_KM = 25.0
"""Beyond this a repeated answer is no longer one good answer to many photos of one town."""
_FEWEST = 20
"""With fewer photos, repetition and chance mean nothing."""
_SHUFFLES = 200
_TESTED_PHOTOS = 1000
CHANCE_P = 0.01
"""Above this probability, answers are as near to other photos' truths as to their own."""
_NEAREST_KM = 0.01
"""Distances below count as this in a mean of logarithms."""
_EXAMPLES = 5
_NUMBER = re.compile(r"(?<![\d.])\d{1,3}\.\d{3,}")
"""Without a sign, which may be a letter for the hemisphere instead."""
_METRE_DEG = 1e-5
"""About a metre: two records of one position may differ by that."""
_SHORTEST_NAME = 5
"""A shorter file name may stand in a prompt by chance."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a reader has to know before the numbers."""

    severity: Severity
    """`error`: do not trust the numbers; `warning`: know this when you compare them."""
    title: str
    """One line, with the number."""
    detail: str
    """What it means and what to do."""
    examples: tuple[str, ...] = ()
    """Ids of photos, or what was found there."""


def check(results: Sequence[Result], *, trajectories: Iterable[Trajectory] = ()) -> list[Finding]:
    """Return what is wrong with the results of one run, errors first.

    Args:
        results: one per photo, those without an answer too.
        trajectories: the runs behind them, read once, so that they may be a stream.
    """
    found = [*_incomplete(results), *_statuses(results), *_twice(results), *_null_island(results)]
    if len(results) >= _FEWEST:
        found += [*_repeated(results), *_ignores_images(results)]
    found += _leaks(results, trajectories)
    return sorted(found, key=lambda finding: finding.severity != "error")


def _incomplete(results: Sequence[Result]) -> Iterator[Finding]:
    if not results:
        yield Finding("error", "There are no results", "The file or directory holds no photo with its truth.")
    missing = [result.id for result in results if _is_missing(result)]
    if missing:
        yield Finding(
            "error",
            f"{_photos(len(missing))} of the data set {_has(len(missing))} no result",
            "It is not complete. Every rate counts them as wrong; a run goes on with `eval run --resume`.",
            tuple(missing[:_EXAMPLES]),
        )


def _is_missing(result: Result) -> bool:
    return result.status is Status.FAILED and result.detail == MISSING


_MEANING = {
    Status.UNPARSED: "No position could be read in the text: look at some of them before you compare.",
    Status.REFUSED: "The model gave no place. Every rate counts these photos as wrong.",
    Status.FAILED: "A model, a service or the run broke off. Every rate counts these photos as wrong.",
}


def _statuses(results: Sequence[Result]) -> Iterator[Finding]:
    for status, (warn, err) in SHARE_LIMITS.items():
        those = [r for r in results if r.status is status and not _is_missing(r)]
        share = len(those) / len(results) if results else 0.0
        if share > warn:
            yield Finding(
                "error" if share > err else "warning",
                f"{share:.1%} of the photos {status.value} ({len(those)} of {len(results)})",
                _MEANING[status],
                tuple(_example(result.id, result.detail) for result in those[:_EXAMPLES]),
            )


def _twice(results: Sequence[Result]) -> Iterator[Finding]:
    """Find ids with more results than others have; so many runs of every photo are no fault."""
    counts = Counter(result.id for result in results)
    usual = min(counts.values(), default=0)
    often = [name for name, count in counts.items() if count > usual]
    if often:
        yield Finding(
            "error" if len(often) > TWICE_SHARE * len(counts) else "warning",
            f"{_photos(len(often))} {_has(len(often))} more results than the others",
            "They weigh more in every rate: the set has a picture twice, or a line is repeated.",
            tuple(often[:_EXAMPLES]),
        )


def _null_island(results: Sequence[Result]) -> Iterator[Finding]:
    step = 10**-_REPEATED_DECIMALS
    those = [r.id for r in results if r.answer and abs(r.answer.lat) < step and abs(r.answer.lon) < step]
    if those:
        yield Finding(
            "warning",
            f"{_photos(len(those))} answered with 0, 0",
            "That is a point in the sea which stands for a missing value.",
            tuple(those[:_EXAMPLES]),
        )


def _repeated(results: Sequence[Result]) -> Iterator[Finding]:
    """Find positions that were given again and again for photos that were taken elsewhere."""
    wrong: defaultdict[tuple[float, float], list[str]] = defaultdict(list)
    for result, km in zip(results, result_distances_km(results).tolist(), strict=True):
        if result.answer and km > _FAR_KM:
            wrong[_cell(result.answer)].append(result.id)
    often = sorted(wrong.items(), key=lambda item: (-len(item[1]), item[0]))[:REPEATED_POSITIONS]
    share = sum(len(ids) for _, ids in often) / len(results)
    if share > REPEATED_SHARE:
        yield Finding(
            "error",
            f"The same {len(often)} positions answer {share:.0%} of the photos, all taken elsewhere"
            if len(often) > 1
            else f"The same position answers {share:.0%} of the photos, all taken elsewhere",
            f"They are more than {label(_FAR_KM)} off. So answers a model that never saw the pictures: "
            "check that they arrive.",
            tuple(f"{lat:.2f}, {lon:.2f}: {_photos(len(ids))}" for (lat, lon), ids in often),
        )


def _cell(answer: Answer) -> tuple[float, float]:
    return round(answer.lat, _REPEATED_DECIMALS), round(answer.lon, _REPEATED_DECIMALS)


def _ignores_images(results: Sequence[Result]) -> Iterator[Finding]:
    """Test whether answers are nearer to their own truth than to that of another photo.

    A permutation test on the mean logarithm of the distance, one-sided, with a fixed seed (Good,
    "Permutation, Parametric and Bootstrap Tests of Hypotheses", 2005, chapter 3).
    """
    answered = [(result.answer, result.truth) for result in results if result.answer]
    given = np.array([(answer.lat, answer.lon) for answer, _ in answered])
    true = np.array([(truth.lat, truth.lon) for _, truth in answered])
    if len(answered) < _FEWEST or (true == true[0]).all():
        return
    generator = np.random.default_rng(0)
    if len(answered) > _TESTED_PHOTOS:
        kept = generator.choice(len(answered), _TESTED_PHOTOS, replace=False)
        given, true = given[kept], true[kept]

    def mean_log(order: np.ndarray) -> float:
        km = distances_km(given[:, 0], given[:, 1], true[order, 0], true[order, 1])
        return float(np.log(np.maximum(km, _NEAREST_KM)).mean())

    own = mean_log(np.arange(len(true)))
    as_good = sum(mean_log(generator.permutation(len(true))) <= own for _ in range(_SHUFFLES))
    p = (as_good + 1) / (_SHUFFLES + 1)
    if p > CHANCE_P:
        yield Finding(
            "error",
            "The answers are no nearer to their own photo's place than to another photo's",
            f"With the truths shuffled they are as near (p = {p:.2g}, {_SHUFFLES} shuffles of "
            f"{_photos(len(true))}). Either the pictures were not looked at, or ids and truths are mixed up.",
        )


def _leaks(results: Sequence[Result], trajectories: Iterable[Trajectory]) -> Iterator[Finding]:
    by_run = {run: result for result in results for run in result.runs}
    by_photo = {result.sha256: result for result in results if result.sha256}
    told: list[str] = []
    named: list[str] = []
    for trajectory in trajectories:
        result = by_run.get(trajectory.id) or by_photo.get(trajectory.photo.sha256)
        if result is None:
            continue
        prompt = "\n".join(_prompts(trajectory))
        if position := _told(prompt, result.truth):
            told.append(_example(result.id, position))
        names = {name.replace("\\", "/").rsplit("/", 1)[-1] for name in (trajectory.photo.path, result.image)}
        if name := next((n for n in sorted(names) if len(n) >= _SHORTEST_NAME and n in prompt), ""):
            named.append(_example(result.id, name))
    if told:
        yield Finding(
            "error",
            f"The prompt holds the photo's position in {_runs(len(told))}",
            "The model was told the answer before it spoke.",
            tuple(told[:_EXAMPLES]),
        )
    if named:
        yield Finding(
            "warning",
            f"The prompt holds the photo's file name in {_runs(len(named))}",
            "File names often tell the place. A model should see the picture only.",
            tuple(named[:_EXAMPLES]),
        )


def _prompts(trajectory: Trajectory) -> Iterator[str]:
    """Yield the texts that the model was given before it first spoke."""
    for message in trajectory.messages:
        if message.role == "assistant":
            return
        yield message.text


def _told(prompt: str, truth: Truth) -> str:
    """Return the truth as the prompt has it, in any datum, to three decimals or more, else ""."""
    numbers = set(_NUMBER.findall(prompt))
    true = LatLon(truth.lat, truth.lon)
    for position in (true, true.to(Datum.GCJ02), true.to(Datum.BD09)):
        lat = next((text for text in sorted(numbers) if _is_written(text, position.lat)), "")
        lon = next((text for text in sorted(numbers) if _is_written(text, position.lon)), "")
        if lat and lon:
            return f"{lat}, {lon}"
    return ""


def _is_written(text: str, value: float) -> bool:
    """Tell whether a decimal number is `value` without its sign, rounded or cut off where the text ends."""
    step = max(10.0 ** -len(text.partition(".")[2]), _METRE_DEG)
    return abs(float(text) - abs(value)) < step


def _photos(count: int) -> str:
    return "1 photo" if count == 1 else f"{count} photos"


def _has(count: int) -> str:
    return "has" if count == 1 else "have"


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def _example(name: str, what: str) -> str:
    return f"{name}: {what}" if what else name
