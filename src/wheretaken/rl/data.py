"""The rows that are trained on, as `train export` writes them for either engine.

Truth is in them for the reward function; who makes a prompt or runs a tool takes the picture alone.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from PIL import Image

from wheretaken import photos
from wheretaken.errors import DataError, PhotoError
from wheretaken.evals.datasets import arrow
from wheretaken.geo import LatLon
from wheretaken.messages import Picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from wheretaken.evals.model import DataSet, Row

MEDIA = "media"
"""The folder of the pictures beside the rows."""
_AGAIN = "write it with  wheretaken train export"


@dataclass(frozen=True)
class Sample:
    """A photo to train on, and its truth."""

    sha256: str
    """Of the picture's bytes, which is also how scores name its group."""
    image: Path | bytes
    truth: LatLon
    """WGS-84."""
    city: str = ""
    country: str = ""

    def picture(self) -> Picture:
        """Return what a model is shown.

        Raises:
            PhotoError: it is missing or broken.
        """
        return picture(self.image)


def picture(image: Path | bytes) -> Picture:
    """Return a photo as a model is shown it.

    Raises:
        PhotoError: it is missing or broken.
    """
    bare = photos.strip(image)
    return Picture.wrap(bare.data, bare.mime, bare.width, bare.height)


def size(image: Path | bytes) -> tuple[int, int]:
    """Return the width and height in which a model is shown a photo, from the head of its file if it can be.

    Raises:
        PhotoError: it is missing or broken.
    """
    try:
        source = io.BytesIO(image) if isinstance(image, bytes) else image
        with photos.quiet(), Image.open(source) as opened:
            if not opened.getexif():  # what `train export` writes has none, and is upright
                return opened.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        pass  # what is wrong is said below
    shown = picture(image)
    return shown.width, shown.height


def samples(path: Path) -> Iterator[Sample]:
    """Yield the rows of a Parquet file.

    Raises:
        DataError: it is missing or damaged, has no pictures or no truth, or a row is not as it should be.
        MissingExtraError: pyarrow is not installed.
    """
    if not path.is_file():
        raise DataError(f"{path} does not exist: {_AGAIN}")
    columns = set(arrow.column_names(path))
    if "images" not in columns:
        raise DataError(f"{path} has no column images (it has {', '.join(sorted(columns))}): {_AGAIN}")
    if not columns & {"lat", "reward_model.ground_truth.lat"}:
        raise DataError(f"{path} has no truth for the reward in it: {_AGAIN}")
    for number, row in enumerate(arrow.rows(path), 1):
        yield _sample(row, path.resolve().parent, f"{path}: row {number}")


def check(path: Path) -> int:
    """Look at all rows and at the first picture, before anything expensive begins; return the number of rows.

    Raises:
        DataError: see `samples`, or there is no row.
        PhotoError: the first picture is missing or broken.
    """
    count, first = 0, None
    for sample in samples(path):
        first = first or sample
        count += 1
        if isinstance(sample.image, Path) and not sample.image.is_file():
            raise PhotoError(
                f"{sample.image} does not exist, which {path} names: put the folder {MEDIA} back beside it, "
                "or export again"
            )
    if first is None:
        raise DataError(f"{path} has no rows: {_AGAIN}")
    first.picture()
    return count


def _sample(row: Mapping[str, Any], folder: Path, where: str) -> Sample:
    truth = cast("Mapping[str, Any]", row.get("reward_model", {}).get("ground_truth", row))
    digest = str(row.get("extra_info", row).get("sha256") or "")
    images = cast("Sequence[Mapping[str, Any]]", row["images"] or ())
    if len(images) != 1:
        raise DataError(f"{where} has {len(images)} pictures instead of one: {_AGAIN}")
    image = images[0].get("bytes") or images[0].get("image") or images[0].get("path")
    if not image:
        raise DataError(f"{where} has an empty picture: {_AGAIN}")
    try:
        place = LatLon(float(truth["lat"]), float(truth["lon"]))
    except (KeyError, TypeError, ValueError):
        raise DataError(f"{where} has no position that is one: {_AGAIN}") from None
    source = image if isinstance(image, bytes) else located(Path(str(image)), folder)
    return Sample(digest, source, place, str(truth.get("city") or ""), str(truth.get("country") or ""))


def located(named: Path, folder: Path) -> Path:
    """Return where a picture is: where the row says, or beside the rows, when the directory was moved.

    Args:
        named: In the row.
        folder: Of the rows.
    """
    beside = folder / MEDIA / named.name
    return beside if not (folder / named).exists() and beside.exists() else folder / named


@dataclass(frozen=True)
class Subset:
    """The rows of a data set that are wanted."""

    data: DataSet
    wanted: Callable[[Row], bool]

    @property
    def name(self) -> str:
        """That of the set."""
        return self.data.name

    @property
    def notes(self) -> Sequence[str]:
        """Those of the set."""
        return self.data.notes

    def rows(self) -> Iterator[Row]:
        """Yield them in the set's order."""
        return filter(self.wanted, self.data.rows())


def held_out(row: Row, share: float) -> bool:
    """Tell whether a row belongs to the part that is kept for validation.

    Photos that were taken near each other go to the same part, so that none gives another's place away; at
    the border of two cells, the leak check finds what is left. A photo is always in the same part.

    Args:
        row: of any data set.
        share: 0 to 1.
    """
    if share <= 0:
        return False
    # A number between 0 and 1 that a cell of about a kilometre always has, and no pattern in it.
    cell = f"{row.truth.lat:.2f},{row.truth.lon:.2f}"
    return int(hashlib.sha256(cell.encode()).hexdigest()[:8], 16) < share * 16**8
