"""What one process of verl's has in common: the settings, and the tools with their connections.

verl makes tools, agent loops and reward functions anew all the time, and names them in files. All of them are
told where the settings are, and find the rest here.
"""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from wheretaken.rl.records import Recorder
from wheretaken.rl.settings import TrainSettings
from wheretaken.rl.toolbox import closing, open_toolbox

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheretaken.geo import Datum
    from wheretaken.messages import ToolSpec
    from wheretaken.rl.toolbox import Toolbox

_toolboxes: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Toolbox]] = WeakKeyDictionary()
"""A toolbox is for one event loop, of which a worker of verl's has one."""


@cache
def settings(path: str) -> TrainSettings:
    """Return the settings of a file, which nobody changes while a training runs.

    Raises:
        UserError: they cannot be read.
    """
    return TrainSettings.load(Path(path))


@cache
def specs(path: str) -> Mapping[str, ToolSpec]:
    """Return what a model is told of the tools, by their names.

    Raises:
        UserError: the settings cannot be read, or name no tools that there are.
    """
    with closing(open_toolbox(settings(path).tools)) as toolbox:
        return {spec.name: spec for spec in toolbox.specs}


@cache
def datum(path: str) -> Datum:
    """Return the datum in which the tools take and give positions.

    Raises:
        UserError: the settings cannot be read, or name no tools that there are.
    """
    with closing(open_toolbox(settings(path).tools)) as toolbox:
        return toolbox.datum


@cache
def recorder(path: str, attempt: int) -> Recorder:
    """Return who keeps what this start of a training leaves behind.

    Raises:
        UserError: its directory cannot be written to.
    """
    return Recorder(settings(path).output, attempt=attempt)


def toolbox(path: str) -> Toolbox:
    """Return the tools of these settings for the event loop that runs.

    They stay open as long as the loop's process lives: its end, which is a kill, is all that verl gives it.
    """
    opened = _toolboxes.setdefault(asyncio.get_running_loop(), {})
    if path not in opened:
        opened[path] = open_toolbox(settings(path).tools)
    return opened[path]


async def aclose() -> None:
    """Close the tools of the event loop that runs."""
    for opened in _toolboxes.pop(asyncio.get_running_loop(), {}).values():
        await opened.aclose()
