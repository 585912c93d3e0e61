"""What a person should look at first in the records of a training."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from wheretaken.evals.health import Finding
from wheretaken.rl.inspect.curves import plots, reward

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wheretaken.rl.inspect.curves import Plot
    from wheretaken.rl.inspect.records import Training
    from wheretaken.rl.records import Line

_PART = 5
"""The first and the last fifth of the steps are compared."""
_FEWEST = 10
"""Steps below which nothing is said of a trend."""
_LIMITS = {
    "length": (
        0.2,
        "were cut off by the length limit",
        "raise recipe.response_tokens, or use a length penalty",
    ),
    "unparsed": (
        0.2,
        "ended without an answer that can be read",
        "train the format first, with experts' runs",
    ),
}
CHECKED = (
    "Looked for: a reward that does not rise, groups that teach nothing, rollouts that are cut off or cannot "
    "be read, services that fail, and a policy that has no choice left."
)


def findings(training: Training) -> list[Finding]:
    """Return what is worth a look, the worst first."""
    return sorted(_all(training), key=lambda one: one.severity != "error")


def _all(training: Training) -> Iterator[Finding]:
    steps = training.rollouts.get("train", {})
    last = [one for step in list(steps)[-max(len(steps) // _PART, 1) :] for one in steps[step]]
    if not last:
        yield Finding("warning", "No rollout of the training is recorded", "There is nothing to look at yet.")
        return
    yield from _trend(training)
    counts = Counter(one.stop for one in last) + Counter(str(one.status) for one in last)
    for name, (limit, what, remedy) in _LIMITS.items():
        if (share := counts[name] / len(last)) > limit:
            yield Finding("warning", f"{share:.0%} of the last rollouts {what}", f"To mend it, {remedy}.")
    yield from _services(last)
    for plot in plots(training):
        yield from _of_plot(plot)


def _trend(training: Training) -> Iterator[Finding]:
    curve = reward(training, "train").values
    if len(curve) < _FEWEST:
        return
    part = max(len(curve) // _PART, 1)
    first, last = sum(curve[:part]) / part, sum(curve[-part:]) / part
    if last < 0.8 * first:
        yield Finding(
            "error",
            f"The reward fell from {first:.3f} to {last:.3f}",
            "Means of the first and the last fifth of the steps. The learning rate may be too high.",
        )
    elif last <= first + 0.01:
        yield Finding(
            "warning",
            f"The reward did not rise: {first:.3f}, then {last:.3f}",
            "Means of the first and the last fifth of the steps. Look at the groups without a signal first.",
        )


def _services(last: Sequence[Line]) -> Iterator[Finding]:
    calls, faults = sum(one.calls for one in last), sum(one.faults for one in last)
    if calls and faults / calls > 0.02:
        yield Finding(
            "error" if faults / calls > 0.2 else "warning",
            f"Services failed in {faults / calls:.1%} of the last calls",
            "Look at the log of the tool server; reward.fault_neutral leaves such rollouts out.",
        )


def _of_plot(plot: Plot) -> Iterator[Finding]:
    end = plot.series[0].smooth[-1] if plot.series[0].values else None
    if end is None:
        return
    if plot.id == "train-equal" and end > 0.8:
        yield Finding(
            "warning",
            f"{end:.0%} of the groups teach nothing",
            "All their rollouts earn the same. Choose photos by --pass-rates, or use larger groups.",
        )
    if plot.id == "entropy" and len(plot.series[0].values) >= _FEWEST and end < 0.01:
        yield Finding(
            "warning",
            "The policy has hardly a choice left",
            f"Its entropy is {end:.4f}: a group's rollouts are nearly the same, and nothing more is learned.",
        )
