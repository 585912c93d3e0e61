"""Street regions: how fast an extract is imported, how large it gets, and how fast it is searched.

    python bench/regions.py [EXTRACT...] [--made-up N] [--tile COPIES]

The built-in extract is always measured; `--tile` measures the last one once more, so many times as large (see
`tiling`), in a process of its own. Memory is that of all processes at one moment. Seconds of the processor
stand beside those of the clock: on a machine that has other work to do, only the former say how fast an
import is. What an import would take at least, reading every tagged element with its geometry and doing
nothing with it, is the baseline.

The baseline is measured in the same run on the same names: a linear scan with rapidfuzz's `process.extract`
(C++) for the ten most similar folded names, which is what a program without an index does. It returns names
only: no places, addresses, distances or reasons. At a few thousand names it is as fast as any index;
`--made-up` shows how both grow, with a map of N points whose names are put together from the built-in
extract's words.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

import osmium
import osmium.osm
from memory import watched
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein
from tiling import tile

from wheretaken.maps.offline import region as package
from wheretaken.maps.offline.names import fold
from wheretaken.maps.offline.region import Region, import_extract
from wheretaken.maps.offline.region.read import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BUILT_IN = Path(package.__file__).parents[1] / "data" / "region" / "helsinki.osm.pbf"
SAMPLES = 200
SEED = 7


def milliseconds(work: Callable[[str], object], queries: Sequence[str]) -> tuple[float, float]:
    """Return the median and the 95th percentile of one call."""
    taken: list[float] = []
    for query in queries:
        begun = time.perf_counter()
        work(query)
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken), statistics.quantiles(taken, n=20)[-1]


def misread(name: str, chance: random.Random) -> str:
    """Return the name with one letter that is read wrongly."""
    at = chance.randrange(len(name))
    return name[:at] + chance.choice("aeiou1l0") + name[at + 1 :]


def made_up(path: Path, points: int) -> Path:
    """Write an extract of cafés with names of two or three real words, at streets with numbers."""
    chance = random.Random(SEED)
    words = sorted(
        {
            word
            for element in osmium.FileProcessor(BUILT_IN, osmium.osm.NODE)
            if "name" in element.tags
            for word in element.tags["name"].split()
        }
    )
    with path.open("w", encoding="utf-8") as file:
        file.write('<osm version="0.6">')
        for number in range(1, points + 1):
            name, street = (" ".join(chance.choices(words, k=chance.choice((2, 3)))) for _ in range(2))
            tags = {"amenity": "cafe", "name": name, "addr:street": street, "addr:housenumber": number % 90}
            lat, lon = chance.uniform(60, 61), chance.uniform(24, 26)
            file.write(f'<node id="{number}" version="1" lat="{lat}" lon="{lon}">')
            file.writelines(f'<tag k="{key}" v={quoteattr(str(value))}/>' for key, value in tags.items())
            file.write("</node>")
        file.write("</osm>")
    return path


def measure_import(extract: Path, target: Path) -> None:
    counted = sum(1 for _ in osmium.FileProcessor(extract, osmium.osm.NODE))
    read, reading = read_alone(extract)
    begun, began = time.perf_counter(), processor_seconds()
    with watched() as most:
        info = import_extract(extract, target, name=extract.name)
    seconds, worked = time.perf_counter() - begun, processor_seconds() - began
    size, source = target.stat().st_size, extract.stat().st_size
    print(
        f"{extract.name}: {counted:,} nodes, {source / 1e6:.2f} MB; {read:,} features, {info.things:,} things"
        "\n"
        f"  import         {seconds:6.2f} s  {counted / seconds:9,.0f} nodes/s by the clock"
        f"  {counted / worked:9,.0f} by the processor (reading alone {counted / reading:9,.0f})\n"
        f"  region file    {size / 1e6:6.2f} MB = {size / source:4.2f} x the extract\n"
        f"  most memory    {most}"
    )


def read_alone(extract: Path) -> tuple[int, float]:
    """Return how many features an extract has, and how many seconds of the processor reading them takes.

    In a process of its own: what a process has freed goes on counting as its memory.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_read_alone, (extract,))


def _read_alone(extract: Path) -> tuple[int, float]:
    began = time.process_time()
    return sum(1 for _ in Source(extract).features()), time.process_time() - began


def processor_seconds() -> float:
    """Return what this process and those that it waited for have used."""
    return sum(os.times()[:4])


def measure_large(extract: Path, copies: int, folder: Path) -> None:
    """Import copies of an extract in a process of its own, as memory is counted by process."""
    large = tile(extract, folder / f"{extract.name.split('.')[0]}-{copies}.osm.pbf", copies)
    target = folder / "large.region.sqlite"
    worker = multiprocessing.get_context("spawn").Process(target=measure_import, args=(large, target))
    worker.start()
    worker.join()


def measure_search(target: Path) -> None:
    chance = random.Random(SEED)
    with closing(sqlite3.connect(target)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM alias WHERE length(name) > 5")]
        doors = connection.execute(
            "SELECT street || ' ' || house_number FROM thing WHERE street <> '' AND house_number <> ''"
        ).fetchall()
    folded = [fold(name) for name in names]
    exact = chance.choices(names, k=SAMPLES)
    queries = {
        "exact name": exact,
        "misread name": [misread(name, chance) for name in exact],
        "address": [row[0] for row in chance.choices(doors, k=SAMPLES)] if doors else [],
    }
    with Region(target) as region:
        for label, asked in queries.items():
            if not asked:
                continue
            region.search(asked[0])  # the first call loads libraries

            def scan(query: str) -> object:
                return process.extract(
                    fold(query), folded, scorer=Levenshtein.normalized_similarity, limit=10
                )

            ours, ours_late = milliseconds(region.search, asked)
            linear, _ = milliseconds(scan, asked)
            found = sum(bool(region.search(query)) for query in asked)
            print(
                f"  {label:14} p50 {ours:6.2f} ms  p95 {ours_late:6.2f} ms  found {found / len(asked):4.0%}"
                f"  linear rapidfuzz scan p50 {linear:6.2f} ms = {linear / ours:4.1f} x"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure importing and searching street regions.")
    parser.add_argument("extracts", nargs="*", type=Path, help="more extracts (.osm.pbf, .osm)")
    parser.add_argument("--made-up", type=int, default=0, metavar="N", help="also a map of N invented points")
    parser.add_argument("--tile", type=int, default=0, metavar="COPIES", help="also the last one many times")
    parser.add_argument("--folder", type=Path, help="where large files are put; the system's by default")
    options = parser.parse_args()
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.folder) as directory:
        extracts = [BUILT_IN, *options.extracts]
        if options.made_up:
            extracts.append(made_up(Path(directory) / "made-up.osm", options.made_up))
        for number, extract in enumerate(extracts):
            target = Path(directory) / f"{number}.region.sqlite"
            measure_import(extract, target)
            measure_search(target)
        if options.tile:
            measure_large(extracts[-1], options.tile, Path(directory))


if __name__ == "__main__":
    main()
