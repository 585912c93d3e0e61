"""`wheretaken eval report`: one page about one or several runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from wheretaken.cli import consoles
from wheretaken.cli.choices import ReportFormat
from wheretaken.errors import UserError
from wheretaken.evals.report import build, gather, to_html, to_markdown
from wheretaken.paths import atomic_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.cli.choices import Reading
    from wheretaken.evals.model import DataSet

_STDOUT = Path("-")


def report(
    paths: Sequence[Path], output: Path, *, format_: ReportFormat, reading: Reading, data: Path | None
) -> int:
    """Write the report about some runs; return the exit code.

    Raises:
        DataError: a file cannot be used.
        UserError: the report cannot be written.
    """
    runs = gather(paths, reading=reading.value, data=None if data is None else _opened(data))
    made = build(runs, reading=reading.value)
    text = to_html(made) if format_ is ReportFormat.HTML else to_markdown(made)
    for run, finding in made.findings:
        consoles.notices().print(f"{finding.severity}: {escape(run)}: {escape(finding.title)}")
    # A lone surrogate from a broken file must not cost the whole page.
    content = text.encode("utf-8", errors="replace")
    if output == _STDOUT:
        sys.stdout.buffer.write(content)
        return 0
    try:
        with atomic_path(output) as temporary:
            temporary.write_bytes(content)
            temporary.chmod(0o644)
    except OSError as error:
        raise UserError(f"{output} cannot be written: {error.strerror}; choose another with -o") from error
    consoles.notices().print(f"written to {escape(str(output))}")
    return 0


def _opened(path: Path) -> DataSet:
    from wheretaken.evals.datasets import open_dataset  # noqa: PLC0415 - few reports need a data set

    return open_dataset(path)
