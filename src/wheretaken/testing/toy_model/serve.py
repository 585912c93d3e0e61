"""The toy model behind a real OpenAI-compatible server: `transformers serve`, in a process of its own.

with served(trained()) as base_url:
    open_models("vllm:toy", base_url=base_url)
"""

from __future__ import annotations

import contextlib
import itertools
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
    from collections.abc import Callable, Generator

_START_SECONDS = 300.0


def served(model: Path) -> contextlib.AbstractContextManager[str]:
    """Serve a model with `transformers serve`, at 127.0.0.1 on a free port; yields its base URL.

    The server calls the model by its path.

    Raises:
        UserError: the server did not start; the message has what it said.
    """
    return _served(lambda port: [sys.executable, "-m", __name__, str(model), str(port)], {})


def served_by_vllm(model: Path, python: Path) -> contextlib.AbstractContextManager[str]:
    """Serve a model with vLLM in the environment of this Python; as `served`.

    Builds of vLLM for processors have another name than `vllm`, by which it looks for its own version: beside
    it must lie what says which that is (`scripts/vllm_environment.py` sees to that).
    """
    options = {
        "--max-model-len": "4096",
        "--dtype": "float32",
        "--max-num-seqs": "4",
        "--limit-mm-per-prompt": '{"image": 6}',
        "--generation-config": "vllm",
        "--tool-call-parser": "hermes",
        "--host": "127.0.0.1",
    }
    flags = ["--enforce-eager", "--enable-auto-tool-choice"]
    command = [str(python.with_name("vllm")), "serve", str(model), *flags, *itertools.chain(*options.items())]
    variables = {
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
    }
    return _served(lambda port: [*command, "--port", str(port)], variables)


@contextlib.contextmanager
def _served(command: Callable[[int], list[str]], variables: dict[str, str]) -> Generator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        # Without a directory for downloads it cannot list models; it must not look for any in the network.
        offline = {"HF_HOME": home, "HF_HUB_CACHE": home, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        said = Path(home, "log")
        with said.open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - our own module, or the server that the caller named
                command(port), env=os.environ | offline | variables, stdout=log, stderr=log
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
    from wheretaken.testing.toy_model.torchvision_on_cpu import prepare  # noqa: PLC0415 - takes seconds

    prepare()
    sys.argv = ["transformers", "serve", model, "--host", "127.0.0.1", "--port", port, "--device", "cpu"]
    from transformers.cli.transformers import main as transformers_main  # noqa: PLC0415 - as above

    transformers_main()


if __name__ == "__main__":
    main(*sys.argv[1:])
