"""What verl's agent loop is given as its server when a test, or a measurement, says what the model writes."""

from __future__ import annotations

import asyncio
import importlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL.Image import Image


@dataclass(frozen=True)
class Asked:
    """A turn that was asked for."""

    request: str
    turn: int
    """Of the request, from 0."""
    prompt: tuple[int, ...]
    """Its tokens."""
    pictures: int
    sampling: dict[str, Any]


class ScriptedServer:
    """Writes what a script says; its one method is that of verl's client of servers."""

    def __init__(
        self,
        tokenizer: Any,
        script: Callable[[Image, int], str],
        *,
        seconds_per_token: float = 0.0,
        places: int = 1 << 30,
    ) -> None:
        """Follow a script.

        Args:
            tokenizer: Of the model.
            script: Returns what the model writes about a photo in its turn of this number, from 0.
            seconds_per_token: How long it writes.
            places: How many turns are written at the same time; others wait for a place.
        """
        self._tokenizer = tokenizer
        self._script = script
        self._pace = seconds_per_token
        self._places = asyncio.Semaphore(places)
        self._turns = Counter[str]()
        self.asked: list[Asked] = []

    async def generate(
        self,
        request_id: str,
        *,
        prompt_ids: list[int],
        sampling_params: dict[str, Any],
        image_data: list[Any],
        **_rest: Any,
    ) -> Any:
        """Write the next turn of a rollout."""
        turn = self._turns[request_id]
        self._turns[request_id] += 1
        self.asked.append(Asked(request_id, turn, tuple(prompt_ids), len(image_data), dict(sampling_params)))
        text = self._script(image_data[0], turn)
        ids: list[int] = self._tokenizer(text, add_special_tokens=False).input_ids
        ids.append(self._tokenizer.eos_token_id)
        ids = ids[: sampling_params["max_tokens"]]
        async with self._places:
            await asyncio.sleep(self._pace * len(ids))
        replica: Any = importlib.import_module("verl.workers.rollout.replica")
        return replica.TokenOutput(token_ids=ids, log_probs=[-0.1] * len(ids), stop_reason="completed")
