"""Advantages of GRPO without the rollouts that a service's failure spoilt.

Such a rollout comes with an empty mask: no token of it is trained on. Here it is left out of its group as
well, so that the others are compared with each other alone. verl finds this by its name, in the processes
whose environment has VERL_USE_EXTERNAL_MODULES=wheretaken.rl.verl.advantage.
"""

from __future__ import annotations

from typing import Any

from wheretaken.rl.verl.libraries import imported
from wheretaken.rl.verl.overrides import ADVANTAGE

core_algos: Any = imported("verl.trainer.ppo.core_algos")


@core_algos.register_adv_est(ADVANTAGE)
def advantages(
    token_level_rewards: Any, response_mask: Any, index: Any, config: Any = None, **_rest: Any
) -> tuple[Any, Any]:
    """Return advantages and returns, which are the same.

    Args:
        token_level_rewards: Rollouts x tokens; a rollout's reward is their sum.
        response_mask: Rollouts x tokens: 1 for those of the model; all 0 for a rollout to leave out.
        index: To which group each rollout belongs.
        config: verl's `algorithm`.
    """
    kept = response_mask.sum(dim=-1) > 0
    found = token_level_rewards.new_zeros(token_level_rewards.shape)
    if kept.any():
        by_deviation = True if config is None else config.get("norm_adv_by_std_in_grpo", True)
        found[kept], _ = core_algos.compute_grpo_outcome_advantage(
            token_level_rewards=token_level_rewards[kept],
            response_mask=response_mask[kept],
            index=index[kept.cpu().numpy()],
            norm_adv_by_std_in_grpo=by_deviation,
        )
    return found, found
