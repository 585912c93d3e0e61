"""A server of tokens for tokens over transformers' generate(), as an actor of Ray's."""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

_NEVER = -100.0
"""The strongest bias that servers take against a token."""


def server_name(rank: int) -> str:
    """Return the name by which Ray finds the server of this number."""
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
        replica: Any = importlib.import_module("verl.workers.rollout.replica")
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
