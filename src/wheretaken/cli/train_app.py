"""The commands of `wheretaken train`: make a training, run it with TRL or verl, look at it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Train a model with the tools: export data, run TRL or verl, look at the curves.",
    no_args_is_help=True,
)

Config = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="A config.yaml of `train export`, or its directory.")
]
