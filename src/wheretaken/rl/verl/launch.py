"""Starting a training: everything is looked at, and then it runs here, on a cluster, or as a job of Ray's."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wheretaken.errors import UserError
from wheretaken.rl.toolbox import closing, open_toolbox
from wheretaken.rl.verl import checks
from wheretaken.rl.verl.libraries import imported
from wheretaken.rl.verl.overrides import Files, arguments, overrides

if TYPE_CHECKING:
    from wheretaken.rl.settings import TrainSettings
    from wheretaken.rl.verl.overrides import Value


@dataclass(frozen=True)
class Prepared:
    """A training that can be started."""

    settings: TrainSettings
    files: Files
    told: dict[str, Value]
    """verl's settings."""
    photos: int
    """That are trained on."""
    eval_only: bool
    left_out: tuple[str, ...] = ()
    """What people are told of photos that are left out."""

    def command(self) -> str:
        """Return the command with which verl itself would do the same, in a shell's words."""
        return " \\\n  ".join(["python -m verl.trainer.main_ppo", *map(shlex.quote, arguments(self.told))])

    def entrypoint(self) -> list[str]:
        """Return the words of the command that trains."""
        options = ["--attempt", str(self.files.attempt), *(["--eval-only"] if self.eval_only else [])]
        return ["-m", "wheretaken.rl.verl.driver", str(self.files.config), *options]


def prepare(settings: TrainSettings, *, eval_only: bool = False) -> Prepared:
    """Check everything that can be checked from here, and write what verl's processes read.

    Raises:
        UserError: something cannot work; the message says what to do.
        MissingExtraError: a library is missing.
    """
    fits = checks.check(settings, eval_only=eval_only)
    files = Files.of(settings, int(time.time()))
    with closing(open_toolbox(settings.tools)) as toolbox:
        tools = [spec.name for spec in toolbox.specs]
    told = overrides(settings, files, tools=bool(tools), eval_only=eval_only)
    try:
        files.write(settings, tools)
    except OSError as error:
        raise UserError(f"cannot write to {settings.output} ({error.strerror}): choose another") from error
    checks.composed(told)
    said = tuple(one.said for one in fits if one.said)
    return Prepared(settings, files, told, len(fits[0].kept), eval_only, said)


def look(prepared: Prepared, address: str = "") -> None:
    """Check what a training will run on: this machine, or every node of the Ray cluster of an address.

    Nodes behind a dashboard are looked at by the job itself, before it takes a GPU.

    Raises:
        UserError: the cluster, or this machine, has not what is needed.
        MissingExtraError: as above.
    """
    if not address:
        checks.check_here(prepared.settings.verl)
    elif not is_dashboard(address):
        from wheretaken.rl.verl import driver  # noqa: PLC0415 - loads verl

        driver.look(prepared.files.config, address)


def is_dashboard(address: str) -> bool:
    """Tell whether jobs are submitted to an address, which is not joined then."""
    return address.startswith(("http://", "https://"))


def run(prepared: Prepared, address: str = "") -> None:
    """Train in this process and on this machine, or on the Ray cluster of an address.

    Raises:
        UserError: the cluster, or this machine, has not what is needed.
        MissingExtraError: as above.
    """
    if not address:
        checks.check_here(prepared.settings.verl)
    from wheretaken.rl.verl import driver  # noqa: PLC0415 - loads verl

    driver.train(prepared.files.config, prepared.files.attempt, eval_only=prepared.eval_only, address=address)


def submit(prepared: Prepared, dashboard: str) -> str:
    """Submit the training as a job, and return the job's id.

    Args:
        prepared: The training.
        dashboard: The address of Ray's dashboard, such as http://head:8265.

    Raises:
        UserError: nothing answers there.
    """
    jobs: Any = imported("ray.job_submission")
    # A wrong token is none of the others.
    refused = (ConnectionError, RuntimeError, imported("ray.exceptions").RayError)
    try:
        client = jobs.JobSubmissionClient(dashboard)
        command = shlex.join(["python", *prepared.entrypoint(), "--address", "auto"])
        return str(client.submit_job(entrypoint=command))
    except refused as error:
        raise UserError(
            f"Ray's dashboard at {dashboard} took no job ({' '.join(str(error).split())}): check the "
            "address and the token (RAY_AUTH_TOKEN)"
        ) from None
