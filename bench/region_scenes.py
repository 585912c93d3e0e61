"""How well signs of cities are located with their street map loaded, and how honestly without it.

    python bench/region_scenes.py [EXTRACT:LANGUAGE ...] [--number 30] [--seed 9] [--save DIR] [--no-baseline]

Draws scenes of every extract (`wheretaken.testing.scenes`; `LANGUAGE` says how signs are lettered there: en,
fi, fr, ja, zh), at difficulties 1, 2 and 3 in turn, imports all extracts, and asks the reader where each is.
Then the same with no map but the world index and the built-in region: there no street can be found, and what
counts is that the stated radius says so. The baseline, on the same pictures with the maps loaded: OCR, then
the thing of the regions that is named exactly like a line that was read.

Without arguments: Monaco, Tokyo-Nakameguro and Shanghai-University, if `WHERETAKEN_SHARED/osm` has them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scenes import BASELINE, Result, engine, measure, reader, save_failures, show, table_row

from wheretaken.geo import LatLon
from wheretaken.maps.offline import provider
from wheretaken.maps.offline.region import own_files
from wheretaken.maps.offline.region.adding import add
from wheretaken.testing.scenes import MANNERS, District, Scene, street_scene, street_targets

if TYPE_CHECKING:
    from PIL import Image

SHARED = Path(os.environ.get("WHERETAKEN_SHARED") or Path(__file__).resolve().parents[2] / "shared") / "osm"
USUAL = ("monaco.osm.pbf:fr", "tokyo-nakameguro.osm:ja", "shanghai-university.osm:zh")
GOOD_KM = 0.5


def draw(extract: Path, language: str, number: int, seed: int) -> list[tuple[str, Scene]]:
    """Draw scenes of an extract, under its name."""
    district = District.read(extract, MANNERS[language])
    name = extract.name.partition(".")[0]
    return [
        (name, street_scene(target, seed, (1, 2, 3)[index % 3], district))
        for index, target in enumerate(street_targets(number, seed, district))
    ]


def named(regions: list[Path]) -> dict[str, LatLon]:
    """Return what is in the regions by its casefolded name."""
    names: dict[str, LatLon] = {}
    for region in regions:
        with closing(sqlite3.connect(region)) as connection:
            for name, lat, lon in connection.execute("SELECT name, lat, lon FROM thing ORDER BY id DESC"):
                names[name.casefold()] = LatLon(lat, lon)
    return names


def tabled(title: str, results: list[Result]) -> list[tuple[str, ...]]:
    """Return the rows of a locator: all, and by place, difficulty and kind of sign."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        for label in (result.where, f"difficulty {result.scene.difficulty}", f"sign {result.scene.kind}"):
            groups.setdefault(f"  {label}", []).append(result)
    return [table_row(title, results), *(table_row(label, groups[label]) for label in sorted(groups))]


async def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("extracts", nargs="*", metavar="EXTRACT:LANGUAGE")
    parser.add_argument("--number", type=int, default=30, help="scenes of each extract")
    parser.add_argument("--seed", type=int, default=9)
    parser.add_argument(
        "--save", type=Path, metavar="DIR", help="write the pictures that were not located here"
    )
    parser.add_argument("--no-baseline", action="store_true", help="measure the reader alone")
    options = parser.parse_args()
    asked = options.extracts or [str(SHARED / usual) for usual in USUAL]
    parts = [(Path(extract), language) for extract, _, language in (text.rpartition(":") for text in asked)]
    if missing := [str(path) for path, _ in parts if not path.is_file()]:
        sys.exit(f"not there: {', '.join(missing)}; name extracts, such as  city.osm.pbf:fr")
    drawn = [scene for part in parts for scene in draw(*part, options.number, options.seed)]
    print(f"{len(drawn)} scenes, seed {options.seed}; right within {GOOD_KM:g} km\n")
    with tempfile.TemporaryDirectory() as empty, tempfile.TemporaryDirectory() as loaded:
        os.environ["WHERETAKEN_DATA_DIR"] = loaded
        for extract, _ in parts:
            add(extract)
        names = named(own_files())

        async def baseline(picture: Image.Image) -> tuple[LatLon, float] | None:
            read = getattr(engine()(np.asarray(picture)[..., ::-1].copy()), "txts", None) or ()
            found = [names[text.casefold()] for text in read if text.casefold() in names]
            return (found[0], GOOD_KM) if found else None

        for title, directory, locate in (
            (f"{BASELINE}, maps loaded", loaded, baseline),
            ("reader, maps loaded", loaded, reader),
            ("reader, no map of the city", empty, reader),
        ):
            if options.no_baseline and locate is baseline:
                continue
            os.environ["WHERETAKEN_DATA_DIR"] = directory
            provider.offline_provider.cache_clear()
            results = await measure(locate, drawn)
            show(tabled(title, results))
            wrong = sum(result.error_km is not None and not result.honest for result in results)
            print(f"outside the stated radius: {wrong} of {len(results)}\n")
            if options.save:
                save_failures(title.replace(" ", "-"), results, options.save)


if __name__ == "__main__":
    asyncio.run(main())
