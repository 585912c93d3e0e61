"""`wheretaken data download`: a published data set, by name."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Self

from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from wheretaken.cli import consoles
from wheretaken.cli.main import OK
from wheretaken.errors import MissingExtraError

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console
    from stamina.instrumentation import RetryDetails

    from wheretaken.cli.choices import Source
    from wheretaken.evals.downloads import DownloadRecord, Meter

_LONG = 5.0
"""Seconds after which a reader wonders."""


def download(name: str, source: Source | None, output: Path) -> int:
    """Download a data set, or what is missing of it.

    Args:
        name: Its name in the catalogue.
        source: Where from; without it, the data set's first source.
        output: Where to put it.

    Returns:
        The exit code.

    Raises:
        UserError: As `downloads.download`, or the extra `evals` is not installed.
        ServiceError: As `downloads.download`.
    """
    try:
        import stamina.instrumentation  # noqa: PLC0415 - an extra

        from wheretaken.evals import downloads  # noqa: PLC0415 - needs the extra
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("wheretaken"):
            raise
        raise MissingExtraError("downloading data sets", "evals", error.name) from error
    wanted = downloads.entry(name)
    with _Bar(name, consoles.notices()) as bar:
        # In the place of its log lines, which tell a reader nothing.
        stamina.instrumentation.set_on_retry_hooks([bar.wait])
        work = downloads.download(
            wanted, output, hub=source.value if source else None, meter=downloads.Meter(changed=bar.show)
        )
        record = asyncio.run(work)
    consoles.results().print(_summary(record, output, fetched=bar.shown), markup=False)
    return OK


def _summary(record: DownloadRecord, output: Path, *, fetched: bool) -> str:
    size = decimal(sum(file.size for file in record.files))
    state = "downloaded" if fetched else "complete"
    unpacked = f", {len(record.unpacked):,} unpacked" if record.unpacked else ""
    return (
        f"{record.name}: {state}, {len(record.files):,} files, {size}{unpacked}, in {output}\n"
        f"  {record.title}; licence: {record.licence}\n"
        f"  from {record.source} {record.id} at {record.revision}"
    )


class _Bar:
    """Shows what has arrived: a bar on a terminal, one line elsewhere, nothing if nothing is missing."""

    def __init__(self, name: str, console: Console) -> None:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=console, transient=True)
        self._console = console
        self._name = name
        self._task: TaskID | None = None
        self._quiet_until = 0.0
        self.shown = False
        """Whether anything had to be downloaded."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._task is not None:
            self._bar.stop()

    def wait(self, details: RetryDetails) -> None:
        """Tell that nothing will happen for a while; all files under way wait for the same reason."""
        now = time.monotonic()
        if details.wait_for >= _LONG and now >= self._quiet_until:
            self._quiet_until = now + details.wait_for
            text = f"{self._name}: the source is busy; going on in {details.wait_for:.0f} s"
            self._console.print(text, markup=False)

    def show(self, meter: Meter) -> None:
        """Take note of how much has arrived."""
        if not meter.expected:
            return
        if not self.shown and not self._console.is_terminal:
            self._console.print(f"{self._name}: {decimal(meter.expected)} to download", markup=False)
        if self._console.is_terminal:
            if self._task is None:
                self._task = self._bar.add_task(self._name, total=meter.expected)
                self._bar.start()
            self._bar.update(self._task, completed=meter.arrived, total=meter.expected)
        self.shown = True
