"""The toy model behind a real OpenAI-compatible server: `transformers serve`, in a process of its own.

with served(trained()) as base_url:
    open_models("vllm:toy", base_url=base_url)
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from wheretaken.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Generator

_START_SECONDS = 120.0


@contextlib.contextmanager
def served(model: Path) -> Generator[str]:
    """Serve a model at 127.0.0.1 on a free port; yields its base URL. The server calls it by its path.

    Raises:
        UserError: the server did not start; the message has what it said.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        # Without a directory for downloads it cannot list models; it must not look for any in the network.
        variables = {"HF_HOME": home, "HF_HUB_CACHE": home, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        said = Path(home, "log")
        with said.open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", __name__, str(model), str(port)],
                env=os.environ | variables,
                stdout=log,
                stderr=log,
            )
        try:
            _wait(process, f"http://127.0.0.1:{port}/health", said)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, said: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own server
            return
        time.sleep(0.2)
    raise UserError(f"the toy model's server did not start: {said.read_text('utf-8', 'replace')[-2000:]}")


def main(model: str, port: str) -> None:
    """Run `transformers serve` in this process, where torchvision can be imported."""
    from wheretaken.testing.toy_model.libraries import prepare  # noqa: PLC0415 - takes seconds

    prepare()
    sys.argv = ["transformers", "serve", model, "--host", "127.0.0.1", "--port", port, "--device", "cpu"]
    from transformers.cli.transformers import main as transformers_main  # noqa: PLC0415 - as above

    transformers_main()


if __name__ == "__main__":
    main(*sys.argv[1:])
