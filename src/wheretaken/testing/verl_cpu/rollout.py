"""A rollout of verl's over transformers' generate(): server, replica, and the way of the weights to it."""

from __future__ import annotations

import asyncio
import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

base: Any = importlib.import_module("verl.workers.rollout.base")
replica: Any = importlib.import_module("verl.workers.rollout.replica")


_NEVER = -100.0
"""The strongest bias that servers take against a token."""


def register(name: str) -> None:
    """Make the rollout known to verl, and let its engines for CUDA, which are of torch alone, run here."""
    registry: dict[tuple[str, str], str] = base._ROLLOUT_REGISTRY  # noqa: SLF001 - verl has no other way in
    registry[(name, "async")] = f"{__name__}.{ServerAdapter.__name__}"
    replica.RolloutReplicaRegistry.register(name, lambda: Replica)
    importlib.import_module("verl.workers.engine")
    engines: Any = importlib.import_module("verl.workers.engine.base").EngineRegistry
    for backends in engines._engines.values():  # noqa: SLF001 - as above
        for devices in backends.values():
            if "cuda" in devices:
                devices.setdefault("cpu", devices["cuda"])


def _server_name(rank: int) -> str:
    return f"wheretaken_transformers_server_{rank}"


class TransformersServer:
    """A server of tokens for tokens; its methods are those of verl's server over vLLM."""

    def __init__(self, model: str, response_length: int, longest: int, seed: int) -> None:
        """Load the model of a directory.

        Args:
            model: The directory.
            response_length: Tokens of a response at most.
            longest: Tokens of prompt and response together at most.
            seed: Of the sampling.
        """
        torch: Any = importlib.import_module("torch")
        transformers: Any = importlib.import_module("transformers")
        torch.set_num_threads(1)
        torch.manual_seed(seed)
        self._torch = torch
        loader = transformers.AutoModelForImageTextToText
        self._model: Any = loader.from_pretrained(model, dtype=torch.float32).eval()
        self._processor: Any = importlib.import_module("verl.utils").hf_processor(model)
        self._lock = asyncio.Lock()
        self._step = 0
        self._response_length, self._longest = response_length, longest

    async def generate(
        self,
        prompt_ids: list[int],
        sampling_params: dict[str, Any],
        request_id: str,
        image_data: list[Any] | None = None,
        **_rest: Any,
    ) -> Any:
        """Continue a prompt."""
        del request_id
        room = min(self._response_length, self._longest - len(prompt_ids))
        most = max(1, min(sampling_params.get("max_tokens", room), room))
        async with self._lock:
            ids, log_probs = await asyncio.get_running_loop().run_in_executor(
                None, self._sample, prompt_ids, sampling_params, image_data, most
            )
        return replica.TokenOutput(
            token_ids=ids,
            log_probs=log_probs,
            stop_reason="completed",
            extra_fields={"global_steps": self._step},
        )

    def _sample(
        self, prompt_ids: list[int], sampling: dict[str, Any], pictures: list[Any] | None, most: int
    ) -> tuple[list[int], list[float]]:
        torch = self._torch
        ids = torch.tensor([prompt_ids])
        extra: dict[str, Any] = {}
        if pictures:
            extra = dict(self._processor.image_processor(images=pictures, return_tensors="pt"))
            extra["mm_token_type_ids"] = (ids == self._processor.image_token_id).long()
        temperature = sampling.get("temperature", 1.0)
        sampled = {"temperature": temperature, "top_p": sampling.get("top_p", 1.0)} if temperature > 0 else {}
        biases: dict[int, float] = sampling.get("logit_bias") or {}
        never = [token for token, bias in biases.items() if bias <= _NEVER]
        with torch.no_grad():
            made = self._model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=most,
                do_sample=temperature > 0,
                top_k=max(sampling.get("top_k", 0), 0),
                suppress_tokens=never or None,
                return_dict_in_generate=True,
                output_logits=True,
                **sampled,
                **extra,
            )
        new = made.sequences[0, ids.shape[1] :]
        scores = torch.stack([logits[0] for logits in made.logits]).float().log_softmax(-1)
        return new.tolist(), scores.gather(1, new[:, None])[:, 0].tolist()

    async def load_weights(self, named: dict[str, Any], step: int | None) -> int:
        """Take the trainer's weights, and return how many there were.

        Raises:
            KeyError: one of them is not of this model.
        """
        own = dict(self._model.named_parameters())
        # A head that shares its weights with the embedding is no parameter of its own.
        if unknown := set(named) - set(own) - {"lm_head.weight"}:
            raise KeyError(f"weights of another model: {', '.join(sorted(unknown)[:3])}")
        async with self._lock:
            with self._torch.no_grad():
                for name, value in named.items():
                    if name in own:
                        own[name].copy_(value)
        self._step = self._step if step is None else step
        return len(named)

    async def set_global_steps(self, step: int) -> None:
        """Take the number of the step that the weights are of."""
        self._step = step

    async def ready(self, *_arguments: Any, **_options: Any) -> None:
        """Do nothing: there is no memory to give back, and no request to stop."""

    wake_up = sleep = clear_kv_cache = release_kv_cache = resume_kv_cache = ready
    abort_all_requests = resume_generation = start_profile = stop_profile = ready


class Replica(replica.RolloutReplica):
    """Starts one server as an actor of Ray's."""

    async def launch_servers(self) -> None:
        """Start it, and wait until it has its model."""
        ray: Any = importlib.import_module("ray")
        settings: Any = self.config
        number: int = self.replica_rank
        actor = ray.remote(num_cpus=0.1)(TransformersServer).options(
            name=_server_name(number), max_concurrency=256
        )
        longest = settings.prompt_length + settings.response_length
        server = actor.remote(self.model_config.path, settings.response_length, longest, number)
        await server.ready.remote()
        self.servers = [server]
        self._server_handle, self._server_address = server, _server_name(number)

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
        self._server = self._server or ray.get_actor(_server_name(self._rank))
        await self._server.load_weights.remote(named, global_steps)
