"""Writes a report's findings and tables as Markdown (GitHub's tables), for a pull request or an appendix."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheretaken.evals.report.model import Cell, Report, Section, Table

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~])")


def to_markdown(report: Report) -> str:
    """Return the report without its drawings and pictures."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"# {_plain(report.title)}"
    yield f"\n{_plain(report.subtitle)}\n"
    for run, finding in report.findings:
        yield f"- **{finding.severity}**, {_plain(run)}: {_plain(finding.title)}. {_plain(finding.detail)}"
        yield from (f"  - {_plain(example)}" for example in finding.examples)
    if not report.findings:
        yield f"No health check failed. {_plain(report.checked)}"
    for section in report.sections:
        if section.texts or section.tables or section.terms:
            yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    yield f"\n## {_plain(section.title)}"
    for text in section.texts:
        yield f"\n{_plain(text)}"
    for table in section.tables:
        yield from _table(table)
    if section.terms:
        yield ""
    for term, meaning in section.terms:
        yield f"- **{_plain(term)}**: {_plain(meaning)}"


def _table(table: Table) -> Iterator[str]:
    yield f"\n### {_plain(table.caption)}\n"
    if table.note:
        yield f"{_plain(table.note)}\n"
    yield _row(_plain(column.title) for column in table.columns)
    yield _row(":---" if column.words else "---:" for column in table.columns)
    for row in table.rows:
        yield _row(map(_cell, row))


def _row(cells: Iterator[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    text = f"[{_plain(cell.text)}]({cell.link})" if cell.link else _plain(cell.text)
    return f"{text} ({_plain(cell.note)})" if cell.note else text


def _plain(text: str) -> str:
    """Return a text on one line in which nothing is mark-up."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
