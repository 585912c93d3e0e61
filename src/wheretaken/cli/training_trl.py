"""`wheretaken train trl`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken.cli import consoles
from wheretaken.cli.main import OK
from wheretaken.rl.settings import TrainSettings
from wheretaken.rl.trl import training

if TYPE_CHECKING:
    from pathlib import Path


def run(config: Path, *, eval_only: bool, dry_run: bool) -> int:
    """Train, measure, or only check."""
    settings = TrainSettings.load(config)
    notices, results = consoles.notices(), consoles.results()

    def tell(line: str) -> None:
        notices.print(line, markup=False)

    if dry_run:
        results.print(training.dry_run(settings), markup=False)
    elif eval_only:
        for name, value in training.evaluate(settings, tell=tell).items():
            results.print(f"{name} {value:.4g}", markup=False)
    else:
        results.print(str(training.train(settings, tell=tell)), markup=False)
    return OK
