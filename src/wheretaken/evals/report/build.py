"""From runs to the report about them: which sections there are, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken import __version__
from wheretaken.evals.report import calibration, charts, costs, scores, worst
from wheretaken.evals.report.model import Report, Section
from wheretaken.evals.report.worldmap import View, error_map
from wheretaken.scoring import LADDER, label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.evals.health import Finding
    from wheretaken.evals.report.model import Run
    from wheretaken.evals.results import Reading

_CHECKED = (
    "Looked for: photos without a result, failed, refused or unreadable answers, photos that count twice, "
    "answers at 0, 0, a few positions repeated over many photos, answers no nearer to their own photo's "
    "place than to another's, and prompts that hold the position or the photo's name."
)
_LADDER = ", ".join(f"{earned:g} within {label(km)}" for km, earned in LADDER)
_TERMS = {
    "Acc@d": "The share of all photos whose answer is strictly nearer than d to the true place, on the "
    "WGS-84 ellipsoid. A photo without an answer counts as wrong.",
    "score": f"The mean reward, 0 to 1: {_LADDER}, else 0.",
    "median": "Half of all photos are nearer. A dash: no more than half of them have an answer.",
    "GeoScore": "The mean of 5000 exp(-d / 1492.7 km), 0 to 5000.",
    "interval": "95 %: Wilson's for shares, the central limit theorem's for score and GeoScore, a paired "
    "bootstrap over photos for differences between runs.",
    "answered, refused, unparsed, failed": "A position was given; the model said that it gives none; no "
    "position could be read in its text; the run broke off or there is no result.",
}


def build(runs: Sequence[Run], *, reading: Reading = "tolerant") -> Report:
    """Put the report about some runs together.

    Args:
        runs: at least one; their order is kept.
        reading: how texts were read, which the report states.
    """
    size = f"{len(runs)} runs" if len(runs) > 1 else f"{runs[0].score.n:,} photos"
    return Report(
        title=f"Where taken? {runs[0].name}" if len(runs) == 1 else "Where taken? Runs side by side",
        subtitle=f"{size}; answers read from texts the {reading} way. Measured by wheretaken {__version__}.",
        runs=charts.run_keys(runs),
        findings=_findings(runs),
        checked=_CHECKED,
        sections=[
            scores.headline(runs),
            _errors(runs),
            *([scores.comparison(runs)] if len(runs) > 1 else []),
            scores.breakdown(runs),
            calibration.section(runs),
            costs.section(runs),
            worst.section(runs),
            Section("terms", "What the words mean", terms=list(_TERMS.items())),
        ],
    )


def _findings(runs: Sequence[Run]) -> list[tuple[str, Finding]]:
    """Return what the health checks found, errors first, each with the names of the runs that it is about."""
    names: dict[Finding, list[str]] = {}
    for run in runs:
        for finding in run.findings:
            names.setdefault(finding, []).append(run.name)
    found = [(", ".join(own), finding) for finding, own in names.items()]
    return sorted(found, key=lambda item: item[1].severity != "error")


def _errors(runs: Sequence[Run]) -> Section:
    truths = [result.truth for run in runs for result in run.results]
    maps = []
    if truths:
        view = View(truths)
        maps = [error_map(run, view) for run in runs if run.results]
    return Section("errors", "How far off, and where", figures=[charts.error_curve(runs), *maps])
