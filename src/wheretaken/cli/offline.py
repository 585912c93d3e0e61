"""The offline maps as commands use them: built on first use, with a progress bar for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from wheretaken.errors import MissingExtraError

if TYPE_CHECKING:
    from rich.console import Console

    from wheretaken.maps.offline.provider import OfflineProvider


def offline_maps(console: Console | None) -> OfflineProvider:
    """Return the shared offline provider; a build in its first use is shown on `console`.

    Raises:
        MissingExtraError: the extra `offline` is not installed.
    """
    from wheretaken.maps.offline.provider import offline_provider  # noqa: PLC0415 - loads map libraries

    provider = offline_provider()
    try:
        if console is None:
            provider.prepare()
        else:
            with Stages(console) as stages:
                provider.prepare(stages.show)
    except (
        ModuleNotFoundError
    ) as error:  # modules that only the build needs import their libraries at the top
        if error.name is None or error.name.startswith("wheretaken"):
            raise
        raise MissingExtraError("building the offline maps", "offline", error.name) from error
    return provider


class Stages:
    """Shows a build's stages: one bar on a terminal, a line each elsewhere, nothing if there is no build."""

    def __init__(self, console: Console, prefix: str = "first use: ") -> None:
        self._prefix = prefix
        columns = (TextColumn(prefix + "{task.description}"), BarColumn(), TimeElapsedColumn())
        self._bars = Progress(*columns, console=console, transient=True)
        self._console = console
        self._task: TaskID | None = None
        self._stage = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._task is not None:
            self._bars.stop()

    def show(self, stage: str, done: int, total: int) -> None:
        """Take note of how far a stage has come; of 0 means that the total is not known."""
        if self._console.is_terminal:
            if self._task is None:
                self._task = self._bars.add_task(stage)
                self._bars.start()
            self._bars.update(self._task, description=stage, completed=done, total=total or None)
        elif stage != self._stage and done < max(total, 1):
            self._console.print(f"{self._prefix}{stage}", markup=False)
        self._stage = stage
