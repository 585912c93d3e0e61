"""From the runs of a photo to the `Result` of its row.

Several runs become one by the verifier's choice: the answer is one that a run gave, with the radius and the
confidence that the verifier has learnt for such an agreement. A single run stands for itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken.agent import Status, Trajectory
from wheretaken.evals.model import Result
from wheretaken.messages import Usage
from wheretaken.sampling.parallel import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.evals.running.manifest import Entry
    from wheretaken.sampling.parallel import Verifier

_TELLING = (Status.REFUSED, Status.UNPARSED, Status.FAILED)
"""Of photos without an answer, what says most about the model comes first."""


async def judge(entry: Entry, runs: Sequence[Trajectory], verifier: Verifier, data_source: str) -> Result:
    """Return what became of a row whose runs, at least one, are all finished.

    Seconds and usage are the sums over the runs.
    """
    common = {
        "model": runs[0].model,
        "runs": tuple(run.id for run in runs),
        "seconds": round(sum(run.seconds for run in runs), 3),
        "usage": sum((run.usage for run in runs), Usage()),
    }
    if len(runs) == 1:
        (run,) = runs
        alone = {"status": run.status, "answer": run.answer, "detail": run.detail}
        return _result(entry, data_source).model_copy(update=common | alone)
    verdict = await verifier.decide([Statement.of(run) for run in runs])
    if verdict.chosen is None:
        told = min(runs, key=lambda run: _TELLING.index(run.status))
        none = {"status": told.status, "detail": told.detail, "agree": verdict.agree}
        return _result(entry, data_source).model_copy(update=common | none)
    answer = runs[verdict.chosen].answer
    assert answer is not None, f"{verifier.name} chose a run without an answer"
    learnt = {"radius_km": verdict.radius_km, "confidence": verdict.confidence}
    known = {name: value for name, value in learnt.items() if value is not None}
    chosen = {
        "status": Status.ANSWERED,
        "answer": answer.model_copy(update=known),
        "agree": verdict.agree,
    }
    return _result(entry, data_source).model_copy(update=common | chosen)


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
