"""`wheretaken train verl`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheretaken.cli import consoles
from wheretaken.cli.main import OK
from wheretaken.errors import UserError
from wheretaken.rl.settings import ToolSettings, TrainSettings, parsed

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says."""

    nodes: int | None = None
    gpus_per_node: int | None = None
    address: str = ""
    server: str = ""
    dry_run: bool = False
    eval_only: bool = False


def train(config: Path, options: Options) -> int:
    """Check, and then train, submit or print."""
    from wheretaken.rl.verl import launch  # noqa: PLC0415 - verl's libraries take seconds

    settings = _settings(config, options)
    prepared = launch.prepare(settings, eval_only=options.eval_only)
    said = f"{prepared.photos:,} photos, {settings.verl.nodes} nodes of {settings.verl.gpus_per_node} GPUs"
    for line in (*prepared.left_out, said):
        consoles.notices().print(line, markup=False)
    if options.dry_run:
        consoles.results().print(prepared.command(), markup=False, soft_wrap=True)
        launch.look(prepared, options.address)
    elif launch.is_dashboard(options.address):
        consoles.results().print(launch.submit(prepared, options.address), markup=False)
    else:
        launch.run(prepared, options.address)
        consoles.results().print(str(settings.output), markup=False)
    return OK


def _settings(config: Path, options: Options) -> TrainSettings:
    settings = TrainSettings.load(config)
    if settings.engine != "verl":
        raise UserError(f"{config} is for {settings.engine}: export it with --engine verl")
    given = {"nodes": options.nodes, "gpus_per_node": options.gpus_per_node}
    verl = settings.verl.model_copy(update={name: value for name, value in given.items() if value})
    tools = settings.tools
    if options.server:
        tools = parsed(ToolSettings, tools.model_dump() | {"server": options.server}, "--server")
    return settings.model_copy(update={"verl": verl, "tools": tools})
