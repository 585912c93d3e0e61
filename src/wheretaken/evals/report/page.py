"""Writes a report as one HTML page that needs nothing else.

Style and script stand in the page; its content security policy allows these two by their hashes, pictures
from `data:` addresses, and nothing else, so that a page made from hostile answers cannot load or run a thing.
"""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import TYPE_CHECKING

from wheretaken.errors import MissingExtraError

if TYPE_CHECKING:
    from wheretaken.evals.report.model import Report


def to_html(report: Report) -> str:
    """Return the page.

    Raises:
        MissingExtraError: jinja2 is not installed.
    """
    try:
        import jinja2  # noqa: PLC0415 - Markdown needs none
    except ModuleNotFoundError as error:
        raise MissingExtraError("the report", "evals", "jinja2") from error
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    style, script = _part("page.css"), _part("page.js")
    return environment.from_string(_part("page.html.j2")).render(
        report=report, style=style, script=script, style_hash=_hash(style), script_hash=_hash(script)
    )


def _part(name: str) -> str:
    return (resources.files("wheretaken.evals.report") / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Return how a content security policy names an inline element (W3C CSP Level 3, section 2.3.1)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
