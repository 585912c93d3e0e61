"""Makes torchvision usable beside a torch for CPUs; needs nothing of this package: others load it too.

The torchvision of the package index is built for CUDA. Beside a torch without CUDA it cannot load its
operators, and then fails to import, because it describes two of them (`nms`, `qnms`) that do not exist there.
Declared before, they can be described; nobody here calls them. Pillow decodes pictures, as its own decoder
cannot be loaded either.
"""

from __future__ import annotations

import importlib
import io
from typing import Any

_OPERATORS = ("nms", "qnms")
_declared: list[Any] = []
"""Keeps the declarations alive."""


def prepare() -> None:
    """Make torchvision usable where torch has no GPU to use; call it before torchvision is imported."""
    torch: Any = importlib.import_module("torch")
    with_gpu = torch.version.cuda is not None or getattr(torch.version, "hip", None) is not None
    # An environment may have a copy of this file that Python loads when it starts.
    if with_gpu or hasattr(torch.ops.torchvision, _OPERATORS[0]):
        return
    fragment = torch.library.Library("torchvision", "FRAGMENT")
    for name in _OPERATORS:
        fragment.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _declared.append(fragment)
    for module in ("torchvision.io", "torchvision.io.image"):
        importlib.import_module(module).__dict__["decode_image"] = _decoded


def _decoded(data: Any, *_mode: Any, **_options: Any) -> Any:
    """Decode an encoded picture, a tensor of bytes, to RGB: channels x height x width, 0 to 255."""
    import numpy as np  # noqa: PLC0415 - others load this before they load anything else
    from PIL import Image  # noqa: PLC0415 - as above

    torch: Any = importlib.import_module("torch")
    with Image.open(io.BytesIO(data.numpy().tobytes())) as image:
        pixels = np.array(image.convert("RGB"))
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()
