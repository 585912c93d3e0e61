"""verl's platform interface over processors."""

from __future__ import annotations

import contextlib
import importlib
import os
import types
from typing import Any

_ZERO = frozenset(
    {"memory_allocated", "memory_reserved", "max_memory_allocated", "max_memory_reserved", "device_count"}
)
_NOTHING = frozenset(
    {
        "empty_cache",
        "ipc_collect",
        "manual_seed",
        "manual_seed_all",
        "reset_peak_memory_stats",
        "set_device",
        "set_per_process_memory_fraction",
    }
)
_GIB = 1 << 30


class _Device(types.ModuleType):
    """`torch.cpu`, with stand-ins for the functions of `torch.cuda` that verl calls."""

    def __getattr__(self, name: str) -> Any:
        torch: Any = importlib.import_module("torch")
        if hasattr(torch.cpu, name):
            return getattr(torch.cpu, name)
        if name in {"get_rng_state", "set_rng_state"}:
            return getattr(torch, name)
        answers: dict[str, Any] = {"mem_get_info": (8 * _GIB, 16 * _GIB), "get_device_name": "cpu"}
        answers |= dict.fromkeys(_ZERO, 0) | dict.fromkeys(_NOTHING)
        if name not in answers:
            raise AttributeError(name)

        def answer(*_arguments: Any, **_options: Any) -> Any:
            return answers[name]

        return answer


def _platform(base: Any) -> Any:  # noqa: C901 - one small method for each of verl's abstract ones
    """Return the platform's class."""

    class Platform(base):
        """Processors, as verl asks about accelerators."""

        _device = _Device("wheretaken_torch_cpu")
        device_name = property(lambda _self: "cpu")
        vendor_name = property(lambda _self: "cpu")
        device_module = property(lambda self: self._device)

        def is_available(self) -> bool:
            return True

        def is_platform_available(self, *, use_smi_check: bool = False) -> bool:
            del use_smi_check
            return os.environ.get("VERL_PLATFORM") == "cpu"

        def current_device(self) -> Any:
            # FSDP takes it as a device, for which processors have no number.
            return "cpu"

        def device_count(self) -> int:
            return 1

        def set_device(self, device_index: int) -> None:
            """There is one."""

        def synchronize(self, device_index: int | None = None) -> None:
            """Nothing runs beside."""

        def manual_seed(self, seed: int) -> None:
            importlib.import_module("torch").manual_seed(seed)

        def manual_seed_all(self, seed: int) -> None:
            importlib.import_module("torch").manual_seed(seed)

        def set_allocator_settings(self, settings: str) -> None:
            """There are none."""

        def empty_cache(self) -> None:
            """There is none."""

        def get_device_capability(self, device_index: int = 0) -> tuple[None, None]:
            del device_index
            return None, None

        def communication_backend_name(self) -> str:
            return "gloo"

        def visible_devices_envvar(self) -> str:
            return "CUDA_VISIBLE_DEVICES"

        def nvtx_range(self, msg: str) -> contextlib.AbstractContextManager[None]:
            del msg
            return contextlib.nullcontext()

        def profiler_start(self) -> None:
            """There is none."""

        def profiler_stop(self) -> None:
            """There is none."""

        def get_device_uuid(self, device_id: int) -> str:
            return f"cpu-{device_id}"

        def ray_resource_name(self) -> str:
            # A logical resource, of which a test's nodes say how many they have.
            return "GPU"

        def ray_noset_envvars(self) -> list[str]:
            return []

        def is_ipc_supported(self) -> bool:
            return False

        def cudart(self) -> None:
            return None

    return Platform


def register() -> None:
    """Make the platform known to verl as `cpu`."""
    base: Any = importlib.import_module("verl.plugin.platform.platform_base").PlatformBase
    manager: Any = importlib.import_module("verl.plugin.platform.platform_manager")
    manager.PlatformRegistry.register(platform="cpu")(_platform(base))
    _mend_backend()


def _mend_backend() -> None:
    """Let gloo be named once.

    verl asks torch for the backend `cpu:gloo,<device>:<backend>`, which names the processors twice here, and
    torch refuses that.
    """
    distributed: Any = importlib.import_module("torch.distributed")
    start = distributed.init_process_group
    if getattr(start, "wheretaken", False):
        return

    def init_process_group(*arguments: Any, **options: Any) -> Any:
        if options.get("backend") == "cpu:gloo,cpu:gloo":
            options["backend"] = "gloo"
        return start(*arguments, **options)

    init_process_group.wheretaken = True  # type: ignore[attr-defined]
    distributed.init_process_group = init_process_group
