"""Published data sets whose tables are known: what they call their columns, and where they keep their photos.

A family is recognised by its columns, never by trust in a file's name. What is not known here is read by the
names of its columns (`columns`).
"""

from __future__ import annotations

import glob
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from wheretaken.evals.datasets.sources import Source


@dataclass(frozen=True, slots=True)
class Family:
    """What the data sets of one publication have in common."""

    name: str
    needs: frozenset[str]
    """Columns by which it is recognised; all of them have to be there."""
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    """Field -> column, where the name alone would not tell."""
    folders: tuple[str, ...] = ()
    """Where the photos are, as patterns below the table's folder; `{stem}` is the table's name."""
    unique_names: bool = False
    """A photo's name is unique over all folders."""
    note: str = ""
    """What a person should know who reads it."""


_PLACES365 = "IM2GPS/YFCC (places365)"
FAMILIES = (
    Family(
        "GeoBench",
        frozenset({"raw_image_path", "data_type"}),
        {"image": "raw_image_path"},
    ),
    Family(
        "OSV-5M",
        frozenset({"id", "latitude", "longitude", "unique_country"}),
        {"image": "id", "id": "id"},
        ("images/{stem}/*", "images/*", "{stem}/*", "*"),
        unique_names=True,
    ),
    *(
        Family(
            "IMAGEO-Bench",
            frozenset({"image_id", "latitude", "longitude", mark}),
            {"image": "image_id", "id": "image_id"},
            ("{stem}", "{set}", "images/{set}"),
        )
        for mark in ("label_method", "gmap_id", "address")
    ),
    Family(
        _PLACES365,
        frozenset({"IMG_ID", "LAT", "LON", "S3_Label"}),
        {"image": "IMG_ID", "id": "IMG_ID"},
        ("{set}", "images/{set}", "im2gps3ktest", "{set}test"),
    ),
    Family("GeoCLIP", frozenset({"IMG_FILE", "LAT", "LON"}), {"image": "IMG_FILE"}),
    Family(
        "MAPBench",
        frozenset({"image", "latitude", "longitude", "city", "country"}),
        note="positions are taken as WGS-84, as MAPBench's published scores do; "
        "MAPBench itself is very likely in GCJ-02, which --datum GCJ-02 converts",
    ),
)
TABLE = Family("table", frozenset())
_ANYWHERE = ("images", "image", "img", "photos", "{stem}")
"""Where the photos of any table are looked for."""


def recognise(columns: Sequence[str]) -> Family:
    """Return the family whose columns these are, else `TABLE`."""
    there = frozenset(columns)
    return next((family for family in FAMILIES if family.needs <= there), TABLE)


def folders(family: Family, root: Path, stem: str) -> tuple[Path, ...]:
    """Return the folders below `root` in which the photos of a table may be.

    Args:
        family: the table's.
        root: the table's folder, or the one that the user names.
        stem: the table's name without suffix; `{set}` is what is left of it without `_info` or `_places365`.
    """
    short = stem.removesuffix("_info").removesuffix("_places365")
    found = [root]
    for pattern in (*_ANYWHERE, *family.folders):
        if stem or "{" not in pattern:
            below = pattern.format(stem=glob.escape(stem), set=glob.escape(short))
            found += [path for path in sorted(root.glob(below)) if path.is_dir()]
    return tuple(dict.fromkeys(found))


def swapped(source: Source, family: Family, stem: str, lat: str, lon: str) -> tuple[bool, str]:
    """Tell whether the headers of latitude and longitude are swapped, as in two published files.

    `im2gps_places365.csv` and `im2gps3k_places365.csv` exist in two editions with the same numbers: latitude
    first, under the header `LAT,LON` in one and `LON,LAT` in the other. A value beyond 90 can only be a
    longitude, and decides. Where all are smaller, the order of the columns does, as far as the file is one of
    the two.

    Returns:
        Whether they are, and a note for people ("" when there is nothing to say).
    """
    if family.name != _PLACES365:
        return False, ""
    beyond = {lat: 0, lon: 0}
    for record in source.records((lat, lon)):
        for column in beyond:
            beyond[column] += _beyond(record.values.get(column))
    if beyond[lat] != beyond[lon]:
        if beyond[lat] < beyond[lon]:
            return False, ""
        share = f"{beyond[lat]} values of {lat} are beyond 90, which no latitude is"
        return (
            True,
            f"the headers {lon} and {lat} are swapped in this file ({share}): read the other way round",
        )
    columns = list(source.columns())
    if stem.startswith("im2gps") and columns.index(lon) < columns.index(lat):
        why = "all values are below 90; the published file of this name has latitudes first"
        return True, f"the headers {lon} and {lat} are taken for swapped ({why}): read the other way round"
    return False, f"no value is beyond 90: that {lat} and {lon} are not swapped could not be checked"


def _beyond(value: object) -> bool:
    try:
        return 90 < abs(float(str(value))) <= 180
    except ValueError:
        return False
