"""The reward as verl calls it: the one of `wheretaken.rl.reward`, on what the agent loop said of the rollout.

reward.custom_reward_function.path=pkg://wheretaken.rl.verl.reward
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wheretaken.errors import UserError
from wheretaken.geo import LatLon
from wheretaken.rl.records import Line
from wheretaken.rl.reward import score
from wheretaken.rl.verl import shared
from wheretaken.rl.verl.loop import OUTCOMES, ROLLOUT

if TYPE_CHECKING:
    from collections.abc import Mapping


async def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: Mapping[str, Any],
    extra_info: Mapping[str, Any],
    *,
    config: str,
    attempt: int = 0,
    **_rest: Any,
) -> dict[str, float]:
    """Score a rollout, and keep a line about it.

    Args:
        data_source: The data set's name; all are scored alike.
        solution_str: Everything after the prompt, what tools returned included: not read.
        ground_truth: Where the photo was taken.
        extra_info: Of the row, with what the agent loop said of the rollout.
        config: Where the settings of the training are.
        attempt: Which start of the training this is.

    Raises:
        UserError: the rollout is not one of our agent loop.
    """
    del data_source, solution_str
    if ROLLOUT not in extra_info:
        raise UserError(
            "the reward reads what our agent loop says of a rollout: start the training with  "
            "wheretaken train verl"
        )
    told = extra_info[ROLLOUT]
    outcome = OUTCOMES.validate_json(told["outcome"])
    truth = LatLon(ground_truth["lat"], ground_truth["lon"])
    scored = score(outcome, truth, shared.settings(config).reward, shared.datum(config))
    line = Line.of(
        scored,
        outcome,
        step=told["step"],
        id=told["id"],
        group=extra_info["sha256"],
        split=extra_info["split"],
    )
    shared.recorder(config, attempt).scores([line])
    return scored.numbers()
