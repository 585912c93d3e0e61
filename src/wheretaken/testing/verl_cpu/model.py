"""The toy model, made in the environment that has what it is made with: verl does not start beside TRL."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from wheretaken.errors import UserError

VARIABLE = "WHERETAKEN_TOY_MODEL_PYTHON"
"""Names the Python of that environment; by default it is `.venv` of the checkout."""
_MAKE = "from wheretaken.testing.toy_model import trained; print(trained(), end='')"


def toy_model() -> Path:
    """Return the directory of the warmed toy model, which is made when it is not there (`toy_model.trained`).

    Raises:
        UserError: there is no environment to make it in, or it has not what is needed.
    """
    usual = Path(__file__).parents[4] / ".venv" / "bin" / "python"
    python = Path(os.environ.get(VARIABLE) or usual)
    try:
        done = subprocess.run([python, "-c", _MAKE], capture_output=True, text=True, check=True)  # noqa: S603 - our own module
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise UserError(
            f"the toy model cannot be made with {python}: run  make unit, or set {VARIABLE} to the Python of "
            f"an environment with the group toy-model ({said.strip()[-300:]})"
        ) from None
    return Path(done.stdout)
