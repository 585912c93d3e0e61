"""Makes the platform and the rollout known; imported at the end of verl's own import.

Nothing that needs verl whole is imported here: who imports verl first may be what would be imported.
"""

from __future__ import annotations

import importlib
from typing import Any

from wheretaken.testing.verl_cpu import ROLLOUT, platform

_CLASSES = "wheretaken.testing.verl_cpu.rollout"


def _register() -> None:
    """Make the rollout known to verl, and let its engines for CUDA, which are of torch alone, run here."""
    base: Any = importlib.import_module("verl.workers.rollout.base")
    replica: Any = importlib.import_module("verl.workers.rollout.replica")
    registry: dict[tuple[str, str], str] = base._ROLLOUT_REGISTRY  # noqa: SLF001 - verl has no other way in
    registry[(ROLLOUT, "async")] = f"{_CLASSES}.ServerAdapter"
    replica.RolloutReplicaRegistry.register(ROLLOUT, lambda: importlib.import_module(_CLASSES).Replica)
    importlib.import_module("verl.workers.engine")
    engines: Any = importlib.import_module("verl.workers.engine.base").EngineRegistry
    for backends in engines._engines.values():  # noqa: SLF001 - as above
        for devices in backends.values():
            if "cuda" in devices:
                devices.setdefault("cpu", devices["cuda"])


platform.register()
_register()
