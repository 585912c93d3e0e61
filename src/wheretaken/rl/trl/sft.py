"""The warm start: what experts did is learned by heart, before GRPO finds out what of it was worth doing.

From random or unfit behaviour GRPO learns nothing, as no rollout is better than the others. The runs may be
of scripted experts, of a larger model (`wheretaken eval run`), or of people.
"""

from __future__ import annotations

import shutil
from functools import partial
from typing import TYPE_CHECKING, Any

from wheretaken import agent
from wheretaken.agent.events import Status
from wheretaken.errors import DataError
from wheretaken.models.openai.wire import tools_of
from wheretaken.models.templates import by_assistant, conversation
from wheretaken.rl.trl import checks, weights

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from wheretaken.agent import Trajectory
    from wheretaken.rl.settings import TrainSettings
    from wheretaken.rl.toolbox import Toolbox

_EVERY = 20
"""Steps between two lines that tell of the loss."""
_WORKERS = 8
"""Processes that prepare batches for a GPU."""


def warm_start(settings: TrainSettings, toolbox: Toolbox, tell: Callable[[str], None]) -> Path:
    """Return the directory of weights that learned from runs; made once for a training.

    Args:
        settings: With `trl.warm_start`.
        toolbox: The tools that the model will have, as it is told of them.
        tell: Told the loss now and then.

    Raises:
        DataError: no run ended with an answer, or a picture of one is missing.
    """
    target = settings.output / checks.WARM
    if target.is_dir():
        return target
    start = settings.trl.warm_start
    assert start is not None
    runs = learned_from(start.runs)
    tell(f"warm start: {start.steps} steps of {start.batch} of {len(runs)} runs")
    from wheretaken.rl.trl.libraries import peft, torch, transformers  # noqa: PLC0415 - takes seconds

    processor = weights.processor(settings.model)
    model = transformers.AutoModelForImageTextToText.from_pretrained(settings.model.path, dtype=torch.float32)
    if settings.model.lora:
        model = peft().get_peft_model(model, weights.adapters(settings.model.lora))
    told = transformers.TrainingArguments(**_arguments(settings, gpu=bool(torch.cuda.is_available())))
    trainer = transformers.Trainer(
        model=model,
        args=told,
        train_dataset=_Runs(runs, start.runs),
        data_collator=partial(lesson, processor, toolbox),
        callbacks=[_telling(transformers, tell)],
    )
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train()
    if settings.model.lora:
        # GRPO begins new adapters on these weights, which are its reference as well.
        trainer.model = trainer.model.merge_and_unload()
    if trainer.is_world_process_zero():
        unfinished = target.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        trainer.model.save_pretrained(unfinished)
        processor.save_pretrained(unfinished)
        unfinished.rename(target)
    trainer.accelerator.wait_for_everyone()
    return target


def learned_from(directory: Path) -> list[Trajectory]:
    """Return the runs of a directory that ended with an answer.

    Raises:
        DataError: there are none.
    """
    runs = [run for run in agent.read(directory) if run.status is Status.ANSWERED]
    if not runs:
        raise DataError(f"no run of {directory} ended with an answer: there is nothing to learn from")
    return runs


def lesson(processor: Any, toolbox: Toolbox, dialogs: Sequence[list[dict[str, Any]]]) -> dict[str, Any]:
    """Return runs as a batch, in which what the assistant wrote is to be learned.

    Args:
        processor: The model's.
        toolbox: The tools that a run with tools had.
        dialogs: As `_Runs` gives them, with or without tools, but all alike in that.

    Raises:
        DataError: nothing in them is to be learned, as the model's chat template is of a kind unknown here.
    """
    from wheretaken.rl.trl.libraries import templates, torch  # noqa: PLC0415 - takes seconds

    batch = dict(
        processor.apply_chat_template(
            list(dialogs),
            tools=tools_of(toolbox.specs) or None,
            chat_template=templates.get_training_chat_template(processor),
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            processor_kwargs={"padding": True},
        )
    )
    # The mask that transformers offers is empty in 5.17 where there are pictures, and takes far longer.
    ids = batch["input_ids"]
    taught = torch.tensor(by_assistant(processor.tokenizer, ids.tolist()))
    if not taught.any():
        raise DataError(
            "the model's chat template does not show what the assistant says: nothing can be learned"
        )
    return batch | {"labels": ids.masked_fill(~taught, -100)}


class _Runs:
    """Runs as conversations, whose pictures are opened when they are needed."""

    def __init__(self, runs: Sequence[Trajectory], directory: Path) -> None:
        self._runs = runs
        self._directory = directory

    def __len__(self) -> int:
        return len(self._runs)

    def __getitem__(self, number: int) -> list[dict[str, Any]]:
        written, pictures = conversation(self._runs[number].messages)
        shown = iter(pictures)
        for message in written:
            for part in message["content"]:
                if isinstance(part, dict) and part["type"] == "image":
                    part["image"] = self._open(next(shown).reference)
        return written

    def _open(self, reference: str) -> Any:
        from PIL import Image  # noqa: PLC0415 - only for what is trained on

        try:
            with Image.open(self._directory / reference) as image:
                return image.convert("RGB")
        except OSError as error:
            raise DataError(f"{self._directory / reference} cannot be read: {error}") from None


def _arguments(settings: TrainSettings, *, gpu: bool) -> dict[str, Any]:
    start = settings.trl.warm_start
    assert start is not None
    micro = min(settings.trl.micro_batch or start.batch, start.batch)
    return {
        "output_dir": str(settings.output / f"{checks.WARM}-state"),
        "max_steps": start.steps,
        "per_device_train_batch_size": micro,
        "gradient_accumulation_steps": max(start.batch // micro // checks.processes(), 1),
        "learning_rate": start.learning_rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": max(start.steps // 20, 1),
        "bf16": settings.trl.bf16,
        "gradient_checkpointing": settings.trl.gradient_checkpointing,
        "seed": settings.recipe.seed,
        "use_cpu": not gpu,
        "ddp_backend": "gloo" if not gpu and checks.processes() > 1 else None,
        "dataloader_pin_memory": gpu,
        # A GPU learns faster than one process writes its batches.
        "dataloader_num_workers": _WORKERS if gpu else 0,
        "remove_unused_columns": False,
        "logging_steps": _EVERY,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
    }


def _telling(transformers: Any, tell: Callable[[str], None]) -> Any:
    class Telling(transformers.TrainerCallback):
        def on_log(self, _arguments: Any, state: Any, _control: Any, logs: Any = None, **_: Any) -> None:
            """Tell the loss."""
            if logs and "loss" in logs:
                tell(f"warm start: step {state.global_step}, loss {logs['loss']:.3f}")

    return Telling()
