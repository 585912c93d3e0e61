"""SQL expressions that sort a region's features by the tables of the street map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken.maps.offline.render.street_tables import ROADS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def road() -> str:
    """Return the SQL expression for a street's place in `ROADS`."""
    return case({"highway": road.values} for road in ROADS)


def case(tables: Iterable[Mapping[str, str]]) -> str:
    """Return the SQL expression for the first table that class and subclass are in: its number, else NULL."""
    by_class: dict[str, list[str]] = {}
    for number, table in enumerate(tables):
        for key, wanted in table.items():
            condition = "true" if wanted == "*" else f"subclass IN ({quoted(wanted.split())})"
            by_class.setdefault(key, []).append(f"WHEN {condition} THEN {number}")
    # By class first: a query asks this of every row, and most rows are of few classes.
    inner = (f"WHEN '{key}' THEN CASE {' '.join(whens)} END" for key, whens in by_class.items())
    return f"CASE class {' '.join(inner)} END"


def quoted(values: Iterable[str]) -> str:
    """Return words of this package as SQL strings."""
    return ", ".join(f"'{value}'" for value in values)
