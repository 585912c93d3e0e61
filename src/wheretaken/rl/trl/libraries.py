"""TRL and what it stands on, in the versions that this part was written for; importing it takes seconds.

Parts of TRL's trainer that are not its public interface are used here (see `trainer`), hence the upper bound.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from wheretaken.errors import MissingExtraError, UserError
from wheretaken.testing.toy_model.torchvision_on_cpu import prepare

if TYPE_CHECKING:
    from collections.abc import Generator

NEEDED = {"trl": ("1.16", "1.17"), "transformers": ("5.17", "6"), "datasets": ("4.7", "6")}
"""From this version on, and below that one."""
_FEATURE = "training with TRL"


def check_versions() -> None:
    """Make sure that the libraries are there and fit, without importing them.

    Raises:
        MissingExtraError: one is not installed.
        UserError: one is of another version.
    """
    for name in ("torch", "torchvision", "accelerate", *NEEDED):
        if importlib.util.find_spec(name) is None:
            raise MissingExtraError(_FEATURE, "trl", name)
    for name, (least, below) in NEEDED.items():
        found = importlib.metadata.version(name)
        if not _numbers(least) <= _numbers(found) < _numbers(below):
            raise UserError(
                f"{_FEATURE} needs {name} >= {least} and < {below}, and {found} is installed: "
                "run  pip install 'wheretaken[trl]'  in an environment of its own"
            )


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split("+", maxsplit=1)[0].split(".")
    return tuple(int(part) for part in parts if part.isdecimal())


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingExtraError(_FEATURE, "trl", error.name or name) from error


check_versions()
torch = _imported("torch")
prepare()
transformers = _imported("transformers")
datasets = _imported("datasets")
trl = _imported("trl")
templates = _imported("trl.chat_template_utils")


def peft() -> Any:
    """Return the library of adapters.

    Raises:
        MissingExtraError: it is not installed.
    """
    return _imported("peft")


def tensorboard(directory: str) -> Any:
    """Return a writer of TensorBoard's files."""
    return _imported("torch.utils.tensorboard").SummaryWriter(directory)


@contextmanager
def expected_warnings() -> Generator[None]:
    """Do without what these versions are known to warn of, which nobody can do anything about."""
    with warnings.catch_warnings():
        # TRL calls environments an experiment, and still uses names that transformers is about to drop.
        warnings.filterwarnings("ignore", message="You are using 'environment_factory'")
        warnings.filterwarnings("ignore", message="`(is_)?gradient_checkpointing` is deprecated")
        yield
