"""`wheretaken models ...`: which models there are, and what a server can do."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from wheretaken.cli import consoles
from wheretaken.cli.main import NO_ANSWER, OK, SERVICE
from wheretaken.errors import MissingExtraError
from wheretaken.models.checking import EVERYTHING, Finding
from wheretaken.models.checking import check as checked
from wheretaken.models.opening import READER, open_server
from wheretaken.models.presets import PRESETS

if TYPE_CHECKING:
    from wheretaken.models.checking import Report

_COLOURS = {Finding.YES: "green", Finding.NO: "yellow", Finding.FAILED: "red"}


def check(model: str, *, base_url: str, deadline: float, as_json: bool) -> int:
    """Print what a server can do, and return the exit code."""
    report = asyncio.run(
        checked(open_server(model, base_url=base_url, changes=EVERYTHING), deadline=deadline)
    )
    name = model.partition(":")[0].replace(".", "-")
    if as_json:
        found = asdict(report) | {"usable": report.usable, "settings": report.settings}
        consoles.write_json(found)
    else:
        _print(report, name)
    if Finding.FAILED in {report["reachable"], report["replies"]}:
        return SERVICE
    return OK if report.usable else NO_ANSWER


def _print(report: Report, name: str) -> None:
    table = consoles.table("check", "finding", "seconds", "detail")
    for one in report.checks:
        colour = _COLOURS.get(one.finding, "dim")
        seconds = f"{one.seconds:.2f}" if one.seconds else ""
        table.add_row(one.name, f"[{colour}]{one.finding}[/]", seconds, escape(one.detail))
    results = consoles.results()
    results.print(table)
    cost = f", {report.cost:.4f} dollars" if report.cost else ""
    consoles.notices().print(f"{report.tokens} tokens{cost}", markup=False)
    if report["replies"] == Finding.YES:
        results.print(f"\nfor wheretaken.toml:\n\n{report.toml(name)}", markup=False)


def list_models(*, as_json: bool) -> int:
    """Print the models that there are."""
    rows = [*_own(), *_presets()]
    if as_json:
        consoles.write_json(rows)
        return OK
    table = consoles.table("name", "address", "key", "about")
    for row in rows:
        table.add_row(*(escape(str(row[column])) for column in ("name", "base_url", "key", "about")))
    consoles.results().print(table)
    return OK


def _own() -> list[dict[str, Any]]:
    rows = [{"name": READER, "base_url": "", "key": "", "about": "embedded: reads signs, needs no network"}]
    try:
        from wheretaken.models.settings import ModelsSettings  # noqa: PLC0415 - needs the extra
    except ModuleNotFoundError as error:
        consoles.note(str(MissingExtraError("asking a model over HTTP", "models", error.name or "")))
        return rows
    for name, entry in ModelsSettings.load().models.items():
        key = "set" if entry.with_key().key else entry.key_variable
        rows.append({"name": name, "base_url": entry.base_url, "key": key, "about": entry.model})
    return rows


def _presets() -> list[dict[str, Any]]:
    return [
        {
            "name": name if preset.local else f"{name}:NAME",
            "base_url": preset.settings["base_url"],
            "key": preset.settings.get("key_variable", ""),
            "about": preset.about,
        }
        for name, preset in PRESETS.items()
    ]
