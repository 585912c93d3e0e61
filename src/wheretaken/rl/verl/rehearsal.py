"""verl's worker of agent loops in this process, with any server: rollouts without Ray, GPU or training.

Rows, prompts, tools, agent loop and reward are those of a training. Tests and measurements use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wheretaken.rl.toolbox import closing
from wheretaken.rl.verl import shared
from wheretaken.rl.verl.checks import composed
from wheretaken.rl.verl.libraries import imported
from wheretaken.rl.verl.loop import OUTCOMES, ROLLOUT
from wheretaken.rl.verl.overrides import Files, overrides

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wheretaken.rl.reward import Outcome
    from wheretaken.rl.settings import TrainSettings

_NO_FLASH_ATTENTION = {
    "actor_rollout_ref.model.use_remove_padding": False,
    "+actor_rollout_ref.model.override_config.attn_implementation": "sdpa",
}


@dataclass(frozen=True)
class Rehearsed:
    """What came of a batch."""

    worker: Any
    """verl's `AgentLoopWorker`."""
    batch: Any
    """verl's `DataProto`: padded to prompt_length and response_length tokens."""
    prompt_length: int

    def __len__(self) -> int:
        """How many rollouts there are."""
        return len(self.batch)

    def response(self, row: int) -> list[int]:
        """Return the tokens after the prompt."""
        count = int(self.batch.batch["attention_mask"][row, self.prompt_length :].sum())
        return self.batch.batch["responses"][row][:count].tolist()

    def mask(self, row: int) -> list[int]:
        """Return which of them are trained on."""
        return self.batch.batch["response_mask"][row][: len(self.response(row))].tolist()

    def text(self, row: int) -> str:
        """Return everything after the prompt."""
        return self.worker.tokenizer.decode(self.response(row))

    def prompt(self, row: int) -> list[int]:
        """Return the tokens of the prompt."""
        whole = self.batch.batch["attention_mask"][row, : self.prompt_length]
        return self.batch.batch["prompts"][row][self.prompt_length - int(whole.sum()) :].tolist()

    def outcome(self, row: int) -> Outcome:
        """Return how the rollout ended, as the reward was told."""
        return OUTCOMES.validate_json(self.batch.non_tensor_batch[ROLLOUT][row]["outcome"])

    def score(self, row: int) -> float:
        """Return what it earned."""
        return float(self.batch.batch["rm_scores"][row].sum())


async def rehearse(
    settings: TrainSettings,
    server: Callable[[Any], Any],
    rows: Sequence[int] | None = None,
    *,
    attempt: int = 1,
) -> Rehearsed:
    """Run one rollout of each row, all at the same time, and score them.

    Args:
        settings: Of a training; its output gets what a training would leave behind.
        server: Makes the server out of the model's tokenizer: see verl's `LLMServerClient.generate`.
        rows: Of the rows to train on; all by default.
        attempt: Which start this is.

    Raises:
        UserError: something is wrong with the settings.
    """
    loops: Any = imported("verl.experimental.agent_loop")
    rewards: Any = imported("verl.experimental.reward_loop")
    sets: Any = imported("verl.utils.dataset.rl_dataset")
    files = Files.of(settings, attempt)
    with closing(shared.open_toolbox(settings.tools)) as toolbox:
        tools = [spec.name for spec in toolbox.specs]
    files.write(settings, tools)
    told = overrides(settings, files, tools=bool(tools))
    config = rewards.migrate_legacy_reward_impl(composed(told | _NO_FLASH_ATTENTION))
    worker = loops.AgentLoopWorker(config, llm_client=None)
    worker.llm_client = server(worker.tokenizer)
    worker.reward_loop_worker_handles = [_Handle(rewards.reward_loop.RewardLoopWorker(config))]
    found = sets.get_dataset_class(config.data)(
        str(settings.data.train), worker.tokenizer, config.data, processor=worker.processor
    )
    chosen = range(len(found)) if rows is None else rows
    batch = imported("verl.protocol").DataProto.from_single_dict(
        sets.collate_fn([found[number] for number in chosen])
    )
    numpy: Any = imported("numpy")
    names = [f"{place}-row{number}" for place, number in enumerate(chosen)]
    columns = {"uid": names, "global_steps": [1] * len(chosen)}
    for name, values in columns.items():
        batch.non_tensor_batch[name] = numpy.array(values, dtype=object)
    try:
        return Rehearsed(worker, await worker.generate_sequences(batch), settings.recipe.prompt_tokens)
    finally:
        await shared.aclose()


class _Handle:
    """What the worker takes for a handle of Ray's."""

    def __init__(self, rewards: Any) -> None:
        class Scorer:
            remote = staticmethod(rewards.compute_score)

        self.compute_score = Scorer
