"""The libraries of the toy model, imported so that they work beside a torch for CPUs."""

from __future__ import annotations

import importlib
from typing import Any

from wheretaken.errors import UserError
from wheretaken.testing.toy_model.torchvision_on_cpu import prepare


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise UserError(
            f"the toy model needs {error.name}: run  pip install --group toy-model  in the source tree"
        ) from error


torch = _imported("torch")
prepare()
transformers = _imported("transformers")
tokenizers = _imported("tokenizers")
