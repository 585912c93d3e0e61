"""The process that verl's trainer begins in: `python -m wheretaken.rl.verl.driver CONFIG`.

It looks at the cluster, hands verl its configuration, and copies what verl measures into the records of the
training while it goes on. `train verl` is this process, or submits it as a job of Ray's.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from wheretaken.agent.trajectory import whole_lines
from wheretaken.errors import UserError
from wheretaken.rl.records import Recorder
from wheretaken.rl.settings import TrainSettings
from wheretaken.rl.verl import checks, overrides
from wheretaken.rl.verl.libraries import imported

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

_LOOK_SECONDS = 5.0
_REPLY_SECONDS = 10.0
_VALIDATED = "val"
"""How the names of what validations measure begin."""


def train(config: Path, attempt: int, *, eval_only: bool = False, address: str = "") -> None:
    """Train, or evaluate, until it is done.

    Args:
        config: The settings as they were when the training was started.
        attempt: Which start this is.
        eval_only: Only validate.
        address: Of the Ray cluster; without one, Ray's own way of finding or starting one.

    Raises:
        UserError: the cluster or the settings cannot work.
    """
    settings = TrainSettings.load(config)
    files = overrides.Files.of(settings, attempt)
    told = overrides.overrides(settings, files, tools=files.offers_tools(), eval_only=eval_only)
    if address:
        told["+ray_kwargs.ray_init.address"] = address
    made = checks.composed(told)
    ray: Any = imported("ray")
    main: Any = imported("verl.trainer.main_ppo")
    joined = bool(address or os.environ.get("RAY_ADDRESS") or ray.is_initialized())
    if joined:
        if not ray.is_initialized():
            _connect(ray, **_ray(made, main))
        checks.check_cluster(settings, config)
    main.auto_set_device(made)
    with followed(files.numbers, Recorder(settings.output, attempt=attempt)):
        main.run_ppo(made, task_runner_class=main.TaskRunnerV1)


def look(config: Path, address: str) -> None:
    """Look at every node of a Ray cluster, and train nothing.

    Raises:
        UserError: there is no cluster, or it is not fit for the training.
    """
    ray: Any = imported("ray")
    _connect(ray, address=address)
    try:
        checks.check_cluster(TrainSettings.load(config), config)
    finally:
        ray.shutdown()


def _connect(ray: Any, **options: Any) -> None:
    """Join a cluster.

    Raises:
        UserError: it cannot be joined.
    """
    address = options.get("address") or os.environ.get("RAY_ADDRESS", "")
    refused = (OSError, RuntimeError, ValueError, imported("ray.exceptions").RayError)
    try:
        host, colon, port = address.rpartition(":")
        if colon and port.isdecimal():
            # Ray asks for many minutes where nothing answers.
            socket.create_connection((host.strip("[]"), int(port)), _REPLY_SECONDS).close()
        ray.init(**options)
    except refused as error:
        raise UserError(
            f"no Ray cluster can be joined at {address} ({' '.join(str(error).split())}): start one with  "
            "ray start --head, and check the address and the token (RAY_AUTH_TOKEN), which all nodes share"
        ) from error


def _ray(made: Any, main: Any) -> dict[str, Any]:
    """Return what Ray is started with: what verl starts it with, as the cluster is looked at before that."""
    omegaconf: Any = imported("omegaconf").OmegaConf
    given: dict[str, Any] = omegaconf.to_container(made.ray_kwargs.ray_init)
    default: dict[str, Any] = main.get_ppo_ray_runtime_env(made)
    default.setdefault("env_vars", {})["TRANSFER_QUEUE_ENABLE"] = "1"
    runtime = omegaconf.to_container(omegaconf.merge(default, given.get("runtime_env", {})))
    if given.get("address"):
        given.pop("num_cpus", None)  # a running cluster has its own
    return given | {"runtime_env": runtime}


@contextmanager
def followed(numbers: Path, recorder: Recorder) -> Generator[None]:
    """Copy what verl writes of its measurements into the records, as it writes it and when it ends.

    Args:
        numbers: verl's file, which another process writes.
        recorder: Of the training.
    """
    ended = threading.Event()
    done = [0]

    def look() -> None:
        lines = list(whole_lines(numbers))
        for line in lines[done[0] :]:
            keep(json.loads(line), recorder)
        done[0] = len(lines)

    def watch() -> None:
        while not ended.wait(_LOOK_SECONDS):
            look()

    thread = threading.Thread(target=watch, name="numbers", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        look()


def keep(line: Mapping[str, Any], recorder: Recorder) -> None:
    """Keep a line of verl's: what it measured in a step, and in a validation after it."""
    measured = cast("dict[str, Any]", line["data"])
    numbers = {name: float(value) for name, value in measured.items() if isinstance(value, int | float)}
    step = int(line["step"])
    trained = {name: value for name, value in numbers.items() if not name.startswith(_VALIDATED)}
    validated = {name: value for name, value in numbers.items() if name.startswith(_VALIDATED)}
    if trained:
        recorder.metrics(step, trained)
    if validated:
        recorder.metrics(step, validated, "val")


def main() -> None:
    """Train as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m wheretaken.rl.verl.driver")
    parser.add_argument("config", type=Path)
    parser.add_argument("--attempt", type=int, required=True)
    parser.add_argument("--eval-only", action="store_true")
    parser.add_argument("--address", default="")
    asked = parser.parse_args()
    train(asked.config, asked.attempt, eval_only=asked.eval_only, address=asked.address)


if __name__ == "__main__":
    main()
