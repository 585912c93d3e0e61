"""A rollout of verl's over transformers' generate(): starts its servers, and brings them the weights."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from wheretaken.testing.verl_cpu.server import TransformersServer, server_name

if TYPE_CHECKING:
    from collections.abc import Iterable

# Only verl imports this, by its name and when it is whole: see `plugin`.
base: Any = importlib.import_module("verl.workers.rollout.base")
replica: Any = importlib.import_module("verl.workers.rollout.replica")


class Replica(replica.RolloutReplica):
    """Starts one server as an actor of Ray's."""

    async def launch_servers(self) -> None:
        """Start it, and wait until it has its model."""
        ray: Any = importlib.import_module("ray")
        settings: Any = self.config
        number: int = self.replica_rank
        actor = ray.remote(num_cpus=0.1)(TransformersServer).options(
            name=server_name(number), max_concurrency=256
        )
        longest = settings.prompt_length + settings.response_length
        server = actor.remote(self.model_config.path, settings.response_length, longest, number)
        await server.ready.remote()
        self.servers = [server]
        self._server_handle, self._server_address = server, server_name(number)

    def rollout_worker_use_gpu(self) -> bool:
        """Whether the workers of a rollout of its own take a place."""
        return False

    async def abort_all_requests(self, *, reject_request: bool = False) -> None:
        """Let them end: they are short."""
        del reject_request


class ServerAdapter(base.BaseRollout):
    """Lives in a training worker, and gives the server its weights after each step."""

    def __init__(
        self, config: Any, model_config: Any, device_mesh: Any, *_rest: Any, **_options: Any
    ) -> None:
        """Know which server is this worker's."""
        above: Any = super()
        above.__init__(config, model_config, device_mesh)
        self._rank = int(os.environ.get("RANK", "0")) // config.tensor_model_parallel_size
        self._server: Any = None

    async def resume(self, tags: list[str]) -> None:
        """Do nothing: it never slept."""

    async def release(self) -> None:
        """Do nothing: its memory is not the trainer's."""

    async def update_weights(
        self, weights: Iterable[tuple[str, Any]], global_steps: int | None = None, **_options: Any
    ) -> None:
        """Send the weights, whole ones, as they are named in the model's files."""
        ray: Any = importlib.import_module("ray")
        named = {
            name: (value.full_tensor() if hasattr(value, "full_tensor") else value)
            .detach()
            .float()
            .cpu()
            .clone()
            for name, value in weights
        }
        self._server = self._server or ray.get_actor(server_name(self._rank))
        await self._server.load_weights.remote(named, global_steps)
