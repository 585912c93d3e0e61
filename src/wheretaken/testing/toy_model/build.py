"""The toy model's files: everything that a Qwen3-VL checkpoint has, made here."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wheretaken.testing.toy_model.libraries import tokenizers, torch, transformers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SPECIAL = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>"),
    *("<|box_start|>", "<|box_end|>", "<|quad_start|>", "<|quad_end|>"),
    *("<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"),
)
_MARKS = ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>")
"""Tokens that are not special, in the order of Qwen3-VL's."""
_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How Qwen's tokenizer cuts text before it merges bytes."""
_END = "<|im_end|>"
_PATCH = 16
_MERGED = 2


@dataclass(frozen=True)
class Size:
    """How large the model is; heads of 32 are the smallest that vLLM's attention on a CPU takes."""

    hidden: int = 64
    layers: int = 3
    heads: int = 2
    head_size: int = 32
    vision_hidden: int = 32
    vision_layers: int = 2
    vocabulary: int = 2048
    picture_tokens: int = 4
    """Larger pictures are reduced to so many, each of which stands for 32 x 32 pixels."""


def template() -> str:
    """Return Qwen3-VL's chat template, which trl carries, without importing trl."""
    files = importlib.metadata.files("trl") or []
    (found,) = [file for file in files if str(file).endswith("chat_templates/qwen3_vl.jinja")]
    return found.read_text("utf-8")


def build(
    out: Path,
    texts: Sequence[str],
    *,
    phrases: Sequence[str] = (),
    moe: bool = False,
    size: Size | None = None,
    seed: int = 0,
) -> None:
    """Write a model with random weights.

    Args:
        out: The directory, which is made.
        texts: What the tokenizer is trained on; the closer to what the model will read, the fewer tokens.
        phrases: Texts of one token each, however long: what stands in every prompt costs next to nothing.
        moe: Make the variant with a mixture of experts.
        size: How large.
        seed: Of the weights.
    """
    size = size or Size()
    processor = _processor(texts, phrases, size)
    processor.save_pretrained(out)
    torch.manual_seed(seed)
    kind = "Qwen3VLMoe" if moe else "Qwen3VL"
    config = getattr(transformers, f"{kind}Config")(**_config(processor.tokenizer, size, moe=moe))
    model = getattr(transformers, f"{kind}ForConditionalGeneration")(config)
    ends = [processor.tokenizer.convert_tokens_to_ids(name) for name in ("<|im_end|>", "<|endoftext|>")]
    model.generation_config = transformers.GenerationConfig(
        eos_token_id=ends, pad_token_id=ends[1], do_sample=True, temperature=1.0
    )
    model.save_pretrained(out)


def _tokenizer(texts: Sequence[str], phrases: Sequence[str], vocabulary: int) -> Any:
    """Train a byte-level BPE with Qwen's special tokens."""
    pre = tokenizers.pre_tokenizers
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.normalizer = tokenizers.normalizers.NFC()
    cut = pre.Split(tokenizers.Regex(_WORDS), behavior="isolated")
    made.pre_tokenizer = pre.Sequence([cut, pre.ByteLevel(add_prefix_space=False, use_regex=False)])
    made.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=vocabulary - len(_SPECIAL) - len(_MARKS),
        initial_alphabet=pre.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(texts, trainer)
    made.add_special_tokens(
        [tokenizers.AddedToken(name, special=True, normalized=False) for name in _SPECIAL]
    )
    made.add_tokens(
        [tokenizers.AddedToken(name, special=False, normalized=False) for name in (*_MARKS, *phrases)]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token=_END,
        pad_token=_SPECIAL[0],
        additional_special_tokens=[name for name in _SPECIAL[1:] if name != _END],
        model_max_length=8192,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )


def _processor(texts: Sequence[str], phrases: Sequence[str], size: Size) -> Any:
    tokenizer = _tokenizer(texts, phrases, size.vocabulary)
    tokenizer.chat_template = template()
    patches = {"patch_size": _PATCH, "temporal_patch_size": 2, "merge_size": _MERGED}
    smallest = (_PATCH * _MERGED) ** 2
    pictures = transformers.Qwen2VLImageProcessor(
        **patches,
        image_mean=[0.5] * 3,
        image_std=[0.5] * 3,
        size={"shortest_edge": smallest, "longest_edge": size.picture_tokens * smallest},
    )
    return transformers.Qwen3VLProcessor(
        image_processor=pictures,
        tokenizer=tokenizer,
        video_processor=transformers.Qwen3VLVideoProcessor(**patches),
        chat_template=tokenizer.chat_template,
    )


def _config(tokenizer: Any, size: Size, *, moe: bool) -> dict[str, Any]:
    number = tokenizer.convert_tokens_to_ids
    third = size.head_size // 6
    text: dict[str, Any] = {
        "vocab_size": -(-len(tokenizer) // 64) * 64,
        "hidden_size": size.hidden,
        "intermediate_size": size.hidden * 3,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "num_key_value_heads": size.heads,
        "head_dim": size.head_size,
        "max_position_embeddings": 8192,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10000.0,
            "mrope_section": [size.head_size // 2 - 2 * third, third, third],
            "mrope_interleaved": True,
        },
        "pad_token_id": number("<|endoftext|>"),
        "bos_token_id": number("<|endoftext|>"),
        "eos_token_id": number("<|im_end|>"),
        "dtype": "float32",
        "tie_word_embeddings": True,
    }
    if moe:
        text |= {"moe_intermediate_size": size.hidden, "num_experts": 4, "num_experts_per_tok": 2}
        text |= {"decoder_sparse_step": 1}
    vision = {
        "depth": size.vision_layers,
        "hidden_size": size.vision_hidden,
        "intermediate_size": size.vision_hidden * 2,
        "num_heads": 2,
        "patch_size": _PATCH,
        "spatial_merge_size": _MERGED,
        "temporal_patch_size": 2,
        "out_hidden_size": size.hidden,
        "num_position_embeddings": 64,
        "deepstack_visual_indexes": [0],
    }
    return {
        "text_config": text,
        "vision_config": vision,
        "image_token_id": number("<|image_pad|>"),
        "video_token_id": number("<|video_pad|>"),
        "vision_start_token_id": number("<|vision_start|>"),
        "vision_end_token_id": number("<|vision_end|>"),
        "tie_word_embeddings": True,
    }
