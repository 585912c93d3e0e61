"""The island: what experts find there, and that nothing but looking finds it."""

import csv
import random
from statistics import fmean

import pytest

from wheretaken import scoring
from wheretaken.agent import Status
from wheretaken.geo import LatLon, distance_km
from wheretaken.testing import island
from wheretaken.testing.island.world import COLUMNS, ROWS, sheet


def earned(skill: float, *, tools: bool = True, runs: int = 100) -> float:
    rewards = []
    for number in range(runs):
        run = island.run(number, skill=skill, tools=tools)
        assert run.status is Status.ANSWERED
        assert run.answer is not None
        (town,) = [
            town for town in island.towns(world_of(number, skill, tools=tools))
            if (town.row, town.column) == seen_in(run.messages[1].pictures[0].open())
        ]  # fmt: skip
        rewards.append(scoring.reward(distance_km(run.answer.position, LatLon(town.lat, town.lon))))
    return fmean(rewards)


def world_of(number: int, skill: float, *, tools: bool) -> int:
    return random.Random(f"expert {number} {skill} {tools}").randrange(1_000_000)


def seen_in(picture) -> tuple[int, int]:
    """The row and the column that a photo shows."""
    dark = [x for x in range(64) if max(picture.getpixel((x, 32))) < 60]
    column = dark[len(dark) // 2] * COLUMNS // 64
    soil = picture.getpixel((50 if column != 3 else 10, 32))
    away = [sum((a - b) ** 2 for a, b in zip(soil, colour, strict=True)) for colour in ROWS]
    return away.index(min(away)), column


def test_who_knows_finds_every_town_and_who_guesses_does_not():
    assert earned(1.0) == 1.0
    assert earned(0.0) < 0.3
    assert 0.35 < earned(0.6) < 0.75


def test_without_a_map_the_corner_is_guessed():
    assert 0.35 < earned(1.0, tools=False) < 0.65


def test_every_town_is_in_its_square_and_worlds_differ_in_corners_alone():
    first, second = island.towns(0), island.towns(1)
    assert len(first) == len(ROWS) * COLUMNS
    assert [(t.row, t.column) for t in first] == [(t.row, t.column) for t in second]
    assert [(t.south, t.west) for t in first] != [(t.south, t.west) for t in second]
    for town in first:
        assert town.row < town.lat < town.row + 1
        assert town.column < town.lon < town.column + 1


def test_a_photo_shows_row_and_column_in_any_light_and_not_the_corner():
    for town in island.towns():
        photos = {island.photo(town, seed).picture.sha256 for seed in range(5)}
        assert len(photos) == 5
        assert all(
            seen_in(island.photo(town, seed).picture.open()) == (town.row, town.column) for seed in range(20)
        )
    here, there = (next(t for t in island.towns(world) if (t.row, t.column) == (0, 0)) for world in (0, 3))
    assert (here.south, here.west) != (there.south, there.west)
    assert island.photo(here, 1) == island.photo(there, 1)


def test_blank_photos_tell_nothing():
    blank = [island.photo(town, 7, blank=True).picture.open().getcolors() for town in island.towns()]
    assert all(len(colours) == 1 for colours in blank)


@pytest.mark.parametrize("south", [True, False])
@pytest.mark.parametrize("west", [True, False])
def test_a_sheet_shows_the_corner_and_nothing_else(south, west):
    town = island.Town(2, 1, south, west)
    picture = sheet(town)
    assert max(picture.getpixel((10 if west else 50, 50 if south else 10))) < 60
    assert picture.tobytes() == sheet(island.Town(0, 3, south, west)).tobytes()


async def test_the_map_has_a_sheet_for_every_square_and_sea_around():
    maps = island.IslandMaps()
    inside = await maps.road_map(LatLon(1.5, 2.5), zoom=15)
    assert (inside.south, inside.west, inside.north, inside.east) == (1, 2, 2, 3)
    sea = [await maps.road_map(LatLon(lat, lon), zoom=15) for lat, lon in ((-0.5, 1.5), (50.5, 9.5))]
    assert sea[0].png == sea[1].png != inside.png


def test_names_of_photos_tell_nothing_and_the_table_has_their_places(tmp_path):
    table = island.dataset(tmp_path / "set", 20, world=4)
    rows = list(csv.DictReader(table.read_text("utf-8").splitlines()))
    places = {(t.lat, t.lon) for t in island.towns(4)}
    assert len(rows) == 20
    assert {(float(row["lat"]), float(row["lon"])) for row in rows} == places
    assert all(row["image"].removesuffix(".png").isdecimal() for row in rows)
