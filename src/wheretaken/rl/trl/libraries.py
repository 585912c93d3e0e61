"""TRL and what it stands on, in the versions that this part was written for; importing it takes seconds."""

from __future__ import annotations

import importlib
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from wheretaken.errors import MissingExtraError
from wheretaken.rl.trl.versions import FEATURE, check_versions
from wheretaken.testing.toy_model.torchvision_on_cpu import prepare

if TYPE_CHECKING:
    from collections.abc import Generator


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingExtraError(FEATURE, "trl", error.name or name) from error


check_versions()
torch = _imported("torch")
# In 16 bits, cuDNN compiles its attention anew for each length, of which generation has hundreds: on an H100
# the first 96 tokens of a small model took 5 to 7 s instead of 0.5 s, and none were faster afterwards.
torch.backends.cuda.enable_cudnn_sdp(False)
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


def gathered(values: list[Any]) -> list[Any]:
    """Return the values of all processes that train together, in the order of the processes."""
    found: list[Any] = _imported("accelerate.utils").gather_object(values)
    return found


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
