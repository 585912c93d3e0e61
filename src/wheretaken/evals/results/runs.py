"""Our own records: the directory of `eval run`, its results, and plain trajectories.

A run's directory says in its manifest which photos it is about; that is the denominator. Trajectories know
their photo by its bytes only, so that their truth comes from a manifest beside them or from a data set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken.agent.trajectory import FILE, Trajectory
from wheretaken.agent.trajectory import read as read_directory
from wheretaken.errors import DataError
from wheretaken.evals.model import Result
from wheretaken.evals.results.lines import read_lines
from wheretaken.evals.results.register import Register, absent
from wheretaken.evals.running.manifest import MANIFEST
from wheretaken.evals.running.manifest import read as read_manifest
from wheretaken.evals.running.runner import RESULTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wheretaken.evals.model import DataSet
    from wheretaken.evals.running import Entry


def is_run(path: Path) -> bool:
    """Tell whether this is a directory of `eval run`, or the results in one."""
    directory = path.parent if path.name == RESULTS else path
    return (directory / MANIFEST).is_file()


def read_run(directory: Path) -> Iterator[Result]:
    """Yield one result for every photo of the manifest; what the run did not come to has failed.

    Raises:
        DataError: a file is damaged, a photo has two results, or one is not in the manifest.
    """
    path, seen = directory / RESULTS, set[str]()
    for result in read_records(path, killed=True) if path.exists() else ():
        if result.id in seen:
            raise DataError(f"{path} has two results for {result.id!r}: remove one of the lines")
        seen.add(result.id)
        yield result
    for entry in read_manifest(directory):
        if entry.id in seen:
            seen.remove(entry.id)
        else:
            yield absent(entry)
    if seen:
        raise DataError(f"{path} has a result for {min(seen)!r}, which {MANIFEST} beside it lacks: remove it")


def read_records(path: Path, *, killed: bool = False) -> Iterator[Result]:
    """Yield the results that we wrote ourselves."""
    for line in read_lines(path, killed=killed):
        yield line.read(Result, "it is no result of this version: run  wheretaken eval run --resume  again")


def read_trajectories(path: Path, data: DataSet | None) -> Iterator[Result]:
    """Yield a result for every trajectory, then the photos that have none, as failed.

    A picture that the set has in several rows was run once for all of them.

    Args:
        path: a file of trajectories, or a directory of runs.
        data: where the photos were taken; None looks for a manifest beside the trajectories.

    Raises:
        DataError: nothing says where the photos were taken, or one is not in the set.
    """
    directory = path if path.is_dir() else path.parent
    if not any((directory / name).exists() for name in (FILE, "events")) and path.is_dir():
        raise DataError(f"{path} has no results in it: name a directory of runs, or a file")
    if data is not None:
        register = Register.of(data, hashed=True)
    elif (directory / MANIFEST).is_file():
        register = Register(str(directory / MANIFEST), read_manifest(directory))
    else:
        raise DataError(f"{path} holds trajectories, which do not know the truth: add --data PATH")
    seen: set[str] = set()
    for trajectory in read_directory(path) if path.is_dir() else _lines(path):
        entries = register.with_picture(trajectory.photo.sha256)
        if not entries:
            photo = trajectory.photo.path or trajectory.photo.sha256
            raise register.stranger(f"{path} has a run about {photo}")
        for entry in entries:
            seen.add(entry.id)
            yield result_of(trajectory, entry)
    yield from register.missing(seen)


def _lines(path: Path) -> Iterator[Trajectory]:
    for line in read_lines(path, killed=True):
        yield line.read(Trajectory, "it is no trajectory of this version: record it again")


def result_of(trajectory: Trajectory, entry: Entry) -> Result:
    """Return what a run answered about a photo."""
    return Result(
        id=entry.id,
        truth=entry.truth,
        status=trajectory.status,
        answer=trajectory.answer,
        detail=trajectory.detail,
        image=entry.image,
        split=entry.split,
        sha256=trajectory.photo.sha256,
        model=trajectory.model,
        runs=(trajectory.id,),
        seconds=trajectory.seconds,
        usage=trajectory.usage,
    )
