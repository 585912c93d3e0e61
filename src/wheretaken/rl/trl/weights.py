"""The models that can be trained, told apart and checked by their files before they are loaded."""

from __future__ import annotations

import importlib
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wheretaken.errors import UserError
from wheretaken.rl.checks import differences

if TYPE_CHECKING:
    from wheretaken.rl.settings import LoraSettings, ModelSettings

FAMILIES = ("qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe")
"""`model_type` of those whose pictures in results of tools reach the model."""
_LAYERS = r".*language_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
"""Which layers get adapters: those of the language model; the eyes stay as they are."""
_OLD_FILES = ("preprocessor_config.json", "video_preprocessor_config.json")
"""Which say of a processor what its newer file says now."""


def check_checkpoint(checkpoint: Path, settings: ModelSettings) -> None:
    """Make sure that a checkpoint is one of this model.

    Raises:
        UserError: it is of another one.
    """
    said = f"{checkpoint} is a checkpoint of another model than {settings.path}"
    mend = "choose another output, or remove it to begin anew"
    adapter = checkpoint / "adapter_config.json"
    if adapter.is_file() != (settings.lora is not None):
        raise UserError(f"{said}: only one of them has adapters; {mend}")
    if settings.lora is not None:
        made: dict[str, Any] = json.loads(adapter.read_text("utf-8"))
        found = (made.get("base_model_name_or_path"), made.get("r"))
        if found != (settings.path, settings.lora.rank):
            raise UserError(f"{said}: its adapters are of rank {found[1]} and for {found[0]}; {mend}")
        return
    directory = Path(settings.path)
    if directory.is_dir() and (differing := differences(checkpoint, directory)):
        raise UserError(f"{said} ({differing}): {mend}")


def processor(settings: ModelSettings) -> Any:
    """Return the model's processor, with a chat template that knows tools and their pictures."""
    from wheretaken.rl.trl.libraries import templates, transformers  # noqa: PLC0415 - takes seconds

    found = transformers.AutoProcessor.from_pretrained(settings.path)
    sizes = found.image_processor.size
    if settings.min_pixels:
        sizes["shortest_edge"] = settings.min_pixels
    if settings.max_pixels:
        sizes["longest_edge"] = settings.max_pixels
    if not templates.supports_tool_calling(found):
        # Qwen2.5-VL's template drops tools; its tokenizer has the marks of the later one.
        found.chat_template = found.tokenizer.chat_template = templates.qwen3_vl_chat_template
    # What is set here is only looked at: turns are read by our own reader of this form.
    found.tokenizer.response_template = templates.qwen3_template
    return found


def for_vllm(settings: ModelSettings, wanted: Any, parent: Path) -> str:
    """Return where vLLM is to load a model from, as it reads pictures in the way that the files there say.

    Where the settings change the sizes of pictures, that is a directory of the model's files but those of its
    processor, which are written anew: else rollouts would be written with pictures of other sizes than those
    that are trained on.

    Args:
        settings: Of the model.
        wanted: The processor that these settings give.
        parent: The directory in which that one is made, unless it is there.
    """
    from wheretaken.rl.trl.libraries import transformers  # noqa: PLC0415 - takes seconds

    own = transformers.AutoProcessor.from_pretrained(settings.path)
    sizes = _sizes(wanted)
    directory = parent / f"vllm-{sizes[0]}-{sizes[1]}"
    if sizes == _sizes(own):
        return settings.path
    if not directory.is_dir():
        _link(_files(settings.path), wanted, directory)
    return str(directory)


def _sizes(reader: Any) -> tuple[int, int]:
    """Return the fewest and the most pixels of a picture."""
    size = reader.image_processor.size
    return size["shortest_edge"], size["longest_edge"]


def _files(path: str) -> Path:
    if Path(path).is_dir():
        return Path(path)
    hub: Any = importlib.import_module("huggingface_hub")  # comes with transformers
    return Path(hub.snapshot_download(path))


def _link(source: Path, reader: Any, directory: Path) -> None:
    """Make a directory of a processor's files and links to all others, at once: others may make it too."""
    unfinished = directory.with_name(f"{directory.name}.{os.getpid()}")
    reader.save_pretrained(unfinished)
    for file in source.iterdir():
        here = unfinished / file.name
        if file.name not in _OLD_FILES and not here.exists():
            here.symlink_to(file.resolve())
    try:
        unfinished.rename(directory)
    except OSError:
        if not directory.is_dir():
            raise
        shutil.rmtree(unfinished)


def adapters(lora: LoraSettings) -> Any:
    """Return what peft is told.

    Raises:
        MissingExtraError: peft is not installed.
    """
    from wheretaken.rl.trl.libraries import peft  # noqa: PLC0415 - takes seconds

    return peft().LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=_LAYERS,
        task_type="CAUSAL_LM",
    )
