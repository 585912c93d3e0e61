"""A training from its settings to its weights.

What is wrong is found before the model is loaded, as far as it can be. A training that was stopped goes on
where its last checkpoint was: the next step is the one that it would have been.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wheretaken.errors import UserError
from wheretaken.rl import lengths
from wheretaken.rl.checkpoints import CHECKPOINTS
from wheretaken.rl.records import Recorder
from wheretaken.rl.toolbox import open_toolbox
from wheretaken.rl.trl import checks, rows, weights

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from wheretaken.rl.settings import TrainSettings
    from wheretaken.rl.toolbox import Toolbox
    from wheretaken.rl.trl.checks import Plan, Vllm
    from wheretaken.rl.trl.trainer import ToolTrainer

TENSORBOARD = "tensorboard"


def train(
    settings: TrainSettings,
    *,
    toolbox: Toolbox | None = None,
    tell: Callable[[str], None] | None = None,
) -> Path:
    """Train, and return the directory of the weights.

    Args:
        settings: With absolute paths, as `TrainSettings.load` gives them.
        toolbox: Tools of your own; by default those of the settings. It is closed.
        tell: Told what is being done, a line at a time.

    Raises:
        UserError: something cannot work, or an event loop is running here.
        MissingExtraError: a library is missing.
    """
    with _trainer(settings, toolbox, tell or (lambda _: None)) as (trainer, plan):
        trainer.train(resume_from_checkpoint=str(plan.checkpoint) if plan.checkpoint else None)
        final = settings.output / checks.FINAL
        _save(trainer, final, merged=settings.model.lora is not None)
        return final


def _save(trainer: ToolTrainer, final: Path, *, merged: bool) -> None:
    """Write the weights as any server loads them: adapters become part of what they were made for."""
    if not merged:
        trainer.save_model(str(final))
        return
    model = trainer.accelerator.unwrap_model(trainer.model).merge_and_unload()
    if trainer.accelerator.is_main_process:
        model.save_pretrained(final)
        trainer.processing_class.save_pretrained(final)


def evaluate(
    settings: TrainSettings,
    *,
    toolbox: Toolbox | None = None,
    tell: Callable[[str], None] | None = None,
) -> dict[str, float]:
    """Measure on the validation set without training, and return the numbers; arguments as for `train`.

    What is measured is the last checkpoint, if there is one.

    Raises:
        UserError: there is no validation set, or as for `train`.
    """
    if settings.data.val is None:
        raise UserError("data.val is missing: there is nothing to measure on")
    with _trainer(settings, toolbox, tell or (lambda _: None)) as (trainer, plan):
        if plan.checkpoint:
            trainer._load_from_checkpoint(str(plan.checkpoint))  # noqa: SLF001 - resuming does just that
            trainer.state.global_step = plan.step
        measured = trainer.evaluate()
    return {name.removeprefix("eval_"): value for name, value in measured.items()}


def dry_run(settings: TrainSettings, *, toolbox: Toolbox | None = None) -> str:
    """Check everything, the tools as well, and say what would be done.

    Raises:
        UserError: something cannot work, as for `train`.
        MissingExtraError: a library is missing.
    """
    # Of a model that would have to be fetched first, prompts cannot be measured.
    measured = Path(settings.model.path).is_dir()
    with _checked(settings, toolbox, measured=measured) as (plan, _, _):
        return "\n".join([*plan.left_out, _described(settings, plan)])


@contextmanager
def _checked(
    settings: TrainSettings, toolbox: Toolbox | None, *, measured: bool = True
) -> Generator[tuple[Plan, Toolbox, asyncio.Runner]]:
    """Check everything, prompts where they are to be measured, and close the tools afterwards."""
    _not_in_a_loop()
    plan = checks.check(settings)
    tools = toolbox or open_toolbox(settings.tools)
    with asyncio.Runner() as runner:
        try:
            runner.run(tools.check())
            yield (_fitting(settings, plan, tools) if measured else plan), tools, runner
        finally:
            runner.run(tools.aclose())


def _fitting(settings: TrainSettings, plan: Plan, toolbox: Toolbox) -> Plan:
    """Return the plan for the photos whose prompts are short enough.

    Raises:
        UserError: too few are left.
    """
    recipe, processor = settings.recipe, weights.processor(settings.model)
    files = [(settings.data.train, recipe.batch)]
    files += [(settings.data.val, 1)] if settings.data.val else []
    fits = tuple(
        lengths.fit(file, toolbox.toolset, processor, recipe.prompt_tokens, least) for file, least in files
    )
    photos, *validated = (len(one.kept) for one in fits)
    steps = checks.steps(settings, photos)
    return replace(plan, photos=photos, val_photos=sum(validated), steps=steps, fits=fits)


@contextmanager
def _trainer(
    settings: TrainSettings, toolbox: Toolbox | None, tell: Callable[[str], None]
) -> Generator[tuple[ToolTrainer, Plan]]:
    """Check everything, load the model, and clean up afterwards."""
    with _checked(settings, toolbox) as (plan, tools, runner):
        from wheretaken.rl.trl.libraries import expected_warnings  # noqa: PLC0415 - takes seconds

        for line in (*plan.left_out, _described(settings, plan)):
            tell(line)
        with expected_warnings():
            yield _made(settings, plan, tools, runner, tell), plan


def _made(
    settings: TrainSettings,
    plan: Plan,
    toolbox: Toolbox,
    runner: asyncio.Runner,
    tell: Callable[[str], None],
) -> ToolTrainer:
    from wheretaken.rl.trl.libraries import gathered, transformers, trl  # noqa: PLC0415 - takes seconds
    from wheretaken.rl.trl.sft import warm_start  # noqa: PLC0415 - as above
    from wheretaken.rl.trl.trainer import Surroundings, ToolTrainer  # noqa: PLC0415 - as above

    transformers.utils.logging.disable_progress_bar()
    if plan.warm:
        warm_start(settings, toolbox, tell)
    model = checks.begun_from(settings)
    processor = weights.processor(model)
    told = trl.GRPOConfig(**arguments(settings, plan, processor))
    val = settings.data.val
    files = [settings.data.train, *([val] if val else [])]
    loaded = [rows.load(*one, toolbox.toolset) for one in zip(files, plan.fits, strict=True)]
    # All processes that train together are one attempt, which the first of them names.
    recorder = Recorder(settings.output, attempt=gathered([int(time.time())])[0])
    begun = model.path if plan.vllm == "off" else weights.for_vllm(model, processor, settings.output)
    if plan.vllm == "server" and begun != model.path:
        tell(f"pictures have other sizes than the model's own: vLLM must serve {begun}")
    trainer = ToolTrainer(
        Surroundings(settings, toolbox, recorder, runner, tell),
        model=begun,
        args=told,
        train_dataset=loaded[0],
        eval_dataset=loaded[1] if val else None,
        processing_class=processor,
        peft_config=weights.adapters(model.lora) if model.lora else None,
        callbacks=_callbacks(settings),
    )
    if model.lora:
        # Adapters are of the model, wherever it was loaded from.
        trainer.model.peft_config["default"].base_model_name_or_path = model.path
    return trainer


def arguments(settings: TrainSettings, plan: Plan, processor: Any) -> dict[str, Any]:
    """Return the settings as TRL's `GRPOConfig` has them."""
    recipe, trl = settings.recipe, settings.trl
    measured = bool(settings.data.val and recipe.eval_every)
    reduced = trl.bf16 and settings.model.lora is not None
    return {
        "output_dir": str(settings.output / CHECKPOINTS),
        "per_device_train_batch_size": plan.micro_batch,
        "gradient_accumulation_steps": plan.accumulation,
        "steps_per_generation": plan.passes,
        # Whole groups.
        "per_device_eval_batch_size": -(-plan.micro_batch // recipe.eval_runs) * recipe.eval_runs,
        "num_generations": recipe.group,
        "num_generations_eval": recipe.eval_runs,
        "max_steps": plan.steps,
        "learning_rate": recipe.learning_rate,
        "lr_scheduler_type": "constant_with_warmup",
        "warmup_steps": recipe.warmup_steps,
        "beta": recipe.kl,
        "temperature": recipe.temperature,
        "top_p": recipe.top_p,
        "top_k": recipe.top_k,
        "max_completion_length": recipe.response_tokens,
        "max_tool_calling_iterations": recipe.turns - 1,
        "generation_kwargs": never_written(processor.tokenizer, plan.vllm),
        "use_vllm": plan.vllm != "off",
        "vllm_mode": plan.vllm if plan.vllm != "off" else "colocate",
        "vllm_server_base_url": trl.vllm_url or None,
        "vllm_gpu_memory_utilization": trl.vllm_memory,
        # By default a whole context of the model has to fit into vLLM's cache, which takes tens of gigabytes.
        "vllm_max_model_length": recipe.prompt_tokens + recipe.response_tokens,
        # Usual steps are too small for weights in 16 bits, unless these stay as they are.
        "model_init_kwargs": {"dtype": "bfloat16" if reduced else "float32"},
        "bf16": trl.bf16,
        "gradient_checkpointing": trl.gradient_checkpointing,
        "seed": recipe.seed,
        "use_cpu": not plan.gpu,
        "ddp_backend": "gloo" if not plan.gpu and checks.processes() > 1 else None,
        "dataloader_pin_memory": plan.gpu,
        "logging_steps": 1,
        "disable_tqdm": True,
        "report_to": [name for name in trl.log_to if name != TENSORBOARD] or "none",
        "run_name": settings.output.name,
        "save_strategy": "steps",
        "save_steps": recipe.save_every,
        "eval_strategy": "steps" if measured else "no",
        "eval_steps": recipe.eval_every if measured else None,
        "eval_on_start": measured and recipe.eval_first and plan.checkpoint is None,
    }


def never_written(tokenizer: Any, vllm: Vllm) -> dict[str, Any]:
    """Return what keeps a model from writing the token of a picture, which would have none."""
    names = ["<|image_pad|>", "<|video_pad|>"]
    ids = [tokenizer.convert_tokens_to_ids(name) for name in names]
    if vllm == "off":
        return {"suppress_tokens": ids}
    # A server is sent JSON, in which names of fields are texts and cannot be numbers.
    return {"bad_words": names} if vllm == "server" else {"logit_bias": dict.fromkeys(ids, -100.0)}


def _callbacks(settings: TrainSettings) -> list[Any]:
    from wheretaken.rl.trl.libraries import tensorboard, transformers  # noqa: PLC0415 - takes seconds

    if TENSORBOARD not in settings.trl.log_to:
        return []
    writer = tensorboard(str(settings.output / TENSORBOARD))
    return [transformers.integrations.TensorBoardCallback(writer)]


def _described(settings: TrainSettings, plan: Plan) -> str:
    begin = f"going on after {plan.checkpoint.name}" if plan.checkpoint else "from the beginning"
    recipe = settings.recipe
    return (
        f"{plan.photos} photos, {plan.steps} steps of {recipe.batch} x {recipe.group} rollouts, {begin}; "
        f"{'a GPU' if plan.gpu else 'no GPU'}, vLLM {plan.vllm}; {settings.output}"
    )


def _not_in_a_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise UserError("an event loop is running here, as in a notebook: train in a process of its own")
