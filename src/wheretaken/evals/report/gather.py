"""From paths to `Run`s: results, their score, what the health checks say, and what trajectories add."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken.agent import trajectory
from wheretaken.errors import PhotoError
from wheretaken.evals.distances import result_distances_km
from wheretaken.evals.health import check
from wheretaken.evals.report.habits import Habits
from wheretaken.evals.report.model import Run
from wheretaken.evals.results import read_results
from wheretaken.evals.results.runs import is_run
from wheretaken.evals.running.settings import CONFIG, Config
from wheretaken.photos import load
from wheretaken.scoring.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wheretaken.evals.model import DataSet, Result
    from wheretaken.evals.results import Reading
    from wheretaken.photos import Photo


def gather(paths: Sequence[Path], *, reading: Reading = "tolerant", data: DataSet | None = None) -> list[Run]:
    """Read every path as a run; see `read_results` for what a path may be.

    Raises:
        DataError: a file cannot be used; the message names file, line and remedy.
    """
    places = [path.parent if path.is_file() and is_run(path) else path for path in paths]
    return [_run(path, name, reading, data) for path, name in zip(places, _names(places), strict=True)]


def _run(path: Path, name: str, reading: Reading, data: DataSet | None) -> Run:
    results = list(read_results(path, reading=reading, data=data))
    km = result_distances_km(results)
    tally = Tally()
    tally.add(km, [result.status for result in results])
    directory = path if path.is_dir() else None
    habits = Habits()
    stream = habits.watch(trajectory.read(directory)) if directory else ()
    findings = check(results, trajectories=stream)
    return Run(
        name, results, km, tally.score(name), findings, habits, directory, _settings(directory, results)
    )


def _names(paths: Sequence[Path]) -> list[str]:
    """Return a short name for each path: its last part, more of it where two would be called the same."""
    bare = [path.resolve() for path in paths]
    resolved = [path.with_name(path.name.removesuffix(".gz").removesuffix(".jsonl")) for path in bare]
    most = max(len(path.parts) for path in resolved)
    spelt = (["/".join(path.parts[-length:]) for path in resolved] for length in range(1, most + 1))
    names = next(names for names in spelt if len(set(names)) == len(set(resolved)))
    return [
        f"{name} ({names[:at].count(name) + 1})" if name in names[:at] else name
        for at, name in enumerate(names)
    ]


def _settings(directory: Path | None, results: Sequence[Result]) -> str:
    """Return in a few words how a run was made, as far as its files say."""
    if directory and (directory / CONFIG).is_file() and (config := Config.read(directory)):
        several = f", {config.n} runs a photo, verifier {config.verifier}" if config.n > 1 else ""
        return f"{config.model} with {config.toolset}{several}, on {config.data.name}"
    models = sorted({result.model for result in results if result.model})
    sets = sorted({result.data_source for result in results if result.data_source})
    return ", on ".join(part for part in (", ".join(models), ", ".join(sets)) if part)


def photo_of(run: Run, result: Result) -> Photo | None:
    """Return the picture that a run was shown, or None when its files do not have it."""
    if run.directory is None:
        return None
    for reference in (run.habits.pictures[one] for one in result.runs if one in run.habits.pictures):
        try:
            return load(run.directory / reference)
        except PhotoError:
            continue  # a report without this picture is worth more than none
    return None
