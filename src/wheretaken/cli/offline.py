"""The offline maps as commands use them: built on first use, with a progress bar for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    if console is None:
        provider.prepare()
        return provider
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn  # noqa: PLC0415 - as above

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        provider.prepare(show)
    return provider
