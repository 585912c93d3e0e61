"""The island: sixteen towns in a grid, their photos, and the map on which they are found.

Each square of the grid, one degree wide, has one town in one of its four corners. A photo is of the colour
of its row (the soil there) and has a dark post at the place of its column (as each column has its own); which
corner the town lies in is on the map alone, and differs from one world to the next. So whoever sees the photo
knows which sheet of the map to look at, and whoever looks there knows the rest; whoever sees nothing guesses.

On the reward ladder that is: the town 1, another corner of its square 0.4 or 0.2, another square 0.2 or 0.1.
"""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from wheretaken.agent import Case
from wheretaken.maps import MapPicture, Place
from wheretaken.testing.maps import FewPlaces
from wheretaken.tools import Toolset
from wheretaken.tools.worldwide import WORLDWIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.geo import LatLon

ROWS = ((214, 48, 40), (44, 170, 60), (50, 70, 214), (222, 200, 60))
"""The colours, from south to north."""
COLUMNS = 4
SIDE = 64
"""Pixels of a picture's side."""
CORNERS = tuple((south, west) for south in (True, False) for west in (True, False))
ISLAND = Toolset("island", tuple(tool for tool in WORLDWIDE.tools if tool.name == "road_map"))
"""The only tool that is needed there."""
_SEA, _LAND, _TOWN = (150, 190, 220), (245, 245, 230), (30, 30, 30)
_STONE, _POST = (120, 120, 120), (20, 20, 20)


@dataclass(frozen=True)
class Town:
    """Where photos are taken."""

    row: int
    """From south to north: its square begins at this latitude."""
    column: int
    """From west to east: its square begins at this longitude."""
    south: bool
    """Whether it lies in the southern half of its square."""
    west: bool

    @property
    def lat(self) -> float:
        """Latitude, WGS-84 degrees."""
        return self.row + (0.4 if self.south else 0.6)

    @property
    def lon(self) -> float:
        """Longitude, WGS-84 degrees."""
        return self.column + (0.4 if self.west else 0.6)

    @property
    def sheet(self) -> tuple[float, float]:
        """The middle of its square: latitude and longitude."""
        return self.row + 0.5, self.column + 0.5


def towns(world: int = 0) -> tuple[Town, ...]:
    """Return the towns of a world; two worlds differ in the corners alone."""
    chance = random.Random(f"island {world}")  # noqa: S311 - a drawn map is no secret
    return tuple(
        Town(row, column, *chance.choice(CORNERS)) for row in range(len(ROWS)) for column in range(COLUMNS)
    )


def photo(town: Town, seed: int = 0, *, blank: bool = False) -> Case:
    """Return a photo that was taken in a town: another one for each seed, in another light.

    With `blank` it shows nothing, so that only guessing is left.
    """
    chance = random.Random(f"photo {town.row} {town.column} {seed}")  # noqa: S311 - as above
    image = Image.new("RGB", (SIDE, SIDE), _varied(_STONE, chance))
    if not blank:
        draw = ImageDraw.Draw(image)
        edge = chance.randint(2, 5)
        draw.rectangle((edge, edge, SIDE - 1 - edge, SIDE - 1 - edge), fill=_varied(ROWS[town.row], chance))
        left = SIDE // COLUMNS * town.column + chance.randint(3, 6)
        draw.rectangle((left, 0, left + 7, SIDE), fill=_POST)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return Case.of(buffer.getvalue())


def _varied(colour: tuple[int, int, int], chance: random.Random) -> tuple[int, int, int]:
    red, green, blue = (min(max(part + chance.randint(-18, 18), 0), 255) for part in colour)
    return red, green, blue


def sheet(town: Town) -> Image.Image:
    """Draw the map of a town's square, where the town is the dark quarter; north is up."""
    image = Image.new("RGB", (SIDE, SIDE), _LAND)
    half = SIDE // 2
    left, top = (0 if town.west else half), (half if town.south else 0)
    ImageDraw.Draw(image).rectangle((left, top, left + half - 1, top + half - 1), fill=_TOWN)
    return image


class IslandMaps(FewPlaces):
    """The map of a world of the island: one sheet for each square, and sea around it."""

    name = "island"

    def __init__(self, world: int = 0) -> None:
        """Know the towns of this world."""
        self.towns = {(town.row, town.column): town for town in towns(world)}
        super().__init__(
            [
                Place(
                    id=f"island:{row}-{column}",
                    name=f"Town {row}-{column}",
                    kind="town",
                    lat=town.lat,
                    lon=town.lon,
                )
                for (row, column), town in self.towns.items()
            ]
        )

    async def road_map(
        self,
        centre: LatLon,
        *,
        zoom: float,
        width: int = SIDE,
        height: int = SIDE,
        markers: Sequence[LatLon] = (),
        language: str = "",
    ) -> MapPicture:
        """Return the sheet of the square that a position lies in."""
        del width, height
        self._note(f"road_map {centre} {zoom} {len(markers)} {language}".rstrip())
        south, west = int(centre.lat // 1), int(centre.lon // 1)
        town = self.towns.get((south, west))
        image = sheet(town) if town else Image.new("RGB", (SIDE, SIDE), _SEA)
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        return MapPicture(
            png=buffer.getvalue(),
            width=SIDE,
            height=SIDE,
            south=float(south),
            west=float(west),
            north=min(south + 1.0, 90.0),
            east=min(west + 1.0, 180.0),
            zoom=zoom,
            attribution="nobody",
        )
