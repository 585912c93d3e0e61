"""Lines that hold a model's text and the truth: what papers publish, and what verl dumps in training.

Published: `{index, data_source, ground_truth{lat, lon, city, country, image, split}, solution_str}`, as the
Thinking-with-Map project gives its answers. A dump: `{input, output, gts, score, step, ...}`, one line a
rollout, one file a step, written by verl (seen in 0.9.1) to `trainer.rollout_data_dir` and
`validation_data_dir`; `gts` is `reward_model.ground_truth` of the training set, `output` the whole response
with the tools' results in it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, model_validator
from pydantic_core import from_json

from wheretaken import answers
from wheretaken.agent.events import Status
from wheretaken.evals.model import Result, Truth
from wheretaken.evals.results.lines import read_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wheretaken.evals.results import Reading

_TOOL_RESULT_ENDS = "</tool_response>"
_REMEDY = "every line needs {} with lat and lon in WGS-84 degrees"


class _GroundTruth(Truth):
    """The truth as it is published: an object, or JSON in a string; what is not known may be null."""

    image: str = ""
    split: str = ""

    @model_validator(mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        content = from_json(value) if isinstance(value, str) else value
        if not isinstance(content, dict):
            return content
        fields = cast("dict[str, Any]", content)
        return {name: field for name, field in fields.items() if field is not None}

    @property
    def plain(self) -> Truth:
        """Without what says which photo it is."""
        return Truth(lat=self.lat, lon=self.lon, city=self.city, country=self.country)


class _Published(BaseModel):
    index: int | str | None = None
    data_source: str | None = None
    ground_truth: _GroundTruth
    solution_str: str | None = None
    error: Any = None
    """What went wrong instead, where the writer says so."""


class _Dumped(BaseModel):
    input: str | None = None
    output: str | None = None
    gts: _GroundTruth


def read_published(path: Path, reading: Reading) -> Iterator[Result]:
    """Yield the results of published lines."""
    remedy = _REMEDY.format("ground_truth")
    for line in read_lines(path):
        record = line.read(_Published, remedy)
        truth = record.ground_truth
        index = "" if record.index is None else str(record.index)
        name = truth.image or index
        if not name:
            raise line.wrong("names no photo", "it needs ground_truth.image, or index")
        status, answer, detail = _read(record.solution_str, reading, record.error)
        yield Result(
            id=name,
            index=index,
            truth=truth.plain,
            status=status,
            answer=answer,
            detail=detail,
            image=truth.image,
            data_source=record.data_source or "",
            split=truth.split,
        )


def read_dump(path: Path, reading: Reading) -> Iterator[Result]:
    """Yield the results of a dump; the rollouts of one prompt have one id."""
    remedy = _REMEDY.format("gts")
    for line in read_lines(path):
        record = line.read(_Dumped, remedy)
        truth, text = record.gts, record.output
        prompt = f"{record.input}\n{truth.lat} {truth.lon}"
        if text is not None and reading == "tolerant":
            # What a tool returned is not the model's answer; the published metric looks at everything.
            text = text.rpartition(_TOOL_RESULT_ENDS)[2]
        status, answer, detail = _read(text, reading)
        yield Result(
            id=truth.image or hashlib.sha256(prompt.encode()).hexdigest()[:16],
            truth=truth.plain,
            status=status,
            answer=answer,
            detail=detail,
            image=truth.image,
            split=truth.split,
        )


def _read(
    text: str | None, reading: Reading, failure: object = None
) -> tuple[Status, answers.Answer | None, str]:
    """Read a text; none at all, or a failure that was noted in its place, is a failed run."""
    if text is None or (failure and not text.strip()):
        return Status.FAILED, None, str(failure or "there is no text")
    found = answers.parse(text) if reading == "tolerant" else answers.parse_strict(text)
    if isinstance(found, answers.NoAnswer):
        return Status(found.reason), None, found.detail
    return Status.ANSWERED, found, ""
