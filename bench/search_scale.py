"""How fast a million places are searched: exact and misread names, and things that are close together.

    python bench/search_scale.py [--points 1000000] [--keep FILE.region.sqlite]

The region is made of the built-in extract's things, again and again beside each other: each copy keeps the
kind and takes the words of another name into its own, so that names vary as they do in a country. Baselines,
measured in the same run on the same names: for an exact name SQLite's LIKE over all names; for a misread one
a full scan with rapidfuzz (C++); for a combination a nested loop over numpy arrays, from each of the rarest
things to all of the others. The first two return names only: no places, addresses, distances or reasons; the
loop counts what is complete. Beside the time of the
clock stands that of the processor, which is what counts on a machine with other work to do.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from wheretaken.maps.offline import combination
from wheretaken.maps.offline.names import fold
from wheretaken.maps.offline.region import Region, aliases, builtin, cells, kinds, schema
from wheretaken.maps.offline.region.write import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SAMPLES = 100
SLOW_SAMPLES = 5
LOOPS = 2
"""The loop over all pairs takes seconds."""
SEED = 7
WITHIN_KM = 0.15
COMBINATIONS = 5
"""Results that are asked for."""
VARIED = 0.8
"""How many of the names get another word."""


def made_up(target: Path, points: int) -> None:
    """Write a region file with so many named POIs, as dense as a city centre, and nothing to draw.

    The tables that are searched are filled as an import does it, which is measured elsewhere (`regions`).
    """
    chance = random.Random(SEED)
    with closing(sqlite3.connect(builtin())) as connection:
        rows = connection.execute(
            "SELECT name, kind, lat, lon FROM thing WHERE kind NOT IN ('address', 'street') ORDER BY id"
        ).fetchall()
    words = sorted({word for name, *_ in rows for word in name.split()})
    side = round((points / len(rows)) ** 0.5) + 1
    with closing(schema.create(target)) as connection, connection:
        writer = Writer(connection)
        none = writer.words.none
        things: list[tuple[object, ...]] = []
        named: list[tuple[int, str, int]] = []
        for number in range(points):
            copy, which = divmod(number, len(rows))
            name, kind, lat, lon = rows[which]
            spelled = f"{name} {chance.choice(words)}" if chance.random() < VARIED else name
            north, east = (copy // side) * 0.03 - 15, (copy % side) * 0.06
            at = (round((lat + north) * 1e7), round((lon + east) * 1e7))
            thing = (number + 1, schema.osm_number(f"n{number + 1}"), writer.words.kinds[kind], spelled, "")
            things.append((*thing, *at, none[0], "", none[1], 50))
            named.append((number + 1, spelled, 0))
        connection.executemany("INSERT INTO things VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", things)
        connection.execute("INSERT INTO temp.thing_kind SELECT kind, id FROM things")
        writer.finish()
        kinds.index(connection)
        cells.index(connection)
        connection.executemany("INSERT INTO temp.name VALUES (?, ?, ?)", named)
        aliases.index(connection)
        connection.executescript(schema.INDEXES)
        connection.execute("ANALYZE")
        meta = {"schema_version": schema.VERSION, "name": "made up", "source_date": "", "things": str(points)}
        meta |= {"bounds": "-90,-180,90,180", "attribution": schema.ATTRIBUTION}
        connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())


def misread(name: str, chance: random.Random) -> str:
    """Return the name with one letter that is read wrongly."""
    at = chance.randrange(len(name))
    return name[:at] + chance.choice("aeiou1l0") + name[at + 1 :]


def milliseconds(work: Callable[[str], object], queries: Sequence[str]) -> tuple[float, float, float]:
    """Return the median and the 95th percentile of one call by the clock, and the median of the processor."""
    taken: list[float] = []
    worked: list[float] = []
    for query in queries:
        begun, began = time.perf_counter(), time.process_time()
        work(query)
        worked.append((time.process_time() - began) * 1000)
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken), float(np.percentile(taken, 95)), statistics.median(worked)


def nested(region: Region, wanted: Sequence[str]) -> int:
    """Return how many places have all things within reach, or lack one, by comparing all with all.

    It looks where the search that is measured looks: around each of the rarest things and, when that gives
    too few complete ones, around each of the next rarest. Things that the region lacks are left out.
    """
    parts = [region.members(one, step_km=WITHIN_KM) for one in wanted]
    parts = sorted((part for part in parts if part.size), key=lambda part: part.size)
    found = 0
    for lead in parts[:2]:
        others = [part for part in parts if part is not lead]
        for lat, lon in zip(lead.lats, lead.lons, strict=True):
            east = np.cos(np.radians(lat)) * 111.3
            met = [
                (np.hypot((part.lats - lat) * 111.3, (part.lons - lon) * east) <= WITHIN_KM).any()
                for part in others
            ]
            found += sum(met) + 1 == len(wanted)
        if found >= COMBINATIONS:
            break
    return found


def together(region: Region, wanted: Sequence[str]) -> object:
    """Return the combinations, as the provider finds them."""
    parts = [region.members(one, step_km=WITHIN_KM / 2) for one in wanted]
    return combination.find(parts, region.places, within_km=WITHIN_KM, limit=COMBINATIONS)


def row(label: str, ours: tuple[float, float, float], baseline: str, theirs: tuple[float, ...]) -> None:
    """Print one line of the table; the ratio is that of the processor's time."""
    p50, p95, worked = ours
    print(
        f"{label:22}{p50:8.2f}{p95:8.2f}{worked:9.2f}   {baseline:22}{theirs[0]:8.1f}{theirs[2]:9.1f}"
        f"{theirs[2] / worked:9.1f}x"
    )


def measure(target: Path) -> None:
    """Print the table for one region file."""
    chance = random.Random(SEED)
    with closing(sqlite3.connect(target)) as connection, Region(target) as region:
        names = [name for (name,) in connection.execute("SELECT name FROM alias WHERE length(name) > 7")]
        folded = [fold(name) for name in names]
        exact = chance.sample(names, SAMPLES)
        wrong = [misread(name, chance) for name in exact]
        sets = [
            [
                chance.choice(exact),
                *chance.sample(("cafe", "tram stop", "pharmacy", "supermarket", "bank"), 2),
            ]
            for _ in range(SAMPLES)
        ]
        kinds = [["pharmacy", "tram stop", "supermarket"], ["bank", "cafe", "hairdresser"]]

        def like(query: str) -> object:
            sql = "SELECT thing_id FROM alias WHERE name LIKE ? LIMIT 10"
            return connection.execute(sql, (query,)).fetchall()

        def scan(query: str) -> object:
            scorer = Levenshtein.normalized_similarity
            return process.extract(fold(query), folded, scorer=scorer, limit=10)

        region.search(wrong[0])  # the first calls load libraries
        together(region, sets[0])
        heads = (
            f"{'':22}{'p50 ms':>8}{'p95 ms':>8}{'cpu p50':>9}",
            f"{'p50 ms':>8}{'cpu p50':>9}{'ratio':>10}",
        )
        print(f"{heads[0]}   {'baseline':22}{heads[1]}")
        row(
            "exact name",
            milliseconds(region.search, exact),
            "SQLite LIKE",
            milliseconds(like, exact[:SLOW_SAMPLES]),
        )
        row(
            "one letter misread",
            milliseconds(region.search, wrong),
            "rapidfuzz, all names",
            milliseconds(scan, wrong[:SLOW_SAMPLES]),
        )
        for label, asked in (("a name and two kinds", sets), ("three kinds", kinds)):
            by_text = {"|".join(one): one for one in asked}
            again = list(by_text) * (SAMPLES // len(by_text))
            ours = milliseconds(lambda key, known=by_text: together(region, known[key]), again)
            simple = list(by_text)[:LOOPS]
            loop = milliseconds(lambda key, known=by_text: nested(region, known[key]), simple)
            row(label, ours, "nested loop (numpy)", loop)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="use this region file, and make it when it is missing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        target = options.keep or Path(directory) / "made-up.region.sqlite"
        if not target.is_file():
            begun = time.perf_counter()
            made_up(target, options.points)
            seconds = time.perf_counter() - begun
            print(f"{options.points:,} POIs made and indexed in {seconds:.0f} s")
        print(f"{target.stat().st_size / 1e6:.0f} MB\n")
        measure(target)


if __name__ == "__main__":
    main()
