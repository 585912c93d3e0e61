"""Reading answers, whoever wrote them: every known file becomes a stream of `Result`s.

The model: a file's first line tells its format, each line is checked against that format's fields (`lines`),
and a small function turns it into a `Result` (`published` for lines of text with their truth, `runs` for our
own records). A text is read by the one parser; nothing here looks into it.

| what | known by its keys | which photo |
|---|---|---|
| published lines | `ground_truth`, `solution_str` | `ground_truth.image`, else `index` |
| verl's dumps | `gts`, `output` | `gts.image`, else a hash of the prompt and the truth |
| our results | `truth`, `status` | `id` |
| our trajectories | `photo`, `stop_reason` | the photo's SHA-256 in the data set |
| a directory of `eval run` | `data.jsonl` in it | `id`; a photo without a line has failed |

What is wrong is one `DataError` with file, line and remedy. Lines stream; what is held are the ids where a
data set or a manifest says which photos there must be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from wheretaken.errors import DataError
from wheretaken.evals.results import published, runs
from wheretaken.evals.results.lines import read_lines
from wheretaken.evals.results.register import Register

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wheretaken.evals.model import DataSet, Result

Reading = Literal["tolerant", "strict"]

__all__ = ["Reading", "read_results"]


def read_results(
    path: Path, *, reading: Reading = "tolerant", data: DataSet | None = None
) -> Iterator[Result]:
    """Yield the results of a file or of a directory of runs, in the order of the file.

    Args:
        path: published lines, a verl dump, our results or trajectories (all JSON Lines, also gzipped), or a
            directory of `eval run` or of `locate --out`.
        reading: how texts are read; our own records hold answers that were read when they were given.
        data: the photos that there must be, and their truth. What has no line is yielded as failed, at the
            end. Trajectories need it, as no truth is in them; a directory of `eval run` has its own manifest.

    Raises:
        DataError: the file cannot be used; the message is one line that names file, line and remedy.
    """
    if runs.is_run(path):
        yield from runs.read_run(path if path.is_dir() else path.parent)
        return
    if path.is_dir():
        yield from runs.read_trajectories(path, data)
        return
    first = next(read_lines(path), None)
    if first is None:
        raise DataError(f"{path} is empty: copy it again from its source")
    known = first.keys()
    if {"photo", "stop_reason"} <= known:
        yield from runs.read_trajectories(path, data)
        return
    if {"truth", "status"} <= known:
        found = runs.read_records(path)
    elif {"gts", "output"} <= known:
        found = published.read_dump(path, reading)
    elif known & {"ground_truth", "solution_str"}:
        found = published.read_published(path, reading)
    else:
        raise first.wrong(
            "is of no known format",
            "there must be ground_truth and solution_str, or gts and output (verl), or our own results",
        )
    yield from found if data is None else Register.of(data).complete(found, path)
