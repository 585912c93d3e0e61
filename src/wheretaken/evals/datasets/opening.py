"""`open_dataset`: find out what lies at a path, and how it is to be read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wheretaken.errors import DataError, UserError
from wheretaken.evals.datasets import families
from wheretaken.evals.datasets.columns import FIELDS, assign
from wheretaken.evals.datasets.formats.geotags import SUFFIXES, Geotags
from wheretaken.evals.datasets.formats.hub import PREFIX, Hub
from wheretaken.evals.datasets.formats.parquet import Parquet
from wheretaken.evals.datasets.formats.text import Delimited, JsonLines
from wheretaken.evals.datasets.gallery import Gallery
from wheretaken.evals.datasets.reading import Table, datum_named
from wheretaken.geo import Datum

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheretaken.evals.datasets.sources import Source

_TEXT = {".csv": Delimited, ".tsv": Delimited, ".jsonl": JsonLines, ".ndjson": JsonLines, ".json": JsonLines}
_PARQUET = frozenset({".parquet", ".pq"})
_TABLES = frozenset({".csv", ".tsv", ".jsonl", ".ndjson", *_PARQUET})
_GENERIC = re.compile(
    r"(train|test|validation|valid|val|dev|eval|data|metadata)(-\d+-of-\d+)?", re.IGNORECASE
)
_KINDS = "a CSV, TSV, JSONL or Parquet table"
PROBLEMS = ".problems.jsonl"
"""Ending of the list that `data prepare` writes beside its output, which is no table of photos."""


def open_dataset(
    path: str | Path,
    *,
    images: Path | None = None,
    columns: Mapping[str, str] | None = None,
    datum: str = "",
) -> Table:
    """Open a data set; its format is found out, and `notes` say what was found.

    Args:
        path: a table, a folder with one, a folder of geotagged photos, or `hf:OWNER/NAME[:SPLIT]`.
        images: the folder of the photos, when they are not in the table's; none outside it is read.
        columns: field (`image`, `lat`, `lon`, `city`, `country`, `id`, `split`, `datum`) -> column, where the
            column's name does not tell.
        datum: of all positions, which become WGS-84: `WGS-84`, `GCJ-02` or `BD-09`. Without it, what the rows
            say in a column `datum`, else WGS-84.

    Raises:
        DataError: there is nothing that can be read, or it lacks a column; the message says what to do.
        MissingExtraError: what it takes to read the format is not installed.
        UserError: an option is wrong.
    """
    found = _find(path)
    named = datum_named(datum)
    if datum and named is None:
        raise UserError(f"--datum is {datum!r}; it is one of {', '.join(Datum)}")
    if images is not None and not images.is_dir():
        raise UserError(f"--images {images} is no directory: name the folder that holds the photos")
    if unknown := set(columns or {}) - set(FIELDS):
        raise UserError(f"{', '.join(sorted(unknown))} is no field; there are {', '.join(FIELDS)}")
    return _table(found, images, columns or {}, named)


@dataclass(frozen=True, slots=True)
class _Found:
    source: Source
    name: str
    root: Path
    """No photo outside it is read."""
    stem: str


def _find(path: str | Path) -> _Found:
    """Look at what the path leads to."""
    if isinstance(path, str) and path.startswith(PREFIX):
        hub = Hub.parse(path)
        return _Found(hub, Path(hub.id).name, Path(hub.id) if Path(hub.id).is_dir() else Path(), "")
    place = Path(path).expanduser()
    if place.is_dir():
        return _in_folder(place)
    if not place.exists():
        raise DataError(
            f"{place} does not exist: check the path (a Hugging Face data set is written hf:OWNER/NAME)"
        )
    suffix = place.suffix.lower()
    if suffix in _PARQUET:
        return _Found(Parquet((place,)), _name(place), place.parent, place.stem)
    if suffix not in _TEXT:
        remedy = (
            "give the folder that it is in" if suffix in SUFFIXES else f"a data set is {_KINDS}, or a folder"
        )
        raise DataError(f"{place} is no table: {remedy}")
    return _Found(_TEXT[suffix](place), _name(place), place.parent, place.stem)


def _name(table: Path) -> str:
    """Return a table's name, or its folder's where the table is called `test` or `train-00000-of-00002`."""
    return table.resolve().parent.name if _GENERIC.fullmatch(table.stem) else table.stem


def _in_folder(folder: Path) -> _Found:
    """Return a folder's only table, the parts of its Parquet data set, or its geotagged photos."""
    here = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in _TABLES and path.is_file() and not path.name.endswith(PROBLEMS)
    )
    parts = [path for path in here if path.suffix.lower() in _PARQUET]
    if not here:
        parts = sorted(path for suffix in _PARQUET for path in folder.glob(f"[!.]*/**/*{suffix}"))
    if parts and len(parts) >= len(here):
        return _Found(Parquet(tuple(parts)), folder.resolve().name, folder, "")
    if len(here) > 1:
        names = ", ".join(path.name for path in here[:8])
        raise DataError(f"{folder} holds several tables: name one of them ({names})")
    if here:
        return _find(here[0])
    photos = Geotags(folder)
    if next(photos.records(), None) is None:
        raise DataError(
            f"{folder} holds neither {_KINDS} nor a photo with a position in its EXIF: name the table itself"
        )
    return _Found(photos, folder.resolve().name, folder, "")


def _table(found: _Found, images: Path | None, chosen: Mapping[str, str], datum: Datum | None) -> Table:
    source = found.source
    there = source.columns()
    if not there:
        raise DataError(f"{source.name} has no rows: check that it is whole")
    family = families.recognise(there)
    columns = assign(there, chosen, family.columns, source.name)
    root = images or found.root
    folders = families.folders(family, root, found.stem)
    format_ = source.kind if family is families.TABLE else f"{family.name}, {source.kind}"
    notes: list[str] = []
    if "lat" not in chosen and "lon" not in chosen:
        turned, note = families.swapped(source, family, found.stem, columns["lat"], columns["lon"])
        if turned:
            columns["lat"], columns["lon"] = columns["lon"], columns["lat"]
        notes += [note] if note else []
    if datum is not None and datum is not Datum.WGS84:
        notes.append(f"positions are converted from {datum} to WGS-84")
    elif family.note and datum is None:
        notes.append(family.note)
    if isinstance(source, Geotags) and source.without[0]:
        count, names = source.without
        notes.append(f"{count} photos without a position in EXIF are left out: {_few(names, count)}")
    spare = next((name for name in ("preview", "image") if name in there and name != columns["image"]), "")
    return Table(
        name=found.name,
        format=format_,
        notes=(f"read as {format_}: {_pairs(columns)}", *notes),
        source=source,
        columns=columns,
        gallery=Gallery(root, folders, family.unique_names),
        datum=datum,
        spare_image=spare,
    )


def _pairs(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{field} from {name}" if field != name else field for field, name in columns.items())


def _few(names: Sequence[str], count: int) -> str:
    more = f", and {count - len(names)} more" if count > len(names) else ""
    return ", ".join(names) + more
