"""Data sets of photos with their place: opened, checked, and prepared for training.

`open_dataset` finds out what lies at a path (`opening`): a table in text or Parquet (`formats`), of a family
that is known (`families`) or with columns that tell (`columns`). Its records become `Row`s (`reading`) one
after the other; nothing here holds a set in memory. `checks` finds missing and broken photos, duplicates and
leaks; `prepare` writes a set as Parquet, with pictures that tell nothing but what they show.
"""

from wheretaken.evals.datasets.opening import open_dataset
from wheretaken.evals.datasets.reading import Table

__all__ = ["Table", "open_dataset"]
