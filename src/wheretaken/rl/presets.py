"""Recipes by name, as data: what `train export --preset NAME` writes into a configuration.

| name | what it is |
|---|---|
| `toy` | minutes on a CPU with a toy model |
| `single` | one GPU: adapters (LoRA) on a small model |
| `paper` | the paper's: 2,500 + 2,027 photos of MAPBench, two epochs, four updates a step |
| `released` | the released training script's: its sample of 6,000 photos, one epoch, one update a step |

Sources of the last two: "Thinking with Map", arXiv 2601.05432, its training settings; and
`train_thinking_with_map.sh` of its repository AMAP-ML/Thinking-with-Map, commit 6a41708. Both trained
Qwen3-VL-30B-A3B on eight nodes of eight GPUs. They cut a tool's text to 1,024 characters and kept one end
of it; here, head and tail are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from wheretaken.errors import UserError
from wheretaken.models.openai.pictures import MAX_PIXELS, MIN_PIXELS
from wheretaken.rl.settings import LoraSettings, Recipe, TrlSettings, VerlSettings


@dataclass(frozen=True)
class Preset:
    """Settings that belong together."""

    model: str
    """The weights, where none are named."""
    recipe: Recipe
    lora: LoraSettings | None = None
    pixels: tuple[int | None, int | None] = (None, None)
    """The smallest and the largest picture that the model is shown; by default, what its processor says."""
    longest_text_chars: int = 4096
    trl: TrlSettings = field(default_factory=TrlSettings)
    verl: VerlSettings = field(default_factory=VerlSettings)


_PIXELS = (MIN_PIXELS, MAX_PIXELS)
"""As in the paper, and in `locate`."""
_LARGE = "Qwen/Qwen3-VL-30B-A3B-Instruct"
_CLUSTER = VerlSettings(nodes=8, gpus_per_node=8, rollout="sglang", tensor_parallel=8, micro_batch_per_gpu=4)
PRESETS = {
    "toy": Preset(
        "toy-model",
        Recipe(
            steps=60,
            batch=4,
            group=8,
            learning_rate=2e-4,
            warmup_steps=5,
            kl=0.0,
            prompt_tokens=2048,
            response_tokens=1024,
            turns=4,
        ),
        verl=VerlSettings(gpus_per_node=1),
    ),
    "single": Preset(
        "Qwen/Qwen3-VL-4B-Instruct",
        Recipe(batch=8, group=8, learning_rate=1e-5, warmup_steps=10, prompt_tokens=8192),
        LoraSettings(),
        pixels=_PIXELS,
        trl=TrlSettings(bf16=True, gradient_checkpointing=True, micro_batch=1),
        verl=VerlSettings(gpus_per_node=1),
    ),
    "paper": Preset(
        _LARGE,
        Recipe(epochs=2, batch=64, mini_batch=16, prompt_tokens=8192),
        pixels=_PIXELS,
        longest_text_chars=1024,
        verl=_CLUSTER,
    ),
    "released": Preset(
        _LARGE,
        Recipe(
            epochs=1,
            batch=64,
            mini_batch=64,
            prompt_tokens=8192,
            save_every=40,
            eval_every=40,
            eval_first=False,
            eval_runs=4,
        ),
        pixels=_PIXELS,
        longest_text_chars=1024,
        verl=_CLUSTER,
    ),
}
USUAL = {"trl": "single", "verl": "paper"}
"""By engine."""


def preset(name: str) -> Preset:
    """Return a preset.

    Raises:
        UserError: there is none of this name.
    """
    if name not in PRESETS:
        raise UserError(f"there is no preset {name!r}; there are: {', '.join(PRESETS)}")
    return PRESETS[name]
