"""TRL's GRPO trainer with our tools, our reward and our records in it.

What is different from plain TRL:
- a turn's calls of all rollouts run at the same time, where TRL waits for one rollout after another
- calls are read, tools described and answered, and the last turn announced, as in the agent loop: the model
  learns what it will meet
- a picture that a tool returned and that did not reach the model is an error; TRL would go on without any

For this it overrides methods that TRL does not promise to keep; `versions` has those with them.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING, Any

from wheretaken.agent import prompts
from wheretaken.agent.events import Limits
from wheretaken.geo import LatLon
from wheretaken.models.openai.wire import tools_of
from wheretaken.rl.episode import calls_in
from wheretaken.rl.records import Line, trajectory
from wheretaken.rl.reward import score
from wheretaken.rl.trl.libraries import gathered, transformers, trl
from wheretaken.rl.trl.rollout import Rollout, one_token_each, outcome, parsed, pending

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from wheretaken.rl.records import Recorder, Split
    from wheretaken.rl.reward import Outcome, Scored
    from wheretaken.rl.settings import TrainSettings
    from wheretaken.rl.toolbox import Toolbox

_VAL = "eval_"
"""What TRL puts before the numbers of the validation."""


@dataclass(frozen=True)
class Surroundings:
    """What a trainer works with."""

    settings: TrainSettings
    toolbox: Toolbox
    recorder: Recorder
    runner: asyncio.Runner
    """In whose event loop the tools run."""
    tell: Callable[[str], None]
    """Told what is being done, a line at a time."""


class _AnyTool(dict[str, Any]):
    """The tools of a rollout as TRL looks them up: whatever is called, the rollout has the answer."""

    def __init__(self, rollout: Rollout) -> None:
        super().__init__()
        self._rollout = rollout

    def __contains__(self, _name: object) -> bool:
        return True

    def __getitem__(self, name: str) -> Callable[..., Any]:
        return partial(self._rollout.call, name)


class ToolTrainer(trl.GRPOTrainer):
    """GRPO with tools that return text and pictures."""

    def __init__(self, around: Surroundings, **options: Any) -> None:
        """Take TRL's own options but for those about rewards and tools."""
        self._around = around
        self._turn = 0
        self._waited = self._generated = 0.0
        self._lines: list[Line] = []
        self._numbers: list[dict[str, float]] = []
        settings = around.settings
        inherited: Any = super()
        inherited.__init__(
            reward_funcs=self.reward,
            environment_factory=lambda: Rollout(around.toolbox, settings.tools),
            **options,
        )
        # TRL would describe the methods of the rollout; a model is told of tools by their own specifications.
        self._env_tools = {None: tools_of(around.toolbox.specs)}
        tokenizer: Any = self._tokenizer

        def read(ids: Sequence[int], **_: Any) -> dict[str, Any]:
            return parsed(_text(tokenizer, ids))

        tokenizer.parse_response = read
        self.remove_callback(transformers.PrinterCallback)
        self.add_callback(_steps_to(around))

    def _generate_and_score_completions(self, inputs: Any) -> Any:
        self._turn = 0
        self._waited = self._generated = 0.0
        inherited: Any = super()
        made = inherited._generate_and_score_completions(inputs)  # noqa: SLF001 - extended
        self._check_pictures(made)
        return made

    def _generate_single_turn(self, prompt_ids: Any, *rest: Any, **options: Any) -> Any:
        """Let the model write a turn of some rollouts, and run what it calls there."""
        rollouts: list[Rollout]
        rollouts = pending(self.environments, prompt_ids) if self._turn else self.environments
        began = time.monotonic()
        inherited: Any = super()
        told = prompt_ids
        if self.use_vllm and self.vllm_mode == "colocate":
            told = one_token_each(prompt_ids, self.model.config.image_token_id)
        written, logprobs = inherited._generate_single_turn(told, *rest, **options)  # noqa: SLF001 - extended
        self._generated += time.monotonic() - began
        for number, rollout in enumerate(rollouts):
            if not self._turn:
                rollout.prompt_length = len(prompt_ids[number])
            elif self._last_is_next:
                rollout.asked = self._turn
            room = self.max_completion_length - (len(prompt_ids[number]) - rollout.prompt_length)
            written[number] = written[number][:room]
            if logprobs is not None:
                logprobs[number] = logprobs[number][:room]
            rollout.ids = [*prompt_ids[number], *written[number]]
            rollout.tokens += len(written[number])
            rollout.said.append(_text(self._tokenizer, written[number]))
        self._turn += 1
        self._call_tools([rollout for rollout in rollouts if len(rollout.said) < self._turns])
        return written, logprobs

    @property
    def _turns(self) -> int:
        return self._around.settings.recipe.turns

    @property
    def _last_is_next(self) -> bool:
        return self._turn == self._turns - 1

    def _get_tool_suffix_ids(self, tool_messages: list[dict[str, Any]]) -> list[int]:
        """Return the tokens of what tools returned, and before the last turn of the demand for an answer."""
        asked = [{"role": "user", "content": prompts.ANSWER_NOW}] if self._last_is_next else []
        inherited: Any = super()
        return inherited._get_tool_suffix_ids([*tool_messages, *asked])  # noqa: SLF001 - extended

    def _call_tools(self, rollouts: Sequence[Rollout]) -> None:
        """Run the calls of the last turns, all at the same time."""
        wanted = [
            (rollout, [(call.name, call.arguments) for call in calls_in(rollout.said[-1])])
            for rollout in rollouts
        ]
        wanted = [(rollout, calls) for rollout, calls in wanted if calls]

        async def every() -> list[Any]:
            return await asyncio.gather(*(rollout.episode.turn(calls) for rollout, calls in wanted))

        began = time.monotonic()
        for (rollout, _), replies in zip(wanted, self._around.runner.run(every()), strict=True):
            rollout.replies.extend(replies)
        self._waited += time.monotonic() - began

    def _tool_call_loop(self, *turns: Any) -> Any:
        self._sync_tool_dicts = [_AnyTool(rollout) for rollout in self.environments]
        inherited: Any = super()
        return inherited._tool_call_loop(*turns)  # noqa: SLF001 - extended

    def _check_pictures(self, made: dict[str, Any]) -> None:
        """Make sure that there are as many tokens of pictures as the pictures have features."""
        token = self.model.config.image_token_id
        tokens = sum(int((made[ids] == token).sum()) for ids in ("prompt_ids", "completion_ids"))
        merged = self.processing_class.image_processor.merge_size**2
        grids = made.get("image_grid_thw")
        features = 0 if grids is None else int(grids.prod(-1).sum()) // merged
        if tokens != features:
            raise RuntimeError(f"pictures of {features} features have {tokens} tokens in the rollouts")

    def reward(
        self,
        environments: Sequence[Rollout],
        completion_ids: Sequence[Sequence[int]],
        sha256: Sequence[str],
        lat: Sequence[float],
        lon: Sequence[float],
        log_metric: Callable[[str, float], None],
        **_columns: Any,
    ) -> list[float | None]:
        """Score the rollouts of a batch; None for those that are to count for nothing."""
        around = self._around
        outcomes: list[Outcome] = []
        found: list[Scored] = []
        truths = list(map(LatLon, lat, lon))
        for rollout, ids, truth in zip(environments, completion_ids, truths, strict=True):
            finished = bool(ids) and ids[-1] in self.eos_token_ids
            ended = outcome(rollout, finished=finished, turns=self._turns)
            outcomes.append(ended)
            found.append(score(ended, truth, around.settings.reward, around.toolbox.datum))
        self._record(environments, list(zip(sha256, truths, strict=True)), outcomes, found)
        if self.model.training:
            every = [scored.numbers() for scored in found]
            for name in every[0]:
                log_metric(name, fmean(numbers[name] for numbers in every))
            log_metric("tools_wait_s", self._waited)
            log_metric("generate_s", self._generated)
        return [None if scored.masked else scored.score for scored in found]

    def _record(
        self,
        rollouts: Sequence[Rollout],
        photos: Sequence[tuple[str, LatLon]],
        outcomes: Sequence[Outcome],
        found: Sequence[Scored],
    ) -> None:
        """Keep how rollouts ended, and some of them whole; those of a validation all.

        Args:
            rollouts: Of a batch.
            photos: Which group each belongs to, and where it was taken.
            outcomes: How each ended.
            found: What each earned.
        """
        around, training = self._around, bool(self.model.training)
        split: Split = "train" if training else "val"
        step = self.state.global_step + (1 if training else 0)
        recipe = around.settings.recipe
        every = max(len(rollouts) // max(recipe.samples, 1), 1)
        limits = Limits(turns=recipe.turns, calls_per_turn=around.settings.tools.calls_per_turn)
        lines: list[Line] = []
        for number, (rollout, ended, scored) in enumerate(zip(rollouts, outcomes, found, strict=True)):
            name = f"{split}-{step}-{self.accelerator.process_index}-{len(self._lines) + number}"
            lines.append(Line.of(scored, ended, step=step, split=split, id=name, group=photos[number][0]))
            if training and (not recipe.samples or number % every or number // every >= recipe.samples):
                continue
            model = f"{around.settings.output.name}/step-{self.state.global_step}"
            kept = trajectory(
                *(around.toolbox, rollout.photo, rollout.said, rollout.episode.log, ended),
                id=name,
                model=model,
                asked=rollout.asked,
                limits=limits,
                seed=recipe.seed,
            )
            around.recorder.sample(kept, step, split, truth=photos[number][1])
        around.recorder.scores(lines)
        if not training:
            self._lines += lines
            self._numbers += [scored.numbers() for scored in found]

    def evaluate(self, *arguments: Any, **options: Any) -> dict[str, float]:
        """Measure on the validation set: TRL's numbers and ours, ours as the means over all photos."""
        self._lines, self._numbers = [], []
        inherited: Any = super()
        with self._sampling_of_evaluation():
            measured: dict[str, float] = inherited.evaluate(*arguments, **options)
        if every := gathered(self._numbers):
            ours = {name: fmean(numbers[name] for numbers in every) for name in every[0]}
            self.log({_VAL + name: value for name, value in ours.items()})
            theirs = {name.removeprefix(_VAL): value for name, value in measured.items()}
            if self.accelerator.is_main_process:
                self._around.recorder.metrics(self.state.global_step, _numeric(theirs) | ours, "val")
            measured |= {_VAL + name: value for name, value in ours.items()}
        return measured

    @contextmanager
    def _sampling_of_evaluation(self) -> Generator[None]:
        """Sample as the validation is to."""
        recipe = self._around.settings.recipe
        wanted: dict[str, Any] = {"top_p": recipe.eval_top_p, "top_k": recipe.eval_top_k}
        if self.use_vllm:
            holder: Any = self.vllm_generation
            wanted["temperature"] = recipe.eval_temperature
        else:
            holder = self.generation_config
            greedy = recipe.eval_temperature == 0
            wanted |= {"do_sample": not greedy, "temperature": 1.0 if greedy else recipe.eval_temperature}
        before = {name: getattr(holder, name) for name in wanted}
        # TRL puts these into the model's own settings, from which transformers fills in what looks unset.
        others: dict[str, Any] = getattr(self, "generation_kwargs", {})
        try:
            holder.__dict__ |= wanted
            self.generation_kwargs = others | wanted
            yield
        finally:
            holder.__dict__ |= before
            self.generation_kwargs = others


def _text(tokenizer: Any, ids: Sequence[int]) -> str:
    """Return what a turn says: all of it but the token that ends it."""
    ends = {tokenizer.eos_token_id, tokenizer.pad_token_id}
    kept = list(ids)
    while kept and kept[-1] in ends:
        kept.pop()
    return str(tokenizer.decode(kept))


def _numeric(values: dict[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items() if isinstance(value, int | float)}


def _steps_to(around: Surroundings) -> Any:
    """Return a callback that keeps what is measured in training, and tells of it."""

    class Steps(transformers.TrainerCallback):
        def on_log(self, _arguments: Any, state: Any, _control: Any, logs: Any = None, **_: Any) -> None:
            """Keep the numbers of a step."""
            if not logs or not state.is_world_process_zero:
                return
            if "reward" in logs:
                around.recorder.metrics(state.global_step, _numeric(logs))
                around.tell(
                    f"step {state.global_step} of {state.max_steps}: reward {logs['reward']:.3f}, "
                    f"{logs['tools_wait_s']:.1f} s for tools of {logs['step_time']:.1f} s"
                )
            elif _VAL + "score" in logs:
                within = f"{logs[_VAL + 'acc_25km']:.0%} within 25 km"
                around.tell(
                    f"validation after step {state.global_step}: reward {logs[_VAL + 'score']:.3f}, {within}"
                )

    return Steps()
