"""The plots as one PNG, for documents and messages."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

from wheretaken.errors import MissingExtraError
from wheretaken.paths import atomic_path
from wheretaken.rl.inspect.curves import Plot, Series, plots, reward, window

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wheretaken.rl.inspect.records import Training

_COLOURS = ("#0a5ca8", "#c2500a", "#00795c", "#a8407f", "#7a6200", "#4b4fb5")
"""Those of the page."""
_DASHES: tuple[Any, ...] = (
    "solid",
    (0, (6, 2)),
    (0, (1.5, 1.5)),
    (0, (6, 2, 1.5, 2)),
    (0, (3, 2)),
    (0, (9, 3)),
)
_COLUMNS = 4
_DPI = 110


def draw(trainings: Sequence[Training], path: Path) -> None:
    """Draw all plots of a training as one picture; of several trainings, their rewards.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - optional, and slow to load
    except ModuleNotFoundError:
        raise MissingExtraError("pictures of a training", "train", "matplotlib") from None
    shown = plots(trainings[0]) if len(trainings) == 1 else [_together(trainings)]
    across = min(_COLUMNS, len(shown))
    down = math.ceil(len(shown) / across)
    # Without pyplot, which keeps figures and looks for a screen.
    figure = cast("Any", Figure(figsize=(4.6 * across, 3.3 * down), dpi=_DPI, layout="constrained"))
    axes = list(figure.subplots(down, across, squeeze=False).flat)
    for axis, plot in zip(axes, shown, strict=False):
        _draw(axis, plot)
    for axis in axes[len(shown) :]:
        axis.set_axis_off()
    figure.supxlabel("step", fontsize=9)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})
        temporary.chmod(0o644)


def _together(trainings: Sequence[Training]) -> Plot:
    curves = [Series(one.name, (curve := reward(one, "train")).steps, curve.values) for one in trainings]
    return Plot("together", "Mean reward", "", curves)


def _draw(axis: Any, plot: Plot) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter  # noqa: PLC0415 - as above

    shown = [series for series in plot.series if series.values]
    for number, series in enumerate(shown):
        style = {"color": _COLOURS[number % 6], "linestyle": _DASHES[number % 6], "linewidth": 1.7}
        if len(shown) <= 2 and window(len(series.values)) > 1:
            axis.plot(series.steps, series.values, color=_COLOURS[number % 6], alpha=0.22, linewidth=0.8)
        marker = "o" if len(series.values) == 1 else None
        axis.plot(series.steps, series.smooth, label=series.name, marker=marker, markersize=4, **style)
    axis.set_title(plot.title, fontsize=10, loc="left", fontweight="bold")
    axis.grid(color="#dcd9d3", linewidth=0.6)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    if plot.unit == "share":
        axis.set_ylim(-0.02, 1.02)
        axis.yaxis.set_major_formatter(PercentFormatter(1.0))
    else:
        axis.ticklabel_format(axis="y", style="sci", scilimits=(-3, 5))
        low, high = plot.bounds
        axis.set_ylim(low - 0.03 * (high - low), high + 0.08 * (high - low))
    if len(shown) > 1:
        axis.legend(fontsize=7, framealpha=0.75, edgecolor="none", loc="best")
