"""What is run: the caller's `Settings`, and the `Config` that is saved beside the results."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wheretaken.agent import Limits
from wheretaken.agent.trajectory import FILE as TRAJECTORIES
from wheretaken.errors import UserError
from wheretaken.paths import atomic_path

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = "config.json"
_BINDING = ("wheretaken", "model", "toolset", "n", "direct", "verifier", "early_stop", "seed", "limits")
"""What must be the same for runs to stand in one set of results; the rest may change when one goes on."""


@dataclass(frozen=True)
class Settings:
    """How a data set is run."""

    n: int = 1
    """Runs with tools per photo."""
    direct: int = 0
    """Further runs without tools."""
    early_stop: bool = False
    """End the other runs of a photo when enough agree."""
    seed: int = 0
    """Of the first run; the others count up."""
    concurrency: int = 4
    """Runs at the same time."""
    limit: int | None = None
    """Only so many rows, the first ones; may grow when an interrupted run goes on."""
    limits: Limits = field(default_factory=Limits)
    """Of each run."""
    data_path: str = ""
    """Where the data set was read from, for the record."""


class DataConfig(BaseModel):
    """Which data set was run."""

    model_config = ConfigDict(frozen=True)

    name: str
    path: str = ""
    rows: Annotated[int, Field(ge=0)]
    """Lines of the manifest; what every metric is divided by."""
    fingerprint: str
    """SHA-256 of the manifest."""
    notes: tuple[str, ...] = ()
    """What its reader had to say about it."""


class Config(BaseModel):
    """What was run, resolved: the content of `config.json`."""

    model_config = ConfigDict(frozen=True)

    schema_version: int = 1
    wheretaken: str
    """The version of this package."""
    model: str
    toolset: str
    n: int
    direct: int = 0
    verifier: str
    early_stop: bool = False
    seed: int
    limits: Limits
    concurrency: int
    limit: int | None
    data: DataConfig

    @classmethod
    def read(cls, directory: Path) -> Self | None:
        """Return what a directory was run with, or None when nothing was run in it.

        Raises:
            UserError: the directory holds something else.
        """
        path = directory / CONFIG
        if not path.exists():
            if (directory / TRAJECTORIES).exists():
                raise UserError(
                    f"{directory} holds {TRAJECTORIES} of something else: choose another directory"
                )
            return None
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise UserError(
                f"{path} is no configuration of a run ({reason}): choose another directory"
            ) from error

    def write(self, directory: Path) -> None:
        """Save it."""
        with atomic_path(directory / CONFIG) as temporary:
            temporary.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    def check(self, before: Config | None, directory: Path, *, resume: bool) -> None:
        """Make sure that this may be run in a directory that was run with `before`.

        Raises:
            UserError: it may not; the message names the first difference and what to do.
        """
        if before is None:
            return
        for name in _BINDING:
            ours, theirs = getattr(self, name), getattr(before, name)
            if ours != theirs:
                raise UserError(
                    f"{directory} was run with {name} {_shown(theirs)}, not {_shown(ours)}: "
                    f"choose another directory, or the same {name} to go on"
                )
        if not resume:
            raise UserError(f"{directory} holds this run already: add --resume to go on, or choose another")


def _shown(value: object) -> str:
    return value.model_dump_json(exclude_defaults=True) if isinstance(value, BaseModel) else repr(value)
