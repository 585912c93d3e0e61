"""A tiny world with the real schema, whose land, borders and names the tests know to the degree."""

from __future__ import annotations

import io
import sqlite3
from typing import TYPE_CHECKING

import pytest
import shapely
from PIL import Image, ImageColor

from wheretaken.maps.offline.region import builtin
from wheretaken.maps.offline.render import Renderer
from wheretaken.maps.offline.world import schema

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from shapely.geometry.base import BaseGeometry

    from wheretaken.maps.base import MapPicture

LANDS = (
    shapely.box(0, 0, 20, 10),  # "Eastland" and "Westland" part it at 10 degrees east
    shapely.box(170, -30, 180, -10),  # a land cut by the antimeridian
    shapely.box(-180, -30, -170, -10),
)
TOWNS = (
    # name_local, english, lat, lon, population
    ("東京都", "Tokyo", 2.0, 2.0, 13_000_000),
    ("Großstadt", "", 2.0, 18.0, 8_000_000),
    ("Dateline", "", -20.0, 179.9, 9_000_000),
    ("Dorf", "", 8.0, 18.0, 700),
)


@pytest.fixture(scope="session")
def world_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("world") / "world.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(schema.TABLES)
    for table in schema.GEOMETRY_TABLES:
        rtree = f"CREATE VIRTUAL TABLE idx_{table}_geometry USING rtree(pkid, xmin, xmax, ymin, ymax)"
        connection.execute(rtree)
    for land in LANDS:
        _add(connection, "land", land)
        _add(connection, "land_low", land)
    _add(connection, "country", shapely.box(0, 0, 10, 10), "WE", "Westland", "ვესტლანდი")
    _add(connection, "country", shapely.box(10, 0, 20, 10), "EA", "Eastland", 'L\'Est, "pays"')
    _add(connection, "country_border", shapely.LineString([(10, 0), (10, 10)]))
    for name, english, lat, lon, population in TOWNS:
        row = (english or name, name, english, "city", lat, lon, "", "", population, 5.0)
        _add(connection, "place", shapely.Point(lon, lat), *row)
    connection.commit()
    connection.close()
    return path


@pytest.fixture(scope="session")
def helsinki() -> Path:
    return builtin()


@pytest.fixture(scope="session")
def renderer(world_file: Path, helsinki: Path) -> Renderer:
    return Renderer(world_file, [helsinki])


@pytest.fixture(scope="session")
def ink() -> Callable[..., int]:
    """Count the pixels in a box (or anywhere) that are nearly of a colour: letters have soft edges."""

    def count(picture: MapPicture, colour: str, box: tuple[int, int, int, int] | None = None) -> int:
        wanted = ImageColor.getrgb(colour)
        image = Image.open(io.BytesIO(picture.png)).convert("RGB").crop(box)
        return sum(
            number
            for number, found in image.getcolors(4_000_000) or []
            if isinstance(found, tuple) and all(abs(a - b) < 40 for a, b in zip(found, wanted, strict=True))
        )

    return count


def _add(connection: sqlite3.Connection, table: str, shape: BaseGeometry, *columns: object) -> None:
    marks = ", ".join("?" * (len(columns) + 1))
    cursor = connection.execute(
        f"INSERT INTO {table} VALUES (NULL, {marks})", (*columns, shapely.to_wkb(shape))
    )
    west, south, east, north = shape.bounds
    connection.execute(
        f"INSERT INTO idx_{table}_geometry VALUES (?, ?, ?, ?, ?)",
        (cursor.lastrowid, west, east, south, north),
    )
