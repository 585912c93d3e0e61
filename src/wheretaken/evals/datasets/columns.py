"""Which column of a table is which: by the user's word, by the family of the data set, or by its name.

Nested values (`ground_truth.lat`, the JSON in GeoBench's `metadata`) are columns as well: their name is the
path to them, joined by dots.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast

from wheretaken.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Values = dict[str, Any]
    """One row: column -> what stands there."""

NEEDED = ("image", "lat", "lon")
FIELDS = (*NEEDED, "city", "country", "id", "split", "datum")

_NAMES = {
    "image": (
        *(
            "image",
            "img",
            "photo",
            "picture",
            "image_path",
            "img_path",
            "photo_path",
            "file_name",
            "filename",
        ),
        *("file", "path", "img_file", "image_file", "raw_image_path", "img_id", "image_id", "images"),
    ),
    "lat": ("lat", "latitude", "gt_lat", "true_lat"),
    "lon": ("lon", "lng", "longitude", "long", "gt_lon", "gt_lng", "true_lon"),
    "city": ("city", "town"),
    "country": ("country", "country_name"),
    "id": ("id", "uid", "image_id", "img_id"),
    "split": ("split", "subset"),
    "datum": ("datum",),
}
"""Names by which columns are known, the surest first; case and anything but letters and digits is ignored."""
_DEPTH = 3
"""How deeply nested values are looked for."""


def flat(values: Mapping[str, Any], depth: int = _DEPTH) -> Values:
    """Return a row with nested values under the path to them; an image given as bytes stays together."""
    found: Values = {}
    for name, value in values.items():
        inner = _inner(value) if depth else None
        if inner is None:
            found[name] = value
        else:
            found |= {f"{name}.{key}": item for key, item in flat(inner, depth - 1).items()}
    return found


def _inner(value: Any) -> dict[str, Any] | None:
    """Return the object that a value is, or that its text is the JSON of."""
    if isinstance(value, str) and value.startswith("{") and value.endswith("}"):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    if not isinstance(value, dict) or "bytes" in value:
        return None
    return cast("dict[str, Any]", value)


def asked(options: Iterable[str]) -> dict[str, str]:
    """Read `FIELD=NAME` options.

    Raises:
        DataError: one is written differently, or there is no such field.
    """
    chosen: dict[str, str] = {}
    for option in options:
        field, equals, name = option.partition("=")
        if not equals or not name or field not in FIELDS:
            raise DataError(
                f"--column is {option!r}; give FIELD=NAME, where FIELD is one of {', '.join(FIELDS)}"
            )
        chosen[field] = name
    return chosen


def assign(
    columns: Sequence[str], chosen: Mapping[str, str], family: Mapping[str, str], where: str
) -> dict[str, str]:
    """Decide which column is which.

    Args:
        columns: what the table has.
        chosen: the user's word: field -> column.
        family: what is known of the family of data sets that this table belongs to.
        where: the table, for messages.

    Returns:
        Field -> column, for the fields that there are.

    Raises:
        DataError: a column that is needed, or that was named, is not there.
    """
    found: dict[str, str] = {}
    for field in FIELDS:
        if wanted := chosen.get(field):
            if wanted not in columns:
                raise DataError(f"{where} has no column {wanted!r} for {field}; it has: {listed(columns)}")
            found[field] = wanted
        elif column := family.get(field) or _by_name(columns, _NAMES[field]):
            found[field] = column
    missing = [field for field in NEEDED if field not in found]
    if missing:
        options = " ".join(f"--column {field}=NAME" for field in missing)
        raise DataError(
            f"{where} has no column that is known as {' or '.join(missing)}: say which it is with {options}; "
            f"there are: {listed(columns)}"
        )
    return found


def _by_name(columns: Sequence[str], names: Sequence[str]) -> str | None:
    """Return the column with the surest name, a whole name before the last part of a nested one."""
    whole = {_plain(column): column for column in reversed(columns)}
    last = {_plain(column.rpartition(".")[2]): column for column in reversed(columns) if "." in column}
    plain = [_plain(name) for name in names]
    return next((known[name] for known in (whole, last) for name in plain if name in known), None)


def _plain(name: str) -> str:
    return re.sub(r"[^0-9a-z]", "", name.casefold())


def listed(columns: Sequence[str], most: int = 30) -> str:
    """Return the names for a message."""
    shown = ", ".join(columns[:most])
    return f"{shown}, and {len(columns) - most} more" if len(columns) > most else shown
