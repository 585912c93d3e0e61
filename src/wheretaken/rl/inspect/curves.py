"""Plots of a training: what was earned, found, called and written, step by step."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from wheretaken import scoring
from wheretaken.agent.events import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from wheretaken.rl.inspect.records import Training
    from wheretaken.rl.records import Line, Numbers, Split

    Steps = Mapping[int, Sequence[Line]]
    """The rollouts of each step."""

Unit = Literal["share", "number"]
SPLITS: tuple[tuple[Split, str], ...] = (("train", "training"), ("val", "validation"))
MOST_SERIES = 6
"""As many line styles as the page has."""
_WINDOWS = 20
"""A curve with more points is averaged, so that about this many independent ones are left."""
_RIGHT_KM = 10.0
"""Near enough for pass@k, as `eval split` has it."""
_METRICS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("entropy", "Entropy of the policy", ("entropy", "actor/entropy")),
    ("kl", "KL divergence from the first weights", ("kl", "kl_loss", "actor/kl_loss", "actor/ppo_kl")),
    ("loss", "Loss", ("loss", "actor/pg_loss", "actor/loss")),
    ("grad_norm", "Norm of the gradient", ("grad_norm", "actor/grad_norm")),
    ("learning_rate", "Learning rate", ("learning_rate", "actor/lr")),
    ("step_s", "Seconds a step", ("step_s", "step_time", "perf/time_per_step", "timing_s/step")),
    ("tokens_s", "Tokens a second", ("tokens_s", "perf/throughput")),
)
"""Our name, title, and what engines call it; the first that is there is taken."""


@dataclass(frozen=True)
class Series:
    """One curve."""

    name: str
    steps: Sequence[int]
    values: Sequence[float]

    @property
    def smooth(self) -> Sequence[float]:
        """The running mean that is drawn where there are many points."""
        width = window(len(self.values))
        if width == 1:
            return self.values
        values = np.asarray(self.values, dtype=np.float64)
        half = width // 2
        sums = np.concatenate([[0.0], np.cumsum(values)])
        first = np.maximum(np.arange(len(values)) - half, 0)
        last = np.minimum(np.arange(len(values)) + half + 1, len(values))
        return ((sums[last] - sums[first]) / (last - first)).tolist()


@dataclass(frozen=True)
class Plot:
    """One drawing."""

    id: str
    title: str
    caption: str
    series: Sequence[Series]
    unit: Unit = "number"

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest value that are drawn; a share is drawn from 0 to 1."""
        if self.unit == "share":
            return 0.0, 1.0
        values = [value for series in self.series for value in series.smooth]
        low, high = min(values, default=0.0), max(values, default=1.0)
        # What is nearly nothing but counts is measured from 0.
        low = 0.0 if 0 <= low < high / 2 or low == high > 0 else low
        return (low, high) if high > low else (low - 0.5, low + 0.5)


def window(points: int) -> int:
    """Return over how many points a curve of so many is averaged."""
    return 1 if points < 2 * _WINDOWS else points // _WINDOWS


def plots(training: Training) -> list[Plot]:
    """Return every plot for which there are records."""
    made = [
        _reward(training),
        *(plot for split, name in SPLITS for plot in _of_split(training, split, name)),
        *_numbers(training),
    ]
    return [plot for plot in made if any(series.values for series in plot.series)]


def reward(training: Training, split: Split) -> Series:
    """Return the mean reward of a split, by its usual name."""
    steps = training.rollouts.get(split, {})
    return _curve(dict(SPLITS)[split], steps, lambda rollouts: _mean(r.score for r in rollouts))


def _reward(training: Training) -> Plot:
    """Return what was earned; training and validation in one drawing."""
    caption = "Of all rollouts of a step; the ladder gives 1 within 500 m and 0 beyond 750 km."
    masked = sum(
        one.masked for steps in training.rollouts.values() for step in steps.values() for one in step
    )
    if masked:
        caption += f" {masked:,} rollouts in which a service failed are in it, and were not learned from."
    return Plot("reward", "Mean reward", caption, [reward(training, split) for split, _ in SPLITS])


def _of_split(training: Training, split: Split, name: str) -> list[Plot]:
    """Return the plots of a split's rollouts."""
    steps = training.rollouts.get(split, {})
    if not steps:
        return []
    made = _found(steps) if split == "val" else [*_found(steps), *_went(steps)]
    before = f"{name}: " if split == "val" else ""
    return [replace(plot, id=f"{split}-{plot.id}", title=_capital(f"{before}{plot.title}")) for plot in made]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _found(steps: Steps) -> list[Plot]:
    """Return what rollouts found."""
    statuses = _shares(steps, lambda r: r.status, [str(status) for status in Status])
    within = f"Probability that one of k rollouts of a photo is within {_RIGHT_KM:g} km."
    return [
        Plot(
            "acc", "how near the answers are", "Share of rollouts within each distance.", _acc(steps), "share"
        ),
        Plot("earned", "reward by distance", "What each band adds to the mean reward.", _earned(steps)),
        Plot("status", "what rollouts end with", "Share of rollouts.", statuses, "share"),
        Plot("passk", "pass@k", within, _pass_at(steps), "share"),
    ]


def _went(steps: Steps) -> list[Plot]:
    """Return how rollouts went."""
    failed = "Share of calls: the model got them wrong, or a service failed."
    grounded = "Share of answers whose place a tool told of or showed."
    equal = "Share of groups all of whose rollouts earned the same."
    turns = [_curve("turns", steps, lambda rollouts: _mean(r.turns for r in rollouts))]
    stops = _shares(steps, lambda r: r.stop)
    return [
        Plot("stops", "why rollouts end", "Share of rollouts.", stops, "share"),
        Plot("calls", "tool calls", "Calls of a rollout, by tool.", _calls(steps)),
        Plot("failures", "calls that failed", failed, _failures(steps), "share"),
        Plot("grounded", "grounded answers", grounded, _grounded(steps), "share"),
        Plot("turns", "turns", "Of the model, mean.", turns),
        Plot("tokens", "tokens that the model wrote", "Of a rollout.", _tokens(steps)),
        Plot("equal", "groups without a signal", equal, [_curve("groups", steps, _equal)], "share"),
    ]


def _acc(steps: Steps) -> list[Series]:
    return [
        _curve(
            f"within {_spaced(limit)}",
            steps,
            lambda rollouts, limit=limit: _mean(r.km is not None and r.km < limit for r in rollouts),
        )
        for limit in scoring.ACC_KM
    ]


def _earned(steps: Steps) -> list[Series]:
    def share(name: str) -> Callable[[Sequence[Line]], float]:
        return lambda rollouts: _mean(r.score if r.band == name else 0.0 for r in rollouts)

    return [
        _curve(f"within {_spaced(limit)}", steps, share(scoring.label(limit))) for limit in scoring.ACC_KM
    ]


def _spaced(km: float) -> str:
    return f"{km * 1000:g} m" if km < 1 else f"{km:g} km"


def _shares(steps: Steps, kind: Callable[[Line], str], names: Sequence[str] = ()) -> list[Series]:
    """Return the share of each kind; of many kinds, the most frequent."""
    counts = Counter(str(kind(r)) for rollouts in steps.values() for r in rollouts)
    shown = [name for name in names if counts[name]] or [name for name, _ in counts.most_common(MOST_SERIES)]
    return [
        _curve(name, steps, lambda rollouts, name=name: _mean(str(kind(r)) == name for r in rollouts))
        for name in shown
    ]


def _calls(steps: Steps) -> list[Series]:
    counts = Counter[str]()
    for rollouts in steps.values():
        for r in rollouts:
            counts.update(r.tools)
    names = [name for name, _ in counts.most_common(MOST_SERIES - 1)]
    made = [_curve("all", steps, lambda rollouts: _mean(r.calls for r in rollouts))]
    return made + [
        _curve(
            name or "(no name)",
            steps,
            lambda rollouts, name=name: _mean(r.tools.get(name, 0) for r in rollouts),
        )
        for name in names
    ]


def _failures(steps: Steps) -> list[Series]:
    def share(part: Callable[[Line], int]) -> Callable[[Sequence[Line]], float]:
        return lambda rollouts: sum(map(part, rollouts)) / max(sum(r.calls for r in rollouts), 1)

    return [
        _curve("wrong calls", steps, share(lambda r: r.failed_calls)),
        _curve("service faults", steps, share(lambda r: r.faults)),
    ]


def _grounded(steps: Steps) -> list[Series]:
    def share(rollouts: Sequence[Line]) -> float:
        known = [r.grounded for r in rollouts if r.grounded is not None and r.status is Status.ANSWERED]
        return _mean(known)

    return [_curve("grounded", steps, share)]


def _tokens(steps: Steps) -> list[Series]:
    return [
        _curve("mean", steps, lambda rollouts: _mean(r.tokens for r in rollouts)),
        _curve(
            "nine of ten are shorter",
            steps,
            lambda rollouts: float(np.quantile([r.tokens for r in rollouts], 0.9)),
        ),
    ]


def _equal(rollouts: Sequence[Line]) -> float:
    """Return the share of groups that teach nothing."""
    return _mean(
        max(r.score for r in group) - min(r.score for r in group) < 1e-9
        for group in _groups(rollouts)
        if len(group) > 1
    )


def _pass_at(steps: Steps) -> list[Series]:
    """Return pass@k for the k that the groups allow.

    The unbiased estimator 1 - C(n-c, k) / C(n, k) of c right ones in n. Source: Chen et al., "Evaluating
    Large Language Models Trained on Code", 2021, arXiv 2107.03374, equation 1.
    """
    smallest = min((len(group) for rollouts in steps.values() for group in _groups(rollouts)), default=0)
    most = [2**power for power in range(MOST_SERIES) if 2**power <= smallest]
    return [
        _curve(
            f"pass@{k}", steps, lambda rollouts, k=k: _mean(_passes(group, k) for group in _groups(rollouts))
        )
        for k in most
    ]


def _passes(group: Sequence[Line], k: int) -> float:
    right = sum(r.km is not None and r.km < _RIGHT_KM for r in group)
    return 1.0 - math.comb(len(group) - right, k) / math.comb(len(group), k)


def _groups(rollouts: Iterable[Line]) -> list[list[Line]]:
    groups: dict[str, list[Line]] = {}
    for one in rollouts:
        groups.setdefault(one.group, []).append(one)
    return list(groups.values())


def _numbers(training: Training) -> list[Plot]:
    steps = training.numbers.get("train", {})
    made: list[Plot] = []
    for id_, title, names in _METRICS:
        there = next((name for name in names if any(name in one.values for one in steps.values())), None)
        if there:
            made.append(Plot(id_, title, f"As the engine measured it ({there}).", [_metric(steps, there)]))
    return made


def _metric(steps: Mapping[int, Numbers], name: str) -> Series:
    found = [(step, one.values[name]) for step, one in sorted(steps.items()) if name in one.values]
    return Series(name, [step for step, _ in found], [value for _, value in found])


def _curve(name: str, steps: Steps, value: Callable[[Sequence[Line]], float]) -> Series:
    found = [(step, value(rollouts)) for step, rollouts in sorted(steps.items())]
    kept = [(step, number) for step, number in found if math.isfinite(number)]
    return Series(name, [step for step, _ in kept], [number for _, number in kept])


def _mean(values: Iterable[float]) -> float:
    kept = [float(value) for value in values]
    return math.fsum(kept) / len(kept) if kept else math.nan
