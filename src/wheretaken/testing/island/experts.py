"""Who knows the island: scripted experts, and how their runs are kept for a model to learn from.

An expert looks at a sheet of the map and answers; one without tools answers at once, and guesses the corner.
With `skill` below 1 an expert picks the wrong sheet, or the wrong corner, now and then.
"""

from __future__ import annotations

import asyncio
import csv
import json
import random
from dataclasses import replace
from typing import TYPE_CHECKING

from wheretaken.agent import record
from wheretaken.sampling.parallel import DIRECT
from wheretaken.testing.island.world import CORNERS, ISLAND, IslandMaps, Town, photo, towns
from wheretaken.testing.scripted import ScriptedModel, call, say

if TYPE_CHECKING:
    from pathlib import Path

    from wheretaken.agent import Trajectory

WORLDS = 1_000_000
"""Experts come from many worlds, so that what they know of corners is of no use in another one."""


def expert(
    town: Town, world: int, chance: random.Random, *, skill: float = 1.0, tools: bool = True
) -> ScriptedModel:
    """Return an expert who is shown a photo of a town.

    Args:
        town: Where it was taken.
        world: Whose map the expert looks at.
        chance: Decides about mistakes.
        skill: The probability that a choice is made knowingly; otherwise it is made at random.
        tools: Whether there is a map.
    """
    seen = town if chance.random() < skill else chance.choice(towns(world))
    known = tools and chance.random() < skill
    south, west = (seen.south, seen.west) if known else chance.choice(CORNERS)
    found = replace(seen, south=south, west=west)
    answer = say(json.dumps({"lat": found.lat, "lon": found.lon}))
    lat, lon = seen.sheet
    # No text beside the call, which some servers leave out when they are sent a conversation again.
    return ScriptedModel([call(("road_map", {"lat": lat, "lon": lon})), answer] if tools else [answer])


def run(number: int, *, skill: float = 1.0, tools: bool = True, out: Path | None = None) -> Trajectory:
    """Return a run of an expert; the same number gives the same one.

    Args:
        number: Which.
        skill: As above.
        tools: As above.
        out: A directory of runs that it is added to.
    """
    chance = random.Random(f"expert {number} {skill} {tools}")  # noqa: S311 - a game
    world = chance.randrange(WORLDS)
    maps = IslandMaps(world)
    town = chance.choice(towns(world))
    model = expert(town, world, chance, skill=skill, tools=tools)
    case = photo(town, chance.randrange(WORLDS))
    name = f"expert-{number}"
    return asyncio.run(
        record(case, model, ISLAND if tools else DIRECT, maps, seed=number, run_id=name, out=out)
    )


def dataset(directory: Path, count: int, *, world: int = 0, seed: int = 0, blank: bool = False) -> Path:
    """Write photos of a world with their places, and return the table, which `open_dataset` reads.

    Args:
        directory: New.
        count: How many photos; every town has as many as the others, or one more.
        world: Which.
        seed: Other photos for each.
        blank: Photos on which nothing is to be seen.
    """
    directory.mkdir(parents=True)
    table = directory / "photos.csv"
    places = towns(world)
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "lat", "lon"])
        for number in range(count):
            town = places[number % len(places)]
            case = photo(town, seed * WORLDS + number, blank=blank)
            # Nothing in a name tells the place.
            name = f"{number:05}.png"
            (directory / name).write_bytes(case.picture.data)
            writer.writerow([name, town.lat, town.lon])
    return table
