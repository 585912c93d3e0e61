"""What a training did, drawn: `curves` makes plots of its records, `page` and `png` draw them.

`findings` says in words what a person should look at first.
"""

from wheretaken.rl.inspect.curves import Plot, Series, plots
from wheretaken.rl.inspect.findings import findings
from wheretaken.rl.inspect.page import report
from wheretaken.rl.inspect.records import Training, read

__all__ = ["Plot", "Series", "Training", "findings", "plots", "read", "report"]
"""`png` is imported where it is wanted, as it needs matplotlib."""
