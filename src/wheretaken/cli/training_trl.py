"""`wheretaken train trl`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken.cli import consoles
from wheretaken.cli.main import OK
from wheretaken.rl.settings import TrainSettings
from wheretaken.rl.trl import training
from wheretaken.rl.trl.checks import is_first

if TYPE_CHECKING:
    from pathlib import Path


def run(config: Path, *, eval_only: bool, dry_run: bool) -> int:
    """Train, measure, or only check."""
    settings = TrainSettings.load(config)
    notices, results = consoles.notices(), consoles.results()

    def tell(line: str) -> None:
        if is_first():
            notices.print(line, markup=False)

    if dry_run:
        results.print(training.dry_run(settings), markup=False)
    elif eval_only:
        measured = training.evaluate(settings, tell=tell)
        for name, value in measured.items() if is_first() else ():
            results.print(f"{name} {value:.4g}", markup=False)
    else:
        final = training.train(settings, tell=tell)
        if is_first():
            results.print(str(final), markup=False)
    return OK
