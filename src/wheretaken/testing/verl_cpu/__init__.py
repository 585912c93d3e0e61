"""A plug-in with which verl's whole trainer runs on processors, for tests: no GPU, no vLLM, nothing patched.

```
platform ─► verl's view of the device: processors, gloo, and a GPU that is only Ray's word for a place
rollout  ─► a server over transformers' generate() where vLLM's would be, and the way of the weights to it
scripted ─► what an agent loop is given as a server when a test says every token
```
verl imports this in each of its processes when the environment says so, and asks for both by name:

    VERL_USE_EXTERNAL_MODULES=wheretaken.testing.verl_cpu VERL_PLATFORM=cpu
    actor_rollout_ref.rollout.name=transformers_cpu trainer.device=cpu

Without it verl 0.9 refuses to train where there is no GPU.
"""

from __future__ import annotations

import importlib

ENVIRONMENT = {"VERL_USE_EXTERNAL_MODULES": __name__, "VERL_PLATFORM": "cpu"}
"""The variables with which a process of verl's loads this."""
ROLLOUT = "transformers_cpu"
"""The name of the rollout."""


def _register() -> None:
    # Imported at the end of verl's own import, as both read its modules.
    importlib.import_module("wheretaken.testing.verl_cpu.platform").register()
    importlib.import_module("wheretaken.testing.verl_cpu.rollout").register(ROLLOUT)


_register()
