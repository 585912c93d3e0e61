"""Verifiers by their name: `vote`, `model` and `model:NAME`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken.errors import UserError
from wheretaken.models.opening import READER, open_models
from wheretaken.sampling.parallel import Vote

if TYPE_CHECKING:
    from collections.abc import Callable

    from wheretaken.models.base import ChatModel
    from wheretaken.sampling.parallel import Verifier

MODEL = "model"


def open_verifier(
    name: str, model: str, run_model: Callable[[int], ChatModel], *, seed: int = 0, shuffles: int = 2
) -> Verifier:
    """Return the verifier of this name.

    Args:
        name: `vote`; `model` for the model of the runs; `model:NAME` for another; see `open_models`.
        model: What the model of the runs is called.
        run_model: Makes the model of the runs from a seed.
        seed: Of the order in which a model is shown the candidates, and of that model.
        shuffles: In how many orders it is asked; see `Judge`.

    Raises:
        UserError: There is none of this name, or the model cannot judge.
    """
    if name == Vote.name:
        return Vote()
    kind, _, judging = name.partition(":")
    if kind != MODEL:
        raise UserError(f"no verifier named {name!r}; there are: {Vote.name}, {MODEL}, {MODEL}:NAME")
    if (judging or model) == READER:
        raise UserError(f"{READER} reads signs and cannot weigh candidates; use the verifier {Vote.name}")
    from wheretaken.sampling.judge import Judge  # noqa: PLC0415 - most decisions are votes

    make = open_models(judging) if judging else run_model
    return Judge(make(seed), seed=seed, shuffles=shuffles)
