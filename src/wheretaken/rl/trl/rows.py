"""The photos of a training, from the Parquet files of `train export`."""

from __future__ import annotations

import importlib
import io
from typing import TYPE_CHECKING, Any, Literal, cast

from wheretaken import paths
from wheretaken.errors import DataError, MissingExtraError
from wheretaken.messages import EXTENSIONS, Picture

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_COLUMNS = ("prompt", "images", "lat", "lon", "sha256")
_FORMATS = {extension: mime for mime, extension in EXTENSIONS.items()} | {"jpeg": "image/jpeg"}


def check(file: Path) -> int:
    """Make sure that a file is one for TRL, and return how many photos it has.

    Raises:
        DataError: it is missing, another file, or one without photos.
        MissingExtraError: pyarrow is not installed.
    """
    try:
        pyarrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise MissingExtraError("reading data", "trl", "pyarrow") from None
    again = "write it with  wheretaken train export --engine trl"
    try:
        with parquet.ParquetFile(file) as opened:
            names, count = set(opened.schema_arrow.names), int(opened.metadata.num_rows)
            missing = sorted(set(_COLUMNS) - names)
            if missing:
                raise DataError(f"{file} has no column {', '.join(missing)}: {again}")
            group = next(opened.iter_batches(batch_size=16, columns=["images"]), None)
    except FileNotFoundError:
        raise DataError(f"no file {file}: {again}") from None
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise DataError(f"{file} cannot be read ({error}): {again}") from None
    if not count or group is None:
        raise DataError(f"{file} has no rows: {again}")
    for number, images in enumerate(group.column("images").to_pylist()):
        if not images:
            raise DataError(f"{file}: row {number} has no photo: {again}")
        picture(images[0], file.parent)
    return count


def picture(image: Mapping[str, Any], folder: Path) -> Picture:
    """Return the photo of a row, the bytes as they are.

    Args:
        image: `bytes`, or a `path` relative to the file.
        folder: Of the file.

    Raises:
        DataError: it is no photo.
    """
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - only for what is trained on

    data, name = image.get("bytes"), image.get("path") or ""
    try:
        content = bytes(data) if data else (folder / name).read_bytes()
        with Image.open(io.BytesIO(content)) as opened:
            mime, size = _FORMATS[str(opened.format).lower()], opened.size
    except (OSError, KeyError, UnidentifiedImageError) as error:
        raise DataError(f"{name or 'a photo'} of {folder} is not to be read: {error}") from None
    return Picture.wrap(content, cast("Literal['image/png', 'image/jpeg']", mime), *size)


def load(file: Path) -> Any:
    """Return the rows as a data set of `datasets`, in which each photo is opened when it is needed.

    A row has `prompt`, `images` (what the model sees), `photo` (the same, as tools take it) and, for the
    reward alone, `lat` and `lon`.
    """
    from wheretaken.rl.trl.libraries import datasets  # noqa: PLC0415 - takes seconds

    datasets.disable_progress_bars()
    found = datasets.Dataset.from_parquet(str(file), cache_dir=str(paths.cache_dir() / "datasets"))
    found = found.cast_column("images", datasets.List(datasets.Image(decode=False)))
    folder = file.parent

    def opened(batch: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
        photos = [picture(images[0], folder) for images in batch["images"]]
        kept = {name: batch[name] for name in ("prompt", "lat", "lon") if name in batch}
        return kept | {"photo": photos, "images": [[photo.open()] for photo in photos]}

    return found.with_transform(opened)
