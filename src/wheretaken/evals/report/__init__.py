"""The report about one or several runs: one self-contained page, or the same tables as Markdown.

The model: `gather` reads paths into `Run`s, `build` turns these into a `Report` of plain text, tables and
drawings, and `to_html` or `to_markdown` writes it. The same files give the same bytes: there is no clock and
no chance in it, but for seeded resampling. What comes from outside (answers, names of cities and files) is
plain text until it is written, and is escaped there.
"""

from wheretaken.evals.report.build import build
from wheretaken.evals.report.gather import gather
from wheretaken.evals.report.markdown import to_markdown
from wheretaken.evals.report.page import to_html

__all__ = ["build", "gather", "to_html", "to_markdown"]
