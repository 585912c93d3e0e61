"""Two processes that save checkpoints as verl does: `torchrun --nproc_per_node 2 shards.py MODEL OUT`.

OUT/whole and OUT/lora each have the pieces in `actor`, and in `expected` the same model in one piece, as
transformers saves it.
"""

import sys
from pathlib import Path

import torch
from omegaconf import OmegaConf
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from transformers import AutoModelForImageTextToText, AutoProcessor
from verl.utils.checkpoint.fsdp_checkpoint_manager import FSDPCheckpointManager

CONTENTS = OmegaConf.create({"save_contents": ["model"], "load_contents": ["model"]})


def changed(model, only=""):
    """Change weights as a training does: the same in each process."""
    torch.manual_seed(3)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if only in name:
                weight.add_(torch.randn_like(weight) * 0.05)


def adapted(model):
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(2)
    made = get_peft_model(model, LoraConfig(r=4, lora_alpha=16, target_modules=["q_proj", "down_proj"]))
    changed(made, "lora_B")
    return made


def save(model, expected, path, out):
    if torch.distributed.get_rank() == 0:
        expected.save_pretrained(out / "expected")
    fully_shard(model, mesh=init_device_mesh("cpu", (2,), mesh_dim_names=("fsdp",)))
    manager = FSDPCheckpointManager(
        model=model,
        optimizer=None,
        lr_scheduler=None,
        processing_class=AutoProcessor.from_pretrained(path),
        checkpoint_config=CONTENTS,
    )
    manager.save_checkpoint(str(out / "actor"))


def main(path, out):
    torch.distributed.init_process_group("gloo")
    first = AutoModelForImageTextToText.from_pretrained
    whole = first(path)
    changed(whole)
    save(whole, whole, path, Path(out) / "whole")
    save(adapted(first(path)), adapted(first(path)).merge_and_unload(), path, Path(out) / "lora")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
