"""Our settings as verl's: what `python -m verl.trainer.main_ppo` is told, and the two files that it reads.

Everything that verl's defaults get wrong for agents that see pictures is set here; whatever the user names in
`verl.overrides` goes before it. Where numbers are not ours, they are those of verl's own examples for
Qwen3-VL-30B-A3B (`examples/grpo_trainer/run_qwen3_vl_30b_a3b_{fsdp,megatron}.sh`).
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheretaken.paths import atomic_path
from wheretaken.rl.checkpoints import CHECKPOINTS
from wheretaken.rl.export import LOOP, TOOL_CLASS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from wheretaken.rl.settings import ModelSettings, TrainSettings

FOLDER = "verl"
LOOP_CLASS = "wheretaken.rl.verl.loop.MapAgentLoop"
ADVANTAGE = "wheretaken_grpo"
"""The advantages of `advantage`, for rollouts that are left out."""
ADVANTAGE_MODULE = "wheretaken.rl.verl.advantage"
PROJECT = "wheretaken"
_PATCH = 16
"""Pixels, of Qwen3-VL's; verl's default is Qwen2.5-VL's."""
_NO_LIMIT = 1 << 30
_PLAIN = re.compile(r"(?:pkg:/)?/?[A-Za-z_][A-Za-z0-9_./-]*")
_WORDS = frozenset({"null", "true", "false", "nan", "inf"})
"""What hydra reads as values of other types."""
Value = str | int | float | bool | list[str] | None


@dataclass(frozen=True)
class Files:
    """What verl's processes read, in the output of the training: all nodes have to see it."""

    config: Path
    """The settings as they were when the training was started."""
    tools: Path
    agent: Path
    numbers: Path
    """What verl measured, a line a step, as it writes them."""
    attempt: int
    """Which start this is: a number that grows."""

    @classmethod
    def of(cls, settings: TrainSettings, attempt: int) -> Files:
        """Say where they are."""
        folder = settings.output / FOLDER
        names = ("config.yaml", "tools.yaml", "agent.yaml", f"numbers-{attempt}.jsonl")
        return cls(*(folder / name for name in names), attempt=attempt)

    def offers_tools(self) -> bool:
        """Tell whether the written files offer any tools."""
        return bool(json.loads(self.tools.read_text("utf-8"))["tools"])

    def write(self, settings: TrainSettings, tools: Iterable[str]) -> None:
        """Write them.

        Args:
            settings: Of the training.
            tools: The names of the tools that it offers.

        Raises:
            OSError: they cannot be written.
        """
        self.config.parent.mkdir(parents=True, exist_ok=True)
        settings.save(self.config)
        made = [
            {
                "class_name": TOOL_CLASS,
                "config": {"type": "native", "tool": name, "settings": str(self.config)},
            }
            for name in tools
        ]
        loop = {"_target_": LOOP_CLASS, "config": str(self.config), "attempt": self.attempt}
        # Rows of `data prepare` name verl's own loop, in whose place ours stands.
        loops = [{"name": name, **loop} for name in (LOOP, "tool_agent")]
        # JSON is YAML.
        for path, content in ((self.tools, {"tools": made}), (self.agent, loops)):
            with atomic_path(path) as temporary:
                temporary.write_text(json.dumps(content, indent=2) + "\n", "utf-8")


def overrides(
    settings: TrainSettings, files: Files, *, tools: bool = True, eval_only: bool = False
) -> dict[str, Value]:
    """Return verl's settings by their dotted names; a name that is new to verl has a `+` before it.

    Args:
        settings: Of the training.
        files: What verl's processes read.
        tools: Whether there are any.
        eval_only: Only validate, with the last checkpoint or the first weights.
    """
    told: dict[str, Value] = {}
    if settings.verl.strategy == "megatron":
        told["model_engine"] = "megatron"
    for part in (_data(settings), _model(settings), _actor(settings), _rollout(settings)):
        told |= part
    told |= _agent(files, tools=tools) | _reward(settings, files)
    told |= _trainer(settings, eval_only=eval_only) | _environment(settings, files)
    return told | settings.verl.overrides


def arguments(told: Mapping[str, Value]) -> list[str]:
    """Write overrides as hydra reads them on a command line."""
    return [f"{name}={_written(value)}" for name, value in told.items()]


def _written(value: Value) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return _text(value) if _quoted(value) else value
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    return str(value)


def _text(text: str) -> str:
    """Write a text between quotes: to hydra, backslashes mean something only before one."""
    escaped = re.sub(r"(\\*)('|\Z)", lambda found: found[1] * 2 + ("\\'" if found[2] else ""), text)
    return f"'{escaped}'"


def _quoted(text: str) -> bool:
    """Tell whether hydra's grammar would read a text as anything but itself."""
    return not _PLAIN.fullmatch(text) or text.casefold() in _WORDS


def _data(settings: TrainSettings) -> dict[str, Value]:
    recipe, model = settings.recipe, settings.model
    return {
        "data.train_files": str(settings.data.train),
        "data.val_files": str(settings.data.val or settings.data.train),
        "data.train_batch_size": recipe.batch,
        "data.max_prompt_length": recipe.prompt_tokens,
        "data.max_response_length": recipe.response_tokens,
        "data.image_patch_size": _patch(model.path),
        "data.filter_overlong_prompts": True,
        "data.truncation": "error",
        "data.seed": recipe.seed,
        "data.dataloader_num_workers": 2,
        "data.custom_cls.path": "pkg://wheretaken.rl.verl.dataset",
        "data.custom_cls.name": "PhotoDataset",
        **{f"+data.mm_processor_kwargs.{name}": value for name, value in pixels(model).items()},
    }


def pixels(model: ModelSettings) -> dict[str, int]:
    """Return what the reader of pictures is told of their sizes."""
    given = {"min_pixels": model.min_pixels, "max_pixels": model.max_pixels}
    return {name: value for name, value in given.items() if value}


def _patch(model: str) -> int | None:
    """Return the side of a patch where it is known; verl asks the model otherwise."""
    return _PATCH if "qwen3" in model.lower().replace("_", "") else None


def _model(settings: TrainSettings) -> dict[str, Value]:
    lora = settings.model.lora
    adapters: dict[str, Value] = {}
    if lora is not None:
        adapters = {
            "actor_rollout_ref.model.lora_rank": lora.rank,
            "actor_rollout_ref.model.lora_alpha": lora.alpha,
            # The eyes stay as they are.
            "actor_rollout_ref.model.exclude_modules": ".*visual.*",
            "actor_rollout_ref.rollout.load_format": "safetensors",
        }
    return {
        "actor_rollout_ref.model.path": settings.model.path,
        "actor_rollout_ref.model.enable_gradient_checkpointing": True,
        "actor_rollout_ref.model.use_remove_padding": True,
        **adapters,
    }


def _actor(settings: TrainSettings) -> dict[str, Value]:
    recipe, verl = settings.recipe, settings.verl
    actor = "actor_rollout_ref.actor"
    told: dict[str, Value] = {
        "algorithm.adv_estimator": ADVANTAGE if settings.reward.fault_neutral else "grpo",
        "algorithm.use_kl_in_reward": False,
        "critic.enable": False,
        f"{actor}.ppo_mini_batch_size": recipe.mini_batch or recipe.batch,
        f"{actor}.ppo_micro_batch_size_per_gpu": verl.micro_batch_per_gpu,
        f"{actor}.optim.lr": recipe.learning_rate,
        f"{actor}.optim.lr_warmup_steps": recipe.warmup_steps,
        f"{actor}.use_kl_loss": recipe.kl > 0,
        f"{actor}.kl_loss_coef": recipe.kl,
        f"{actor}.kl_loss_type": "low_var_kl",
        f"{actor}.entropy_coeff": 0,
        f"{actor}.calculate_entropy": True,
        f"{actor}.data_loader_seed": recipe.seed,
        "actor_rollout_ref.ref.log_prob_micro_batch_size_per_gpu": verl.micro_batch_per_gpu,
        "actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu": verl.micro_batch_per_gpu,
    }
    if verl.strategy == "megatron":
        engine = f"{actor}.megatron"
        return told | {
            f"{engine}.tensor_model_parallel_size": 2,
            f"{engine}.context_parallel_size": 2,
            f"{engine}.expert_model_parallel_size": 8,
            f"{engine}.expert_tensor_parallel_size": 1,
            f"{engine}.param_offload": True,
            f"{engine}.optimizer_offload": True,
            f"{engine}.seed": recipe.seed,
            "actor_rollout_ref.ref.megatron.param_offload": True,
        }
    return told | {
        f"{actor}.strategy": "fsdp2",
        f"{actor}.fsdp_config.param_offload": True,
        f"{actor}.fsdp_config.optimizer_offload": True,
        f"{actor}.fsdp_config.seed": recipe.seed,
        "actor_rollout_ref.ref.fsdp_config.param_offload": True,
    }


def _rollout(settings: TrainSettings) -> dict[str, Value]:
    recipe, rollout = settings.recipe, "actor_rollout_ref.rollout"
    return {
        f"{rollout}.name": settings.verl.rollout,
        f"{rollout}.n": recipe.group,
        f"{rollout}.tensor_model_parallel_size": settings.verl.tensor_parallel,
        f"{rollout}.gpu_memory_utilization": 0.6,
        f"{rollout}.max_model_len": recipe.prompt_tokens + recipe.response_tokens,
        f"{rollout}.seed": recipe.seed,
        f"{rollout}.temperature": recipe.temperature,
        f"{rollout}.top_p": recipe.top_p,
        f"{rollout}.top_k": recipe.top_k or -1,
        f"{rollout}.calculate_log_probs": True,
        f"{rollout}.val_kwargs.n": recipe.eval_runs,
        f"{rollout}.val_kwargs.do_sample": recipe.eval_temperature > 0,
        f"{rollout}.val_kwargs.temperature": recipe.eval_temperature,
        f"{rollout}.val_kwargs.top_p": recipe.eval_top_p,
        f"{rollout}.val_kwargs.top_k": recipe.eval_top_k or -1,
        f"{rollout}.multi_turn.enable": True,
        f"{rollout}.multi_turn.format": "hermes",
        f"{rollout}.multi_turn.max_assistant_turns": recipe.turns,
        # The episode has the limits, and tells the model what it leaves out.
        f"{rollout}.multi_turn.max_parallel_calls": _NO_LIMIT,
        f"{rollout}.multi_turn.max_tool_response_length": _NO_LIMIT,
        f"{rollout}.agent.default_agent_loop": LOOP,
        f"{rollout}.agent.num_workers": 4 * settings.verl.nodes,
    }


def _agent(files: Files, *, tools: bool) -> dict[str, Value]:
    rollout = "actor_rollout_ref.rollout"
    return {
        f"{rollout}.multi_turn.tool_config_path": str(files.tools) if tools else None,
        f"{rollout}.agent.agent_loop_config_path": str(files.agent),
    }


def _reward(settings: TrainSettings, files: Files) -> dict[str, Value]:
    function = "reward.custom_reward_function"
    return {
        "reward.num_workers": settings.verl.nodes,
        f"{function}.path": "pkg://wheretaken.rl.verl.reward",
        f"{function}.name": "compute_score",
        f"+{function}.reward_kwargs.config": str(files.config),
        f"+{function}.reward_kwargs.attempt": files.attempt,
    }


def _trainer(settings: TrainSettings, *, eval_only: bool) -> dict[str, Value]:
    recipe, verl = settings.recipe, settings.verl
    validated = settings.data.val is not None and recipe.eval_every is not None
    return {
        "trainer.nnodes": verl.nodes,
        "trainer.n_gpus_per_node": verl.gpus_per_node,
        "trainer.project_name": PROJECT,
        "trainer.experiment_name": settings.output.resolve().parent.name or PROJECT,
        "trainer.logger": [*verl.log_to, "file"],
        "trainer.default_local_dir": str(settings.output / CHECKPOINTS),
        "trainer.resume_mode": "auto",
        "trainer.total_epochs": recipe.epochs if recipe.steps is None else _NO_LIMIT,
        "trainer.total_training_steps": recipe.steps,
        "trainer.save_freq": recipe.save_every,
        "trainer.test_freq": recipe.eval_every if validated and recipe.eval_every else -1,
        "trainer.val_before_train": eval_only or (validated and recipe.eval_first),
        "trainer.val_only": eval_only,
    }


def _environment(settings: TrainSettings, files: Files) -> dict[str, Value]:
    """Return what the environment of verl's processes has to say: none of it is a secret."""
    variables: dict[str, Value] = {
        "VERL_FILE_LOGGER_PATH": str(files.numbers),
        "TENSORBOARD_DIR": str(settings.output / "tensorboard"),
    }
    if settings.reward.fault_neutral:
        there = os.environ.get("VERL_USE_EXTERNAL_MODULES", "")
        variables["VERL_USE_EXTERNAL_MODULES"] = ",".join(filter(None, (there, ADVANTAGE_MODULE)))
    return {f"+ray_kwargs.ray_init.runtime_env.env_vars.{name}": value for name, value in variables.items()}
