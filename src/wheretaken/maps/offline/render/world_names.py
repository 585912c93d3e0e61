"""Names that are put on the map from memory: countries, and settlements large enough to be seen from afar.

A far view covers most of the world's settlements, and asking the file for its few large ones there would
read every row that the view covers. So the large ones are read once, and mapnik gets them as text.
"""

from __future__ import annotations

import contextlib
import csv
import io
import math
import sqlite3
from typing import TYPE_CHECKING, NamedTuple

from wheretaken.errors import DataError
from wheretaken.maps.offline.render.languages import country_name, settlement_name
from wheretaken.maps.offline.render.shapes import inner_point

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from shapely.geometry.base import BaseGeometry

LARGE = 120_000
"""Inhabitants of a settlement that is kept in memory: about 5,000 are."""
SMOOTHING = 0.2
"""Degrees by which coasts are smoothed before the inner point is sought; a label does not show it."""


class Settlement(NamedTuple):
    """A large settlement, WGS-84 degrees."""

    name: str
    lat: float
    lon: float
    population: int


class Country(NamedTuple):
    """A country's label and where it has most room."""

    size: float
    """Of the country's largest piece, square degrees at the equator."""
    name: str
    lat: float
    lon: float

    @property
    def first_zoom(self) -> int:
        """The zoom from which its name has room: 2 for 150 square degrees; each zoom quarters that."""
        return max(1, min(8, round(2 + math.log(150 / max(self.size, 1e-6), 4))))


class WorldNames(NamedTuple):
    """What is written from afar, the most important first."""

    countries: tuple[Country, ...]
    settlements: tuple[Settlement, ...]


def read_names(world: Path, language: str) -> WorldNames:
    """Read the labels from the world file.

    Raises:
        DataError: the world file cannot be read.
    """
    import shapely  # noqa: PLC0415 - needed once for each language, not by the pictures

    # The longest geometry of a code stands for its largest piece: at one scale, length of outline is size.
    countries = f"SELECT {country_name(language)}, geometry, max(length(geometry)) FROM country GROUP BY code"  # noqa: S608 - constants
    settlements = (
        f"SELECT {settlement_name(language)}, lat, lon, population FROM place "  # noqa: S608 - constants
        f"WHERE population >= {LARGE} AND kind <> 'district' ORDER BY population DESC, id"
    )
    try:
        with contextlib.closing(
            sqlite3.connect(f"{world.absolute().as_uri()}?mode=ro", uri=True)
        ) as connection:
            large = tuple(Settlement(*row) for row in connection.execute(settlements))
            pieces = [(str(name), bytes(wkb)) for name, wkb, _ in connection.execute(countries)]
    except sqlite3.DatabaseError as error:
        raise DataError(
            f"{world} is not a world map or is damaged ({error}): delete it to have it rebuilt"
        ) from error
    labels = sorted((_country(shapely.from_wkb(wkb), name) for name, wkb in pieces), reverse=True)
    return WorldNames(tuple(labels), large)


def inline_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return points as text for mapnik; it takes the position from the columns `lat` and `lon`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def _country(piece: BaseGeometry, name: str) -> Country:
    """Place a country's name inside its largest piece, as far from its edges as possible."""
    import shapely  # noqa: PLC0415

    plain = shapely.simplify(piece, SMOOTHING)
    lon, lat = inner_point(plain if plain.area > 0 else piece, tolerance=SMOOTHING)
    return Country(piece.area * math.cos(math.radians(lat)), name, round(lat, 3), round(lon, 3))
