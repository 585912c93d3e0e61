"""The libraries of the toy model, imported so that they work beside a torch for CPUs.

The torchvision of the package index is built for CUDA. Beside a torch without CUDA it cannot load its
operators, and then fails to import, because it describes two of them (`nms`, `qnms`) that do not exist there.
Declared before, they can be described; nobody here calls them. Pillow decodes pictures, as its own decoder
cannot be loaded either.
"""

from __future__ import annotations

import importlib
import io
from typing import Any

import numpy as np
from PIL import Image

from wheretaken.errors import UserError

_OPERATORS = ("nms", "qnms")
_declared: list[Any] = []
"""Keeps the declarations alive."""


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise UserError(
            f"the toy model needs {error.name}: run  pip install --group toy-model  in the source tree"
        ) from error


def prepare() -> None:
    """Make torchvision usable where torch has neither CUDA nor ROCm."""
    library = _imported("torch")
    with_gpu = library.version.cuda is not None or getattr(library.version, "hip", None) is not None
    if with_gpu or _declared:
        return
    fragment = library.library.Library("torchvision", "FRAGMENT")
    for name in _OPERATORS:
        fragment.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _declared.append(fragment)
    for module in ("torchvision.io", "torchvision.io.image"):
        _imported(module).decode_image = _decoded


def _decoded(data: Any, **_options: Any) -> Any:
    """Decode an encoded picture, a tensor of bytes, to RGB: channels x height x width, 0 to 255."""
    with Image.open(io.BytesIO(data.numpy().tobytes())) as image:
        pixels = np.array(image.convert("RGB"))
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()


torch = _imported("torch")
prepare()
transformers = _imported("transformers")
tokenizers = _imported("tokenizers")
