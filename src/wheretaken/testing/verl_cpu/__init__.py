"""With which verl's whole trainer runs on processors, for tests: no GPU, no vLLM, nothing of verl patched.

```
platform ─► verl's view of the device: processors, gloo, and a GPU that is only Ray's word for a place
server   ─► tokens for tokens over transformers' generate(), where vLLM's server would be
rollout  ─► starts the servers, and brings them the weights
plugin   ─► makes both known: verl imports it in each of its processes when the environment says so
scripted ─► what an agent loop is given as a server when a test says what the model writes
```
Settings that go with it are `OVERRIDES`. Without it verl 0.9 refuses to train where there is no GPU.
"""

from __future__ import annotations

ENVIRONMENT = {"VERL_USE_EXTERNAL_MODULES": f"{__name__}.plugin", "VERL_PLATFORM": "cpu"}
"""The variables with which a process of verl's loads this."""
ROLLOUT = "transformers_cpu"
"""The name of the rollout."""
OVERRIDES: dict[str, str | int | float | bool | None] = {
    "trainer.device": "cpu",
    "actor_rollout_ref.rollout.name": ROLLOUT,
    # There is no flash attention, and nothing is gained by compiling.
    "actor_rollout_ref.model.use_remove_padding": False,
    "+actor_rollout_ref.model.override_config.attn_implementation": "sdpa",
    "actor_rollout_ref.model.enable_gradient_checkpointing": False,
    "actor_rollout_ref.actor.use_torch_compile": False,
    "actor_rollout_ref.actor.fsdp_config.use_torch_compile": False,
    "actor_rollout_ref.actor.fsdp_config.model_dtype": "fp32",
    "actor_rollout_ref.actor.fsdp_config.param_offload": False,
    "actor_rollout_ref.actor.fsdp_config.optimizer_offload": False,
    "actor_rollout_ref.ref.fsdp_config.param_offload": False,
    "actor_rollout_ref.rollout.agent.num_workers": 1,
    "reward.num_workers": 1,
    "data.dataloader_num_workers": 0,
    # Each takes a processor, and waits forever where there are too few.
    "transfer_queue.backend.SimpleStorage.num_data_storage_units": 1,
}
"""Settings of verl's, for `verl.overrides`."""
