"""From the runs of a photo to the `Result` of its row.

Several runs become one by the verifier's choice: the answer is one that a run gave, with the radius and the
confidence that the verifier has learnt for such an agreement. A single run stands for itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken.agent import Status
from wheretaken.evals.model import Result
from wheretaken.messages import Usage

if TYPE_CHECKING:
    from wheretaken.evals.running.manifest import Entry
    from wheretaken.sampling.solution import Solution


def result(entry: Entry, found: Solution, model: str, data_source: str) -> Result:
    """Return what became of a row.

    Args:
        entry: The row.
        found: What its runs came to. Seconds and usage are the sums over them.
        model: Of the runs.
        data_source: The data set.
    """
    return _result(entry, data_source).model_copy(
        update={
            "model": model,
            "runs": tuple(run.id for run in found.runs),
            "seconds": found.seconds,
            "usage": found.usage,
            "status": found.status,
            "answer": found.answer,
            "detail": found.detail,
            "agree": found.verdict.agree if found.planned > 1 else None,
        }
    )


def unreadable(entry: Entry, reason: str, data_source: str) -> Result:
    """Return the result of a row whose photo cannot be used."""
    return _result(entry, data_source).model_copy(update={"detail": reason})


def repeat(entry: Entry, first: Result) -> Result:
    """Return the result of a row with the same photo as another; it costs nothing a second time."""
    named = {"id": entry.id, "truth": entry.truth, "image": entry.image, "split": entry.split}
    return first.model_copy(update=named | {"seconds": 0.0, "usage": Usage()})


def _result(entry: Entry, data_source: str) -> Result:
    return Result(
        id=entry.id,
        truth=entry.truth,
        status=Status.FAILED,
        image=entry.image,
        data_source=data_source,
        split=entry.split,
        sha256=entry.sha256,
    )
